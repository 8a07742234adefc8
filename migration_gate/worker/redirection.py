"""Redirects every connection of the project to the ephemeral server, and refuses any other database.

Three layers, because projects open databases in many ways: SQLAlchemy's `do_connect` event, engines made
with a creator or a pool of their own, and the drivers' own `connect` (`driver_patches.py`). A fourth, outside
this process, allows the server's Unix socket only: see `sandbox`. Each new connection of
SQLAlchemy must show the token of this run.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Mapping

from . import private_api
from .answer_stream import AnswerStream
from .protocol.order import ServerAddress
from .protocol.project_requests import ConnectionRequested, Interception, Outcome
from .protocol.run_lines import Note

LIBPQ_KEPT = frozenset({
    "options", "application_name", "fallback_application_name", "client_encoding", "connect_timeout",
    "connection_factory", "cursor_factory", "row_factory", "autocommit", "prepare_threshold", "context",
})  # fmt: skip
"""arguments of psycopg2 and psycopg that are passed on; the others say where and as whom to connect"""
ASYNCPG_KEPT = frozenset({
    "server_settings", "statement_cache_size", "max_cached_statement_lifetime",
    "max_cacheable_statement_size", "loop", "command_timeout", "connection_class", "record_class",
    "prepared_statement_cache_size", "prepared_statement_name_func",
})  # fmt: skip
THIS_MACHINE = ("", "localhost", "127.0.0.1", "::1")
DEFAULT_PORT = "5432"
PG8000_KEPT = frozenset({"application_name", "timeout"})
READ_IDENTITY = (
    "select current_setting('cluster_name'), current_database(), "
    "(select shobj_description(d.oid, 'pg_database') from pg_database d where d.datname = current_database())"
)


def _return_at_once() -> None:
    """The database is there from the start."""


class DatabaseRefused(Exception):
    """The project asked for a database that is not the ephemeral one."""


class Redirection:
    """Knows the ephemeral server, and reports what the project wanted instead."""

    def __init__(self, server: ServerAddress, database: str, answer: AnswerStream) -> None:
        self._server = server
        self._answer = answer
        self._reported: set[ConnectionRequested] = set()
        self._notes: set[str] = set()
        self.database = database
        """that connections are sent to"""
        self.await_database: Callable[[], object] = _return_at_once
        """called before each connection: returns when the database is there"""
        self.database_comes_later = False
        self.other_databases: dict[str, str] = {}
        """databases for the addresses that do not mean the one above"""
        self.replaced_urls: list[str] = []
        """of other dialects, for which engines got PostgreSQL"""
        self.session_settings: Mapping[str, str] = {}
        """of the server, for new connections"""
        self.last_arguments: Mapping[str, Any] = {}
        """what the last connection was asked for with"""

    def install(self) -> None:
        """Listen on every engine, and replace the creators that some bring along."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        def do_connect(dialect: Any, record: Any, positional: Any, arguments: dict[str, Any]) -> Any:
            return self._connect_redirected(dialect, arguments, "url")

        event.listen(Engine, "do_connect", do_connect)
        private_api.replace_creators(lambda engine: self._connect_redirected(engine.dialect, {}, "creator"))

    def _connect_redirected(
        self, dialect: Any, arguments: dict[str, Any], intercepted_by: Interception
    ) -> Any:
        """A DBAPI connection to the ephemeral database, whatever the arguments name."""
        from sqlalchemy.dialects.postgresql.base import PGDialect

        self.await_database()
        if not isinstance(dialect, PGDialect):
            self._report_arguments(dialect, arguments, intercepted_by, "refused")
            raise DatabaseRefused(
                "the project tried to open a %s database; only the ephemeral PostgreSQL is allowed"
                % dialect.name
            )
        redirect = REDIRECTED_ARGUMENTS.get(dialect.driver)
        if redirect is None:
            self._report_arguments(dialect, arguments, "url", "refused")
            raise DatabaseRefused(
                "the driver %r cannot be sent to the ephemeral server; use psycopg, psycopg2, asyncpg or "
                "pg8000" % dialect.driver
            )
        self.last_arguments = dict(arguments)
        self._report_arguments(dialect, arguments, intercepted_by, "redirected")
        connection = dialect.connect(**redirect(self, arguments))
        self._demand_identity(connection, self._database_for(arguments))
        return connection

    def _database_for(self, arguments: Mapping[str, Any]) -> str:
        return self.other_databases.get(identify_database(arguments), self.database)

    # What each driver gets instead of the project's own address.

    def libpq_arguments(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments for the `connect` of psycopg2 and psycopg."""
        return {
            **_keep_arguments(arguments, LIBPQ_KEPT),
            **self._libpq_options(arguments),
            "host": self._server.directory,
            "port": str(self._server.port),
            "user": self._server.user,
            "password": self._server.password,
            "dbname": self._database_for(arguments),
            "sslmode": "disable",
            "gssencmode": "disable",
            "passfile": os.devnull,
        }

    def asyncpg_arguments(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments for the `connect` of asyncpg."""
        return {
            **_keep_arguments(arguments, ASYNCPG_KEPT),
            **self._asyncpg_settings(arguments),
            "host": self._server.directory,
            "port": self._server.port,
            "user": self._server.user,
            "password": self._server.password,
            "database": self._database_for(arguments),
            "ssl": False,
            "passfile": os.devnull,
        }

    def pg8000_arguments(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments for the `connect` of pg8000."""
        return {
            **_keep_arguments(arguments, PG8000_KEPT),
            "unix_sock": "%s/.s.PGSQL.%s" % (self._server.directory, self._server.port),
            "user": self._server.user,
            "password": self._server.password,
            "database": self._database_for(arguments),
        }

    def _libpq_options(self, arguments: Mapping[str, Any]) -> dict[str, str]:
        """The project's own options, and the settings for new connections."""
        if not self.session_settings:
            return {}
        options = ["-c %s=%s" % setting for setting in self.session_settings.items()]
        return {"options": " ".join([str(arguments.get("options") or ""), *options]).strip()}

    def _asyncpg_settings(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if not self.session_settings:
            return {}
        return {"server_settings": {**(arguments.get("server_settings") or {}), **self.session_settings}}

    def is_redirected(self, address: Any) -> bool:
        """Whether a driver's argument (`host`, `unix_sock`) names the ephemeral server already."""
        return str(address or "").startswith(self._server.directory)

    # Proof and report.

    def _demand_identity(self, connection: Any, expected: str) -> None:
        """Raise DatabaseRefused if the server or the database is not that of this run."""
        cursor = connection.cursor()
        cursor.execute(READ_IDENTITY)
        cluster_name, database, comment = cursor.fetchone()
        cursor.close()
        if not getattr(connection, "autocommit", False):
            # The driver began a transaction for the query; the project gets a connection without one.
            connection.rollback()
        if database != expected or not self._is_own_server(expected, cluster_name, comment or ""):
            raise DatabaseRefused("connected to %r, which is not the ephemeral database" % (database,))

    def _is_own_server(self, expected: str, cluster_name: str, database_comment: str) -> bool:
        if self._server.token:
            return cluster_name == self._server.token
        # A server of the user's: the database has a comment of ours, or is the one that we were told to use.
        return expected in (self._server.database, database_comment.rpartition(": ")[2])

    def _report_arguments(
        self, dialect: Any, arguments: Mapping[str, Any], intercepted_by: Interception, outcome: Outcome
    ) -> None:
        self.report(dialect.name, dialect.driver, format_address(arguments), intercepted_by, outcome)

    @property
    def has_connected(self) -> bool:
        """Whether the project had a connection to the ephemeral server."""
        return any(line.outcome == "redirected" for line in self._reported)

    def note(self, text: str) -> None:
        """Send what a reader of the report has to know, once."""
        if text not in self._notes:
            self._notes.add(text)
            self._answer.send(Note(text))

    def report(
        self, dialect: str, driver: str, address: str, intercepted_by: Interception, outcome: Outcome
    ) -> None:
        """Send what was asked for and what came of it, once."""
        line = ConnectionRequested(dialect, driver, address, intercepted_by, outcome)
        if line not in self._reported:
            self._reported.add(line)
            self._answer.send(line)


REDIRECTED_ARGUMENTS = {
    "psycopg2": Redirection.libpq_arguments,
    "psycopg2cffi": Redirection.libpq_arguments,
    "psycopg": Redirection.libpq_arguments,
    "psycopg_async": Redirection.libpq_arguments,
    "asyncpg": Redirection.asyncpg_arguments,
    "pg8000": Redirection.pg8000_arguments,
}
"""by the names of SQLAlchemy's drivers"""


def format_address(arguments: Mapping[str, Any]) -> str:
    """`host:port/database` of a driver's arguments, without a password."""
    return "%s:%s/%s" % (
        arguments.get("host") or arguments.get("unix_sock") or "",
        arguments.get("port") or "",
        arguments.get("dbname") or arguments.get("database") or "",
    )


def identify_database(arguments: Mapping[str, Any]) -> str:
    """The same text for every way to write one database's address."""
    host = str(arguments.get("host") or arguments.get("unix_sock") or "")
    port = str(arguments.get("port") or DEFAULT_PORT)
    name = arguments.get("dbname") or arguments.get("database") or ""
    return "%s:%s/%s" % ("localhost" if host in THIS_MACHINE else host, port, name)


def _keep_arguments(arguments: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name in names}
