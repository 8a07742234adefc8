"""What became of rows after a downgrade, and after the upgrade that followed it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from migration_gate.catalog.stored_rows import StoredColumn, StoredRows, key_of
from migration_gate.facts import AlteredRows
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RowFate:
    """What became of rows and values."""

    lost_values: tuple[str, ...] = ()
    """columns and tables that were removed with what was in them"""
    altered: tuple[AlteredRows, ...] = ()


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
    rows = {key_of(row, [later.name for _, later in keys]): row for row in again.rows}
    for column, later in pairs:
        for row in down.rows:
            other = rows.get(key_of(row, [own.name for own, _ in keys]))
            if other is None or other.get(later.name) != row.get(column.name) or column.type != later.type:
                yield f"{again}.{later.name}"
                break


def find_row_fate(
    before: Mapping[int, StoredRows],
    down: Mapping[int, StoredRows],
    again: Mapping[int, StoredRows] | None,
    convertible: Collection[int] = (),
    *,
    replaced: Mapping[int, StoredRows] | None = None,
    remade: Collection[int] = (),
) -> RowFate:
    """What became of the rows of `before`, after the downgrade and after the upgrade that followed.

    `replaced`: what has the name of a table after the downgrade that is gone itself. A later oid is that of
    a table which the downgrade made. `remade`: tables that the first upgrade dropped and made anew.

    `again` is None if that upgrade failed: then a value may have survived that is called lost.
    `convertible`: tables whose values every type that their columns had can hold.
    """
    lost: list[str] = []
    altered: list[AlteredRows] = []
    replaced = replaced or {}
    for oid, table in before.items():
        if not table.rows:
            continue
        if oid not in down:
            later = again.get(oid) if again is not None else None
            if later is not None and all(row in later.rows for row in table.rows):
                continue
            missing = _list_missing(table, replaced[oid]) if oid in replaced else table.rows
            if not missing:
                lost += _list_columns_left_out(table, replaced[oid])
            elif oid in replaced and replaced[oid].oid > oid and oid not in remade:
                altered.append(_describe_gone(table, len(missing), by_downgrade=True))
            else:
                lost.append(str(table))
            continue
        lost += _list_lost_columns(table, down[oid], again.get(oid) if again is not None else None)
        if again is not None:
            moved = [row for other, rows in again.items() if other not in down for row in rows.rows]
            altered += _describe_altered(
                table, down[oid], again.get(oid), lost, is_convertible=oid in convertible, moved=moved
            )
    return RowFate(tuple(lost), tuple(altered))


def _list_missing(table: StoredRows, other: StoredRows) -> tuple[Mapping[str, Any], ...]:
    """The rows that the other table of its name lacks, by the key, or by all columns that both have."""
    names = {column.name for column in other.columns}
    shared = [column for column in table.columns if column.name in names]
    keys = [column.name for column in [item for item in shared if item.is_key] or shared]
    known = {key_of(row, keys) for row in other.rows}
    return tuple(row for row in table.rows if key_of(row, keys) not in known)


def _list_columns_left_out(table: StoredRows, other: StoredRows) -> Iterator[str]:
    """The columns with values that the other table of its name does not have."""
    names = {column.name for column in other.columns}
    for column in table.columns:
        if column.name not in names and any(row.get(column.name) is not None for row in table.rows):
            yield f"{table}.{column.name}"


def _describe_gone(table: StoredRows, count: int, *, by_downgrade: bool) -> AlteredRows:
    text = f"{count} of {len(table.rows)} rows of `{table}` were gone"
    return AlteredRows(str(table), text, by_downgrade)


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
    moved: Collection[Mapping[str, Any]] = (),
) -> Iterator[AlteredRows]:
    """Rows that are gone, and values that are others, though their table and column stayed.

    Values that another type could not hold are `lost`. `moved`: the rows of tables that the upgrade makes.
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
    rows_down = {key_of(row, names_down): row for row in down.rows}
    later = {key_of(row, names): row for row in again.rows}
    missing = [
        row
        for row in table.rows
        if key_of(row, names) not in later and not any(row.items() <= other.items() for other in moved)
    ]
    if missing:
        by_downgrade = any(key_of(row, names) not in rows_down for row in missing)
        yield _describe_gone(table, len(missing), by_downgrade=by_downgrade)
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
        row_down = rows_down.get(key_of(row, names), {})
        text = f"`{table}.{column.name}` held {_show(old)} before and {_show(value)} after"
        by_downgrade = row_down.get(same_column.name) != old or same_column.type != column.type
        yield AlteredRows(f"{table}.{column.name}", text, by_downgrade)


def _find_altered_value(
    table: StoredRows, column: StoredColumn, keys: Sequence[str], later: Mapping[str, Mapping[str, Any]]
) -> tuple[Mapping[str, Any], Any] | None:
    """A row whose value is another one later, and that value."""
    for row in table.rows:
        later_row = later.get(key_of(row, keys))
        if later_row is not None and later_row.get(column.name) != row.get(column.name):
            return row, later_row.get(column.name)
    return None


def _name_of(table: StoredRows, number: int) -> str:
    column = table.find_column(number)
    return column.name if column is not None else ""


def _show(value: object) -> str:
    return "NULL" if value is None else repr(value)
