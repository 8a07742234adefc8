"""Finds errors of a driver's own cursor, which SQLAlchemy does not see: they stand in the server's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from migration_gate.facts import CaughtError
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.effectless_statements import READS_ONLY
from migration_gate.replay.server_log import ABORTED_TRANSACTION, LogEntry
from migration_gate.worker.protocol.step_lines import StepFinished

if TYPE_CHECKING:
    import psycopg

OWN_NAME = "migration_gate"
"""stands in every statement of the gate's own"""
COMPARE = "select migration_gate.compare_creation(%s, migration_gate.current_path())"
READ_QUERIES = "select query from migration_gate.ddl_log where step = %s"
DUPLICATES = ("42P07", "42701", "42710")
"""SQLSTATEs of a relation, a column or another object whose name is taken"""
MAX_STATEMENT = 2000
MAX_QUERY = 4000
"""characters that are kept"""


@dataclass(slots=True)
class CursorError:
    """An error in the server's log."""

    step: int
    pid: str
    sqlstate: str
    message: str
    statement: str = ""
    lost: int = 0
    """statements that were refused afterwards, in the transaction which the error had aborted"""


def add_log_entry(errors: list[CursorError], entry: LogEntry, step: int) -> None:
    """Add an error, or to the last one of the session what follows from it."""
    if entry.level == "ERROR" and entry.sqlstate != ABORTED_TRANSACTION:
        errors.append(CursorError(step, entry.pid, entry.sqlstate, entry.text))
        return
    last = next((error for error in reversed(errors) if error.pid == entry.pid), None)
    if last is None:
        return
    if entry.level == "ERROR":
        last.lost += 1
    elif entry.level == "STATEMENT" and not last.statement and not last.lost:
        last.statement = entry.text


def find_cursor_errors(
    connection: psycopg.Connection[Any],
    errors: Sequence[CursorError],
    steps: Mapping[int, StepFinished],
    migration_pids: set[str],
) -> Iterator[CaughtError]:
    """Errors of the log that SQLAlchemy has not seen, and that nothing has made good.

    `steps` by their numbers; `migration_pids`: of the sessions in which steps began.
    """
    list_queries = cache(partial(_list_queries, connection))
    for error in _list_unrecorded(errors, steps):
        if error.statement.strip() in list_queries(error.step) or _is_alike(connection, error):
            continue
        yield CaughtError(
            step=error.step,
            statement=error.statement[:MAX_STATEMENT],
            message=error.message,
            sqlstate=error.sqlstate,
            query=error.statement[:MAX_QUERY],
            catcher="cursor",
            is_in_savepoint=error.pid in migration_pids and not error.lost,
            lost=error.lost,
        )


def _list_unrecorded(
    errors: Sequence[CursorError], steps: Mapping[int, StepFinished]
) -> Iterator[CursorError]:
    """Errors that are not among those which the worker recorded, each as often as it happened."""
    recorded = {number: _count_errors(step) for number, step in steps.items()}
    for error in errors:
        if error.step not in steps or OWN_NAME in error.statement or READS_ONLY.match(error.statement):
            continue
        key = (error.sqlstate, error.message)
        if recorded[error.step][key]:
            recorded[error.step][key] -= 1
        else:
            yield error


def _count_errors(step: StepFinished) -> Counter[tuple[str | None, str]]:
    """The errors that the worker recorded, by SQLSTATE and message."""
    errors = [statement.error for statement in step.statements if statement.error is not None]
    return Counter((error.sqlstate, error.message) for error in errors)


def _list_queries(connection: psycopg.Connection[Any], step: int) -> set[str]:
    """Statements of the step that led to DDL commands: one that failed may have been tried again."""
    rows = connection.execute(READ_QUERIES, [step]).fetchall()
    return {query.strip() for (query,) in rows if query is not None}


def _is_alike(connection: psycopg.Connection[Any], error: CursorError) -> bool:
    """Whether what has the name at the end is what the statement would have created."""
    if error.sqlstate not in DUPLICATES:
        return False
    ((comparison,),) = connection.execute(COMPARE, [error.statement]).fetchall()
    return comparison is not None and comparison.get("wanted") == comparison.get("existing")
