"""An edit as text: which file and line it is about, and its lines as a diff."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent

from migration_gate.facts import SourceEdit
from migration_gate.report.printable_text import escape_unprintable


def describe_edit(edit: SourceEdit) -> str:
    """A sentence that ends with a colon: `In the model (app/models.py:12):`."""
    location = escape_unprintable(f"{edit.file}:{edit.first_line}").replace("`", "")
    introduction = edit.introduction.removesuffix(":")
    return f"{introduction} ({location}):" if introduction else f"In {location}:"


def format_diff(edit: SourceEdit) -> str:
    """The lines that go with `- `, those that come with `+ `, and those that stay with two spaces.

    The indentation that all of them share is left out: there is little room.
    """
    lines = dedent("\n".join((*edit.old_lines, *edit.new_lines))).split("\n")
    old, new = lines[: len(edit.old_lines)], lines[len(edit.old_lines) :]
    first = _count_equal(old, new)
    last = _count_equal(old[first:][::-1], new[first:][::-1])
    return "\n".join(
        escape_unprintable(line)
        for line in (
            *(f"  {line}" for line in old[:first]),
            *(f"- {line}" for line in old[first : len(old) - last]),
            *(f"+ {line}" for line in new[first : len(new) - last]),
            *(f"  {line}" for line in old[len(old) - last :]),
        )
    )


def _count_equal(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines both begin with."""
    count = 0
    while count < min(len(old), len(new)) and old[count] == new[count]:
        count += 1
    return count
