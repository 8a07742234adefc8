"""Reads rows by the identity of their table and columns, and says what became of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from migration_gate.facts import AlteredRows, display_name
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


@dataclass(frozen=True, slots=True)
class RowFate:
    """What became of rows and values."""

    lost_values: tuple[str, ...] = ()
    """columns and tables that were removed with what was in them"""
    altered: tuple[AlteredRows, ...] = ()


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
    entries = list(names.items())
    for start in range(0, len(entries), _TABLES_AT_ONCE):
        parts = (
            f"(select {oid}::bigint, to_jsonb(t) from {name} t limit {MAX_ROWS + 1})"  # noqa: S608
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
        known = {_key_of(row, [former[column.number] for column in keys]) for row in tracked[oid].rows}
        names = [column.name for column in keys]
        kept = tuple(row for row in table.rows if _key_of(row, names) in known)
        selected[oid] = replace(table, rows=kept)
    return selected


def find_unusual_fate(
    before: Mapping[int, StoredRows],
    down: Mapping[int, StoredRows],
    again: Mapping[int, StoredRows],
    usual: Sequence[AlteredRows] = (),
) -> tuple[AlteredRows, ...]:
    """What became of unusual rows, without what is known of usual ones.

    An upgrade that corrects rows does so again with those that were made after it: what it alone has changed
    is no fault. Where it changes a column at all, unusual values may be none that it leaves: `is_unusual`.
    """
    known = {altered.object for altered in usual}
    found: list[AlteredRows] = []
    for oid, table in before.items():
        later = again.get(oid)
        if oid not in down or not table.rows or later is None:
            continue
        changed = set(_list_upgraded_columns(down[oid], later))
        for altered in _describe_altered(table, down[oid], later, [], is_convertible=True):
            if altered.by_downgrade and altered.object not in known:
                found.append(replace(altered, is_unusual=altered.object in changed))
    return tuple(found)


def _list_upgraded_columns(down: StoredRows, again: StoredRows) -> Iterator[str]:
    """The columns of which the upgrade changed a value, or the type, as reports show them."""
    stayed = [(column, again.find_column(column.number)) for column in down.columns]
    pairs = [(column, later) for column, later in stayed if later is not None]
    keys = [pair for pair in pairs if pair[0].is_key and pair[1].is_key] or pairs
    rows = {_key_of(row, [later.name for _, later in keys]): row for row in again.rows}
    for column, later in pairs:
        for row in down.rows:
            other = rows.get(_key_of(row, [own.name for own, _ in keys]))
            if other is None or other.get(later.name) != row.get(column.name) or column.type != later.type:
                yield f"{again}.{later.name}"
                break


def find_row_fate(
    before: Mapping[int, StoredRows],
    down: Mapping[int, StoredRows],
    again: Mapping[int, StoredRows] | None,
    convertible: Collection[int] = (),
) -> RowFate:
    """What became of the rows of `before`, after the downgrade and after the upgrade that followed.

    `again` is None if that upgrade failed: then a value may have survived that is called lost.
    `convertible`: tables whose values every type that their columns had can hold.
    """
    lost: list[str] = []
    altered: list[AlteredRows] = []
    for oid, table in before.items():
        if not table.rows:
            continue
        if oid not in down:
            later = again.get(oid) if again is not None else None
            if later is None or not all(row in later.rows for row in table.rows):
                lost.append(str(table))
            continue
        lost += _list_lost_columns(table, down[oid], again.get(oid) if again is not None else None)
        if again is not None:
            is_convertible = oid in convertible
            altered += _describe_altered(
                table, down[oid], again.get(oid), lost, is_convertible=is_convertible
            )
    return RowFate(tuple(lost), tuple(altered))


def _list_lost_columns(table: StoredRows, down: StoredRows, again: StoredRows | None) -> Iterator[str]:
    """Columns that the downgrade removed, unless the upgrade after it filled them as they were."""
    for column in table.columns:
        has_values = any(row.get(column.name) is not None for row in table.rows)
        if column.is_generated or not has_values or down.find_column(column.number) is not None:
            continue
        values = sorted(repr(row.get(column.name)) for row in table.rows)
        later = sorted(repr(row.get(column.name)) for row in again.rows) if again is not None else None
        if values != later:
            yield f"{table}.{column.name}"


def _describe_altered(
    table: StoredRows,
    down: StoredRows,
    again: StoredRows | None,
    lost: list[str],
    *,
    is_convertible: bool,
) -> Iterator[AlteredRows]:
    """Rows that are gone, and values that are others, though their table and column stayed.

    Values that another type could not hold are `lost`.
    """
    if again is None:
        return
    stayed = [
        column for column in table.columns if down.find_column(column.number) and not column.is_generated
    ]
    keys = [column for column in stayed if column.is_key] or stayed
    names = [column.name for column in keys]
    # A column may have another name after the downgrade.
    names_down = [_name_of(down, column.number) for column in keys]
    rows_down = {_key_of(row, names_down): row for row in down.rows}
    later = {_key_of(row, names): row for row in again.rows}
    missing = [row for row in table.rows if _key_of(row, names) not in later]
    if missing:
        by_downgrade = any(_key_of(row, names) not in rows_down for row in missing)
        text = f"{len(missing)} of {len(table.rows)} rows of `{table}` were gone"
        yield AlteredRows(str(table), text, by_downgrade)
    for column in stayed:
        altered = _find_altered_value(table, column, names, later)
        if altered is None:
            continue
        row, value = altered
        old = row.get(column.name)
        same_column = down.find_column(column.number)
        if same_column is None or (same_column.type != column.type and not is_convertible):
            lost.append(f"{table}.{column.name}")
            continue
        row_down = rows_down.get(_key_of(row, names), {})
        text = f"`{table}.{column.name}` held {_show(old)} before and {_show(value)} after"
        by_downgrade = row_down.get(same_column.name) != old or same_column.type != column.type
        yield AlteredRows(f"{table}.{column.name}", text, by_downgrade)


def _find_altered_value(
    table: StoredRows, column: StoredColumn, keys: Sequence[str], later: Mapping[str, Mapping[str, Any]]
) -> tuple[Mapping[str, Any], Any] | None:
    """A row whose value is another one later, and that value."""
    for row in table.rows:
        later_row = later.get(_key_of(row, keys))
        if later_row is not None and later_row.get(column.name) != row.get(column.name):
            return row, later_row.get(column.name)
    return None


def _name_of(table: StoredRows, number: int) -> str:
    column = table.find_column(number)
    return column.name if column is not None else ""


def _key_of(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return repr([row.get(name) for name in names])


def _show(value: object) -> str:
    return "NULL" if value is None else repr(value)
