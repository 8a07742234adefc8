"""The sizes of a live database's tables, from its statistics: no table is read or locked."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg

from migration_gate.facts import TableSize

LIMITS = (
    "SET LOCAL statement_timeout = '10s'",
    "SET LOCAL lock_timeout = '1s'",
    "SET LOCAL idle_in_transaction_session_timeout = '30s'",
)
"""for the one query: a live server has other things to do"""


def read_table_statistics(connection: psycopg.Connection[Any]) -> tuple[TableSize, ...]:
    """Each table of the database with rows and bytes, both None if they are not known; sorted by name.

    In a transaction that may only read, and is rolled back. Raises psycopg's errors.
    """
    query = (files("migration_gate.catalog") / "table_statistics.sql").read_bytes()
    connection.autocommit = False
    connection.read_only = True
    try:
        for limit in LIMITS:
            connection.execute(limit.encode())
        rows = connection.execute(query).fetchall()
    finally:
        connection.rollback()
    return tuple(TableSize(str(schema), str(name), rows, size) for schema, name, rows, size in rows)
