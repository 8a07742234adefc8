"""All rows of a database between two revisions; what a revision has not touched is not read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import date
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.stored_rows import MAX_ROWS, StoredRows, read_stored_columns, read_stored_rows
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name

if TYPE_CHECKING:
    import psycopg

TABLES_AT_ONCE = 50
"""that one statement reads"""
FIND_TABLES = """
select c.oid::bigint, n.nspname::text, c.relname::text, c.relkind = 'r' and not c.relhassubclass
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_'
  and n.nspname not in ('information_schema', 'migration_gate')
order by c.oid
"""
READ_TYPES = """
select md5(string_agg(text, '|' order by text)) from (
    select concat_ws(' ', enumtypid, oid, enumlabel) from pg_catalog.pg_enum
    union all
    select concat_ws(' ', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attisdropped)
    from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
    where c.relkind = 'c'
) as parts (text)
"""
"""changes where values that are stored as they were are written in another way"""
TODAY = "select (now() at time zone 'UTC')::date"


@dataclass(frozen=True)
class TableMark:
    """Differs if rows of the table, or its columns, have changed since."""

    columns: tuple[Any, ...]
    rows: int
    newest_transaction: int
    """that has written one of them"""


@dataclass(frozen=True)
class RowState:
    """The rows of a database between two revisions."""

    tables: Mapping[int, StoredRows]
    """all, by oid; the same object as in the state before if nothing was done to the table"""
    today: date
    """of the server"""
    marks: Mapping[int, TableMark] = field(default_factory=dict)
    """of tables whose rows are all their own: a partitioned one may have got other partitions"""
    types: str = ""
    """digest of the types whose changes rewrite no row"""
    unread: Mapping[int, str] = field(default_factory=dict)
    """tables that have too many rows: `schema.name` by oid"""

    def is_unread(self, table: StoredRows) -> bool:
        """Whether the table, or another one that has its name now, has too many rows."""
        return table.oid in self.unread or table.full_name in self.unread.values()


def read_row_state(connection: psycopg.Connection[Any], earlier: RowState | None = None) -> RowState:
    """Read the rows. `earlier`: the state before, since when each transaction has committed."""
    found = connection.execute(FIND_TABLES.encode()).fetchall()
    names = {oid: qualified_name(schema, name) for oid, schema, name, is_plain in found if is_plain}
    marks = _read_marks(connection, names)
    ((types,),) = connection.execute(READ_TYPES.encode()).fetchall()
    ((today,),) = connection.execute(TODAY).fetchall()
    kept: dict[int, StoredRows] = {}
    if earlier is not None and earlier.types == types:
        kept = {
            oid: table
            for oid, table in earlier.tables.items()
            if oid in marks and marks[oid] == earlier.marks.get(oid)
        }
    oids = [row[0] for row in found]
    read = read_stored_rows(connection, [oid for oid in oids if oid not in kept])
    tables = {**kept, **read}
    unread = {oid: f"{schema}.{name}" for oid, schema, name, _ in found if oid not in tables}
    return RowState({oid: tables[oid] for oid in oids if oid in tables}, today, marks, types, unread)


def describe_unread(tracked: Mapping[int, StoredRows], after: RowState, revision: str) -> Iterator[str]:
    """A note for each table with rows from before that has too many now."""
    for table in tracked.values():
        if table.rows and after.is_unread(table):
            yield (
                f"`{table}` has more than {MAX_ROWS} rows after `{revision}`: what became of the rows from "
                "before was not looked at"
            )


def _read_marks(connection: psycopg.Connection[Any], names: Mapping[int, str]) -> dict[int, TableMark]:
    columns = read_stored_columns(connection, list(names))
    marks: dict[int, TableMark] = {}
    entries = list(names.items())
    for start in range(0, len(entries), TABLES_AT_ONCE):
        query = _count_rows(entries[start : start + TABLES_AT_ONCE])
        for oid, count, newest in connection.execute(query.encode()).fetchall():
            marks[oid] = TableMark(tuple(columns.get(oid, ())), count, newest)
    return marks


def _count_rows(tables: Sequence[tuple[int, str]]) -> str:
    return " union all ".join(
        f"select {oid}::bigint, count(*), coalesce(max(xmin::text::bigint), 0) from {name}"  # noqa: S608
        for oid, name in tables
    )
