"""Tables and columns that both sides may have, under two names, and perhaps with a few changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import NamedTuple, TypeVar

from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference
from migration_gate.drift.difference_text import column_text, type_text
from migration_gate.drift.likeness import pair_most_alike
from migration_gate.drift.rename_likeness import ColumnLikeness
from migration_gate.drift.table_likeness import TableLikeness
from migration_gate.facts import Column, Difference, Table
from migration_gate.lazy_dataclass import dataclass

RenamedT = TypeVar("RenamedT", Table, Column)


class RenamePair(NamedTuple):
    """What only the models have and what only the database has, which may be one object."""

    missing: CatalogDifference
    extra: CatalogDifference


class LikelyRename(NamedTuple):
    """Both sides of a rename."""

    pair: RenamePair
    is_likely: bool
    """whether more speaks for it than that nothing else has its type"""


class RenameHint(NamedTuple):
    """The other name that an object may have."""

    name: str
    """with its schema if that is another one"""
    is_likely: bool
    """whether more speaks for it than that nothing else has its type"""


def list_rename_hints(renames: Iterable[LikelyRename]) -> Mapping[Difference, RenameHint]:
    """For the difference of what one side lacks: the name that the object may have on that side."""
    hints: dict[Difference, RenameHint] = {}
    for (missing, extra), is_likely in renames:
        hints[missing.difference] = RenameHint(_name_of(extra, missing), is_likely)
        hints[extra.difference] = RenameHint(_name_of(missing, extra), is_likely)
    return hints


def find_renames(
    differences: Iterable[CatalogDifference], scope: ComparisonScope
) -> tuple[LikelyRename, ...]:
    """Pairs of what one side lacks, each object in one of them at most.

    A missing object is paired with an extra one only if the choice is clear: by likeness first, then
    if two are the only ones of their kind.
    """
    one_sided = [item for item in differences if (item.database is None) != (item.models is None)]
    tables = _table_candidates(one_sided)
    likeness = TableLikeness.for_scope(scope)
    paired: set[Difference] = set()
    renames: list[LikelyRename] = []
    for pairs, is_likely in (
        (_pair_like_columns(one_sided, scope), True),
        (tables.pair_most_alike(likeness), True),
        (_pair_columns(one_sided), False),
        (_pair_tables(one_sided, likeness), False),
        # Their names differ, and those of some columns, but not the types of any.
        (tables.pair_most_alike(likeness, by_layout=True), False),
    ):
        for pair in pairs:
            both = {item.difference for item in pair}
            if paired.isdisjoint(both):
                paired |= both
                renames.append(LikelyRename(pair, is_likely))
    return tuple(renames)


def _name_of(item: CatalogDifference, partner: CatalogDifference) -> str:
    """The name of the table or column; with its schema if its partner has another."""
    own, other = (side.database or side.models for side in (item, partner))
    if isinstance(own, Table) and isinstance(other, Table) and own.schema != other.schema:
        return own.full_name
    return own.name if isinstance(own, Table | Column) else ""


def _pair_like_columns(one_sided: list[CatalogDifference], scope: ComparisonScope) -> Iterator[RenamePair]:
    """Columns of one table."""
    by_table: dict[str, _Candidates] = defaultdict(_Candidates)
    for item in one_sided:
        if isinstance(item.models, Column):
            by_table[item.models.full_table_name].missing.append(item)
        elif isinstance(item.database, Column):
            by_table[item.database.full_table_name].extra.append(item)
    likeness = ColumnLikeness.for_scope(scope)
    for candidates in by_table.values():
        yield from candidates.pair_most_alike(likeness)


def _table_candidates(one_sided: list[CatalogDifference]) -> _Candidates:
    return _Candidates(
        [item for item in one_sided if isinstance(item.models, Table)],
        [item for item in one_sided if isinstance(item.database, Table)],
    )


def _pair_columns(one_sided: list[CatalogDifference]) -> list[RenamePair]:
    """Columns of one table and type; if several are, those that agree in all, in their position too."""
    by_type = list(_pair_by_key(one_sided, Column, _table_and_type))
    paired = {item.difference for pair in by_type for item in pair}
    rest = [item for item in one_sided if item.difference not in paired]
    return [*by_type, *_pair_by_key(rest, Column, _definition_and_position)]


def _table_and_type(column: Column) -> Hashable:
    return column.full_table_name, type_text(column)


def _definition_and_position(column: Column) -> Hashable:
    return column.full_table_name, column_text(column), column.position


def _pair_tables(one_sided: list[CatalogDifference], likeness: TableLikeness) -> Iterator[RenamePair]:
    """Tables of one schema that have the same columns."""

    def schema_and_columns(table: Table) -> Hashable:
        return table.schema, likeness.columns_of(table)

    return _pair_by_key(one_sided, Table, schema_and_columns)


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What may be one object under two names."""

    missing: list[CatalogDifference] = field(default_factory=list)
    extra: list[CatalogDifference] = field(default_factory=list)

    def pair_most_alike(
        self, likeness: ColumnLikeness | TableLikeness, *, by_layout: bool = False
    ) -> Iterator[RenamePair]:
        """One to one, only if the choice is clear."""

        def measure(missing: CatalogDifference, extra: CatalogDifference) -> float:
            match likeness, extra.database, missing.models:
                case ColumnLikeness(), Column() as database, Column() as models:
                    return likeness.measure(database, models)
                case TableLikeness(), Table() as database_table, Table() as models_table:
                    measure_tables = likeness.measure_layout if by_layout else likeness.measure
                    return measure_tables(database_table, models_table)
            return 0.0

        for pair in pair_most_alike(self.missing, self.extra, measure):
            yield RenamePair(*pair)


def _pair_by_key(
    one_sided: list[CatalogDifference], noun: type[RenamedT], key: Callable[[RenamedT], Hashable]
) -> Iterator[RenamePair]:
    """Pairs what is missing with what is extra if each is the only one with its key."""
    groups: dict[Hashable, _Candidates] = {}
    for item in one_sided:
        if isinstance(item.models, noun):
            groups.setdefault(key(item.models), _Candidates()).missing.append(item)
        elif isinstance(item.database, noun):
            groups.setdefault(key(item.database), _Candidates()).extra.append(item)
    for group in groups.values():
        if len(group.missing) == len(group.extra) == 1:
            yield RenamePair(group.missing[0], group.extra[0])
