"""What a runner of GitHub understands: workflow commands and the files beside them. Nothing else knows `::`.

Commands are lines on stdout, and a runner obeys whoever prints them. So everything that a project can
influence is shown between `stopped()`, and what stands inside a command is escaped.
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


def data(text: str) -> str:
    """`text` as the message of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def value(text: str) -> str:
    """`text` as one of a command's properties."""
    return data(text).replace(":", "%3A").replace(",", "%2C")


def command(name: str, message: str = "", **properties: str | int | None) -> str:
    """One command as a line; properties that are None or empty are left out."""
    given = ",".join(
        f"{key}={value(str(each))}" for key, each in properties.items() if each not in (None, "")
    )
    return f"::{name}{' ' if given else ''}{given}::{data(message)}"


def annotation(one: Annotation) -> str:
    """The command that makes an annotation."""
    return command(
        LEVELS[one.severity], one.message, file=one.file, line=one.line if one.file else None, title=one.title
    )


def write(line: str) -> None:
    """One line on stdout, at once: stderr is read beside it, and must not overtake it."""
    sys.stderr.flush()
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def mask(secret: str) -> None:
    """Have the runner print *** for `secret`, and for each of its lines."""
    for line in secret.splitlines():
        if line.strip():
            write(command("add-mask", line.strip()))


@contextmanager
def stopped() -> Iterator[None]:
    """Nothing that is printed inside acts on the runner; who prints cannot guess how to end it."""
    token = f"resume-{secrets.token_hex(20)}"
    write(command("stop-commands", token))
    try:
        yield
    finally:
        write(command(token))


def show(title: str, text: str) -> None:
    """`text` in the log, folded under its title, and inert."""
    write(command("group", title))
    with stopped():
        write(text.rstrip("\n"))
    write(command("endgroup"))


def outputs(file: Path, values: Mapping[str, str]) -> None:
    """Append a step's outputs to the file of GITHUB_OUTPUT; no value can end its own. Raises OSError."""
    lines = []
    for name, text in values.items():
        end = f"end_{secrets.token_hex(20)}"
        lines.append(f"{name}<<{end}\n{text}\n{end}\n")
    append(file, "".join(lines))


def append(file: Path, text: str) -> None:
    """Add to one of the runner's command files. Raises OSError."""
    with file.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        stream.write(text)
