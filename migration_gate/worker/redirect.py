"""Every connection of the project's goes to the ephemeral server, or nowhere.

Three layers, because projects open databases in many ways: SQLAlchemy's `do_connect` event, engines made
with a creator or a pool of their own, and the drivers' own `connect`. (A fourth, outside this process,
allows the server's Unix socket only: see `confine`.) Each new connection is asked for the token of this run.
"""

from __future__ import annotations

import os
from typing import Any

from .answer_stream import AnswerStream
from .protocol import ConnectionRequested, Interception, Outcome, ServerAddress

LIBPQ_KEPT = frozenset({
    "options", "application_name", "fallback_application_name", "client_encoding", "connect_timeout",
    "connection_factory", "cursor_factory", "row_factory", "autocommit", "prepare_threshold", "context",
})  # fmt: skip
ASYNCPG_KEPT = frozenset({
    "server_settings", "statement_cache_size", "max_cached_statement_lifetime",
    "max_cacheable_statement_size", "loop", "command_timeout", "connection_class", "record_class",
    "prepared_statement_cache_size", "prepared_statement_name_func",
})  # fmt: skip
PG8000_KEPT = frozenset({"application_name", "timeout"})
LIBPQ_DRIVERS = ("psycopg2", "psycopg", "psycopg_async", "psycopg2cffi")
PROOF = (
    "select current_setting('cluster_name'), current_database(), "
    "(select shobj_description(d.oid, 'pg_database') from pg_database d where d.datname = current_database())"
)


class DatabaseRefused(Exception):
    """The project asked for a database that is not the ephemeral one."""


class Guard:
    """Knows the ephemeral server, and what the project wanted instead."""

    def __init__(self, server: ServerAddress, database: str, answer: AnswerStream) -> None:
        self._server = server
        self._answer = answer
        self._sent: set[ConnectionRequested] = set()
        self.database = database
        self.kept: dict[str, Any] = {}
        """arguments of the last connection that mean something beside an address"""

    # What each driver is handed instead of the project's own address.

    def libpq(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Arguments of psycopg2's and psycopg's connect."""
        out = {key: value for key, value in wanted.items() if key in LIBPQ_KEPT}
        server = self._server
        out.update(host=server.directory, port=str(server.port), user=server.user, dbname=self.database)
        out.update(password=server.password, sslmode="disable", gssencmode="disable", passfile=os.devnull)
        return out

    def asyncpg(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Arguments of asyncpg's connect."""
        out = {key: value for key, value in wanted.items() if key in ASYNCPG_KEPT}
        server = self._server
        out.update(host=server.directory, port=server.port, user=server.user, ssl=False)
        out.update(database=self.database, password=server.password, passfile=os.devnull)
        return out

    def pg8000(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Arguments of pg8000's connect."""
        out = {key: value for key, value in wanted.items() if key in PG8000_KEPT}
        server = self._server
        out.update(user=server.user, database=self.database, password=server.password)
        out["unix_sock"] = "%s/.s.PGSQL.%s" % (server.directory, server.port)
        return out

    def _rewrite(self, driver: str, wanted: dict[str, Any]) -> dict[str, Any]:
        if driver in LIBPQ_DRIVERS:
            return self.libpq(wanted)
        if driver == "asyncpg":
            return self.asyncpg(wanted)
        if driver == "pg8000":
            return self.pg8000(wanted)
        self._report("postgresql", driver, wanted, "url", "refused")
        raise DatabaseRefused(
            "the driver %r cannot be sent to the ephemeral server; use psycopg, psycopg2, asyncpg or pg8000"
            % driver
        )

    # SQLAlchemy.

    def connect(self, dialect: Any, wanted: dict[str, Any], how: Interception = "url") -> Any:
        """A DBAPI connection to the ephemeral database, whatever was wanted."""
        from sqlalchemy.dialects.postgresql.base import PGDialect

        if not isinstance(dialect, PGDialect):
            self._report(dialect.name, dialect.driver, wanted, how, "refused")
            raise DatabaseRefused(
                "the project tried to open a %s database; only the ephemeral PostgreSQL is allowed"
                % dialect.name
            )
        arguments = self._rewrite(dialect.driver, wanted)
        self.kept = dict(wanted)
        self._report(dialect.name, dialect.driver, wanted, how, "redirected")
        connection = dialect.connect(**arguments)
        self.prove(connection)
        return connection

    def prove(self, connection: Any) -> None:
        """Refuse a connection whose server does not know this run's token."""
        cursor = connection.cursor()
        cursor.execute(PROOF)
        cluster, database, comment = cursor.fetchone()
        cursor.close()
        if not getattr(connection, "autocommit", False):
            connection.rollback()
        token = self._server.token
        ours = (
            cluster == token
            if token
            else self.database in (self._server.database, (comment or "").split(": ")[-1])
        )
        if not ours or database != self.database:
            raise DatabaseRefused("connected to %r, which is not the ephemeral database" % (database,))

    def install(self) -> None:
        """Listen on every engine, and on those that bring a creator or a pool of their own."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine
        from sqlalchemy.engine.default import DefaultDialect

        guard = self

        def do_connect(dialect: Any, record: Any, arguments: Any, wanted: dict[str, Any]) -> Any:
            return guard.connect(dialect, wanted)

        def engine_created(cls: Any, engine: Any) -> None:
            code = getattr(engine.pool._creator, "__code__", None)
            parts = (code.co_filename if code else "").replace(os.sep, "/")
            ours = code is not None and code.co_name == "connect" and "/sqlalchemy/engine/" in parts
            if not ours:
                # do_connect is never asked for these
                engine.pool._creator = lambda record=None: guard.connect(engine.dialect, {}, "creator")

        event.listen(Engine, "do_connect", do_connect)
        DefaultDialect.engine_created = classmethod(engine_created)  # type: ignore[method-assign, assignment]

    def _report(
        self, dialect: str, driver: str, wanted: dict[str, Any], how: Interception, outcome: Outcome
    ) -> None:
        place = "%s:%s/%s" % (
            wanted.get("host") or wanted.get("unix_sock") or "",
            wanted.get("port") or "",
            wanted.get("dbname") or wanted.get("database") or "",
        )
        self.report(dialect, driver, place, how, outcome)

    def report(self, dialect: str, driver: str, wanted: str, how: Interception, outcome: Outcome) -> None:
        """Say once what was wanted, without passwords, and what came of it."""
        line = ConnectionRequested(dialect, driver, wanted, how, outcome)
        if line not in self._sent:
            self._sent.add(line)
            self._answer.send(line)
