"""Where a report goes: standard output or a file; and the text of the files that its comments stand in."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from migration_gate import git
from migration_gate.errors import Misconfigured
from migration_gate.facts import Facts
from migration_gate.judge import Report, files

LIMIT = 1 << 20
"""bytes of a file that are looked through for comments"""


def texts(facts: Facts, root: Path) -> dict[str, str]:
    """The files whose comments matter, by the path that findings use; unreadable ones are left out."""
    top = git.top(root)
    found = {}
    for name in files(facts):
        try:
            with (top / name).open("rb") as stream:
                found[name] = stream.read(LIMIT).decode("utf-8", "replace")
        except OSError:
            continue  # a finding will say what is wrong with it, if that matters
    return found


def deliver(report: Report, form: str, output: Path | None, seconds: float) -> int:
    """Render and write the report, and return its exit status. Raises Misconfigured where it cannot."""
    report = replace(report, seconds=round(seconds, 3), version=version("migration-gate"))
    text = _rendered(report, form, colour=output is None and sys.stdout.isatty())
    if output is None:
        _print(text)
        return report.status
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, "utf-8")
    except OSError as error:
        raise Misconfigured(
            f"The report could not be written to {output}: {error.strerror}.",
            where="--output",
            advice="Name a file in a folder that exists and may be written to.",
        ) from error
    return report.status


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


def _rendered(report: Report, form: str, *, colour: bool) -> str:
    if form == "json":
        from migration_gate.report import json  # noqa: PLC0415  (only the format that is asked for)

        return json.render(report)
    if form == "summary":
        from migration_gate.report import summary  # noqa: PLC0415  (only the format that is asked for)

        return summary.render(report)
    from migration_gate import explanation  # noqa: PLC0415  (only the format that is asked for)
    from migration_gate.report import text  # noqa: PLC0415  (only the format that is asked for)

    width = min(os.get_terminal_size().columns, 100) if sys.stdout.isatty() else 80
    shown = text.wants_colour(os.environ, terminal=colour)
    return text.render(report, explanation.known(), colour=shown, width=width)
