"""Text that cannot act on a terminal or a page, kept within a length, and the blocks of a fix."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from migration_gate.lazy_dataclass import dataclass

CODE_INDENT = "    "
"""starts each line of code in a fix"""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a fix: some lines of prose, or some lines of code."""

    text: str
    """the lines, joined; without the indent if they are code"""
    is_code: bool = False


def escape_unprintable(text: str, *, keep_lines: bool = False) -> str:
    """`text` with escapes such as `\\x1b` for characters that act on a terminal or a page.

    Line breaks become spaces, unless `keep_lines` is set. A tab becomes four spaces.
    """
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    if not keep_lines:
        text = text.replace("\n", " ")
    if text.isprintable():
        return text
    return "".join(_escape_character(character) for character in text)


def _escape_character(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    return character.encode("unicode_escape").decode()


def shorten_text(text: str, limit: int) -> str:
    """The first `limit` characters, followed by how many more there were."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} ... {len(text) - limit} more characters"


def split_blocks(text: str) -> tuple[Block, ...]:
    """The prose and the code of a fix, in their order. Empty lines inside code belong to the code."""
    lines = text.split("\n")
    code_before = _code_flags(lines)
    code_after = reversed(_code_flags(reversed(lines)))
    flags = [before and after for before, after in zip(code_before, code_after, strict=True)]
    blocks = []
    for is_code, group in groupby(zip(flags, lines, strict=True), key=lambda pair: pair[0]):
        block_lines = [line.removeprefix(CODE_INDENT) if is_code else line for _, line in group]
        block_text = "\n".join(block_lines).strip("\n")
        if block_text.strip():
            blocks.append(Block(block_text, is_code))
    return tuple(blocks)


def _code_flags(lines: Iterable[str]) -> list[bool]:
    """Whether each line is code; an empty line is what the line before it is."""
    flags = []
    is_code = False
    for line in lines:
        if line.strip():
            is_code = line.startswith(CODE_INDENT)
        flags.append(is_code)
    return flags
