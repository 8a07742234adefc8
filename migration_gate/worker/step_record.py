"""Which statements and transaction boundaries of a step are kept: all that a verdict may depend on.

A data migration can run millions of statements that change rows. After the first 2,000 of a step only those
are kept that are more than that: DDL, the ends of transactions, each different error, and the last one.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Optional

from .deferred_methods import dataclass
from .protocol.step_lines import BoundaryName, CursorStatement, ExecutedStatement, RecordedBoundary

MAX_STATEMENTS = 2000
"""statements of one step that are kept, whatever they do"""
MAX_NOTABLE_STATEMENTS = 20_000
"""statements of one step that are kept in all: some 10 MB"""
ROW_WORDS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "FETCH"})
"""how statements begin that read or change rows, and do nothing else"""


@dataclass(frozen=True)
class StepRecord:
    """What one step did."""

    statements: tuple[ExecutedStatement, ...] = ()
    transactions: tuple[RecordedBoundary, ...] = ()
    dropped_statements: int = 0
    """that only read or changed rows, or repeated an error"""
    unrecorded_statements: int = 0
    """that were dropped though a verdict may depend on them"""
    cursor_statements: tuple[CursorStatement, ...] = ()


class StepLog:
    """Takes what a step does, in its order."""

    def __init__(self) -> None:
        self.statements: list[ExecutedStatement] = []
        self._cursor_statements: list[CursorStatement] = []
        self._transactions: list[RecordedBoundary] = []
        self._late_boundaries: set[RecordedBoundary] = set()
        self._errors: set[tuple[str, str]] = set()
        self._last_dropped: Optional[ExecutedStatement] = None
        self._last_is_notable = False
        self._dropped = 0
        self._unrecorded = 0

    def finish(self) -> StepRecord:
        """What was kept. The last statement is always there: a failure may be its."""
        statements = tuple(self.statements)
        dropped, unrecorded = self._dropped, self._unrecorded
        last = self._last_dropped
        if last is not None:
            statements = (*statements, last)
            unrecorded -= self._last_is_notable
            dropped -= not self._last_is_notable
        return StepRecord(
            statements, tuple(self._transactions), dropped, unrecorded, tuple(self._cursor_statements)
        )

    def add_statement(self, statement: ExecutedStatement) -> None:
        """Keep the statement, or count it."""
        is_first = len(self.statements) < MAX_STATEMENTS
        is_notable = self._is_notable(statement)
        if is_first or (is_notable and len(self.statements) < MAX_NOTABLE_STATEMENTS):
            self.statements.append(statement)
            self._last_dropped = None
            return
        self._last_dropped = statement
        self._last_is_notable = is_notable
        self._unrecorded += is_notable
        self._dropped += not is_notable

    def add_cursor_statement(self, sql: str, line: int) -> Callable[[], None]:
        """Keep a statement of a driver's own cursor; what to call if it fails."""
        position = len(self._cursor_statements)
        if position == MAX_NOTABLE_STATEMENTS:
            return lambda: None
        statement = CursorStatement(sql, line, len(self.statements))
        self._cursor_statements.append(statement)

        def note_failure() -> None:
            self._cursor_statements[position] = dataclasses.replace(statement, has_failed=True)

        return note_failure

    def _is_notable(self, statement: ExecutedStatement) -> bool:
        if statement.error is None:
            return not _only_touches_rows(statement.sql)
        key = (statement.sql, statement.error.message)
        is_new = key not in self._errors
        if len(self._errors) < MAX_NOTABLE_STATEMENTS:
            self._errors.add(key)
        return is_new

    def add_boundary(self, name: BoundaryName) -> None:
        """Keep the boundary; after the first 2,000, one of a kind between two statements that are kept."""
        boundary = RecordedBoundary(name, len(self.statements))
        if len(self._transactions) >= MAX_STATEMENTS:
            if boundary in self._late_boundaries:
                return
            self._late_boundaries.add(boundary)
        self._transactions.append(boundary)


def _only_touches_rows(sql: str) -> bool:
    """Whether it is one statement that reads or changes rows: its first word, and no other one after it."""
    words = sql.split(None, 1)
    return bool(words) and words[0].upper() in ROW_WORDS and ";" not in sql.rstrip().rstrip(";")
