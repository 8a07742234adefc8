"""Rows as they are stored: read by the identity of their table and columns, and chosen by what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from migration_gate.facts import display_name
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name

if TYPE_CHECKING:
    import psycopg

MAX_ROWS = 1000
"""of a table with more, nothing is said"""
_TABLES_AT_ONCE = 50
"""that one statement reads"""
_COLUMNS = """
select c.oid::bigint, n.nspname::text, c.relname::text, a.attnum, a.attname::text,
       format_type(a.atttypid, a.atttypmod), a.attgenerated <> '',
       coalesce((select a.attnum = any(x.indkey) from pg_catalog.pg_index x
                 where x.indrelid = c.oid and x.indisprimary), false)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.oid = any(%s) order by c.oid, a.attnum
"""
_FIND_TABLES = """
select c.oid::bigint, n.nspname || '.' || c.relname
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname || '.' || c.relname = any(%s)
"""


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column, and whether its values are its own."""

    number: int
    """attnum: it follows the column through renames, and is new if the column was made anew"""
    name: str
    type: str
    is_generated: bool
    is_key: bool
    """of the primary key"""


@dataclass(frozen=True)
class StoredRows:
    """The rows of a table."""

    oid: int
    schema: str
    name: str
    columns: tuple[StoredColumn, ...]
    rows: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """by the names of the columns"""

    def __str__(self) -> str:
        return display_name(self.schema, self.name)

    @property
    def full_name(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    def find_column(self, number: int) -> StoredColumn | None:
        """The column of that number."""
        return next((column for column in self.columns if column.number == number), None)


def read_stored_rows(connection: psycopg.Connection[Any], oids: Sequence[int]) -> dict[int, StoredRows]:
    """The rows of those of the tables that are there and are not too large, by the oid."""
    groups = read_stored_columns(connection, oids)
    names = {oid: qualified_name(columns[0][1], columns[0][2]) for oid, columns in groups.items()}
    rows = _read_rows(connection, names)
    tables = [
        StoredRows(oid, schema, name, tuple(StoredColumn(*column[3:]) for column in columns), rows[oid])
        for oid, columns in groups.items()
        for schema, name in [columns[0][1:3]]
    ]
    return {table.oid: table for table in tables if len(table.rows) <= MAX_ROWS}


def read_stored_columns(
    connection: psycopg.Connection[Any], oids: Sequence[int]
) -> Mapping[int, list[tuple[Any, ...]]]:
    """The columns of the tables that are there, by the oid: oid, schema and name, then a `StoredColumn`."""
    groups: dict[int, list[tuple[Any, ...]]] = {}
    for row in connection.execute(_COLUMNS, [list(oids)]).fetchall():
        groups.setdefault(row[0], []).append(row)
    return groups


def _read_rows(
    connection: psycopg.Connection[Any], names: Mapping[int, str]
) -> Mapping[int, tuple[Mapping[str, Any], ...]]:
    """The rows of these tables by their oids, with few statements; of a large table some."""
    rows: dict[int, list[Mapping[str, Any]]] = {oid: [] for oid in names}
    entries = list(names.items())  # `t.*` is the row, also where a column is called `t`
    for start in range(0, len(entries), _TABLES_AT_ONCE):
        parts = (
            f"(select {oid}::bigint, to_jsonb(t.*) from {name} t limit {MAX_ROWS + 1})"  # noqa: S608
            for oid, name in entries[start : start + _TABLES_AT_ONCE]
        )
        for oid, row in connection.execute(" union all ".join(parts).encode()).fetchall():
            rows[oid].append(row)
    return {oid: tuple(table_rows) for oid, table_rows in rows.items()}


def read_rows_again(
    connection: psycopg.Connection[Any], before: Mapping[int, StoredRows]
) -> dict[int, StoredRows]:
    """The rows of the same tables, by the oid in `before`; of one that was made anew, by its name."""
    found = read_stored_rows(connection, list(before))
    names = [table.full_name for oid, table in before.items() if oid not in found]
    if not names:
        return found
    new_oids = {name: oid for oid, name in connection.execute(_FIND_TABLES, [names]).fetchall()}
    new = read_stored_rows(connection, list(new_oids.values()))
    for oid, table in before.items():
        new_oid = new_oids.get(table.full_name) if oid not in found else None
        if new_oid in new:
            found[oid] = new[new_oid]
    return found


def select_new_rows(rows: Mapping[int, StoredRows], known: Mapping[int, StoredRows]) -> dict[int, StoredRows]:
    """Of each table, the rows that are not among the known ones."""
    return {
        oid: replace(table, rows=tuple(row for row in table.rows if row not in known[oid].rows))
        if oid in known
        else table
        for oid, table in rows.items()
    }


def select_same_rows(
    rows: Mapping[int, StoredRows], tracked: Mapping[int, StoredRows]
) -> dict[int, StoredRows]:
    """Of each tracked table, the rows that have the key of a tracked one; columns may have been renamed."""
    selected = {}
    for oid, table in rows.items():
        if oid not in tracked:
            continue
        former = {column.number: column.name for column in tracked[oid].columns}
        shared = [column for column in table.columns if column.number in former]
        keys = [column for column in shared if column.is_key] or shared
        known = {key_of(row, [former[column.number] for column in keys]) for row in tracked[oid].rows}
        names = [column.name for column in keys]
        kept = tuple(row for row in table.rows if key_of(row, names) in known)
        selected[oid] = replace(table, rows=kept)
    return selected


def key_of(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """The row's values of these columns, as one text."""
    return repr([row.get(name) for name in names])
