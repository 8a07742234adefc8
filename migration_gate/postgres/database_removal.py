"""Drops databases that may be in use, on every version of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

DROP_WITH_FORCE = 130000
"""server_version_num of the first server that has DROP DATABASE … WITH (FORCE)"""
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


def drop_database(connection: psycopg.Connection[Any], name: str, version: int) -> None:
    """Drop the database if it exists, and end its sessions. `version` is the server's server_version_num.

    The connection must autocommit. Raises psycopg's errors.
    """
    from psycopg import sql  # noqa: PLC0415 - loaded while the server starts

    command = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
    if version < DROP_WITH_FORCE:
        # The server itself waits some seconds for the sessions to end.
        connection.execute(END_SESSIONS, [name])
        command = "DROP DATABASE IF EXISTS {}"
    connection.execute(sql.SQL(command).format(sql.Identifier(name)))
