"""What is known of one session while its log is read, and what was seen between two of its points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field

from migration_gate.facts import HeldLock, RowWork, WorkKind
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.item_lists import ItemList, ListHistory
from migration_gate.replay.late_readings import LateStatement
from migration_gate.replay.observation_log import LoggedLock, LoggedNumber, LogMessage, LogPoint
from migration_gate.replay.session_locks import SessionLocks
from migration_gate.replay.work_messages import parse_proof, parse_work

PARTITION_OF = re.compile(r"\bPARTITION\s+OF\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SessionState:
    """What a session holds."""

    transaction: str = ""
    locks: ItemList[LoggedLock] = field(default_factory=ItemList)


@dataclass(slots=True)
class Session:
    """What is known of one session so far."""

    statement: str = ""
    """that runs, or ran last"""
    client_sql: str = ""
    """the same without what stands around it, once for all of its commands"""
    parts: list[str] = field(default_factory=list)
    """what is left of it, if it consists of several statements"""
    is_described: bool = False
    """commands of it are facts already"""
    messages: list[LogMessage] = field(default_factory=list)
    """since the last point"""
    earlier: list[str] = field(default_factory=list)
    """statements since the last point, without the last one: the worker does not know them"""
    unplaced: list[int] = field(default_factory=list)
    """positions of the facts whose line is not known yet"""
    state: SessionState = field(default_factory=SessionState)
    locks: SessionLocks = field(default_factory=SessionLocks)
    settled: list[HeldLock] = field(default_factory=list)
    """new locks that the statement to come has taken"""
    late_locks: list[LateStatement] = field(default_factory=list)
    """statements since the session's locks were read"""
    late_rows: list[LateStatement] = field(default_factory=list)
    """statements since the files and the counters of all relations were read"""
    lock_lists: ListHistory[LoggedLock] = field(default_factory=ListHistory)
    file_lists: ListHistory[LoggedNumber] = field(default_factory=ListHistory)
    scan_lists: ListHistory[LoggedNumber] = field(default_factory=ListHistory)
    is_observed: bool = False
    is_controlled: bool = False
    """a statement that is no fact (SET, SAVEPOINT) has run since `statement`"""

    def read_state(self, point: LogPoint) -> SessionState:
        """What the session holds at a point; as before, where nobody has read it."""
        if point.locks is None:
            return self.state
        return SessionState(point.transaction or "", self.lock_lists.read(point.locks))

    def leave_transaction(self) -> None:
        """It has ended, with all of its locks."""
        self.state = SessionState(self.state.transaction)
        self.locks.forget()
        self.late_locks = []


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen between two points of a session."""

    point: LogPoint | None = None
    works: Sequence[RowWork] = ()
    files: Sequence[int] = ()
    """oids of relations that got another file"""
    messages: Sequence[LogMessage] = ()


def is_about_work(message: LogMessage) -> bool:
    """Whether the server says what a statement of the project's does with rows, or need not do."""
    if message.level != "DEBUG" or "migration_gate" in message.context:
        return False
    return parse_work(message.text) is not None or bool(parse_proof(message.text))


def reads_itself(evidence: Evidence) -> bool:
    """Whether a command reads tables by a query of its own, as for a new foreign key."""
    works = (parse_work(message.text) for message in evidence.messages)
    return any(work is not None and work.kind is WorkKind.FOREIGN_KEY for work in works)


def reads_in_silence(tag: str, sql: str) -> bool:
    """Whether a command verifies rows, and no message says so.

    ALTER DOMAIN reads the tables that use the domain, a new partition the default one beside it.
    """
    return tag == "ALTER DOMAIN" or (tag == "CREATE TABLE" and PARTITION_OF.search(sql) is not None)


def has_part(work: RowWork, evidence: Evidence) -> bool:
    """Whether the command itself has read the table."""
    if any(work.relation == own.relation for own in evidence.works):
        return True
    point = evidence.point
    if point is None or not (point.tag or "").endswith("INDEX"):
        return False
    return any(name == work.relation.name for _, name, _ in point.targets or ())
