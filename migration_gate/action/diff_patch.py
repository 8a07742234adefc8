"""The diff of a file as GitHub's API gives it: which lines of the new side a review comment may be on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migration_gate.facts import SourceEdit

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(?P<start>\d+)(?:,(?P<count>\d+))? @@")
_ON_NEW_SIDE = (" ", "+")


def has_edited_lines(patch: str, edit: SourceEdit) -> bool:
    """Whether the diff shows the lines that the edit replaces, by their numbers, in one hunk.

    A merge may have moved them: the checked out files are those of the merge, the diff is the branch's. Then
    an equal line may have that number, but not with the same lines around it.
    """
    around = [*edit.lines_above, *edit.old_lines, *edit.lines_below]
    first_line = edit.first_line - len(edit.lines_above)
    return any(
        _hunk_has_lines(hunk, edit.first_line, edit.old_lines) and _hunk_fits(hunk, first_line, around)
        for hunk in _read_hunks(patch)
    )


def _read_hunks(patch: str) -> list[dict[int, str]]:
    """The text of each line of the new side by its number, for each hunk."""
    hunks: list[dict[int, str]] = []
    number = end = 0
    for line in patch.split("\n"):
        if number < end and (not line or line.startswith(_ON_NEW_SIDE)):
            hunks[-1][number] = line[1:]
            number += 1
        elif match := _HUNK.match(line):
            number = int(match["start"])
            end = number + int(match["count"] or 1)
            hunks.append({})
    return hunks


def _hunk_has_lines(hunk: dict[int, str], first_line: int, lines: Sequence[str]) -> bool:
    return all(hunk.get(number) == line for number, line in enumerate(lines, first_line))


def _hunk_fits(hunk: dict[int, str], first_line: int, lines: Sequence[str]) -> bool:
    """Whether the hunk shows these lines as far as it reaches."""
    return all(hunk.get(number, line) == line for number, line in enumerate(lines, first_line))
