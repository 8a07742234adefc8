"""What a run knows of its Postgres server, wherever that runs: how to connect, and whether it still runs."""

from __future__ import annotations

import logging
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from migration_gate.errors import Broken, DiskFull, PostgresDied
from migration_gate.postgres.database_files import find_copy_obstacle, replace_files
from migration_gate.postgres.database_removal import END_SESSIONS, drop_database
from migration_gate.postgres.kept_session import KeptSession
from migration_gate.postgres.session_log import OWN_TEXT

if TYPE_CHECKING:
    import psycopg

DATABASE_PREFIX = "migration_gate_"
DISK_FULL_MESSAGES = ("No space left on device", "Disk quota exceeded")
LOG_LINE_BYTES = 1000
"""assumed for a line of the log: so much of its end is read"""
READ_LINES = 400
"""of the log's end, in which the wanted ones may stand among entries of the gate's own"""
LOG_ENTRY = re.compile(r"[^|]*\|\d*\|\w{5}\|[^|]*\|[^|]*\|(?P<level>\w+):  (?P<text>.*)")
"""as `server_settings.LOG_LINE_PREFIX` begins them"""
QUIET_LEVELS = ("NOTICE", "INFO", "DEBUG", "DEBUG1")
"""of entries that tell a client what its statement did"""
ADDITIONAL_LEVELS = ("CONTEXT", "DETAIL", "HINT", "LOCATION", "QUERY", "STATEMENT")
"""of what is added to the entry before"""
CONNECT_SECONDS = 30
OWN_SETTINGS = (
    (0, b"set statement_timeout = 0"),
    (
        0,
        # The limit that the gate has given the database, and not one of a role.
        b"select set_config('statement_timeout', coalesce((select split_part(c, '=', 2) "
        b"from pg_catalog.pg_db_role_setting s join pg_catalog.pg_database d on d.oid = s.setdatabase "
        b"cross join unnest(s.setconfig) c where s.setrole = 0 and d.datname = current_database() "
        b"and c like 'statement_timeout=%'), '0'), false); "
        b"set default_transaction_read_only = off; set default_transaction_isolation = 'read committed'; "
        b"set lock_timeout = 0; set idle_in_transaction_session_timeout = 0; set row_security = on; "
        b"set standard_conforming_strings = on",
    ),
    (140000, b"set idle_session_timeout = 0"),
    (170000, b"set transaction_timeout = 0"),
)
"""of the gate's own sessions, with the first version that has them: a project may set others for all roles"""
LOGIN_TRIGGERS = 170000
"""server_version_num of the first server that has event triggers on `login`"""
COPY_FILES = 150000
"""server_version_num of the first server that has CREATE DATABASE … STRATEGY"""
COPY_ATTEMPTS = 20
"""while sessions that were ended are still on their way out, with longer and longer waits: 1 s in all"""
COPY_WAIT_SECONDS = 0.005


class ServerProcess(Protocol):
    """What is known of a server without connecting to it."""

    def exit_reason(self) -> str:
        """How it ended; '' while it runs, or where only a connection can tell."""

    def log_tail(self, lines: int) -> str:
        """The last lines of its log; '' where the gate cannot read it."""


@dataclass(frozen=True, slots=True)
class Server:
    """How to reach the server of this run, always through a Unix socket."""

    socket_directory: str
    port: int
    """names the socket: `<socket_directory>/.s.PGSQL.<port>`"""
    user: str
    password: str = field(repr=False)
    database: str
    """to connect to for what concerns the whole server"""
    token: str
    """what `current_setting('cluster_name')` returns; '' on a user's server (see `database_marker`)"""
    version: int
    """server_version_num: 150018"""
    superuser: bool
    description: str
    """for people: `local, PostgreSQL 15.18 (/usr/lib/postgresql/15/bin)`"""
    reason: str
    """why this server was chosen"""
    notes: tuple[str, ...]
    """what it lacks, and what to know about it"""
    log: Path | None
    process: ServerProcess = field(repr=False, compare=False)
    database_prefix: str = DATABASE_PREFIX
    """every database of this run starts with it"""
    data: Path | None = None
    """the files of its cluster, if the gate can read them"""
    is_restored: bool = False
    """it was started from a `SavedCluster`"""
    gate_port: int = 0
    """names the socket for the gate's own connections, if `port` leads to databases of this run alone"""
    kept_session: KeptSession = field(default_factory=KeptSession, repr=False, compare=False)
    maintenance: KeptSession = field(default_factory=KeptSession, repr=False, compare=False)
    """to `database`: databases are made and copied several times in a run"""
    session_log: Path | None = None
    """in the place of the server's own log: what the server tells the sessions; see `session_log`"""

    def connect(self, database: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
        """A connection that autocommits. Raises PostgresDied if it has ended, else psycopg's error."""
        import psycopg  # noqa: PLC0415

        try:
            return self._connect(database or self.database)
        except psycopg.OperationalError:
            if self.process.exit_reason():
                self.check_alive()
            raise

    def connect_again(self, database: str) -> psycopg.Connection[Any]:
        """The kept session if it leads to this database, else a new one; see `connect`."""
        return self.kept_session.take(database) or self.connect(database)

    def create_database(self, template: str | None = None) -> str:
        """Create an empty database, or a copy of one without connections, and return its name.

        Raises DiskFull, or Broken if the template is in use.
        """
        name = self.database_prefix + secrets.token_hex(6)
        if template:
            self.kept_session.close(template)
        with self._maintain() as connection:
            source, options = (template, "") if template else self._empty_template(connection)
            self._create_database(connection, name, source, options)
        return name

    def recreate_database(self, name: str) -> None:
        """Drop the database, whose sessions may be ended, and create an empty one of its name."""
        with self._maintain() as connection:
            drop_database(connection, name, self.version)
            self._create_database(connection, name, *self._empty_template(connection))

    def copy_used_database(self, source: str, name: str) -> None:
        """Create the database `name` as a copy of one whose sessions may be ended.

        A database of that name is dropped. Raises DiskFull, or Broken if new sessions keep the source in
        use.
        """
        self.kept_session.close(source)
        with self._maintain() as connection:
            drop_database(connection, name, self.version)
            for attempt in range(1, COPY_ATTEMPTS + 1):
                connection.execute(END_SESSIONS, [source])
                try:
                    self._create_database(connection, name, source)
                except Broken:
                    if attempt == COPY_ATTEMPTS:
                        raise
                    time.sleep(COPY_WAIT_SECONDS * attempt)
                else:
                    return

    def rename_database(self, source: str, name: str) -> None:
        """Have a database, whose sessions may be ended, take the place of another one."""
        from psycopg import sql  # noqa: PLC0415

        self.kept_session.close(source)
        with self._maintain() as connection:
            drop_database(connection, name, self.version)
            connection.execute(END_SESSIONS, [source])
            command = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(command.format(sql.Identifier(source), sql.Identifier(name)))

    def copy_resting_database(self, source: str, name: str) -> str:
        """Create the database `name` as a copy of one whose sessions do nothing, and stay.

        Returns why it was not created, as a clause; '' if it was. Only for the gate's own server.
        """
        import psycopg  # noqa: PLC0415

        with self.connect(source) as connection:
            obstacle = find_copy_obstacle(connection)
            if obstacle:
                return obstacle
            drop_database(connection, name, self.version)
            self._create_database(connection, name, *self._empty_template(connection))
            try:
                replace_files(connection, name)
            except psycopg.Error as error:
                drop_database(connection, name, self.version)
                return f"its files could not be copied: {str(error).strip()}"
        return ""

    @contextmanager
    def _maintain(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """A session for what concerns the whole server, which is kept unless the block fails."""
        connection = self.maintenance.take(self.database) or self.connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self.maintenance.keep(self.database, connection)

    def end_sessions(self) -> None:
        """End those that are kept."""
        self.kept_session.end()
        self.maintenance.end()

    def _create_database(
        self, connection: psycopg.Connection[tuple[object, ...]], name: str, source: str, options: str = ""
    ) -> None:
        import psycopg  # noqa: PLC0415
        from psycopg import sql  # noqa: PLC0415

        if self.version >= COPY_FILES and self.token:  # the gate's own server: a checkpoint is cheap
            options += " STRATEGY file_copy"
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}" + options)
        try:
            connection.execute(command.format(sql.Identifier(name), sql.Identifier(source)))
        except psycopg.errors.DiskFull as error:
            raise disk_full_error(self.log_tail()) from error
        except psycopg.errors.ObjectInUse as error:
            raise Broken(
                f"Database {source} cannot be copied while others are connected to it.",
                advice="Close the connections to it, and run again.",
                evidence=str(error),
            ) from error
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        connection.execute(comment.format(sql.Identifier(name), sql.Literal(database_marker(name))))

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the server's log, without notices and entries of the gate's own."""
        text = without_notices(self.process.log_tail(READ_LINES))
        return "\n".join(text.splitlines()[-lines:])

    def check_alive(self) -> None:
        """Raise PostgresDied, or DiskFull, where the server has ended; both carry the end of its log."""
        reason = self.process.exit_reason()
        if not reason and self.log is None:
            reason = self._connection_error()  # not a process of the gate's: only a connection tells
        if not reason:
            return
        log = self.log_tail()
        if mentions_full_disk(log):
            raise disk_full_error(log)
        raise PostgresDied(
            f"The Postgres server ({self.description}) ended while the gate was using it: {reason}.",
            advice="Read the end of its log; if that has no reason, something killed it (out of memory?).",
            evidence=log,
        )

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        port = self.gate_port or self.port
        return connect_to_socket(
            self.socket_directory,
            port,
            self.user,
            self.password,
            database,
            skips_login_triggers=self.version >= LOGIN_TRIGGERS and bool(self.token),
        )

    def _connection_error(self) -> str:
        """Why the server cannot be connected to; '' if it can."""
        import psycopg  # noqa: PLC0415

        try:
            self._connect(self.database).close()
        except psycopg.OperationalError as error:
            return str(error).strip()
        return ""

    def _empty_template(self, connection: psycopg.Connection[tuple[object, ...]]) -> tuple[str, str]:
        """What an empty database is copied from, and further options of CREATE DATABASE.

        template1, with what the server's administrator put there; template0 if that is not in UTF-8.
        """
        query = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template1'"
        if connection.execute(query).fetchone() == ("UTF8",):
            return "template1", ""
        return "template0", " ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"


@dataclass(frozen=True, slots=True)
class DistantProcess:
    """A server that another process of the gate's started, and watches."""

    log: Path | None

    def exit_reason(self) -> str:
        """Not known here."""
        return ""

    def log_tail(self, lines: int) -> str:
        """The last lines of its log, if it is a file."""
        return read_tail(self.log, lines) if self.log is not None else ""


def detach_server(server: Server) -> Server:
    """The server as another process of the gate's can use it."""
    return replace(
        server, process=DistantProcess(server.log), kept_session=KeptSession(), maintenance=KeptSession()
    )


def database_marker(name: str) -> str:
    """The comment on a database of a run. With the random name it proves that the gate made the database."""
    return f"made by Migration Gate, safe to drop: {name}"


def mentions_full_disk(text: str) -> bool:
    """Whether a log or an output says that the disk is full."""
    return any(message in text for message in DISK_FULL_MESSAGES)


def disk_full_error(evidence: str) -> DiskFull:
    """The error for a server that ran out of room."""
    return DiskFull(
        "The disk of the Postgres server is full.",
        advice="Free some space, or set TMPDIR to a folder on a disk with room.",
        evidence=evidence,
    )


def connect_to_socket(
    directory: str,
    port: int,
    user: str,
    password: str,
    database: str,
    *,
    skips_login_triggers: bool = False,
) -> psycopg.Connection[tuple[object, ...]]:
    """A connection that autocommits and ignores the PG* variables. Raises psycopg's errors.

    `skips_login_triggers`: the server has such event triggers, and the user is a superuser.
    """
    import psycopg  # noqa: PLC0415

    logging.getLogger("psycopg").setLevel(
        logging.CRITICAL
    )  # it would print what it does after a lost session
    os.environ.pop("PGSERVICE", None)  # no parameter overrules it
    connection = psycopg.connect(
        host=directory,
        port=port,
        user=user,
        password=password,
        dbname=database,
        hostaddr="",
        options="-c event_triggers=off" if skips_login_triggers else "",
        sslmode="disable",
        gssencmode="disable",
        target_session_attrs="any",
        client_encoding="utf8",
        application_name="migration-gate",
        connect_timeout=CONNECT_SECONDS,
        autocommit=True,
    )
    for first_version, settings in OWN_SETTINGS:
        if connection.info.server_version >= first_version:
            connection.execute(settings)
    if skips_login_triggers:
        connection.execute(b"set event_triggers = on")
    return connection


def format_version(version: int) -> str:
    """A server_version_num for people: 150018 as 15.18."""
    return f"{version // 10000}.{version % 10000}"


def without_notices(log: str) -> str:
    """A log without notices, and entries by which the gate follows a run: they do not say why it ended."""
    lines = []
    is_own = False
    for line in log.splitlines():
        entry = LOG_ENTRY.match(line)
        if entry is not None and entry["level"] not in ADDITIONAL_LEVELS:
            is_own = entry["level"] in QUIET_LEVELS or entry["text"].startswith(OWN_TEXT)
        if not is_own:
            lines.append(line)
    return "\n".join(lines)


def read_tail(path: Path, lines: int) -> str:
    """The last lines of a log; '' if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - lines * LOG_LINE_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
