"""Workflow commands and command files of GitHub's runner: the only module that writes `::`.

Commands are lines on stdout, and the runner carries them out whoever prints them. So text that a project can
influence is printed inside `suspend_commands()`, and is escaped inside of commands.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:  # (all of the facts are imported with it: half of the time that printing help takes)
    from migration_gate.check import Severity

COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
"""the command that makes an annotation of this severity"""
TOKEN_BYTES = 20
"""random bytes of a token that a project must not guess"""


@dataclass(frozen=True, slots=True)
class Suspension:
    """That the runner ignores commands at the moment."""

    token: str
    stream: TextIO | None
    """where the lines that tell it go; None is stdout"""


_suspension: ContextVar[Suspension | None] = ContextVar("suspension", default=None)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A message on a line of the pull request; on the run itself if it has no file."""

    severity: Severity
    message: str
    title: str = ""
    file: str | None = None
    """relative to the top of the repository"""
    line: int | None = None


def escape_message(text: str) -> str:
    """`text` as the message of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """`text` as the value of a command's property."""
    return escape_message(text).replace(":", "%3A").replace(",", "%2C")


def format_command(name: str, message: str = "", **properties: str | int | None) -> str:
    """One command as a line; properties that are None or empty are left out."""
    present = {key: value for key, value in properties.items() if value not in (None, "")}
    if not present:
        return f"::{name}::{escape_message(message)}"
    values = ",".join(f"{key}={escape_property(str(value))}" for key, value in present.items())
    return f"::{name} {values}::{escape_message(message)}"


def format_annotation(annotation: Annotation) -> str:
    """The command that makes the annotation; without a file it has no line."""
    line = annotation.line if annotation.file else None
    command = COMMANDS[annotation.severity]
    return format_command(
        command, annotation.message, file=annotation.file, line=line, title=annotation.title
    )


def write_line(line: str, stream: TextIO | None = None) -> None:
    """Print one line at once, on stdout unless told otherwise; what was written before it comes first."""
    stream = stream or sys.stdout
    sys.stderr.flush()
    sys.stdout.flush()
    stream.write(f"{line}\n")
    stream.flush()


def mask_secret(secret: str) -> None:
    """Let the runner print *** instead of `secret`, and of each of its lines."""
    for line in secret.splitlines():
        if line.strip():
            write_line(format_command("add-mask", line.strip()))


@contextmanager
def suspend_commands(stream: TextIO | None = None) -> Iterator[None]:
    """Let the runner ignore commands that are printed inside; a project cannot guess how to resume them.

    The runner reads both streams; the lines that tell it go to `stream`, stdout unless told otherwise.
    """
    token = make_token()
    write_line(format_command("stop-commands", token), stream)
    outer = _suspension.set(Suspension(token, stream))
    try:
        yield
    finally:
        _suspension.reset(outer)
        with suppress(OSError):  # (nobody reads any more)
            write_line(format_command(token), stream)


@contextmanager
def carry_out_commands() -> Iterator[None]:
    """In `suspend_commands()`: let the runner carry out what is printed inside, which must be our own."""
    suspension = _suspension.get()
    if suspension is None:
        yield
        return
    write_line(format_command(suspension.token), suspension.stream)
    try:
        yield
    finally:
        with suppress(OSError):  # (nobody reads any more)
            write_line(format_command("stop-commands", suspension.token), suspension.stream)


def make_token() -> str:
    """What a project would have to guess to let the runner carry out commands again."""
    return f"resume-{secrets.token_hex(TOKEN_BYTES)}"


def format_suspended(text: str) -> str:
    """The lines of `text` between those that let the runner ignore commands in them."""
    token = make_token()
    return "\n".join((format_command("stop-commands", token), text.rstrip("\n"), format_command(token)))


def suspend_commands_on_runner(environ: Mapping[str, str], *, is_text: bool) -> AbstractContextManager[None]:
    """The same, where GitHub's runner reads what is printed; without a line in what is no text, or a file."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return nullcontext()
    return suspend_commands(sys.stdout if is_text and not _is_file(sys.stdout) else sys.stderr)


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):  # it is closed, or no descriptor's
        return False


def show_folded(title: str, text: str, stream: TextIO | None = None) -> None:
    """Print `text` folded under a title, on stdout unless told otherwise; commands in it are ignored."""
    write_line(format_command("group", title), stream)
    with suspend_commands(stream):
        write_line(text.rstrip("\n"), stream)
    write_line(format_command("endgroup"), stream)


def append_outputs(file: Path, values: Mapping[str, str]) -> None:
    """Append a step's outputs to the file of GITHUB_OUTPUT; no value can end before its end.

    Raises OSError.
    """
    lines = []
    for name, value in values.items():
        end = f"end_{secrets.token_hex(TOKEN_BYTES)}"
        lines.append(f"{name}<<{end}\n{value}\n{end}\n")
    append_text(file, "".join(lines))


def append_text(file: Path, text: str) -> None:
    """Append to one of the runner's command files. Raises OSError."""
    with file.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        stream.write(text)
