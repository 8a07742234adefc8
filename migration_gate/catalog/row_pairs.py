"""The rows of a table before a revision, each with the row that it is afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from migration_gate.catalog.kept_values import canonical_text, is_same_value
from migration_gate.catalog.stored_rows import StoredColumn, StoredRows
from migration_gate.lazy_dataclass import dataclass

Row = Mapping[str, Any]


@dataclass(frozen=True)
class TablePair:
    """A table before a revision and after it."""

    before: StoredRows
    after: StoredRows
    is_same: bool
    """it was not made anew"""
    rows: list[tuple[Row, Row]] = field(default_factory=list)
    """before and after, as `pair_rows` finds them"""
    lost: list[Row] = field(default_factory=list)
    """those of before that it does not find again"""

    def find_column(self, column: StoredColumn) -> StoredColumn | None:
        """The column afterwards."""
        if self.is_same:
            return self.after.find_column(column.number)
        return next((other for other in self.after.columns if other.name == column.name), None)

    def list_new_columns(self) -> list[StoredColumn]:
        """Those that were not there before."""
        kept = [self.find_column(column) for column in self.before.columns]
        return [column for column in self.after.columns if column not in kept]


def pair_rows(pair: TablePair) -> None:
    """Find each row again: by the key; else by as many values as are the same."""
    shared = [
        (column.name, other.name)
        for column in pair.before.columns
        if (other := pair.find_column(column)) is not None and not column.is_generated
    ]
    key_names = {column.name for column in pair.before.columns if column.is_key}
    keys = [names for names in shared if names[0] in key_names]
    if len(keys) != len(key_names) or not keys:
        keys = shared
    later: dict[str, list[Row]] = defaultdict(list)
    for row in pair.after.rows:
        later[canonical_text([canonical_text(row.get(name)) for _, name in keys])].append(row)
    left = []
    for row in pair.before.rows:
        matches = later[canonical_text([canonical_text(row.get(name)) for name, _ in keys])]
        if matches:
            pair.rows.append((row, matches.pop(0)))
        else:
            left.append(row)
    if left:
        _pair_similar(pair, left, [row for rows in later.values() for row in rows], shared)


def _pair_similar(
    pair: TablePair, left: Sequence[Row], candidates: list[Row], shared: Sequence[tuple[str, str]]
) -> None:
    """Pair rows whose key was changed, if at least half of their values are the same."""
    for row in left:
        held = [names for names in shared if row.get(names[0]) is not None]
        best = max(candidates, key=lambda other: _count_same(row, other, held), default=None)
        if best is not None and 2 * _count_same(row, best, held) >= max(len(held), 1):
            candidates.remove(best)
            pair.rows.append((row, best))
        else:
            pair.lost.append(row)


def _count_same(row: Row, other: Row, names: Iterable[tuple[str, str]]) -> int:
    return sum(is_same_value(row.get(name), other.get(later)) for name, later in names)
