"""Changes to the example database, which a comparison should see, list or ignore."""

from __future__ import annotations

import re
from dataclasses import dataclass

from migration_gate.facts import Difference, DifferenceKind

_END_OF_STATEMENT = re.compile(r"(?<!\\);")
"""a semicolon, but for one inside of a DO block or function, which is written with a backslash before it"""


@dataclass(frozen=True, slots=True)
class Culprit:
    """The statement that makes the differences of one kind."""

    kind: DifferenceKind
    statement: int
    """its place among all statements, from 0"""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change and the kind of difference that it makes."""

    category: str
    """the kind of difference that is expected, `unmanaged`, or `none`"""
    description: str
    sql: str
    """statements, separated by semicolons; revisions of a history, separated by two"""
    culprit: int = -1
    """which of the statements makes the difference: the last, or its place from 0"""
    other_culprits: tuple[Culprit, ...] = ()
    """of differences of other kinds"""

    @property
    def revisions(self) -> tuple[tuple[str, ...], ...]:
        """The statements that make the change, by the revision that runs them."""
        return tuple(
            tuple(text.strip().replace("\\;", ";") for text in _END_OF_STATEMENT.split(revision))
            for revision in self.sql.split(";;")
        )

    @property
    def statements(self) -> tuple[str, ...]:
        """The same, one after the other."""
        return tuple(statement for revision in self.revisions for statement in revision)

    def find_culprit(self, difference: Difference) -> int:
        """The place of the statement that makes the difference, from 0."""
        others = (other.statement for other in self.other_culprits if other.kind == difference.kind)
        return next(others, self.culprit) % len(self.statements)
