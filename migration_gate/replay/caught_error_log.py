"""Reads the commands of a replay that had no effect, and whose error was caught out of SQLAlchemy's sight."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migration_gate.facts import CaughtError
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.server import Server
from migration_gate.replay.caught_by_cursors import CursorError, add_log_entry, find_cursor_errors
from migration_gate.replay.caught_in_blocks import (
    Attempt,
    find_noted_errors,
    find_unfinished_commands,
    parse_attempt,
    read_kept_attempts,
)
from migration_gate.replay.server_log import read_entries
from migration_gate.replay.skipped_creations import IS_INSTALLED
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.step_lines import StepFinished

if TYPE_CHECKING:
    import psycopg

STEP = re.compile(r"migration_gate step: (\d{1,9})")
"""the whole text of an entry: a migration may write into the log as well"""
ATTEMPT_MARK = "migration_gate attempt: "


@dataclass(slots=True)
class _LogReading:
    """What the server's log says of one database."""

    attempts: list[Attempt] = field(default_factory=list)
    errors: list[CursorError] = field(default_factory=list)
    migration_pids: set[str] = field(default_factory=set)
    """of the sessions in which steps began"""


def read_caught_errors(
    connection: psycopg.Connection[Any], server: Server, lines: Sequence[Line]
) -> tuple[CaughtError, ...]:
    """What was caught, in the order of the replay, of the steps that ran to their end.

    `lines`: the worker's answer, whose recorded errors are left out here. Nothing if a migration dropped
    the gate's schema.
    """
    if connection.execute(IS_INSTALLED).fetchone() != (True,):
        return ()
    reading = _read_log(server.log, connection.info.dbname)
    attempts = [*reading.attempts, *read_kept_attempts(connection)]
    attempts.sort(key=lambda attempt: attempt.number)
    steps = {line.number: line for line in lines if isinstance(line, StepFinished)}
    caught = [
        *find_unfinished_commands(connection, attempts),
        *find_noted_errors(connection, attempts),
        *find_cursor_errors(connection, reading.errors, steps, reading.migration_pids),
    ]
    of_finished_steps = [error for error in caught if error.step in steps]
    return tuple(sorted(of_finished_steps, key=lambda error: error.step))


def _read_log(log: Path | None, database: str) -> _LogReading:
    """Empty if the gate cannot read the log."""
    reading = _LogReading()
    if log is None:
        return reading
    try:
        text = log.read_text("utf-8", "replace")
    except OSError:
        return reading
    step = 0
    for entry in read_entries(text, database):
        if entry.level == "LOG" and (match := STEP.fullmatch(entry.text)):
            step = int(match[1])
            reading.migration_pids.add(entry.pid)
        elif entry.level == "LOG" and entry.text.startswith(ATTEMPT_MARK):
            reading.attempts += parse_attempt(entry.text.removeprefix(ATTEMPT_MARK))
        else:
            add_log_entry(reading.errors, entry, step)
    return reading
