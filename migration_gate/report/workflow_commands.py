"""What a runner of GitHub understands: workflow commands and the files beside them. Nothing else knows `::`.

Commands are lines on stdout, and a runner obeys whoever prints them. So everything that a project can
influence is shown between `suspend_commands()`, and what stands inside a command is escaped.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migration_gate.check import Severity

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


@dataclass(frozen=True, slots=True)
class Annotation:
    """A message on a line of the pull request, or on the run where it has no file."""

    severity: Severity
    message: str
    title: str = ""
    file: str | None = None
    """relative to the repository"""
    line: int | None = None


def escape_message(text: str) -> str:
    """`text` as the message of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """`text` as one of a command's properties."""
    return escape_message(text).replace(":", "%3A").replace(",", "%2C")


def format_command(name: str, message: str = "", **properties: str | int | None) -> str:
    """One command as a line; properties that are None or empty are left out."""
    given = ",".join(
        f"{key}={escape_property(str(each))}" for key, each in properties.items() if each not in (None, "")
    )
    return f"::{name}{' ' if given else ''}{given}::{escape_message(message)}"


def format_annotation(one: Annotation) -> str:
    """The command that makes an annotation."""
    return format_command(
        LEVELS[one.severity], one.message, file=one.file, line=one.line if one.file else None, title=one.title
    )


def write_line(line: str) -> None:
    """One line on stdout, at once: stderr is read beside it, and must not overtake it."""
    sys.stderr.flush()
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def mask_secret(secret: str) -> None:
    """Have the runner print *** for `secret`, and for each of its lines."""
    for line in secret.splitlines():
        if line.strip():
            write_line(format_command("add-mask", line.strip()))


@contextmanager
def suspend_commands() -> Iterator[None]:
    """Nothing that is printed inside acts on the runner; who prints cannot guess how to end it."""
    token = f"resume-{secrets.token_hex(20)}"
    write_line(format_command("stop-commands", token))
    try:
        yield
    finally:
        write_line(format_command(token))


def show_folded(title: str, text: str) -> None:
    """`text` in the log, folded under its title, and inert."""
    write_line(format_command("group", title))
    with suspend_commands():
        write_line(text.rstrip("\n"))
    write_line(format_command("endgroup"))


def append_outputs(file: Path, values: Mapping[str, str]) -> None:
    """Append a step's outputs to the file of GITHUB_OUTPUT; no value can end its own. Raises OSError."""
    lines = []
    for name, text in values.items():
        end = f"end_{secrets.token_hex(20)}"
        lines.append(f"{name}<<{end}\n{text}\n{end}\n")
    append_text(file, "".join(lines))


def append_text(file: Path, text: str) -> None:
    """Add to one of the runner's command files. Raises OSError."""
    with file.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        stream.write(text)
