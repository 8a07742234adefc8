"""What code has made for all databases of the gate's own server: dropped, so that it can run again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from migration_gate.postgres.database_removal import drop_database
from migration_gate.postgres.server import Server

if TYPE_CHECKING:
    import psycopg

MADE_SINCE = """
select kind, name from (
    select 1 as rank, 'DATABASE' as kind, datname::text as name, oid from pg_database
    where not starts_with(datname, %(prefix)s)
    union all select 2, 'TABLESPACE', spcname::text, oid from pg_tablespace
    union all select 3, 'ROLE', rolname::text, oid from pg_roles
) as made
where oid > (select oid from pg_database where datname = %(marker)s) order by rank, oid desc
"""
"""in an order in which they can be dropped; oids are counted for the whole server"""


class SharedObject(NamedTuple):
    """A database, a tablespace or a role."""

    kind: str
    """as DROP names it"""
    name: str


def list_made_since(server: Server, marker: str) -> list[SharedObject]:
    """What is younger than the database `marker`, but for the databases of the run.

    Nothing on a server of the user's: others make theirs there at the same time.
    """
    if not server.token:
        return []
    parameters = {"prefix": server.database_prefix, "marker": marker}
    with server.connect() as connection:
        rows = connection.execute(MADE_SINCE, parameters).fetchall()
    return [SharedObject(str(kind), str(name)) for kind, name in rows]


def drop_shared_objects(server: Server, objects: Iterable[SharedObject]) -> None:
    """Drop them, in their order; what another database needs stays, and the project's own code says so."""
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    for item in objects:
        with server.connect() as connection:
            try:
                _drop(connection, server, item)
            except psycopg.Error:
                continue


def _drop(connection: psycopg.Connection[Any], server: Server, item: SharedObject) -> None:
    from psycopg import sql  # noqa: PLC0415 - loaded while the server starts

    if item.kind == "DATABASE":
        drop_database(connection, item.name, server.version)
        return
    command = "DROP ROLE {}" if item.kind == "ROLE" else "DROP TABLESPACE {}"
    connection.execute(sql.SQL(command).format(sql.Identifier(item.name)))
