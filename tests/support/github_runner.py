"""Reads a log as GitHub's runner does: which lines are obeyed, and which are only shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

ESCAPES = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
COMMAND = re.compile(r"\s*::([^ :]+)(?: (.*?))?::(.*)")
OLD = re.compile(r"##\[([^\]]+)\](.*)")
"""obeyed anywhere in a line"""


@dataclass(frozen=True)
class Command:
    """One command."""

    name: str
    properties: dict[str, str]
    message: str


@dataclass
class Log:
    """What a runner made of an output."""

    commands: list[Command] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def named(self, *names: str) -> list[Command]:
        """The commands of these names."""
        return [command for command in self.commands if command.name in names]


def unescape_text(text: str, *, value: bool = False) -> str:
    """Escapes undone, as the runner does it."""
    for code, sign in ESCAPES:
        if value or code in ("%0D", "%0A", "%25"):
            text = text.replace(code, sign)
    return text


def parse_command(line: str) -> Command | None:
    """The command in a line, if there is one."""
    if match := COMMAND.fullmatch(line):
        pairs = (pair.split("=", 1) for pair in (match[2] or "").split(",") if "=" in pair)
        return Command(
            match[1], {key: unescape_text(text, value=True) for key, text in pairs}, unescape_text(match[3])
        )
    if match := OLD.search(line):
        return Command(match[1].split(" ")[0], {}, match[2])
    return None


def split_lines(text: str) -> list[str]:
    """As a runner splits what a container prints."""
    return re.split(r"\r\n|\r|\n", text.rstrip("\n"))


def read_log(text: str) -> Log:
    """Obey a whole output."""
    log, stopped = Log(), ""
    for line in split_lines(text):
        command = parse_command(line)
        if stopped:
            if command and command.name == stopped:
                stopped = ""
            else:
                log.shown.append(line)
        elif command is None:
            log.shown.append(line)
        elif command.name == "stop-commands":
            stopped = command.message
        else:
            log.commands.append(command)
    assert not stopped, "commands stay stopped"
    return log
