"""Constraints and indexes that differ: paired by what they do first, by their names second."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping

from migration_gate.drift.column_dependence import depends_on_columns
from migration_gate.drift.column_types import ColumnTypes, map_base_types
from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_described_difference, make_difference
from migration_gate.drift.difference_text import definition_text, index_text, part_text
from migration_gate.drift.equal_parts import (
    PartComparison,
    PartNormalizer,
    compare_equal_parts,
    find_comment_differences,
)
from migration_gate.drift.likeness import ALIKE, measure_name_likeness
from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.drift.part_matching import (
    PartT,
    UnmatchedParts,
    match_alike,
    match_by_keys,
    match_in_turn,
)
from migration_gate.drift.unique_part_differences import compare_unique_parts, pair_constraints_with_indexes
from migration_gate.facts import Constraint, DifferenceKind, Index, Snapshot
from migration_gate.lazy_dataclass import dataclass


def find_constraint_and_index_differences(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    """The differences of the tables that both sides have, table by table."""
    database_types, models_types = (map_base_types(side) for side in scope.sides)
    constraints = _group_by_table(scope, scope.database.constraints, scope.models.constraints)
    indexes = _group_by_table(scope, _free_indexes(scope.database), _free_indexes(scope.models))
    for table in sorted(constraints.keys() | indexes.keys()):
        comparison = _TableComparison(
            constraints.get(table, UnmatchedParts()),
            indexes.get(table, UnmatchedParts()),
            database_types,
            models_types,
            scope.shared_tables,
        )
        yield from _compare_table(comparison)


def _free_indexes(snapshot: Snapshot) -> Iterator[Index]:
    """Indexes of tables that do not belong to a constraint."""
    return (index for index in snapshot.indexes if index.constraint is None and not index.on_view)


def _group_by_table(
    scope: ComparisonScope, database: Iterable[PartT], models: Iterable[PartT]
) -> dict[str, UnmatchedParts[PartT]]:
    """The parts of the tables that both sides have, by table."""
    groups: dict[str, tuple[list[PartT], list[PartT]]] = {}
    for side, parts in enumerate((database, models)):
        for part in parts:
            if part.full_table_name in scope.shared_tables:
                groups.setdefault(part.full_table_name, ([], []))[side].append(part)
    return {table: UnmatchedParts(tuple(left), tuple(right)) for table, (left, right) in groups.items()}


@dataclass(frozen=True, slots=True)
class _TableComparison:
    """The constraints and indexes of one table, and what their comparison needs."""

    constraints: UnmatchedParts[Constraint]
    indexes: UnmatchedParts[Index]
    database_types: ColumnTypes
    models_types: ColumnTypes
    shared_tables: frozenset[str]


def _compare_table(table: _TableComparison) -> Iterator[CatalogDifference]:
    """The differences of one table.

    Each step takes its pairs out of what the next one compares; what is left at the end has no partner:

    1. parts that do the same, whatever their names and spellings;
    2. whatever makes the same columns unique, by constraint or by index;
    3. parts of the same name or purpose that do something else;
    4. a unique constraint and a unique index with the columns in another order.
    """
    database, models = PartNormalizer(table.database_types), PartNormalizer(table.models_types)
    equal_constraints = compare_equal_parts(table.constraints, database, models)
    equal_indexes = compare_equal_parts(table.indexes, database, models)
    unique = compare_unique_parts(equal_constraints.unmatched, equal_indexes.unmatched)
    constraints = _compare_changed_constraints(unique.constraints)
    indexes = _compare_changed_indexes(unique.indexes)
    crossed = pair_constraints_with_indexes(constraints.unmatched, indexes.unmatched)
    yield from equal_constraints.differences
    yield from equal_indexes.differences
    yield from unique.differences
    yield from constraints.differences
    yield from indexes.differences
    yield from crossed.differences
    yield from _find_lone_parts(crossed.constraints, crossed.indexes, table)


def _compare_changed_constraints(parts: UnmatchedParts[Constraint]) -> PartComparison[Constraint]:
    """Takes out the constraints that both sides have, but that do something else."""
    changed = match_in_turn(
        parts,
        lambda parts: match_by_keys(parts, _kind_and_name, _find_purpose),
        lambda parts: match_alike(parts, _measure_constraints),
    )
    differences = (
        make_described_difference(_constraint_difference_kind(models), database, models, definition_text)
        for database, models in changed.pairs
    )
    return PartComparison((*differences, *find_comment_differences(changed.pairs)), changed.unmatched)


def _kind_and_name(constraint: Constraint) -> Hashable:
    return constraint.kind, constraint.name


def _find_purpose(constraint: Constraint) -> Hashable | None:
    """Two constraints of the same purpose are one that changed, whatever their names."""
    match constraint.kind:
        case "primary key":
            return constraint.kind
        case "unique":
            return constraint.kind, frozenset(constraint.columns)
        case "foreign key":
            return constraint.kind, constraint.columns
        case _:
            return None


def _measure_constraints(database: Constraint, models: Constraint) -> float:
    """More than 0 for what has no purpose to be known by (CHECK, exclusion), but names and columns alike."""
    if database.kind != models.kind or database.kind not in ("check", "exclusion"):
        return 0.0
    name = measure_name_likeness(database.name, models.name)
    return name if name >= ALIKE and set(database.columns) & set(models.columns) else 0.0


def _measure_indexes(database: Index, models: Index) -> float:
    """More than 0 for the same columns, or for names and columns that are much alike.

    A unique index and one that is not are two things.
    """
    if database.unique != models.unique:
        return 0.0
    name = measure_name_likeness(database.name, models.name)
    if database.columns == models.columns and None not in database.columns:
        return 1 + name
    return name if name >= ALIKE and set(database.columns) & set(models.columns) - {None} else 0.0


def _constraint_difference_kind(constraint: Constraint) -> DifferenceKind:
    """The kind of its difference; a NOT NULL is a constraint of its own only while it is not valid."""
    return "nullability" if constraint.kind == "not null" else constraint.kind


def _compare_changed_indexes(parts: UnmatchedParts[Index]) -> PartComparison[Index]:
    """Takes out the indexes that have the same name, or are much alike, but do something else."""
    changed = match_in_turn(
        parts,
        lambda parts: match_by_keys(parts, lambda index: index.name),
        lambda parts: match_alike(parts, _measure_indexes),
    )
    differences = (
        make_described_difference("index", database, models, index_text) for database, models in changed.pairs
    )
    return PartComparison((*differences, *find_comment_differences(changed.pairs)), changed.unmatched)


def _find_lone_parts(
    constraints: UnmatchedParts[Constraint], indexes: UnmatchedParts[Index], table: _TableComparison
) -> Iterator[CatalogDifference]:
    """What one side lacks, unless it is a consequence of a missing column or table."""
    database_parts: tuple[ConstraintOrIndex, ...] = (*constraints.database, *indexes.database)
    for part in database_parts:
        if not _is_consequence(part, table.database_types, table.models_types, table.shared_tables):
            yield make_difference(
                _difference_kind(part), part, None, database_text=part_text(part), models_text=None
            )
    models_parts: tuple[ConstraintOrIndex, ...] = (*constraints.models, *indexes.models)
    for part in models_parts:
        if not _is_consequence(part, table.models_types, table.database_types, table.shared_tables):
            yield make_difference(
                _difference_kind(part), None, part, database_text=None, models_text=part_text(part)
            )


def _is_consequence(
    part: ConstraintOrIndex,
    own_types: ColumnTypes,
    other_types: ColumnTypes,
    shared_tables: frozenset[str],
) -> bool:
    """Whether the other side lacks a column of the part, or the table that it references."""
    missing_columns = _column_names(own_types, part) - _column_names(other_types, part)
    if depends_on_columns(part, missing_columns):
        return True
    references = part.references if isinstance(part, Constraint) else None
    return references is not None and references not in shared_tables


def _column_names(types: ColumnTypes, part: ConstraintOrIndex) -> frozenset[str]:
    columns: Mapping[str, str] = types.get(part.full_table_name, {})
    return frozenset(columns)


def _difference_kind(part: ConstraintOrIndex) -> DifferenceKind:
    return _constraint_difference_kind(part) if isinstance(part, Constraint) else "index"
