"""The error that hides behind "current transaction is aborted", from the server's own log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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


def add_first_error(line: dict[str, Any], log: Path | None, database: str) -> dict[str, Any]:
    """A line of the worker's answer; a failure of this kind gets the error that came first."""
    if line["kind"] != "failure" or line.get("first") or line["error"].get("sqlstate") != ABORTED:
        return line
    found = find_first_error(log, database) if log else None
    return {**line, "first": asdict(found)} if found else line


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
