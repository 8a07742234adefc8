"""One change to the example database, which a comparison should see, list or ignore."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change and the kind of difference that it makes."""

    category: str
    """the kind of difference that is expected, `unmanaged`, or `none`"""
    description: str
    sql: str
    """statements, separated by semicolons"""

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements that make the change."""
        return tuple(self.sql.split(";"))
