"""Why a difference between the catalogs does not matter: no query notices it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migration_gate.drift.column_types import map_column_types
from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference
from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.drift.type_names import list_spellings
from migration_gate.drift.uniqueness import Guarantee, has_plain_columns, uniqueness_guarantee
from migration_gate.facts import CatalogObject, Column, Constraint, EnumType, Index, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass

_UNLIMITED_TEXT_TYPES = {"text", "character varying"}


def explain_harmlessness(difference: CatalogDifference, scope: ComparisonScope) -> str:
    """The reason as half a sentence about both sides; empty if a query may notice the difference."""
    match difference.difference.kind, difference.database, difference.models:
        case "default", Column() as database, Column() as models:
            return _explain_numbering(database, models, scope)
        case "type", Column() as database, Column() as models:
            return _explain_text_types(database, models)
        case "enum", EnumType() | None as database, EnumType() as models:
            return _explain_enum(database, models, scope)
        case "table option", Table(partition_key=str()), Table(partition_key=None):
            return "a query works the same with and without partitions"
        case (("primary key" | "unique" | "index"), _, _):
            return _explain_uniqueness(difference, scope)
    return ""


def _explain_text_types(database: Column, models: Column) -> str:
    """`text` on one side and `character varying` without a length on the other, or arrays of them."""
    types = {database.type.removesuffix("[]"), models.type.removesuffix("[]")}
    are_arrays = {database.type.endswith("[]"), models.type.endswith("[]")}
    if types != _UNLIMITED_TEXT_TYPES or len(are_arrays) > 1 or database.collation != models.collation:
        return ""
    return "both hold text of any length"


def _explain_enum(database: EnumType | None, models: EnumType, scope: ComparisonScope) -> str:
    """Labels in another order, or an enum that comes with the columns that need it."""
    if database is None:
        return _explain_missing_enum(models, scope)
    return _explain_label_order(database, models)


def _explain_label_order(database: EnumType, models: EnumType) -> str:
    """The same labels in another order, which only ORDER BY and comparisons notice."""
    is_same_name = (database.schema, database.name) == (models.schema, models.name)
    if not is_same_name or sorted(database.labels) != sorted(models.labels):
        return ""
    return "both accept the same labels; they sort in another order"


def _explain_missing_enum(enum: EnumType, scope: ComparisonScope) -> str:
    """An enum that only columns use that differ themselves."""
    names = list_spellings(enum.schema, enum.name)
    types = map_column_types(scope.database)
    users = [column for column in scope.models.columns if column.type.removesuffix("[]") in names]
    if users and all(types.get(user.full_table_name, {}).get(user.name) != user.type for user in users):
        return "the columns that use it differ themselves"
    return ""


@dataclass(frozen=True, slots=True)
class _Numbering:
    """How a column counts new rows."""

    start: int
    increment: int
    cycle: bool


def _explain_numbering(database: Column, models: Column, scope: ComparisonScope) -> str:
    """A serial column on one side and an identity on the other that count alike."""
    if (database.identity is None) == (models.identity is None):
        return ""
    database_numbering = _find_numbering(database, scope.database)
    if database_numbering is None or database_numbering != _find_numbering(models, scope.models):
        return ""
    reason = "both number new rows from a sequence of their own"
    if "always" in (database.identity, models.identity):
        reason += ", but GENERATED ALWAYS refuses an INSERT that gives its own number"
    return reason


def _find_numbering(column: Column, snapshot: Snapshot) -> _Numbering | None:
    """By the column's own sequence; None if its values come from elsewhere."""
    if not column.identity and not (column.default or "").startswith("nextval("):
        return None
    owner = column.full_name
    sequence = next((sequence for sequence in snapshot.sequences if sequence.owner == owner), None)
    return _Numbering(sequence.start, sequence.increment, sequence.cycle) if sequence else None


def _explain_uniqueness(difference: CatalogDifference, scope: ComparisonScope) -> str:
    """Constraints and indexes of which both databases have an equivalent: the same values are refused."""
    database = _only_parts(pair.database for pair in difference.pairs)
    models = _only_parts(pair.models for pair in difference.pairs)
    parts = [*database, *models]
    if _is_about_primary_key(database, models) or not all(_is_replaceable(part, scope) for part in parts):
        return ""
    return _describe_equivalence(database, models)


def _describe_equivalence(database: list[ConstraintOrIndex], models: list[ConstraintOrIndex]) -> str:
    """How the two sides differ that refuse the same values."""
    if not database or not models:
        return "both guarantee that its values occur once, with or without it"
    if len({part.columns for part in (*database, *models)}) > 1:
        return "both guarantee that the values occur once; the columns are in another order"
    if _are_constraint_and_index(database, models):
        return "both guarantee that the values occur once, one by a constraint, the other by an index"
    return "both guarantee that the values occur once; one has another index for it"


def _only_parts(objects: Iterable[CatalogObject | None]) -> list[ConstraintOrIndex]:
    return [item for item in objects if isinstance(item, Constraint | Index)]


def _is_about_primary_key(database: list[ConstraintOrIndex], models: list[ConstraintOrIndex]) -> bool:
    """Whether a primary key differs from anything but another primary key: it is more than unique."""
    kinds = {part.kind for part in (*database, *models) if isinstance(part, Constraint)}
    return "primary key" in kinds and (len(kinds) > 1 or not database or not models)


def _are_constraint_and_index(database: list[ConstraintOrIndex], models: list[ConstraintOrIndex]) -> bool:
    """Whether uniqueness comes from constraints alone on one side, from indexes alone on the other."""
    database_kinds = {type(part) for part in database if uniqueness_guarantee(part)}
    models_kinds = {type(part) for part in models if uniqueness_guarantee(part)}
    return database_kinds != models_kinds and len(database_kinds) == len(models_kinds) == 1


def _is_replaceable(part: ConstraintOrIndex, scope: ComparisonScope) -> bool:
    """Whether both databases provide what this part does: its uniqueness, or else an index of its columns."""
    if isinstance(part, Index) and not part.unique:
        return has_plain_columns(part) and all(_has_index_of_columns(part, side) for side in scope.sides)
    guarantee = uniqueness_guarantee(part)
    return guarantee is not None and all(_has_guarantee(guarantee, part, side) for side in scope.sides)


def _has_index_of_columns(index: Index, snapshot: Snapshot) -> bool:
    return any(part.columns == index.columns for part in _unique_parts(index, snapshot))


def _has_guarantee(guarantee: Guarantee, part: ConstraintOrIndex, snapshot: Snapshot) -> bool:
    return any(uniqueness_guarantee(other) == guarantee for other in _unique_parts(part, snapshot))


def _unique_parts(part: ConstraintOrIndex, snapshot: Snapshot) -> Iterator[ConstraintOrIndex]:
    """The unique constraints and indexes of the part's table."""
    free_indexes = (index for index in snapshot.indexes if index.constraint is None)
    candidates: tuple[ConstraintOrIndex, ...] = (*snapshot.constraints, *free_indexes)
    for candidate in candidates:
        if candidate.full_table_name == part.full_table_name and uniqueness_guarantee(candidate) is not None:
            yield candidate
