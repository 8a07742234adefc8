"""Alembic's own differences, for the tables that Postgres did not create from the models.

What the database has of them is in the catalog, so its text and the revision that made it are given as for
any other difference; the models' side is what Alembic says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from migration_gate.drift.difference import CatalogDifference
from migration_gate.drift.difference_origin import find_difference_origin
from migration_gate.drift.difference_text import column_text
from migration_gate.facts import (
    AlembicDifference,
    CatalogObject,
    Column,
    Constraint,
    ConstraintKind,
    Difference,
    DifferenceKind,
    Index,
    Replay,
    Table,
)

_KINDS: Mapping[str, DifferenceKind] = {
    "table_comment": "comment",
    "table": "table",
    "column": "column",
    "type": "type",
    "nullable": "nullability",
    "default": "default",
    "comment": "comment",
    "index": "index",
    "fk": "foreign key",
    "constraint": "unique",
}
"""our kind by the end of the name of Alembic's operation (`add_fk`); the first that fits counts"""
_CONSTRAINTS: Mapping[DifferenceKind, ConstraintKind] = {"foreign key": "foreign key", "unique": "unique"}


def list_alembic_differences(replay: Replay) -> Iterator[CatalogDifference]:
    """The differences in Alembic's words, without catalog objects: nothing writes lines for them."""
    for item in replay.models.alembic_differences:
        described = _describe_object(replay, item)
        origin = find_difference_origin(replay, described)
        located = replace(described.difference, revision=origin.revision, location=origin.location)
        yield CatalogDifference(located)


def _describe_object(replay: Replay, item: AlembicDifference) -> CatalogDifference:
    """The difference with the objects of both sides, of which the models' is known by its name only."""
    kind = _find_kind(item)
    database = _find_in_database(replay, item, kind)
    named = _make_named_object(item, kind)
    is_part = isinstance(named, Index | Constraint)
    difference = Difference(
        kind=kind,
        object=str(database if database is not None else named),
        database=_text_of(database, item),
        models=item.models,
        table=item.table,
        column=item.name if isinstance(named, Column) else None,
        columns=item.columns if is_part else (),
    )
    if item.operation.startswith("modify_"):
        return CatalogDifference(difference, database, _change_property(database, kind, item))
    if item.database is not None:
        return CatalogDifference(difference, database, None)
    return CatalogDifference(difference, None, named)


def _make_named_object(item: AlembicDifference, kind: DifferenceKind) -> CatalogObject:
    """An object of that name, of which nothing else is known."""
    schema, _, table = item.table.partition(".")
    if not item.name and not item.columns:
        return Table(schema, table)
    if kind == "index":
        return Index(schema, table, item.name or table, "", item.columns)
    if kind in _CONSTRAINTS:
        return Constraint(schema, table, item.name, _CONSTRAINTS[kind], "", item.columns)
    return Column(schema, table, item.name, "") if item.name else Table(schema, table)


def _find_in_database(replay: Replay, item: AlembicDifference, kind: DifferenceKind) -> CatalogObject | None:
    """The object of the replayed database, if it has it."""
    if item.database is None and not item.operation.startswith("modify_"):
        return None
    catalog = replay.catalog
    candidates: tuple[CatalogObject, ...] = catalog.columns if item.name else catalog.tables
    if kind == "index":
        candidates = catalog.indexes
    elif kind in _CONSTRAINTS:
        candidates = catalog.constraints
    sought = _identify(_make_named_object(item, kind))
    return next((candidate for candidate in candidates if _identify(candidate) == sought), None)


def _identify(item: CatalogObject) -> tuple[str, ...]:
    return tuple(str(getattr(item, field, "")) for field in ("schema", "table", "name"))


def _text_of(database: CatalogObject | None, item: AlembicDifference) -> str | None:
    """As Postgres prints it, where it is the whole object; a property in Alembic's words."""
    if item.operation.startswith("modify_") or item.database is None:
        return item.database
    match database:
        case Column():
            return column_text(database)
        case Index() | Constraint():
            return database.definition
        case _:
            return item.database


def _change_property(
    database: CatalogObject | None, kind: DifferenceKind, item: AlembicDifference
) -> CatalogObject | None:
    """The column as the models may have it: only that the property is another one is meant by it."""
    if not isinstance(database, Column):
        return None
    other = f"{item.models} in the models"
    match kind:
        case "type":
            return replace(database, type=other)
        case "nullability":
            return replace(database, nullable=not database.nullable)
        case "default":
            return replace(database, default=other)
        case _:
            return replace(database, comment=other)


def _find_kind(item: AlembicDifference) -> DifferenceKind:
    kinds = (kind for ending, kind in _KINDS.items() if item.operation.endswith(ending))
    return next(kinds, "table option")
