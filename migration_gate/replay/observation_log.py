"""The server's log of the looked-at revisions: the statements of each session, and what the server said.

Of a server that the gate did not start it is the log of the sessions, which the proxy to it writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import TypeAdapter, ValidationError

from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.server import Server
from migration_gate.postgres.session_log import UNOBSERVED
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.server_log import OWN_NAME, STATEMENT, LogEntry, read_entries
from migration_gate.replay.worker_order import can_observe

if TYPE_CHECKING:
    import psycopg

IS_INSTALLED = "select to_regclass('migration_gate.base_relation') is not null"
READING_BUDGET = 5_000_000
"""rows about relations that are read at every point of one revision: some 10 s"""
LOCK_BUDGET = 1_000_000
"""the same of locks, which take longer"""
ROWS_PER_POINT = 200
"""that a point may cost on an average from then on: about 1 ms"""
MANY_ITEMS = 50
"""of a list: only what is new in a longer one is logged"""
WHOLE_LOG = 10_000_000
"""lines: all that a container has written"""
SERVER_LOG = {
    "was_blind": "current_setting('log_min_messages') not like 'debug%'"
    " or current_setting('log_statement') <> 'all'"
    " or current_setting('migration_gate.observed', true) is distinct from 'on'",
    "begin_messages": "perform set_config('log_min_messages', 'debug1', false),"
    " set_config('log_statement', 'all', false), set_config('log_lock_waits', 'on', false);",
    "end_messages": "perform set_config('log_min_messages', 'notice', false),"
    " set_config('log_statement', 'none', false), set_config('log_lock_waits', 'off', false);",
    "end_command": "",
    "level": "log",
}
"""what observation.sql has in braces, where the server's log is read"""
SESSION_LOG = {
    "was_blind": "migration_gate.begin_messages(point = 'command')",
    "begin_messages": "",
    "end_messages": "perform migration_gate.end_messages();",
    "end_command": "perform migration_gate.end_command();",
    "level": "debug",
}
"""the same where the log of the sessions is read"""
POINT_MARK = "migration_gate point: "
POINT_LEVELS = (SERVER_LOG["level"].upper(), SESSION_LOG["level"].upper())
INNER_STATEMENT = re.compile(r'^SQL statement "(?P<sql>.*?)"$', re.MULTILINE | re.DOTALL)
PointKind = Literal["begin", "held", "kept", "join", "command", "statement", "end"]
"""begin: a revision begins; held: in a savepoint, with the locks of those before it; kept: with them, as a
COMMIT would change what it finds; join: a further session; command and statement: what has just ended; end:
the revision has ended"""


class LoggedLock(NamedTuple):
    """A lock on a relation of the base."""

    oid: int
    mode: str
    """as in pg_locks"""
    schema: str | None
    """that the relation has now; None if it was dropped"""
    name: str | None


class LoggedNumber(NamedTuple):
    """A relation of the base with its relfilenode, or with how often the session has read it through."""

    oid: int
    number: int


@dataclass(frozen=True, slots=True)
class LoggedLocks:
    """A list as `migration_gate.log_list` logs it: whole, or what is new and gone since another one."""

    digest: str
    items: tuple[LoggedLock, ...] | None = None
    """None: as at the session's earlier point with the same digest"""
    gone: tuple[LoggedLock, ...] = ()
    since: str = ""
    """the digest of the list that it follows on; '' if all is here"""


@dataclass(frozen=True, slots=True)
class LoggedNumbers:
    """The same of numbers."""

    digest: str
    items: tuple[LoggedNumber, ...] | None = None
    gone: tuple[LoggedNumber, ...] = ()
    since: str = ""


@dataclass(frozen=True, slots=True)
class LogPoint:
    """One point, as `migration_gate.observe` logs it."""

    point: PointKind
    step: int | None
    number: int | None
    line: int | None
    in_block: bool | None
    tag: str | None
    targets: tuple[tuple[int, str, bool], ...] | None
    """relations of the command: oid, name, and whether they stood before"""
    was_blind: bool
    """settings of the session had been changed: the log may lack what came before"""
    lock_timeout: int
    statement_timeout: int
    relations: tuple[tuple[int, str, str, str, str | None], ...] | None = None
    """at the beginning, what stood before: oid, schema, name, kind, and an index's table"""
    transaction: str | None = None
    locks: LoggedLocks | None = None
    """that the session holds; None, as of the next two lists: not read at this point"""
    files: LoggedNumbers | None = None
    """that have changed since the base"""
    scans: LoggedNumbers | None = None
    """tables that the session has read from their beginning, and how often"""


@dataclass(frozen=True, slots=True)
class LogMessage:
    """What a session logged: a point, a statement as it begins, or a message about one."""

    pid: str
    level: str
    text: str
    context: str = ""
    detail: str = ""
    point: LogPoint | None = None

    @property
    def inner_statement(self) -> str:
        """The statement inside of a DO block or function; '' if the client sent it itself."""
        statements = [match["sql"] for match in INNER_STATEMENT.finditer(self.context)]
        return next((sql for sql in statements if OWN_NAME not in sql), "")

    @property
    def statement(self) -> str:
        """The statement that begins, if that is what was logged, and it is not the gate's own."""
        match = STATEMENT.fullmatch(self.text) if self.level == "LOG" else None
        return match["sql"] if match is not None and OWN_NAME not in match["sql"] else ""

    @property
    def unobserved_statement(self) -> str:
        """The same of a session that is not observed, where the log has it."""
        if self.level != "LOG" or not self.text.startswith(UNOBSERVED):
            return ""
        sql = self.text.removeprefix(UNOBSERVED)
        return "" if OWN_NAME in sql else sql


@cache
def _point_adapter() -> TypeAdapter[LogPoint]:
    return TypeAdapter(LogPoint)


def is_observed(setup: ReplaySetup) -> bool:
    """Whether there may be revisions to look at, and the server lets the gate do so."""
    scope = setup.settings.observe
    has_revisions = scope == "all" or (scope == "change" and bool(setup.pending_files))
    return has_revisions and can_observe(setup.server)


def install_observation(connection: psycopg.Connection[Any], server: Server) -> None:
    """Create what logs the points, in a database that has the DDL log."""
    if connection.execute(IS_INSTALLED).fetchone() == (True,):  # a checkpoint has it
        return
    folder = files(__package__)
    if server.session_log is not None:
        connection.execute(folder.joinpath("observation_notices.sql").read_bytes())
    script = folder.joinpath("observation.sql").read_text(encoding="utf-8")
    texts = SERVER_LOG if server.session_log is None else SESSION_LOG
    limits = {
        "budget": READING_BUDGET,
        "lock_budget": LOCK_BUDGET,
        "rows_per_point": ROWS_PER_POINT,
        "many": MANY_ITEMS,
    }
    for name, text in {**texts, **limits}.items():
        script = script.replace(f"{{{name}}}", str(text))
    connection.execute(script.encode())


def read_observed_log(server: Server, database: str) -> tuple[LogMessage, ...]:
    """The messages of the database's sessions from the first point on; none without a point."""
    text = _read_log(server)
    first = text.find(POINT_MARK)
    if first < 0:
        return ()
    start = text.rfind("\n", 0, first) + 1
    return tuple(_join_entries(read_entries(text[start:], database)))


def _read_log(server: Server) -> str:
    log = server.session_log or server.log
    if log is None:
        return server.process.log_tail(WHOLE_LOG)
    try:
        return log.read_text("utf-8", "replace")
    except OSError:
        return ""


def _join_entries(entries: list[LogEntry]) -> Iterator[LogMessage]:
    """Each entry with the DETAIL and CONTEXT that the server added to it."""
    waiting: dict[str, LogMessage] = {}
    messages: list[LogMessage] = []
    positions: dict[str, int] = {}
    for entry in entries:
        message = waiting.get(entry.pid)
        if entry.level == "CONTEXT" and message is not None:
            waiting[entry.pid] = messages[positions[entry.pid]] = replace(message, context=entry.text)
        elif entry.level == "DETAIL" and message is not None:
            waiting[entry.pid] = messages[positions[entry.pid]] = replace(message, detail=entry.text)
        elif entry.level not in ("STATEMENT", "HINT", "QUERY", "LOCATION"):
            waiting[entry.pid] = LogMessage(entry.pid, entry.level, entry.text)
            positions[entry.pid] = len(messages)
            messages.append(waiting[entry.pid])
    for message in messages:
        yield _parse_point(message)


def _parse_point(message: LogMessage) -> LogMessage:
    if message.level not in POINT_LEVELS or not message.text.startswith(POINT_MARK):
        return message
    try:
        point = _point_adapter().validate_json(message.text.removeprefix(POINT_MARK))
    except ValidationError:  # the project's code wrote into the log
        return message
    return replace(message, point=point)
