"""Finds what PL/pgSQL caught: commands that began and did not end, and errors that a handler noted.

What PL/pgSQL catches leaves no trace in the database, and none in the server's log of its own. So an event
trigger logs each command of a block that may catch errors before it runs, with what Postgres says of it;
another one counts the commands that ended (skipped_creations_triggers.sql).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from migration_gate.facts import CaughtError
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.effectless_statements import READS_ONLY
from migration_gate.replay.skipped_creations import LogPositions

if TYPE_CHECKING:
    import psycopg

READ_NOTES = "select error::text from migration_gate.caught_error order by id"
READ_KEPT = "select attempt::text from migration_gate.kept_attempt"
READ_FINISHED = "select number from migration_gate.finished_attempt"
HANDLER = re.compile(r"\bEXCEPTION\s+WHEN\b", re.IGNORECASE)
BLOCK_END = re.compile(r"\bEND\s*;", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BlockError:
    """What Postgres says of a command."""

    message: str
    sqlstate: str


UNKNOWN_ERROR = BlockError("", "")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A command that was about to run, as `migration_gate.report_attempt` logs it."""

    number: int
    step: int
    after_command: int
    tag: str
    statement: str
    query: str
    """the whole block, in which the statement is"""
    is_compared: bool
    """something had the name: it is alike, or a skipped creation"""
    error: BlockError | None = None
    """None if the command succeeds, or was not tried"""

    @property
    def is_skipped_creation(self) -> bool:
        """Whether it failed because something had the name: `skipped_creations.py` reports that."""
        return self.is_compared and self.error is not None


@dataclass(frozen=True, slots=True)
class Note:
    """What the handler of a DO block has caught, as `migration_gate.note_caught` keeps it."""

    step: int
    after_command: int
    query: str
    error: BlockError
    statement: str | None = None
    """None if the block itself raised it"""


@cache
def _attempt_adapter() -> TypeAdapter[Attempt]:
    return TypeAdapter(Attempt)


@cache
def _note_adapter() -> TypeAdapter[Note]:
    return TypeAdapter(Note)


def parse_attempt(text: str) -> Iterator[Attempt]:
    """The attempt; nothing for a text that the project's code may have put there."""
    try:
        yield _attempt_adapter().validate_json(text)
    except ValidationError:
        return


def _read_notes(connection: psycopg.Connection[Any]) -> Iterator[Note]:
    """What the handlers noted, without what the project's code may have put there."""
    for (text,) in connection.execute(READ_NOTES).fetchall():
        with suppress(ValidationError):
            yield _note_adapter().validate_json(text)


def read_kept_attempts(connection: psycopg.Connection[Any]) -> list[Attempt]:
    """The attempts of a server whose log the gate cannot read: the session has kept them in a table."""
    rows = connection.execute(READ_KEPT).fetchall()
    return [attempt for (text,) in rows for attempt in parse_attempt(text)]


def find_unfinished_commands(
    connection: psycopg.Connection[Any], attempts: Sequence[Attempt]
) -> Iterator[CaughtError]:
    """Commands that began and did not end, or that an error undid later. `attempts` in their order."""
    if not attempts:
        return
    finished = {number for (number,) in connection.execute(READ_FINISHED).fetchall()}
    positions = LogPositions.read(connection)
    for index, attempt in enumerate(attempts):
        if attempt.number in finished or attempt.is_skipped_creation:
            continue
        later = _list_of_block(attempt.query, attempts[index + 1 :])
        error = attempt.error or _find_first_error(later) or UNKNOWN_ERROR
        yield CaughtError(
            step=attempt.step or positions.find_step(attempt.after_command),
            statement=attempt.statement,
            message=error.message,
            sqlstate=error.sqlstate,
            query=attempt.query,
            is_undone=attempt.error is None,
            fallback=_find_fallback(attempt, later, finished),
        )


def _list_of_block(query: str, attempts: Sequence[Attempt]) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.query == query]


def _find_first_error(attempts: Iterable[Attempt]) -> BlockError | None:
    return next((attempt.error for attempt in attempts if attempt.error is not None), None)


def _find_fallback(attempt: Attempt, later: Iterable[Attempt], finished: Collection[int]) -> str:
    """The first command that the handler of the same block ran; '' if the text shows none.

    `finished`: numbers of the attempts that ran to their end.
    """
    start = attempt.query.find(attempt.statement)
    if start < 0:
        return ""
    rest = attempt.query[start + len(attempt.statement) :]
    for item in later:
        end = rest.find(item.statement) if item.number in finished else -1
        if end >= 0 and HANDLER.search(rest[:end]) and not BLOCK_END.search(rest[:end]):
            return item.statement
    return ""


def find_noted_errors(
    connection: psycopg.Connection[Any], attempts: Sequence[Attempt]
) -> Iterator[CaughtError]:
    """What handlers caught, but for errors of DDL commands, which `find_unfinished_commands` knows."""
    notes = tuple(_read_notes(connection))
    if not notes:
        return
    positions = LogPositions.read(connection)
    known = {(item.query, item.error) for item in attempts if item.error is not None}
    for note in notes:
        if note.statement is None or READS_ONLY.match(note.statement):
            continue
        if (note.query, note.error) in known:
            continue
        yield CaughtError(
            step=note.step or positions.find_step(note.after_command),
            statement=note.statement,
            message=note.error.message,
            sqlstate=note.error.sqlstate,
            query=note.query,
            changes_rows=True,
        )
