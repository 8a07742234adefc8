"""A difference together with the catalog objects that it was found on."""

from __future__ import annotations

from collections.abc import Callable

from migration_gate.drift.object_pairs import ObjectPair, ObjectT
from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
    Column,
    Constraint,
    Difference,
    DifferenceKind,
    Index,
    Sequence,
    Table,
)
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CatalogDifference:
    """A difference and its objects on both sides; None if a side lacks it."""

    difference: Difference
    database: CatalogObject | None = None
    models: CatalogObject | None = None
    further_pairs: tuple[ObjectPair[CatalogObject], ...] = ()
    """more objects that make up the same difference"""
    renamed_table: Table | None = None
    """of the database: the table that takes the name of the view which `database` is"""

    @property
    def pairs(self) -> tuple[ObjectPair[CatalogObject], ...]:
        """All objects of the difference."""
        return (ObjectPair(self.database, self.models), *self.further_pairs)


def make_difference(
    kind: DifferenceKind,
    database: CatalogObject | None,
    models: CatalogObject | None,
    *,
    database_text: str | None,
    models_text: str | None,
    object_noun: str = "",
    further_pairs: tuple[ObjectPair[CatalogObject], ...] = (),
) -> CatalogDifference:
    """The difference between two objects of which one may be None, with both sides as text.

    `object_noun` says what an unmanaged object is.
    """
    catalog_object = database if database is not None else models
    table, column = _table_and_column(catalog_object)
    difference = Difference(
        kind=kind,
        object=str(catalog_object),
        database=database_text,
        models=models_text,
        table=table,
        column=column,
        object_noun=object_noun,
        columns=tuple(filter(None, getattr(catalog_object, "columns", ()))),
    )
    return CatalogDifference(difference, database, models, further_pairs)


def make_described_difference(
    kind: DifferenceKind,
    database: ObjectT | None,
    models: ObjectT | None,
    describe: Callable[[ObjectT], str | None],
    *,
    object_noun: str = "",
) -> CatalogDifference:
    """The same for two objects that one function describes; a side that lacks the object has no text."""
    return make_difference(
        kind,
        database,
        models,
        database_text=None if database is None else describe(database),
        models_text=None if models is None else describe(models),
        object_noun=object_noun,
    )


def _table_and_column(catalog_object: CatalogObject | None) -> tuple[str | None, str | None]:
    """The table (`schema.name`) that an object belongs to, and its column if there is exactly one."""
    match catalog_object:
        case Table():
            return catalog_object.full_name, None
        case Column():
            return catalog_object.full_table_name, catalog_object.name
        case Constraint() | Index():
            columns = catalog_object.columns
            return catalog_object.full_table_name, columns[0] if len(columns) == 1 else None
        case AttachedObject():
            return catalog_object.full_table_name, None
        case Sequence(owner=str(owner)):
            table, _, column = owner.rpartition(".")
            return table, column
        case _:
            return None, None
