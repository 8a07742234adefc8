"""The change: which lines it has, as a reviewer of it sees them, and how its base and HEAD are related."""

from __future__ import annotations

from enum import StrEnum

from migration_gate.facts.location import Location
from migration_gate.lazy_dataclass import dataclass


class Lineage(StrEnum):
    """How the base and HEAD are related."""

    ANCESTOR = "ancestor"
    """HEAD has all that the base has: what is missing was removed"""
    SAME_BRANCH = "same branch"
    """an ancestor, and an earlier state of the branch itself: it may not have run anywhere yet"""
    OTHER = "other"
    """the base may have what HEAD never had"""


@dataclass(frozen=True, slots=True)
class LineRange:
    """Consecutive lines of a file; an empty range, whose last line is before its first, is a gap."""

    first: int
    """counted from 1"""
    last: int | None
    """None means up to the end of the file"""

    def find_line(self, first: int, last: int) -> int | None:
        """The first of the lines `first` to `last` that is in the range; of a gap, the line above it."""
        if self.last is not None and self.last < self.first:
            is_between = first <= self.last < last
            return self.last if is_between else None
        line = max(first, self.first)
        is_inside = line <= last and (self.last is None or line <= self.last)
        return line if is_inside else None


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """The lines of one file that the change adds or edits."""

    path: str
    """relative to the repository"""
    lines: tuple[LineRange, ...]
    """ascending, in the file as the change leaves it; a gap where lines were only deleted"""

    def find_line(self, location: Location) -> int | None:
        """The first line of a location, of its code or of its whole file, which the change has."""
        first = location.line or 1
        last = location.last_line or location.line or self._last_line
        lines = (part.find_line(first, last) for part in self.lines)
        return next((line for line in lines if line is not None), None)

    @property
    def _last_line(self) -> int:
        """The last line that is known to be in the change."""
        last = self.lines[-1] if self.lines else LineRange(1, 0)
        return last.first if last.last is None else last.last
