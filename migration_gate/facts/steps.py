"""What each revision ran: its statements and its transactions."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Literal, TypeVar

from migration_gate.facts.failure import Failure
from migration_gate.facts.snapshot import Snapshot
from migration_gate.lazy_dataclass import dataclass

BoundaryKind = Literal["begin", "commit", "rollback", "savepoint", "rollback to savepoint"]
StatementT = TypeVar("StatementT")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was passed to the driver."""

    sql: str
    seconds: float
    line: int | None = None
    """of the revision's file"""
    rows: int | None = None
    error: Failure | None = None
    """set even when the migration caught the error"""
    in_migration_transaction: bool = True
    """it ran on the migration's own connection, which did not commit each statement by itself"""
    parameters: str = ""
    """as Python writes them, shortened; empty if it has none"""


@dataclass(frozen=True, slots=True)
class CursorStatement:
    """A statement that the revision gave to a driver's own cursor: SQLAlchemy has not seen it."""

    sql: str
    line: int
    """of the revision's file"""
    statements_before: int
    """how many of the step's statements had run"""
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class TransactionBoundary:
    """Where a transaction began or ended while a revision ran."""

    kind: BoundaryKind
    statements_before: int
    """how many statements of the revision had run"""

    def __str__(self) -> str:
        return f"{self.kind}@{self.statements_before}"


@dataclass(frozen=True, slots=True)
class Step:
    """The run of one revision."""

    number: int
    """from 1, in the order of the replay"""
    revision: str
    seconds: float
    statements: tuple[Statement, ...] = ()
    transactions: tuple[TransactionBoundary, ...] = ()
    """in their order"""
    in_transaction: bool = True
    """the connection was in a transaction when the migration's function ended"""
    context: int = 1
    """which context of env.py ran it (tenant loops have several)"""
    before: Snapshot | None = None
    after: Snapshot | None = None
    """the catalog before and after it, where the run asked for them"""
    dropped_statements: int = 0
    """that ran too, after the first 2,000: they only read or changed rows, or repeated an error"""
    unrecorded_statements: int = 0
    """that ran too, and a verdict may depend on them"""
    cursor_statements: tuple[CursorStatement, ...] = ()
    """in their order"""

    def list_run(self) -> tuple[Statement, ...]:
        """What it ran, in its order: statements of a driver's own cursor, too, unless they failed."""
        if not self.cursor_statements:
            return self.statements
        by_cursor = (
            (item.statements_before, Statement(item.sql, 0.0, item.line))
            for item in self.cursor_statements
            if not item.has_failed
        )
        return tuple(merge_statements(self.statements, by_cursor))

    @property
    def statement_count(self) -> int:
        """How many statements it ran."""
        return len(self.statements) + self.dropped_statements + self.unrecorded_statements


def merge_statements(
    statements: Iterable[StatementT], others: Iterable[tuple[int, StatementT]]
) -> Iterator[StatementT]:
    """The statements, with others between them: each comes with how many of the first had run before it."""
    waiting = deque(others)
    for count, statement in enumerate(statements):
        while waiting and waiting[0][0] <= count:
            yield waiting.popleft()[1]
        yield statement
    yield from (other for _, other in waiting)
