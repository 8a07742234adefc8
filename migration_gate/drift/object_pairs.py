"""Pairs the catalog objects of the database with those of the models, by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
    Column,
    Constraint,
    EnumType,
    Grant,
    Index,
    NamedType,
    OtherObject,
    Routine,
    Sequence,
    Table,
    View,
)

ConstraintOrIndex: TypeAlias = Constraint | Index

ObjectT = TypeVar("ObjectT", bound=CatalogObject)
ObjectT_co = TypeVar("ObjectT_co", bound=CatalogObject, covariant=True)

_FIELDS_OF_ONE_DATABASE = {"oid": 0, "number": 0, "position": 0}
"""fields in which equal objects of two databases may differ, and the value that replaces theirs"""


class ObjectPair(NamedTuple, Generic[ObjectT_co]):
    """One object on both sides; None if a side lacks it."""

    database: ObjectT_co | None
    models: ObjectT_co | None


def pair_objects(database: Iterable[ObjectT], models: Iterable[ObjectT]) -> Iterator[ObjectPair[ObjectT]]:
    """Objects of one kind in pairs of the same name, equal ones too.

    Those of the database come first, in their order; then those that only the models have.
    """
    unpaired = {object_identity(item): item for item in models}
    for item in database:
        yield ObjectPair(item, unpaired.pop(object_identity(item), None))
    for item in unpaired.values():
        yield ObjectPair(None, item)


def object_identity(item: CatalogObject) -> tuple[str, ...]:
    """The qualified name of an object, which no other object of its kind has."""
    match item:
        case Column() | Constraint() | AttachedObject():
            return (item.schema, item.table, item.name)
        case Routine():
            return (item.schema, item.name, item.signature)
        case Table() | Index() | EnumType() | NamedType() | Sequence() | View():
            return (item.schema, item.name)
        case OtherObject() | Grant():
            return (item.kind, item.name)
        case _:
            return (item.name,)


def without_identifiers(item: ObjectT) -> ObjectT:
    """The object without its oid, number and position, which mean nothing in another database."""
    return replace(item, **_list_identifiers(cast("Any", type(item))))


@cache
def _list_identifiers(kind: type[object]) -> dict[str, Any]:
    """Those of `_FIELDS_OF_ONE_DATABASE` that objects of this type have."""
    names = {field.name for field in fields(cast("Any", kind))}
    return {name: value for name, value in _FIELDS_OF_ONE_DATABASE.items() if name in names}


def is_copied(database: CatalogObject, models: CatalogObject) -> bool:
    """Whether the models' database has the object only because it began as a copy: the oid is the same."""
    oid: int = getattr(database, "oid", 0)
    return oid != 0 and oid == getattr(models, "oid", 0)
