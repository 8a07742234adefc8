"""How fast this machine rewrites, reads and indexes rows: measured on the run's own server, when needed.

In a database of its own, which is dropped. Nothing is measured on a server of the user's: it may be in use,
and it is not the gate's to load.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg

from migration_gate.facts import WorkKind, WorkRate, WorkRates
from migration_gate.postgres.database_removal import drop_database
from migration_gate.postgres.server import Server

Connection: TypeAlias = psycopg.Connection[Any]
ROWS = 20_000
"""some 3 MB: all kinds of work together take some 0.2 s, the database included"""
LIMIT = "SET statement_timeout = '5s'"
"""where a statement takes as long as that, no rate is worth the waiting"""
PREPARATION = (
    LIMIT,
    "SET max_parallel_maintenance_workers = 0",
    "CREATE TABLE parents AS SELECT generate_series(0, 999) AS id",
    "ALTER TABLE parents ADD PRIMARY KEY (id)",
    "CREATE TABLE measured (id bigint, parent integer, amount integer, code text, note text)",
    f"SELECT set_config('gate.rows', '{ROWS}', false)",
    "INSERT INTO measured SELECT (n * 7919::bigint) % 1000003, n % 1000, n, md5(n::text), repeat('x', 50) "
    "FROM generate_series(1, current_setting('gate.rows')::int) AS n",
    "VACUUM measured",
)
STATEMENTS = {
    WorkKind.VERIFICATION: "ALTER TABLE measured ADD CONSTRAINT positive CHECK (amount > 0)",
    WorkKind.FOREIGN_KEY: "ALTER TABLE measured ADD FOREIGN KEY (parent) REFERENCES parents",
    WorkKind.REWRITE: "ALTER TABLE measured ALTER amount TYPE bigint",
    WorkKind.INDEX_BUILD: "CREATE INDEX ON measured (id)",
    WorkKind.ROWS: "UPDATE measured SET amount = amount + 1",
}
"""what is measured of each kind, in this order: the first ones leave the table as it was"""
_measured: dict[str, dict[WorkKind, WorkRate]] = {}
"""by the token of the server: a run of several projects measures once"""


def measure_rates(server: Server, kinds: Collection[WorkKind]) -> WorkRates:
    """The rates of these kinds of work, and of reading. Raises psycopg's errors, or GateError.

    The server must be the gate's own.
    """
    wanted = [kind for kind in STATEMENTS if kind in kinds or kind is WorkKind.VERIFICATION]
    known = _measured.setdefault(server.token, {})
    missing = [kind for kind in wanted if kind not in known]
    if missing:
        with _open_database(server) as connection:
            known.update({kind: _measure(connection, kind) for kind in missing})
    return WorkRates(tuple(known[kind] for kind in wanted))


@contextmanager
def _open_database(server: Server) -> Iterator[Connection]:
    """A connection to a new database with the table that is measured; nothing is left of it."""
    name = server.create_database()
    try:
        with server.connect(name) as connection:
            for statement in PREPARATION:
                connection.execute(statement.encode())
            yield connection
    finally:
        with server.connect() as connection:
            drop_database(connection, name, server.version)


def _measure(connection: Connection, kind: WorkKind) -> WorkRate:
    size = int(connection.execute("SELECT pg_table_size('measured')").fetchone()[0])  # type: ignore[index]
    started = time.perf_counter()
    connection.execute(STATEMENTS[kind].encode())
    seconds = max(time.perf_counter() - started, 1e-6)
    return WorkRate(kind, ROWS / seconds, size / seconds)
