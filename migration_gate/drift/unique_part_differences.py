"""Differences of whatever makes the same columns unique: unique constraints and unique indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TypeAlias

from migration_gate.drift.difference import CatalogDifference, make_difference
from migration_gate.drift.difference_text import part_text
from migration_gate.drift.object_pairs import ConstraintOrIndex, ObjectPair
from migration_gate.drift.part_matching import UnmatchedParts
from migration_gate.drift.uniqueness import has_plain_columns
from migration_gate.facts import Constraint, Index
from migration_gate.lazy_dataclass import dataclass

KeyColumns: TypeAlias = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class UniquenessComparison:
    """The differences that were found, and the parts that have no partner yet."""

    differences: tuple[CatalogDifference, ...]
    constraints: UnmatchedParts[Constraint]
    indexes: UnmatchedParts[Index]


@dataclass(frozen=True, slots=True)
class _ColumnGroup:
    """All constraints and indexes of the same columns, on both sides."""

    database: tuple[ConstraintOrIndex, ...]
    models: tuple[ConstraintOrIndex, ...]

    @property
    def parts(self) -> tuple[ConstraintOrIndex, ...]:
        return (*self.database, *self.models)

    @property
    def has_constraint(self) -> bool:
        return any(isinstance(part, Constraint) for part in self.parts)

    @property
    def is_one_difference(self) -> bool:
        """Whether something is unique here, and not by constraints alone, which are compared elsewhere."""
        is_all_constraints = all(isinstance(part, Constraint) for part in self.parts)
        is_unique = any(isinstance(part, Constraint) or part.unique for part in self.parts)
        return is_unique and not is_all_constraints


def compare_unique_parts(
    constraints: UnmatchedParts[Constraint], indexes: UnmatchedParts[Index]
) -> UniquenessComparison:
    """One difference for all that makes the same columns unique in other ways; takes its parts out."""
    groups = [group for group in _group_by_columns(constraints, indexes) if group.is_one_difference]
    grouped = [part for group in groups for part in group.parts]
    return UniquenessComparison(
        tuple(_group_difference(group) for group in groups),
        constraints.without(grouped),
        indexes.without(grouped),
    )


def _group_by_columns(
    constraints: UnmatchedParts[Constraint], indexes: UnmatchedParts[Index]
) -> Iterator[_ColumnGroup]:
    """The columns that both sides have a unique constraint or an index on."""
    database = _map_by_columns(constraints.database, indexes.database)
    models = _map_by_columns(constraints.models, indexes.models)
    for columns, parts in database.items():
        if columns in models:
            yield _ColumnGroup(tuple(parts), tuple(models[columns]))


def _map_by_columns(
    constraints: Iterable[Constraint], indexes: Iterable[Index]
) -> dict[KeyColumns, list[ConstraintOrIndex]]:
    """The unique constraints of one side, and the indexes that may replace one, by their columns in order."""
    candidates: list[ConstraintOrIndex] = [
        constraint for constraint in constraints if constraint.kind == "unique"
    ]
    candidates += [index for index in indexes if _is_candidate(index)]
    parts: dict[KeyColumns, list[ConstraintOrIndex]] = {}
    for part in candidates:
        parts.setdefault(part.columns, []).append(part)
    return parts


def _is_candidate(index: Index) -> bool:
    """Whether the index may replace a unique constraint, or exist in addition to one."""
    if index.partial or not index.valid or None in index.columns:
        return False
    return index.unique or has_plain_columns(index)


def _group_difference(group: _ColumnGroup) -> CatalogDifference:
    """One difference for the whole group, with all definitions of either side as its text."""
    (database, models), *further_pairs = _pair_group(group)
    return make_difference(
        "unique" if group.has_constraint else "index",
        database,
        models,
        database_text="; ".join(part.definition for part in group.database),
        models_text="; ".join(part.definition for part in group.models),
        further_pairs=tuple(further_pairs),
    )


def _pair_group(group: _ColumnGroup) -> list[ObjectPair[ConstraintOrIndex]]:
    """Parts of the same name in pairs, then the others in their order."""
    models_by_name = {part.name: part for part in group.models}
    same_name = {part.name for part in group.database} & models_by_name.keys()
    pairs: list[ObjectPair[ConstraintOrIndex]] = [
        ObjectPair(part, models_by_name[part.name]) for part in group.database if part.name in same_name
    ]
    database_rest = [part for part in group.database if part.name not in same_name]
    models_rest = [part for part in group.models if part.name not in same_name]
    for database, models in zip_longest(database_rest, models_rest):
        pairs.append(ObjectPair(database, models))
    return pairs


def pair_constraints_with_indexes(
    constraints: UnmatchedParts[Constraint], indexes: UnmatchedParts[Index]
) -> UniquenessComparison:
    """A unique constraint on one side, on the other a unique index with its columns in another order."""
    database_pairs = _pair_with_indexes(constraints.database, indexes.models)
    models_pairs = _pair_with_indexes(constraints.models, indexes.database)
    pairs: list[tuple[ConstraintOrIndex, ConstraintOrIndex]] = [
        *database_pairs,
        *((index, constraint) for constraint, index in models_pairs),
    ]
    differences = tuple(_pair_difference(database, models) for database, models in pairs)
    paired = [part for pair in pairs for part in pair]
    return UniquenessComparison(differences, constraints.without(paired), indexes.without(paired))


def _pair_difference(database: ConstraintOrIndex, models: ConstraintOrIndex) -> CatalogDifference:
    return make_difference(
        "unique", database, models, database_text=part_text(database), models_text=part_text(models)
    )


def _pair_with_indexes(
    constraints: Iterable[Constraint], indexes: Iterable[Index]
) -> list[tuple[Constraint, Index]]:
    """Each unique constraint with the first unpaired index that makes the same columns unique."""
    unpaired = list(indexes)
    pairs: list[tuple[Constraint, Index]] = []
    for constraint in constraints:
        index = next((i for i in unpaired if _is_equivalent(constraint, i)), None)
        if index is not None:
            unpaired.remove(index)
            pairs.append((constraint, index))
    return pairs


def _is_equivalent(constraint: Constraint, index: Index) -> bool:
    if constraint.kind != "unique" or not index.unique or index.partial:
        return False
    return frozenset(index.columns) == frozenset(constraint.columns)
