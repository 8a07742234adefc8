"""Reads the commands of a replay that had no effect, and whose error was caught out of SQLAlchemy's sight.

What PL/pgSQL catches leaves no trace in the database, and none in the server's log of its own. So an event
trigger logs each command of a block that may catch errors before it runs, with what Postgres says of it;
another one counts the commands that ended (skipped_creations_triggers.sql). The errors of a driver's own
cursor stand in the server's log.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from migration_gate.facts import CaughtError
from migration_gate.postgres.server import Server
from migration_gate.replay.server_log import ABORTED_TRANSACTION, LogEntry, read_entries
from migration_gate.replay.skipped_creations import IS_INSTALLED, LogPositions
from migration_gate.worker.protocol import Line, StepFinished

if TYPE_CHECKING:
    import psycopg

STEP_MARK = "migration_gate step: "
ATTEMPT_MARK = "migration_gate attempt: "
OWN_NAME = "migration_gate"
"""stands in every statement of the gate's own"""
READ_NOTES = "select error::text from migration_gate.caught_error order by id"
READ_KEPT = "select attempt::text from migration_gate.kept_attempt"
READ_FINISHED = "select number from migration_gate.finished_attempt"
COMPARE = "select migration_gate.compare_creation(%s, migration_gate.current_path())"
READ_QUERIES = "select query from migration_gate.ddl_log where step = %s"
DUPLICATES = ("42P07", "42701", "42710")
"""SQLSTATEs of a relation, a column or another object whose name is taken"""
HANDLER = re.compile(r"\bEXCEPTION\s+WHEN\b", re.IGNORECASE)
BLOCK_END = re.compile(r"\bEND\s*;", re.IGNORECASE)
READS_ONLY = re.compile(
    r"\s*(SHOW|EXPLAIN|TABLE|VALUES|FETCH|SELECT\b(?=.*\bFROM)|SELECT\b[^(]*$)", re.IGNORECASE | re.DOTALL
)
"""a statement without an effect that could be missing, as its text shows; a function may have one"""


@dataclass(frozen=True, slots=True)
class _Error:
    message: str
    sqlstate: str


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A command that was about to run, as `migration_gate.report_attempt` logs it."""

    number: int
    step: int
    after_command: int
    tag: str
    statement: str
    query: str
    is_compared: bool
    """something had the name: it is alike, or a skipped creation"""
    error: _Error | None = None
    """what Postgres says of the command; None where it succeeds, or was not tried"""


@dataclass(frozen=True, slots=True)
class _Note:
    """What the handler of a DO block has caught, as `migration_gate.note_caught` keeps it."""

    step: int
    after_command: int
    query: str
    error: _Error
    statement: str | None = None
    """None where the block itself raised it"""


@dataclass(slots=True)
class _CursorError:
    """An error in the server's log."""

    step: int
    pid: str
    sqlstate: str
    message: str
    statement: str = ""
    lost: int = 0


@dataclass(slots=True)
class _LogReading:
    """What the server's log says of one database."""

    attempts: list[_Attempt] = field(default_factory=list)
    errors: list[_CursorError] = field(default_factory=list)
    migration_pids: set[str] = field(default_factory=set)
    """of the sessions in which steps began"""


@cache
def _attempt_adapter() -> TypeAdapter[_Attempt]:
    return TypeAdapter(_Attempt)


@cache
def _note_adapter() -> TypeAdapter[_Note]:
    return TypeAdapter(_Note)


def read_caught_errors(
    connection: psycopg.Connection[Any], server: Server, lines: Sequence[Line]
) -> tuple[CaughtError, ...]:
    """What was caught, in the order of the replay, of the steps that ran to their end.

    `lines`: the worker's answer, whose recorded errors are left out here.
    """
    if connection.execute(IS_INSTALLED).fetchone() != (True,):
        return ()
    reading = _read_log(server.log, connection.info.dbname)
    for (text,) in connection.execute(READ_KEPT).fetchall():
        reading.attempts += _parse_attempt(text)
    reading.attempts.sort(key=lambda attempt: attempt.number)
    steps = {line.number: line for line in lines if isinstance(line, StepFinished)}
    caught = [
        *_find_in_blocks(connection, reading.attempts),
        *_find_noted(connection, reading.attempts),
        *_find_of_cursors(connection, reading, steps),
    ]
    return tuple(sorted((error for error in caught if error.step in steps), key=lambda error: error.step))


def _read_log(log: Path | None, database: str) -> _LogReading:
    """Empty where the gate cannot read the log."""
    reading = _LogReading()
    if log is None:
        return reading
    try:
        text = log.read_text("utf-8", "replace")
    except OSError:
        return reading
    step = 0
    for entry in read_entries(text, database):
        if entry.level == "LOG" and entry.text.startswith(STEP_MARK):
            step = int(entry.text.removeprefix(STEP_MARK))
            reading.migration_pids.add(entry.pid)
        elif entry.level == "LOG" and entry.text.startswith(ATTEMPT_MARK):
            reading.attempts += _parse_attempt(entry.text.removeprefix(ATTEMPT_MARK))
        else:
            _add_error(reading.errors, entry, step)
    return reading


def _parse_attempt(text: str) -> Iterator[_Attempt]:
    """The attempt; nothing for a text that the project's code may have put there."""
    try:
        yield _attempt_adapter().validate_json(text)
    except ValidationError:
        return


def _add_error(errors: list[_CursorError], entry: LogEntry, step: int) -> None:
    """Add an error, or to the last one of the session what follows from it."""
    if entry.level == "ERROR" and entry.sqlstate != ABORTED_TRANSACTION:
        errors.append(_CursorError(step, entry.pid, entry.sqlstate, entry.text))
        return
    last = next((error for error in reversed(errors) if error.pid == entry.pid), None)
    if last is None:
        return
    if entry.level == "ERROR":
        last.lost += 1
    elif entry.level == "STATEMENT" and not last.statement and not last.lost:
        last.statement = entry.text


def _find_in_blocks(
    connection: psycopg.Connection[Any], attempts: Sequence[_Attempt]
) -> Iterator[CaughtError]:
    """Commands that began and did not end, or that an error undid later."""
    if not attempts:
        return
    finished = {number for (number,) in connection.execute(READ_FINISHED).fetchall()}
    positions = LogPositions.read(connection)
    for index, attempt in enumerate(attempts):
        if attempt.number in finished or (attempt.is_compared and attempt.error is not None):
            continue
        later = [item for item in attempts[index + 1 :] if item.query == attempt.query]
        error = attempt.error or next((item.error for item in later if item.error is not None), None)
        yield CaughtError(
            step=attempt.step or positions.find_step(attempt.after_command),
            statement=attempt.statement,
            message=error.message if error is not None else "",
            sqlstate=error.sqlstate if error is not None else "",
            query=attempt.query,
            is_undone=attempt.error is None,
            fallback=_find_fallback(attempt, (item for item in later if item.number in finished)),
        )


def _find_noted(connection: psycopg.Connection[Any], attempts: Sequence[_Attempt]) -> Iterator[CaughtError]:
    """What handlers caught, without what is known of a DDL command."""
    rows = connection.execute(READ_NOTES).fetchall()
    if not rows:
        return
    positions = LogPositions.read(connection)
    known = {(item.query, item.error) for item in attempts if item.error is not None}
    for (text,) in rows:
        note = _note_adapter().validate_json(text)
        is_known = (note.query, note.error) in known
        if note.statement is None or is_known or READS_ONLY.match(note.statement):
            continue
        yield CaughtError(
            step=note.step or positions.find_step(note.after_command),
            statement=note.statement,
            message=note.error.message,
            sqlstate=note.error.sqlstate,
            query=note.query,
            changes_rows=True,
        )


def _find_fallback(attempt: _Attempt, later: Iterable[_Attempt]) -> str:
    """The first command that the handler of the same block ran; '' where the text shows none."""
    start = attempt.query.find(attempt.statement)
    for item in later:
        end = attempt.query.find(item.statement, start + len(attempt.statement))
        between = attempt.query[start + len(attempt.statement) : end]
        if start >= 0 and end >= 0 and HANDLER.search(between) and not BLOCK_END.search(between):
            return item.statement
    return ""


def _find_of_cursors(
    connection: psycopg.Connection[Any], reading: _LogReading, steps: Mapping[int, StepFinished]
) -> Iterator[CaughtError]:
    """Errors of the log that SQLAlchemy has not seen, and that nothing has made good."""
    recorded = {
        number: Counter(
            (statement.error.sqlstate, statement.error.message)
            for statement in step.statements
            if statement.error is not None
        )
        for number, step in steps.items()
    }
    succeeded: dict[int, set[str]] = defaultdict(set)
    for error in reading.errors:
        step = steps.get(error.step)
        if step is None or OWN_NAME in error.statement or READS_ONLY.match(error.statement):
            continue
        key = (error.sqlstate, error.message)
        if recorded[error.step][key]:
            recorded[error.step][key] -= 1
            continue
        if not succeeded[error.step]:
            succeeded[error.step] = _list_queries(connection, error.step)
        if error.statement.strip() in succeeded[error.step] or _is_alike(connection, error):
            continue
        yield CaughtError(
            step=error.step,
            statement=error.statement[:2000],
            message=error.message,
            sqlstate=error.sqlstate,
            query=error.statement[:4000],
            catcher="cursor",
            is_in_savepoint=error.pid in reading.migration_pids and not error.lost,
            lost=error.lost,
        )


def _list_queries(connection: psycopg.Connection[Any], step: int) -> set[str]:
    """Statements of the step that led to DDL commands: one that failed may have been tried again."""
    rows = connection.execute(READ_QUERIES, [step]).fetchall()
    return {query.strip() for (query,) in rows if query is not None}


def _is_alike(connection: psycopg.Connection[Any], error: _CursorError) -> bool:
    """Whether what has the name at the end is what the statement would have created."""
    if error.sqlstate not in DUPLICATES:
        return False
    ((comparison,),) = connection.execute(COMPARE, [error.statement]).fetchall()
    return comparison is not None and comparison.get("wanted") == comparison.get("existing")
