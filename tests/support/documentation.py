"""The pages for users, taken apart: blocks of code, and the commands that they tell people to run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(
    sorted(
        file
        for pattern in ("*.md", "docs/*.md", "docs/ci/*.md", "examples/*/README.md")
        for file in ROOT.glob(pattern)
        if file.name != "CHANGELOG.md"
    )
)
BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
FILE_NAME = re.compile(r"(?:#|//) (?P<name>\S+)\n")
PROGRAMS = ("migration-gate", "make", "uv", "docker", "gh", "python", "pipx", "git")
COMMAND = re.compile(rf"^ {{4}}(?P<command>(?:{'|'.join(PROGRAMS)}) [^\n]*?)(?: +# .*)?$", re.MULTILINE)
INLINE_COMMAND = re.compile(r"`(?P<command>(?:migration-gate|docker run|make) [^`]+)`")


@dataclass(frozen=True)
class Block:
    """A block of code of a page."""

    page: str
    line: int
    language: str
    text: str

    @property
    def file(self) -> str:
        """The file that it is, by its first line; every example of the configuration is one of ours."""
        if self.page == "docs/configuration.md":
            return ".migration-gate.yml"
        match = FILE_NAME.match(self.text)
        return match["name"] if match else ""

    @property
    def place(self) -> str:
        """For the name of a test."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A line to type in a shell, without its comment."""

    page: str
    line: int
    text: str


def list_blocks() -> list[Block]:
    """Every fenced block of every page."""
    return [
        Block(name, _line_of(text, match), match["language"], match["text"])
        for name, text in _read_pages()
        for match in BLOCK.finditer(text)
    ]


def list_commands() -> list[Command]:
    """Every indented line that begins with a program."""
    return [
        Command(name, _line_of(text, match), match["command"])
        for name, text in _read_pages()
        for match in COMMAND.finditer(BLOCK.sub("", text))
    ]


def list_inline_commands() -> list[Command]:
    """Every command within a sentence, on one line."""
    return [
        Command(name, _line_of(text, match), " ".join(match["command"].split()))
        for name, text in _read_pages()
        for match in INLINE_COMMAND.finditer(BLOCK.sub("", text))
    ]


def _read_pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        yield page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8")


def _line_of(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1
