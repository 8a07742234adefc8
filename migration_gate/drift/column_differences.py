"""Columns that one side lacks, and each property in which a column differs.

Every property has one function, `find_…_difference`; `_PROPERTIES` at the end lists them. The fixes are
written in `autofix/column_fixes.py`, property by property too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from migration_gate.drift.column_sequences import map_column_sequences
from migration_gate.drift.column_types import map_column_types
from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_described_difference, make_difference
from migration_gate.drift.difference_text import column_text, type_text, value_text
from migration_gate.drift.frozen_defaults import describe_frozen
from migration_gate.drift.literal_defaults import is_same_literal
from migration_gate.drift.normalize import normalize_default, normalize_definition
from migration_gate.drift.object_pairs import pair_objects
from migration_gate.facts import Column, DifferenceKind, Snapshot
from migration_gate.lazy_dataclass import dataclass


def find_column_differences(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    """The differences of all columns of the tables that both sides have."""
    database_side = ColumnContext.from_snapshot(scope.database, scope.frozen.database)
    models_side = ColumnContext.from_snapshot(scope.models, scope.frozen.models)
    database, models = (
        [column for column in side.columns if column.full_table_name in scope.shared_tables]
        for side in scope.sides
    )
    for pair in pair_objects(database, models):
        if pair.database is None or pair.models is None:
            yield make_described_difference("column", pair.database, pair.models, column_text)
        else:
            comparison = ColumnComparison(pair.database, pair.models, database_side, models_side)
            yield from compare_columns(comparison)


@dataclass(frozen=True, slots=True)
class ColumnContext:
    """Keys, sequences and types of one database that the comparison of a column needs."""

    primary_key_columns: frozenset[str]
    """`schema.table.column`"""
    owned_sequences: Mapping[str, str]
    """`schema.name` of the sequence that numbers a column, by `schema.table.column`"""
    column_types: Mapping[str, Mapping[str, str]]
    """by table, then by column"""
    frozen_defaults: frozenset[str]
    """`schema.table.column` of those whose default is known to be no call"""

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot, frozen_defaults: frozenset[str]) -> ColumnContext:
        """Collects it from one side; build it once for all columns."""
        keys = (c for c in snapshot.constraints if c.kind == "primary key")
        return cls(
            frozenset(f"{key.full_table_name}.{column}" for key in keys for column in key.columns),
            {column: s.full_name for column, s in map_column_sequences(snapshot).items()},
            map_column_types(snapshot),
            frozen_defaults,
        )


@dataclass(frozen=True, slots=True)
class ColumnComparison:
    """A column that both sides have, and what its comparison needs."""

    database: Column
    models: Column
    database_side: ColumnContext
    models_side: ColumnContext

    @property
    def key(self) -> str:
        """`schema.table.column`, the same on both sides."""
        return self.database.full_name

    def describe_frozen_sides(self) -> tuple[str | None, str | None]:
        """What is shown for a default of the database, and of the models, that is no call."""
        database, models = self.database, self.models
        return (
            describe_frozen(database, models, is_known=self.key in self.database_side.frozen_defaults),
            describe_frozen(models, database, is_known=self.key in self.models_side.frozen_defaults),
        )

    def make_difference(
        self,
        kind: DifferenceKind,
        database_text: str | None,
        models_text: str | None,
        *,
        object_noun: str = "",
    ) -> CatalogDifference:
        """A difference of this column."""
        return make_difference(
            kind,
            self.database,
            self.models,
            database_text=database_text,
            models_text=models_text,
            object_noun=object_noun,
        )


def compare_columns(comparison: ColumnComparison) -> Iterator[CatalogDifference]:
    """The differences of a column that both sides have."""
    for find_difference in _PROPERTIES:
        difference = find_difference(comparison)
        if difference is not None:
            yield difference


def find_type_difference(comparison: ColumnComparison) -> CatalogDifference | None:
    """The type, or its collation."""
    database, models = type_text(comparison.database), type_text(comparison.models)
    return comparison.make_difference("type", database, models) if database != models else None


def find_nullability_difference(comparison: ColumnComparison) -> CatalogDifference | None:
    """Whether it accepts NULL.

    The columns of a primary key are NOT NULL because of it: if only one side has the key, and only that
    side refuses NULL, the missing key is the one difference.
    """
    database, models = comparison.database, comparison.models
    if database.nullable == models.nullable:
        return None
    if _follows_from_key(comparison):
        return None
    return comparison.make_difference("nullability", _nullability_text(database), _nullability_text(models))


def _follows_from_key(comparison: ColumnComparison) -> bool:
    """Whether the side that refuses NULL, and only that one, has the column in its primary key."""
    database_has_key = comparison.key in comparison.database_side.primary_key_columns
    models_have_key = comparison.key in comparison.models_side.primary_key_columns
    if comparison.database.nullable:
        return models_have_key and not database_has_key
    return database_has_key and not models_have_key


def _nullability_text(column: Column) -> str:
    return "NULL" if column.nullable else "NOT NULL"


def find_default_difference(comparison: ColumnComparison) -> CatalogDifference | None:
    """Where its value comes from when none is given: a default, an identity, a generating expression."""
    database, models = comparison.database, comparison.models
    frozen = comparison.describe_frozen_sides()
    if any(frozen):
        # Evaluated once, it is never what was meant, even if both sides have one.
        return comparison.make_difference(
            "default", frozen[0] or value_text(database), frozen[1] or value_text(models)
        )
    if database.identity or models.identity:
        is_same = database.identity == models.identity
    elif database.generated or models.generated:
        is_same = _generate_same_value(comparison)
    else:
        is_same = _have_same_default(comparison)
    if is_same:
        return None
    return comparison.make_difference("default", value_text(database), value_text(models))


def _generate_same_value(comparison: ColumnComparison) -> bool:
    """Whether both are generated, by the same expression and in the same way (stored or virtual)."""
    if comparison.database.generated is None or comparison.models.generated is None:
        return False
    database = _normalize_generated(comparison.database, comparison.database_side)
    models = _normalize_generated(comparison.models, comparison.models_side)
    return database == models


def _normalize_generated(column: Column, side: ColumnContext) -> str:
    """The normal form of its expression, which may use other columns of the table."""
    storage, _, expression = (column.generated or "").partition(": ")
    types = side.column_types.get(column.full_table_name, {})
    return f"{storage} {normalize_definition(expression, types)}"


def _have_same_default(comparison: ColumnComparison) -> bool:
    """Whether both give the same value: the same text, two serials, or two spellings of one value."""
    database, models = comparison.database, comparison.models
    if database.default == models.default:
        return True
    if _is_serial(database, comparison.database_side) and _is_serial(models, comparison.models_side):
        return True
    database_default = normalize_default(database.default, database.type)
    models_default = normalize_default(models.default, models.type)
    return database_default == models_default or is_same_literal(database, models)


def _is_serial(column: Column, side: ColumnContext) -> bool:
    """Whether the default is the next value of the column's own sequence, whatever its name."""
    sequence = side.owned_sequences.get(column.full_name)
    if sequence is None or column.default is None:
        return False
    # Postgres prints nextval('public."Order_id_seq"'::regclass), with quotes only for names that need them.
    literal = sequence.replace("'", "''")
    return column.default.startswith("nextval('") and column.default.replace('"', "").startswith(
        f"nextval('{literal}'"
    )


def find_comment_difference(comparison: ColumnComparison) -> CatalogDifference | None:
    """Its comment."""
    database, models = comparison.database.comment, comparison.models.comment
    return comparison.make_difference("comment", database, models) if database != models else None


def find_storage_difference(comparison: ColumnComparison) -> CatalogDifference | None:
    """How Postgres stores long values, which models cannot express; another type has another storage."""
    database, models = comparison.database, comparison.models
    if database.storage == models.storage or database.type != models.type:
        return None
    return comparison.make_difference(
        "unmanaged", database.storage, models.storage, object_noun="column storage"
    )


FindPropertyDifference: TypeAlias = Callable[[ColumnComparison], CatalogDifference | None]
_PROPERTIES: tuple[FindPropertyDifference, ...] = (
    find_type_difference,
    find_nullability_difference,
    find_default_difference,
    find_comment_difference,
    find_storage_difference,
)
"""each finds the difference of one property, or None"""
