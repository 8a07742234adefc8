"""Lists whose elements became rows of a table, and rows that became elements of lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from migration_gate.catalog.kept_values import canonical_text
from migration_gate.catalog.stored_rows import StoredColumn, StoredRows

Row = Mapping[str, Any]
COUNTING = ("smallint", "integer", "bigint", "uuid")
"""types of keys that tell nothing of their row"""


def are_elements_in_rows(table: StoredRows, column: StoredColumn, gained: Sequence[Row]) -> bool:
    """Whether each element of the column's lists has a row of its own, which names the row that it was in."""
    keys = [key.name for key in table.columns if key.is_key]
    held = [row for row in table.rows if row.get(column.name) is not None]
    if not keys or not any(row[column.name] for row in held):
        return False
    if not all(isinstance(row[column.name], list) for row in held):
        return False
    rows = [_count_leaves(list(row.values())) for row in gained]
    elements = (
        _count_leaves([*(row[key] for key in keys), element]) for row in held for element in row[column.name]
    )
    return all(any(element <= row for row in rows) for element in elements)


def are_rows_in_lists(
    rows: Sequence[Row], names: Sequence[str], holders: Sequence[Row], gaining: Sequence[str]
) -> bool:
    """Whether each row is an element of a list, in a row that has the values that the element lacks.

    `names`: the columns of the rows that count. `gaining`: the columns of `holders` that have new values.
    """
    places = [
        (
            _count_leaves([value for value in row.values() if not isinstance(value, list)]),
            _count_leaves([item]),
        )
        for row in holders
        for name in gaining
        if isinstance(row.get(name), list)
        for item in row[name]
    ]
    needed = [_count_leaves([row.get(name) for name in names]) for row in rows]
    if len(names) == 1:
        return all(any(count and count <= item for _, item in places) for count in needed)
    return all(
        any(count <= own + item and count & own and count & item for own, item in places) for count in needed
    )


def list_telling_columns(table: StoredRows) -> list[StoredColumn]:
    """Those with values of their own: not generated, nor a key that only counts rows."""
    keys = [column for column in table.columns if column.is_key]
    counting = keys if len(keys) == 1 and keys[0].type in COUNTING else []
    return [column for column in table.columns if column not in counting and not column.is_generated]


def _count_leaves(values: Sequence[Any]) -> Counter[str]:
    """How often each value is there, those inside lists and JSON objects as well; without NULL."""
    return Counter(canonical_text(leaf) for value in values for leaf in _list_leaves(value))


def _list_leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _list_leaves(part)
    elif value is not None:
        yield value
