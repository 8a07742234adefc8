"""Text that acts on no terminal or page, within a limit of characters; and prose and code of a fix, apart."""

from __future__ import annotations

from itertools import groupby


def escape_unprintable(text: str, *, lines: bool = False) -> str:
    """`text` without a character that acts on a terminal or a page: those are spelt out, as `\\x1b`.

    Line breaks stay where `lines` is set, and are spaces elsewhere. Tabs are spaces.
    """
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    text = text if lines else " ".join(text.split("\n"))
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def shorten_text(text: str, limit: int) -> str:
    """At most about `limit` characters, and how many more there were."""
    return text if len(text) <= limit else f"{text[:limit]} ... {len(text) - limit} more characters"


def split_blocks(text: str) -> tuple[tuple[bool, str], ...]:
    """Prose and code of a fix in their order: True for a block of code, without its indentation."""
    parts: list[tuple[bool, str]] = []
    lines = text.split("\n")
    code = [line.startswith("    ") for line in lines]
    # An empty line between two lines of code is code.
    for at, line in enumerate(lines):
        if not line.strip() and any(code[:at]) and any(code[at:]):
            before = next(code[i] for i in range(at, -1, -1) if lines[i].strip())
            after = next(code[i] for i in range(at, len(lines)) if lines[i].strip())
            code[at] = before and after
    for is_code, group in groupby(zip(code, lines, strict=True), key=lambda pair: pair[0]):
        block = "\n".join(line[4:] if is_code else line for _, line in group).strip("\n")
        if block.strip():
            parts.append((is_code, block))
    return tuple(parts)
