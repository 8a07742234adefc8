"""One revision, and what it does to rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.rollback.downgrade_case import DowngradeCase, write_project


@dataclass(frozen=True, slots=True)
class RowCase:
    """A revision's upgrade. A line that is no Python is an SQL statement."""

    name: str
    upgrade: str
    check: str = ""
    """which should find it; '' if it is harmless"""

    @property
    def is_harmful(self) -> bool:
        """Whether rows are lost, or the revision fails."""
        return bool(self.check)


def write_case(case: RowCase, base: str, folder: Path) -> Path:
    """Write the project of a case; its folder."""
    revision = DowngradeCase("rows", case.name, case.upgrade, "pass", is_broken=False)
    return write_project(revision, base, "pass", folder)
