"""The sizes of a live database's tables, from its statistics: no table is read or locked."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg
from psycopg.adapt import Loader

from migration_gate.facts import TableSize

LIMITS = (
    "SET LOCAL statement_timeout = '10s'",
    "SET LOCAL lock_timeout = '1s'",
    "SET LOCAL idle_in_transaction_session_timeout = '30s'",
    "SET LOCAL search_path = pg_catalog",
    "SELECT set_config('client_encoding', CASE current_setting('server_encoding') "
    "WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, true)",  # of the former nothing can be converted
)
"""for the one query: a live server has other things to do, and its users have schemas of their own"""


class _NameLoader(Loader):
    """Names as text, though a database without an encoding may have some that are none."""

    def load(self, data: bytes | bytearray | memoryview) -> str:
        return bytes(data).decode("utf-8", "surrogateescape")


def read_table_statistics(connection: psycopg.Connection[Any]) -> tuple[TableSize, ...]:
    """Each table of the database with rows and bytes, both None if they are not known; sorted by name.

    A name that is no UTF-8 has surrogates. In a transaction that may only read, and is rolled back. Raises
    psycopg's errors.
    """
    query = (files("migration_gate.catalog") / "table_statistics.sql").read_bytes()
    connection.autocommit = False
    connection.read_only = True
    connection.adapters.register_loader("name", _NameLoader)
    try:
        for limit in LIMITS:
            connection.execute(limit.encode())
        rows = connection.execute(query).fetchall()
    finally:
        connection.rollback()
    return tuple(TableSize(str(schema), str(name), rows, size) for schema, name, rows, size in rows)
