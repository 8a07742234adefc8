"""Writes a report to standard output and to files."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from migration_gate import __version__
from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.formats import DEFAULT_WIDTH, GITHUB, TEXT, render_report
from migration_gate.report.workflow_commands import carry_out_commands
from migration_gate.verdict.outcome import Report

MAX_WIDTH = 100
"""columns of text on a wide terminal"""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file to write a report to, in one of `formats.FORMATS`."""

    form: str
    path: Path


@dataclass(frozen=True, slots=True)
class ReportTargets:
    """Where a report goes, and in which formats."""

    form: str = TEXT
    output: Path | None = None
    """the file for `form`; standard output when None"""
    files: tuple[ReportFile, ...] = ()
    """further files"""


def add_version(report: Report) -> Report:
    """The report with the version of Migration Gate that made it."""
    return replace(report, seconds=round(report.seconds, 3), version=__version__)


def deliver_report(report: Report, targets: ReportTargets) -> int:
    """Write the report to all targets, and return its exit status. Raises Misconfigured if it cannot."""
    for file in targets.files:
        _write_file(file.path, render_report(report, file.form), f"--report {file.form}")
    is_terminal = sys.stdout.isatty()
    width = min(os.get_terminal_size().columns, MAX_WIDTH) if is_terminal else DEFAULT_WIDTH
    shown_on_terminal = is_terminal and targets.output is None
    text = render_report(report, targets.form, is_terminal=shown_on_terminal, width=width)
    write_text(text, targets.output, targets.form)
    return report.status


def write_text(text: str, output: Path | None, form: str = TEXT) -> None:
    """Write to the file of `--output`, or to standard output. Raises Misconfigured if it cannot."""
    if output is None:
        with carry_out_commands() if form == GITHUB else nullcontext():
            _print_text(text)
    else:
        _write_file(output, text, "--output")


def _write_file(file: Path, text: str, option: str) -> None:
    """Write the file that an option of the command line names; its folder is created."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8", "backslashreplace")
    except OSError as error:
        raise Misconfigured(
            f"The report could not be written to {file}: {error.strerror}.",
            where=option,
            advice="Name a file in a folder that exists and may be written to.",
        ) from error


def _print_text(text: str) -> None:
    """Write to standard output, in UTF-8 whatever the locale. That the reader has gone is no error."""
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    except OSError as error:
        _discard_output()
        raise Misconfigured(
            f"The report could not be written to standard output: {error.strerror}.",
            advice="Make room there, or name a file with --output.",
        ) from error


def _discard_output() -> None:
    """Send what standard output still holds to /dev/null: Python would report an error at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
