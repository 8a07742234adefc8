"""A Postgres that exists for this run, or databases on one that does not."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from migration_gate.errors import Broken, DiskFull, PostgresDied

if TYPE_CHECKING:
    import psycopg

DATABASE_PREFIX = "migration_gate_"
DISK_FULL_MESSAGES = ("No space left on device", "Disk quota exceeded")


class ServerProcess(Protocol):
    """What is known of a server from outside."""

    def exit_reason(self) -> str:
        """How it ended; '' while it runs, or where that can only be found out by connecting."""

    def log_tail(self, lines: int) -> str:
        """The end of its log, '' where that is not ours to read."""


@dataclass(frozen=True, slots=True)
class Server:
    """How to reach the server of this run, always through a Unix socket."""

    socket_directory: str
    """folder of the socket"""
    port: int
    """names the socket: `<directory>/.s.PGSQL.<port>`"""
    user: str
    password: str = field(repr=False)
    database: str
    """to connect to for what concerns the whole server"""
    token: str
    """what `current_setting('cluster_name')` returns; '' on a server of the user's (see `database_marker`)"""
    version: int
    """server_version_num: 150018"""
    superuser: bool
    description: str
    """for people: `local, PostgreSQL 15.18 (/usr/lib/postgresql/15/bin)`"""
    reason: str
    """why this one was taken"""
    notes: tuple[str, ...]
    """what it lacks, and what to know about it"""
    log: Path | None
    process: ServerProcess = field(repr=False, compare=False)
    database_prefix: str = DATABASE_PREFIX
    """every database of this run starts with it"""

    def connect(self, database: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
        """A connection that autocommits. Raises PostgresDied where the server is gone, or psycopg's error."""
        import psycopg  # noqa: PLC0415

        try:
            return connect_to_socket(
                self.socket_directory, self.port, self.user, self.password, database or self.database
            )
        except psycopg.OperationalError:
            if self.process.exit_reason():
                self.check_alive()
            raise

    def create_database(self, template: str | None = None) -> str:
        """Make an empty database, or a copy of one that nobody is connected to, and give its name."""
        import psycopg  # noqa: PLC0415
        from psycopg import sql  # noqa: PLC0415

        name = self.database_prefix + secrets.token_hex(6)
        with self.connect() as connection:
            source, options = (template, "") if template else self._source(connection)
            if self.version >= 150000 and self.token:  # ours: no checkpoint of anybody else's data
                options += " STRATEGY file_copy"
            command = "CREATE DATABASE {} TEMPLATE {}" + options
            try:
                connection.execute(sql.SQL(command).format(sql.Identifier(name), sql.Identifier(source)))
            except psycopg.errors.DiskFull as error:
                raise disk_full_error(self.log_tail()) from error
            except psycopg.errors.ObjectInUse as error:
                raise Broken(
                    f"a copy of database {source} was wanted; found that others are connected to it",
                    advice="Close the connections to it, and run again.",
                    evidence=str(error),
                ) from error
            comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
            connection.execute(comment.format(sql.Identifier(name), sql.Literal(database_marker(name))))
        return name

    def log_tail(self, lines: int = 20) -> str:
        """The end of the server's log."""
        return self.process.log_tail(lines)

    def check_alive(self) -> None:
        """Raise PostgresDied, or DiskFull, where the server is gone; both carry the end of its log."""
        import psycopg  # noqa: PLC0415

        how = self.process.exit_reason()
        if not how and self.log is None:  # not our process: only a connection tells
            try:
                connect_to_socket(
                    self.socket_directory, self.port, self.user, self.password, self.database
                ).close()
            except psycopg.OperationalError as error:
                how = str(error).strip()
        if not how:
            return
        words = self.log_tail()
        if any(text in words for text in DISK_FULL_MESSAGES):
            raise disk_full_error(words)
        raise PostgresDied(
            f"the Postgres server ({self.description}) should have run to the end; found it gone: {how}",
            advice="Read the end of its log; if that has no reason, something killed it (out of memory?).",
            evidence=words,
        )

    def _source(self, connection: psycopg.Connection[tuple[object, ...]]) -> tuple[str, str]:
        """template1, with what its administrator put there; template0 where that is not in UTF-8."""
        query = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template1'"
        if connection.execute(query).fetchone() == ("UTF8",):
            return "template1", ""
        return "template0", " ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"


def database_marker(name: str) -> str:
    """The comment on a database of ours. With its random name it proves the database to be ours."""
    return f"made by Migration Gate, safe to drop: {name}"


def disk_full_error(evidence: str) -> DiskFull:
    """The error for a server that ran out of room."""
    return DiskFull(
        "the Postgres server wanted room for the migrations' data; found its disk full",
        advice="Free some space, or set TMPDIR to a folder on a disk with room.",
        evidence=evidence,
    )


def connect_to_socket(
    directory: str, port: int, user: str, password: str, database: str
) -> psycopg.Connection[tuple[object, ...]]:
    """Connect in autocommit mode, whatever the PG* variables of our environment say."""
    import psycopg  # noqa: PLC0415

    os.environ.pop("PGSERVICE", None)  # no parameter overrules it
    return psycopg.connect(
        host=directory,
        port=port,
        user=user,
        password=password,
        dbname=database,
        hostaddr="",
        options="",
        sslmode="disable",
        gssencmode="disable",
        target_session_attrs="any",
        client_encoding="utf8",
        application_name="migration-gate",
        connect_timeout=30,
        autocommit=True,
    )


def read_tail(path: Path, lines: int) -> str:
    """The last lines of a log, '' where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - lines * 1000))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
