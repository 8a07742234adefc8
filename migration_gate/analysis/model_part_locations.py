"""Where the models' text writes what a difference is about: the column's line, the constraint's..."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migration_gate.facts import (
    Column,
    Difference,
    DifferenceKind,
    Location,
    ModelDefinition,
    ModelPart,
    ModelPartKind,
    Models,
    Tree,
)

_PARTS: dict[DifferenceKind, tuple[ModelPartKind, ...]] = {
    "primary key": ("primary key",),
    "foreign key": ("foreign key",),
    "unique": ("unique", "index"),
    "check": ("check",),
    "exclusion": ("exclusion",),
    "index": ("index", "unique"),
    "sequence": ("sequence",),
    "name-only": ("index", "unique", "check", "foreign key", "primary key", "exclusion"),
}
"""kinds of difference, and what the text calls such an object"""


def find_definition(models: Models, tree: Tree, table: str | None) -> ModelDefinition | None:
    """The definition of `table` (`schema.name`); the one that env.py imported, if there are several."""
    if table is None:
        return None
    schema, _, name = table.partition(".")
    definitions = [
        definition
        for definition in tree.model_definitions
        if definition.table == name and definition.schema in (None, schema)
    ]
    mapped = models.find_location(table)
    if mapped is not None:
        definitions = [definition for definition in definitions if definition.location.file == mapped.file]
    return next(iter(definitions), None)


def find_model_location(
    models: Models, tree: Tree, difference: Difference, columns: Sequence[str] = ()
) -> Location | None:
    """The line in the models that `difference` is about, the narrowest that the text shows.

    That is the line of the column, constraint, index or sequence, else of the table's definition, else where
    the worker saw its mapped class. `columns` are those of a constraint or index, which may have no name.
    """
    definition = find_definition(models, tree, difference.table)
    if definition is None:
        sequence = _find_sequence(tree, difference)
        return sequence or models.find_location(difference.table)
    part = next(_find_parts(definition, difference, columns), None)
    return part.location if part is not None else definition.location


def list_column_locations(models: Models, tree: Tree, column: Column) -> tuple[Location, ...]:
    """Where the models write a column of the database, and its foreign keys and indexes, if they do."""
    definition = find_definition(models, tree, column.full_table_name)
    if definition is None:
        return ()
    own = definition.find_column(column.name)
    parts = (part for part in definition.parts if column.name in part.columns)
    return tuple(part.location for part in (*filter(None, (own,)), *parts))


def find_own_column(definition: ModelDefinition, name: str) -> ModelPart | None:
    """The column, if the definition writes it itself: another table may share a line of a mixin."""
    part = definition.find_column(name)
    return part if part is not None and _is_own(definition, part) else None


def find_own_key(definition: ModelDefinition, column: str) -> ModelPart | None:
    """The foreign key of one column, if the definition writes it itself, and there is no other."""
    keys = [part for part in definition.parts if part.kind == "foreign key" and part.columns == (column,)]
    return keys[0] if len(keys) == 1 and _is_own(definition, keys[0]) else None


def _is_own(definition: ModelDefinition, part: ModelPart) -> bool:
    own, line = definition.location, part.location.line
    return part.location.file == own.file and (own.line or 0) <= (line or 0)


def _find_sequence(tree: Tree, difference: Difference) -> Location | None:
    """The line of a sequence that belongs to no table."""
    if difference.kind != "sequence":
        return None
    name = difference.object.rpartition(".")[2]
    inside = (part for definition in tree.model_definitions for part in definition.parts)
    parts = (*tree.model_sequences, *inside)
    return next((part.location for part in parts if part.kind == "sequence" and part.name == name), None)


def _find_parts(
    definition: ModelDefinition, difference: Difference, columns: Sequence[str]
) -> Iterator[ModelPart]:
    """The parts that the difference may be about, the likeliest first."""
    kinds = _PARTS.get(difference.kind, ())
    parts = [part for part in definition.parts if part.kind in kinds]
    name = difference.object.rpartition(".")[2]
    yield from (part for part in parts if part.name == name)
    if columns:
        yield from (part for part in parts if part.columns == tuple(columns))
    yield from _find_column(definition, difference, columns)
    if difference.kind == "primary key":  # a table has only one, whatever its name and columns
        yield from parts


def _find_column(
    definition: ModelDefinition, difference: Difference, columns: Sequence[str]
) -> Iterator[ModelPart]:
    """The column that the difference, or its constraint or index, is about alone: it may be written there."""
    column = columns[0] if len(columns) == 1 else None
    part = definition.find_column(difference.column or column or "")
    if part is not None:
        yield part
