"""Finds who waited for whom, for a statement that a lock wait ended: in the log of the server or of sessions.

The error that a client gets does not name the statement of the other session.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from migration_gate.replay.server_log import OWN_NAME, STATEMENT, LogEntry, read_end, read_entries
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.run_lines import RunFailed

DEADLOCK = "40P01"
ENDED_WAITS = ("57014", "55P03")
"""query_canceled (a time limit), and lock_not_available"""
LOCK_WAIT = re.compile(r"process \d+ still waiting for (?P<mode>\w+) on ")
LOCK_ARRIVAL = re.compile(r"process \d+ acquired ")
WAITING_PROCESS = re.compile(r"^Process (\d+) waits for ", re.MULTILINE)
LOCK_HOLDER = re.compile(r"Process(?:es)? holding the lock: (?P<pid>\d+)")
WAITED = "It waited for {mode} behind another session of the migration, whose last statement was: {sql}"
SHOWN_STATEMENT = 400


def add_lock_wait(line: Line, log: Path | None, database: str) -> Line:
    """The line itself; to a failure that ended a wait for a lock, both statements are added."""
    if not isinstance(line, RunFailed) or log is None:
        return line
    if line.error.sqlstate == DEADLOCK:
        detail = find_deadlock(read_end(log), database)
        error = replace(line.error, detail=detail, hint=None) if detail else line.error
        return replace(line, error=error)
    if line.error.sqlstate not in ENDED_WAITS:
        return line
    wait = find_lock_wait(read_end(log), database)
    detail = "\n".join(filter(None, [line.error.detail, wait]))
    return replace(line, error=replace(line.error, detail=detail or None))


def is_lock_wait(detail: str | None) -> bool:
    """Whether the detail of an error has been given the other session's statement."""
    return WAITED.partition("{")[0] in (detail or "")


def find_deadlock(text: str, database: str) -> str | None:
    """What the log says of its last deadlock: who waited for whom, and the statement of each."""
    entries = read_entries(text, database)
    end = _find_last_error(entries, (DEADLOCK,))
    if end is None:
        return None
    details = (entry for entry in entries[end + 1 :] if entry.pid == entries[end].pid)
    detail = next((entry.text for entry in details if entry.level == "DETAIL"), None)
    if detail is None:
        return None
    # A server says the statements in its own log alone.
    pids = [pid for pid in WAITING_PROCESS.findall(detail) if f"\nProcess {pid}: " not in detail]
    return "\n".join(
        [detail, *(f"Process {pid}: {_find_last_statement(entries[:end], pid)}" for pid in pids)]
    )


def find_lock_wait(text: str, database: str) -> str | None:
    """The wait that the log's last time limit has ended, with the last statement of the lock's holder.

    None if the session did not wait at the end. Postgres sees no deadlock where one session waits in Python
    for the other.
    """
    entries = read_entries(text, database)
    end = _find_last_error(entries, ENDED_WAITS)
    if end is None:
        return None
    position = _find_last_wait(entries[:end], entries[end].pid)
    if position is None:
        return None
    wait = LOCK_WAIT.match(entries[position].text)
    following = (entry for entry in entries[position:end] if entry.pid == entries[position].pid)
    holder = next((match for entry in following if (match := LOCK_HOLDER.match(entry.text))), None)
    if wait is None or holder is None:
        return None
    return WAITED.format(mode=wait["mode"], sql=_find_last_statement(entries[:position], holder["pid"]))


def _find_last_error(entries: Sequence[LogEntry], sqlstates: Sequence[str]) -> int | None:
    found = (
        position
        for position, entry in enumerate(entries)
        if entry.level == "ERROR" and entry.sqlstate in sqlstates
    )
    return max(found, default=None)


def _find_last_wait(entries: Sequence[LogEntry], pid: str) -> int | None:
    """The position of the wait in which the session's last statement still was at the end."""
    for position in range(len(entries) - 1, -1, -1):
        entry = entries[position]
        if entry.pid == pid and LOCK_WAIT.match(entry.text):
            return position
        if entry.pid == pid and _ends_wait(entry):
            return None
    return None


def _ends_wait(entry: LogEntry) -> bool:
    """Whether no earlier wait of the session lasts: it got the lock, failed, or began another statement."""
    return bool(entry.level == "ERROR" or LOCK_ARRIVAL.match(entry.text) or STATEMENT.fullmatch(entry.text))


def _find_last_statement(entries: Sequence[LogEntry], pid: str) -> str:
    """The session's last statement, on one line, without those of the gate."""
    statements = (
        match["sql"] for entry in entries if entry.pid == pid and (match := STATEMENT.fullmatch(entry.text))
    )
    own = [sql for sql in statements if OWN_NAME not in sql]
    return " ".join(own[-1].split())[:SHOWN_STATEMENT] if own else "not known"
