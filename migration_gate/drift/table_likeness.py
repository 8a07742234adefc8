"""Whether two tables are so alike that one is likely the other under a new name, or may be it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import field
from typing import TypeAlias

from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference_text import type_text
from migration_gate.drift.likeness import ALIKE, measure_name_likeness, pair_most_alike
from migration_gate.drift.rename_likeness import SAME_FAMILY, ColumnLikeness
from migration_gate.facts import Column, Constraint, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass

_HALF, _MOST = 0.5, 0.75
"""of the columns of two tables"""
_SEVERAL_COLUMNS, _MANY_COLUMNS = 2, 3
"""shared columns that say which table it is, whatever its name: with the rest alike, and without"""
COMMON_COLUMNS = frozenset(
    {"id", "uuid", "name", "created", "updated", "created_at", "updated_at", "deleted_at", "version"}
)
"""columns that many tables have, whatever they are for"""
MAX_COLUMN_PAIRS = 250_000
"""of all tables without a partner: if there are more, columns are compared by their names as they are"""
TableName: TypeAlias = tuple[str, str]
"""schema and name"""


@dataclass(frozen=True, slots=True)
class _ColumnMatch:
    """The columns of two tables, matched."""

    share: float
    """of those that have a partner by name, or by a name much alike"""
    telling: int
    """partners whose names not every table has"""
    rest_agrees: bool
    """the columns without a partner are as many on both sides, with the same types and properties"""


@dataclass(frozen=True, slots=True)
class TableLikeness:
    """Compares tables by their names, their columns, and the foreign keys that lead to them."""

    columns: Mapping[TableName, tuple[Column, ...]]
    referrers: Mapping[TableName, frozenset[Hashable]]
    """the columns of other tables whose foreign keys lead to it"""
    column_likeness: ColumnLikeness
    compares_spelling: bool = True
    """whether columns whose names are alike are partners, and not those of the same name alone"""
    matches: dict[tuple[TableName, TableName], _ColumnMatch] = field(
        default_factory=dict, compare=False, repr=False
    )
    """of tables that were compared already"""

    @classmethod
    def for_scope(cls, scope: ComparisonScope) -> TableLikeness:
        """With what it needs of both databases; a table that both have is none that was renamed."""
        database, models = (_columns_by_table(side) for side in scope.sides)
        return cls(
            database | models,
            _referrers_by_table(key for side in scope.sides for key in side.constraints),
            ColumnLikeness.for_scope(scope),
            _count_own_columns(database, models) * _count_own_columns(models, database) <= MAX_COLUMN_PAIRS,
        )

    def columns_of(self, table: Table) -> frozenset[tuple[str, str]]:
        """Name and type of each."""
        return frozenset((column.name, type_text(column)) for column in self._list_columns(table))

    def measure(self, database: Table, models: Table) -> float:
        """More than 0 if one is likely the other; the more, the more speaks for it."""
        if not _can_be_renamed(database, models):
            return 0.0
        name = measure_name_likeness(database.name, models.name)
        match = self._find_match(database, models)
        is_referenced_alike = self._have_same_referrers(database, models)
        is_likely = match.share >= _HALF and (is_referenced_alike or _is_likely(name, match))
        return 2 * name + 4 * match.share + is_referenced_alike if is_likely else 0.0

    def measure_layout(self, database: Table, models: Table) -> float:
        """More than 0 if one may be the other: half of the columns are, and the rest has the same types."""
        if not _can_be_renamed(database, models):
            return 0.0
        match = self._find_match(database, models)
        return 1.0 if match.share >= _HALF and match.rest_agrees else 0.0

    def _list_columns(self, table: Table) -> tuple[Column, ...]:
        return self.columns.get((table.schema, table.name), ())

    def _find_match(self, database: Table, models: Table) -> _ColumnMatch:
        """Their columns, matched once: tables are compared in several ways."""
        names = (database.schema, database.name), (models.schema, models.name)
        if names not in self.matches:
            self.matches[names] = self._match_columns(database, models)
        return self.matches[names]

    def _match_columns(self, database: Table, models: Table) -> _ColumnMatch:
        """By name; the others one to one by names that are alike, if their types are of one family."""
        own = {column.name: column for column in self._list_columns(database)}
        other = {column.name: column for column in self._list_columns(models)}
        shared = own.keys() & other.keys()
        rest = [column for name, column in own.items() if name not in shared]
        other_rest = [column for name, column in other.items() if name not in shared]
        alike = self._pair_alike(rest, other_rest)
        total = max(len(own.keys() | other.keys()) - len(alike), 1)
        paired = {column.name for pair in alike for column in pair}
        alone, other_alone = _count_types(rest, paired), _count_types(other_rest, paired)
        return _ColumnMatch(
            share=(len(shared) + len(alike)) / total,
            telling=len(shared - COMMON_COLUMNS) + sum(map(_is_telling, alike)),
            rest_agrees=alone == other_alone,
        )

    def _pair_alike(self, database: list[Column], models: list[Column]) -> list[tuple[Column, Column]]:
        """One to one by names that are alike; none where only equal names count."""
        return pair_most_alike(database, models, self._measure_columns) if self.compares_spelling else []

    def _measure_columns(self, database: Column, models: Column) -> float:
        name = measure_name_likeness(database.name, models.name)
        type_likeness = self.column_likeness.measure_types(database, models)
        return 2 * name if name >= ALIKE and type_likeness >= SAME_FAMILY else 0.0

    def _have_same_referrers(self, database: Table, models: Table) -> bool:
        """Whether foreign keys of the same columns lead to the one here, and to the other there."""
        own, other = (
            self.referrers.get((table.schema, table.name), frozenset()) for table in (database, models)
        )
        return bool(own) and own == other


def _is_telling(pair: tuple[Column, Column]) -> bool:
    """Whether neither has a name that many tables have."""
    return COMMON_COLUMNS.isdisjoint(column.name for column in pair)


def _count_types(columns: Iterable[Column], paired: Collection[str]) -> Counter[Hashable]:
    """How many columns of each description are in no pair."""
    return Counter(_describe_column(column) for column in columns if column.name not in paired)


def _is_likely(name: float, match: _ColumnMatch) -> bool:
    """Whether names and columns speak for it.

    `id`, `name`, `created_at` are in most tables: they count for the share, but prove nothing alone.
    """
    if name >= ALIKE:
        return match.telling > 0 or match.rest_agrees
    if match.share >= _MOST and match.telling >= _MANY_COLUMNS:
        return True
    return match.rest_agrees and match.telling >= _SEVERAL_COLUMNS


def _can_be_renamed(database: Table, models: Table) -> bool:
    """Whether one operation makes one of the other: another name, or another schema, but not both."""
    if database.kind != models.kind or database.partition_key != models.partition_key:
        return False
    return database.schema == models.schema or database.name == models.name


def _describe_column(column: Column) -> Hashable:
    """What two columns agree in that differ in their name only; each has a sequence of its own."""
    default = "nextval" if (column.default or "").startswith("nextval(") else column.default
    return type_text(column), column.nullable, default, column.generated, column.identity


def _count_own_columns(
    columns: Mapping[TableName, tuple[Column, ...]], other: Mapping[TableName, tuple[Column, ...]]
) -> int:
    """The columns of tables that the other side lacks."""
    return sum(len(items) for table, items in columns.items() if table not in other)


def _columns_by_table(snapshot: Snapshot) -> dict[TableName, tuple[Column, ...]]:
    columns: dict[TableName, list[Column]] = defaultdict(list)
    for column in snapshot.columns:
        columns[column.schema, column.table].append(column)
    return {table: tuple(items) for table, items in columns.items()}


def _referrers_by_table(constraints: Iterable[Constraint]) -> dict[TableName, frozenset[Hashable]]:
    """A key of the table to itself is left out: it has the table's name."""
    referrers: dict[TableName, set[Hashable]] = defaultdict(set)
    for key in constraints:
        if key.references is not None and key.references != key.full_table_name:
            schema, _, table = key.references.partition(".")
            referrers[schema, table].add((key.full_table_name, key.columns))
    return {table: frozenset(items) for table, items in referrers.items()}
