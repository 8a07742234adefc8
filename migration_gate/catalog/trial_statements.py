"""Runs statements on trial: an error ends neither the transaction nor what was done before it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migration_gate.facts import RowRefusal

if TYPE_CHECKING:
    import psycopg

MAX_STATEMENTS = 20_000
"""for all rows of a connection: a hundred times what a usual project needs"""
MAX_CANCELED = 3
"""statements that take longer than the limit of statements allows: more of them would take as long each"""
CANCELED = f"{MAX_CANCELED} statements for it were ended by the time limit of statements (`limits.statement`)"
SLOW = 0.5
"""seconds that no statement for one row takes, unless a trigger waits or loops"""
MAX_SLOW_SECONDS = 4.0
"""of all slow statements together, where they end the trials"""
SAVEPOINT = "migration_gate_row"
SCOPE = "migration_gate_rows"
DEFER_CONSTRAINTS = b"; set constraints all deferred"


class RowRefused(Exception):
    """No row could be made. The text is Postgres's."""

    def __init__(self, refusal: RowRefusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class TrialsEnded(Exception):
    """A statement took too long, or waited for a lock too long: what it would have led to is not known."""

    def __init__(self, refusal: RowRefusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class TrialStatements:
    """The statements of one connection, in its open transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._count = 0
        self._canceled = 0
        self._slow_seconds = 0.0
        self.ends_when_slow = False
        """statements that take long end all, with TrialsEnded"""

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A block that is rolled back at its end; constraints are deferred then, where they can be."""
        self._connection.execute(f"savepoint {SCOPE}".encode())
        try:
            yield
        finally:
            if not self._connection.closed:
                # Postgres forgets here how constraints were set, if a savepoint inside was released.
                self._connection.execute(_leave(SCOPE) + DEFER_CONSTRAINTS)

    def run(self, command: str) -> list[tuple[Any, ...]]:
        """Run statements, and return the rows of the last that has some.

        After an error the transaction goes on as if none of them had been run. Raises RowRefused; psycopg's
        error where it ended the session; TrialsEnded.
        """
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        self._count += 1
        if self._count > MAX_STATEMENTS:
            raise RowRefused(RowRefusal("", f"{MAX_STATEMENTS:,} statements were run before it"))
        if self._canceled >= MAX_CANCELED:
            raise RowRefused(RowRefusal("57014", CANCELED))
        begin = time.monotonic()
        script = f"savepoint {SAVEPOINT}; {command}; release savepoint {SAVEPOINT}"
        try:
            cursor = self._connection.execute(script.encode())
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            self._canceled += isinstance(error, psycopg.errors.QueryCanceled)
            self._connection.execute(_leave(SAVEPOINT))
            if self.ends_when_slow and isinstance(
                error, (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
            ):
                raise TrialsEnded(describe_error(error)) from error
            self._add_seconds(time.monotonic() - begin)
            raise RowRefused(describe_error(error)) from error
        self._add_seconds(time.monotonic() - begin)
        rows: list[tuple[Any, ...]] = []
        has_more: bool | None = True
        while has_more:
            rows = cursor.fetchall() if cursor.description else rows
            has_more = cursor.nextset()
        return rows

    def _add_seconds(self, seconds: float) -> None:
        """Count a slow statement. Raises TrialsEnded."""
        self._slow_seconds += seconds if seconds > SLOW else 0
        if self.ends_when_slow and self._slow_seconds > MAX_SLOW_SECONDS:
            raise TrialsEnded(RowRefusal("57014", f"statements for one row each took {SLOW:g} s and more"))


def _leave(savepoint: str) -> bytes:
    return f"rollback to savepoint {savepoint}; release savepoint {savepoint}".encode()


def describe_error(error: psycopg.Error) -> RowRefusal:
    """What Postgres says, and about what."""
    diagnostic = error.diag
    context = (diagnostic.context or "").splitlines()
    functions = [line for line in context if line.startswith(("PL/", "SQL function"))]
    return RowRefusal(
        sqlstate=error.sqlstate or "",
        message=diagnostic.message_primary or str(error),
        schema=diagnostic.schema_name or "",
        table=diagnostic.table_name or "",
        constraint=diagnostic.constraint_name or "",
        column=diagnostic.column_name or "",
        context=functions[0] if functions else "",
    )
