"""Where a report goes: standard output or a file; and the text of the files that its comments stand in."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from migration_gate import git
from migration_gate.errors import Misconfigured
from migration_gate.facts import Facts
from migration_gate.verdict.judge import files_with_comments
from migration_gate.verdict.outcome import Report

LIMIT = 1 << 20
"""bytes of a file that are looked through for comments"""


def read_comment_files(facts: Facts, root: Path) -> dict[str, str]:
    """The files whose comments matter, by the path that findings use; unreadable ones are left out."""
    top = git.find_repository_root(root)
    found = {}
    for name in files_with_comments(facts):
        try:
            with (top / name).open("rb") as stream:
                found[name] = stream.read(LIMIT).decode("utf-8", "replace")
        except OSError:
            continue  # a finding will say what is wrong with it, if that matters
    return found


@dataclass(frozen=True, slots=True)
class ReportTargets:
    """Which formats are wanted, and where."""

    form: str = "text"
    output: Path | None = None
    """for `form`; standard output when None"""
    files: tuple[tuple[str, Path], ...] = ()
    """further formats, each with its file"""


def add_version(report: Report) -> Report:
    """The report with the version of the gate that made it."""
    return replace(report, seconds=round(report.seconds, 3), version=version("migration-gate"))


def deliver_report(report: Report, targets: ReportTargets) -> int:
    """Render and write the report, and return its exit status. Raises Misconfigured where it cannot."""
    for form, file in targets.files:
        _save(file, render_report(report, form), f"--report {form}")
    colour = targets.output is None and sys.stdout.isatty()
    width = min(os.get_terminal_size().columns, 100) if sys.stdout.isatty() else 80
    text = render_report(report, targets.form, colour=colour, width=width)
    write_text(text, targets.output)
    return report.status


def write_text(text: str, output: Path | None) -> None:
    """Write to a file, or to standard output. Raises Misconfigured where it cannot."""
    if output is None:
        _print(text)
    else:
        _save(output, text, "--output")


def _save(file: Path, text: str, option: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8", "backslashreplace")
    except OSError as error:
        raise Misconfigured(
            f"The report could not be written to {file}: {error.strerror}.",
            where=option,
            advice="Name a file in a folder that exists and may be written to.",
        ) from error


def _print(text: str) -> None:
    """Write to standard output, in UTF-8 whatever the locale; a reader that has gone changes no verdict."""
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain at its end
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Misconfigured(
            f"The report could not be written to standard output: {error.strerror}.",
            advice="Make room there, or name a file with --output.",
        ) from error


def render_report(report: Report, form: str, *, colour: bool = False, width: int = 80) -> str:
    """The report in one of the formats; `colour` says whether a terminal will show the text."""
    # Only the format that is asked for is loaded.
    if form == "json":
        from migration_gate.report import json_report  # noqa: PLC0415

        return json_report.render(report)
    if form == "summary":
        from migration_gate.report import summary  # noqa: PLC0415

        return summary.render(report)
    if form == "codequality":
        from migration_gate.report import codequality  # noqa: PLC0415

        return codequality.render(report)
    from migration_gate import explain  # noqa: PLC0415

    if form == "sarif":
        from migration_gate.report import sarif  # noqa: PLC0415

        return sarif.render(report, explain.known_checks())
    if form == "junit":
        from migration_gate.report import junit  # noqa: PLC0415

        return junit.render(report, explain.known_checks())
    from migration_gate.report import text_report  # noqa: PLC0415

    shown = text_report.wants_colour(os.environ, terminal=colour)
    return text_report.render(report, explain.known_checks(), colour=shown, width=width)
