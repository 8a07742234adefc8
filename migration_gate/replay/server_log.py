"""The error that hides behind "current transaction is aborted", from the server's own log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from migration_gate.worker.protocol import ErrorReport, Line, RunFailed

ABORTED = "25P02"
"""in_failed_sql_transaction"""
SEEN = 4 << 20
"""bytes of the log's end that are read"""
ENTRY = re.compile(
    r"^[^|\n]*\|(?P<pid>\d+)\|(?P<code>\w{5})\|[^|\n]*\|(?P<database>[^|\n]*)\|"
    r"(?P<kind>[A-Z]+):  (?P<text>.*(?:\n\t.*)*)",
    re.MULTILINE,
)
"""see `postgres.settings.LOG_LINE_PREFIX`"""


@dataclass(slots=True)
class LoggedError:
    """One error, with what the server added to it."""

    pid: str
    sqlstate: str
    says: str
    detail: str | None = None
    hint: str | None = None
    statement: str | None = None


def add_first_error(line: Line, log: Path | None, database: str) -> Line:
    """A line of the worker's answer; a failure of this kind gets the error that came first."""
    if not isinstance(line, RunFailed) or line.first_error is not None or line.error.sqlstate != ABORTED:
        return line
    logged = find_first_error(log, database) if log else None
    if logged is None:
        return line
    first_error = ErrorReport(
        message=logged.says,
        sqlstate=logged.sqlstate,
        detail=logged.detail,
        hint=logged.hint,
        statement=logged.statement,
        line=_find_statement_line(line.file, logged.statement),
    )
    return replace(line, first_error=first_error)


def _find_statement_line(file: str | None, statement: str | None) -> int | None:
    """The line of the revision's file on which the statement begins, if its text is in one place there."""
    beginning = (statement or "").strip().partition("\n")[0]
    if not file or not beginning:
        return None
    try:
        text = Path(file).read_text("utf-8", "replace")
    except OSError:
        return None
    return text[: text.index(beginning)].count("\n") + 1 if text.count(beginning) == 1 else None


def find_first_error(log: Path, database: str) -> LoggedError | None:
    """The last error in `database` that ended a transaction which went on; None where there was none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - SEEN))
            text = stream.read().decode(errors="replace")
    except OSError:
        return None
    ended: dict[str, LoggedError] = {}
    found = None
    for entry in _errors(text, database):
        if entry.sqlstate == ABORTED:
            found = ended.get(entry.pid, found)
        else:
            ended[entry.pid] = entry
    return found


def _errors(text: str, database: str) -> Iterator[LoggedError]:
    """Every error of sessions in the database."""
    current: LoggedError | None = None
    for row in ENTRY.finditer(text):
        if row["database"] != database:
            continue
        words = row["text"].replace("\n\t", "\n")
        if row["kind"] == "ERROR":
            if current is not None:
                yield current
            current = LoggedError(row["pid"], row["code"], words)
        elif (
            current is not None
            and current.pid == row["pid"]
            and row["kind"] in ("DETAIL", "HINT", "STATEMENT")
        ):
            setattr(current, row["kind"].lower(), words)
    if current is not None:
        yield current
