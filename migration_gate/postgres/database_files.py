"""Copies the files of a database that others are connected to, which CREATE DATABASE does not do.

The server's own account copies them. The new database is one that CREATE DATABASE has just made: nothing of
it is in the server's memory, and all that was there of the other one has been written to its files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

COPY_OBSTACLE = """
select case
when exists (select from pg_catalog.pg_stat_activity where datname = current_database()
    and backend_xid is not null) then 'a transaction has written to it, and is not committed'
when exists (select from pg_catalog.pg_prepared_xacts where database = current_database())
    then 'it has prepared transactions'
when exists (select from pg_catalog.pg_class where reltablespace not in
    (0, (select oid from pg_catalog.pg_tablespace where spcname = 'pg_global')))
    then 'some of its tables are in other tablespaces'
when (select dattablespace from pg_catalog.pg_database where datname = current_database())
    <> (select oid from pg_catalog.pg_tablespace where spcname = 'pg_default')
    then 'it is in another tablespace'
else '' end
"""
FIND_OIDS = """
select (select oid::bigint from pg_catalog.pg_database where datname = current_database()), oid::bigint
from pg_catalog.pg_database where datname = %s
"""
COPY_FOLDER = "cd base && rm -rf {new} && cp -R {old} {new} && rm -f {new}/pg_internal.init"
"""in the data directory, where the programs of COPY run; the file is a cache of one database's"""
COPY_OWNERS = """
insert into pg_catalog.pg_shdepend
select %s, classid, objid, objsubid, refclassid, refobjid, deptype
from pg_catalog.pg_shdepend where dbid = %s
"""
"""what roles own there, as CREATE DATABASE copies it"""


def find_copy_obstacle(connection: psycopg.Connection[tuple[object, ...]]) -> str:
    """Why the files of the connection's database cannot be copied now, as a clause; '' if they can."""
    row = connection.execute(COPY_OBSTACLE).fetchone()
    assert row is not None  # noqa: S101 - the query has one row
    return str(row[0])


def replace_files(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """Give a new database, which nobody has used, the files of the connection's. Raises psycopg.Error."""
    from psycopg import sql  # noqa: PLC0415

    row = connection.execute(FIND_OIDS, [name]).fetchone()
    assert row is not None  # noqa: S101 - it was just created
    old, new = (int(str(oid)) for oid in row)
    program = COPY_FOLDER.format(old=old, new=new)
    # No row: the program reads none, and the server would fail to write one to a program that has ended.
    connection.execute(sql.SQL("copy (select where false) to program {}").format(sql.Literal(program)))
    connection.execute(COPY_OWNERS, [new, old])
