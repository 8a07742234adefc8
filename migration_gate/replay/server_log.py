"""Finds the error that "current transaction is aborted" follows from, in the server's own log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from migration_gate.lazy_dataclass import dataclass
from migration_gate.worker.observed_blocks import without_notes
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.reported_error import ErrorReport
from migration_gate.worker.protocol.run_lines import RunFailed

ABORTED_TRANSACTION = "25P02"
"""in_failed_sql_transaction"""
STATEMENT = re.compile(r"(?:statement|execute [^:\n]*): (?P<sql>.*)", re.DOTALL)
OWN_NAME = "migration_gate"
"""stands in every statement of the gate's own"""
READ_BYTES = 4 << 20
"""of the log, the end is read"""
ENTRY = re.compile(
    r"^[^|\n]*\|(?P<pid>\d+)\|(?P<sqlstate>\w{5})\|[^|\n]*\|(?P<database>[^|\n]*)\|"
    r"(?P<level>[A-Z]+):  (?P<text>.*(?:\n\t.*)*)",
    re.MULTILINE,
)
"""one entry; see `postgres.server_settings.LOG_LINE_PREFIX`"""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the server's log."""

    pid: str
    """of the session's process"""
    sqlstate: str
    level: str
    """ERROR, or what follows one: DETAIL, HINT, STATEMENT"""
    text: str


@dataclass(frozen=True, slots=True)
class LoggedError:
    """An error in the server's log, with the entries that the server added to it."""

    pid: str
    sqlstate: str
    message: str
    detail: str | None = None
    hint: str | None = None
    statement: str | None = None


def add_first_error(line: Line, log: Path | None, database: str) -> Line:
    """The line itself; to a failure in an aborted transaction, the error that aborted it is added."""
    if not isinstance(line, RunFailed):
        return line
    if line.first_error is not None:
        return replace(line, first_error=_with_line(line.first_error, line.file))
    if line.error.sqlstate != ABORTED_TRANSACTION or log is None:
        return line
    logged = find_first_error(log, database)
    if logged is None:
        return line
    first_error = ErrorReport(
        message=logged.message,
        sqlstate=logged.sqlstate,
        detail=logged.detail,
        hint=logged.hint,
        statement=logged.statement,
        line=_find_statement_line(line.file, logged.statement),
    )
    return replace(line, first_error=first_error)


def _with_line(error: ErrorReport, file: str | None) -> ErrorReport:
    """The error with the line of its statement in the revision's file, if the worker did not know it."""
    if error.line is not None:
        return error
    return replace(error, line=_find_statement_line(file, error.statement))


def find_first_error(log: Path, database: str) -> LoggedError | None:
    """The error that aborted the transaction which was used last in spite of it; None without one."""
    text = read_end(log)
    newest_by_session: dict[str, LoggedError] = {}
    first_error = None
    for error in _read_errors(text, database):
        if error.sqlstate == ABORTED_TRANSACTION:
            first_error = newest_by_session.get(error.pid, first_error)
        else:
            newest_by_session[error.pid] = error
    return first_error


def read_end(log: Path) -> str:
    """The end of the log; '' if it cannot be read."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - READ_BYTES))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""


def _find_statement_line(file: str | None, statement: str | None) -> int | None:
    """The line of the revision's file on which the statement begins, if its text is in one place there."""
    beginning = (statement or "").strip().partition("\n")[0]
    if not file or not beginning:
        return None
    try:
        text = Path(file).read_text("utf-8", "replace")
    except (OSError, ValueError):  # gone since, or a name that no file can have
        return None
    if text.count(beginning) != 1:
        return None
    return text[: text.index(beginning)].count("\n") + 1


def read_entries(text: str, database: str) -> list[LogEntry]:
    """The entries of the sessions in the database, in the order of the log."""
    return [
        LogEntry(
            match["pid"],
            match["sqlstate"],
            match["level"],
            without_notes(match["text"].replace("\n\t", "\n")),
        )
        for match in ENTRY.finditer(text)
        if match["database"] == database
    ]


def _read_errors(text: str, database: str) -> Iterator[LoggedError]:
    """Every error of the sessions in the database, in the order of the log."""
    entries = read_entries(text, database)
    starts = [position for position, entry in enumerate(entries) if entry.level == "ERROR"]
    for start, end in pairwise([*starts, len(entries)]):
        yield _build_error(entries[start], entries[start + 1 : end])


def _build_error(error: LogEntry, following: Sequence[LogEntry]) -> LoggedError:
    """The error, with the entries of the same session that follow it."""
    additions = {entry.level: entry.text for entry in following if entry.pid == error.pid}
    return LoggedError(
        pid=error.pid,
        sqlstate=error.sqlstate,
        message=error.text,
        detail=additions.get("DETAIL"),
        hint=additions.get("HINT"),
        statement=additions.get("STATEMENT"),
    )
