"""Tables and columns that both sides may have, under two names."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, TypeVar

from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference
from migration_gate.drift.difference_text import column_text, type_text
from migration_gate.drift.object_pairs import table_of
from migration_gate.facts.catalog import Column, Snapshot, Table
from migration_gate.facts.history import Difference

RenamedT = TypeVar("RenamedT", Table, Column)


class RenamePair(NamedTuple):
    """What only the models have and what only the database has, which may be one object."""

    missing: CatalogDifference
    extra: CatalogDifference


def find_rename_hints(
    differences: Iterable[CatalogDifference], scope: ComparisonScope
) -> Mapping[Difference, str]:
    """For the difference of what one side lacks: the name that the object may have on that side.

    A missing object is paired with an extra one only where the choice is clear.
    """
    one_sided = [item for item in differences if (item.database is None) != (item.models is None)]
    hints: dict[Difference, str] = {}
    for missing, extra in (*_pair_columns(one_sided), *_pair_tables(one_sided, scope)):
        hints[missing.difference] = _name_of(extra)
        hints[extra.difference] = _name_of(missing)
    return hints


def _name_of(difference: CatalogDifference) -> str:
    item = difference.database or difference.models
    return item.name if isinstance(item, Table | Column) else ""


def _pair_columns(one_sided: list[CatalogDifference]) -> list[RenamePair]:
    """Columns of one table and type; where several are, those that agree in all, in their position too."""
    by_type = list(_pair_by_key(one_sided, Column, _table_and_type))
    paired = {item.difference for pair in by_type for item in pair}
    rest = [item for item in one_sided if item.difference not in paired]
    return [*by_type, *_pair_by_key(rest, Column, _definition_and_position)]


def _table_and_type(column: Column) -> Hashable:
    return table_of(column), type_text(column)


def _definition_and_position(column: Column) -> Hashable:
    return table_of(column), column_text(column), column.position


def _pair_tables(one_sided: list[CatalogDifference], scope: ComparisonScope) -> Iterator[RenamePair]:
    """Tables of one schema that have the same columns."""
    columns = _columns_by_table(scope.database) | _columns_by_table(scope.models)

    def schema_and_columns(table: Table) -> Hashable:
        return table.schema, columns.get((table.schema, table.name))

    return _pair_by_key(one_sided, Table, schema_and_columns)


TableColumns: TypeAlias = frozenset[tuple[str, str]]
"""name and type of each column"""


def _columns_by_table(snapshot: Snapshot) -> dict[tuple[str, str], TableColumns]:
    columns: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for column in snapshot.columns:
        columns.setdefault((column.schema, column.table), set()).add((column.name, type_text(column)))
    return {table: frozenset(items) for table, items in columns.items()}


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What has the same key on both sides."""

    missing: list[CatalogDifference] = field(default_factory=list)
    extra: list[CatalogDifference] = field(default_factory=list)


def _pair_by_key(
    one_sided: list[CatalogDifference], noun: type[RenamedT], key: Callable[[RenamedT], Hashable]
) -> Iterator[RenamePair]:
    """Pairs what is missing with what is extra where each is the only one with its key."""
    groups: dict[Hashable, _Candidates] = {}
    for item in one_sided:
        if isinstance(item.models, noun):
            groups.setdefault(key(item.models), _Candidates()).missing.append(item)
        elif isinstance(item.database, noun):
            groups.setdefault(key(item.database), _Candidates()).extra.append(item)
    for group in groups.values():
        if len(group.missing) == len(group.extra) == 1:
            yield RenamePair(group.missing[0], group.extra[0])
