"""The enums and domains of the models, whoever is to create them: SQLAlchemy, or the migrations alone."""

from __future__ import annotations

from typing import Any, Iterator, Optional

from .deferred_methods import dataclass
from .protocol.model_lines import ModelsProblem


@dataclass(frozen=True)
class MappedType:
    """An enum or a domain that columns of the models have."""

    type: Any
    """in PostgreSQL's own class"""
    has_own_creator: bool
    """create_all creates it; not so with `create_type=False`, and within a domain"""
    other_labels: tuple[tuple[str, ...], ...] = ()
    """of an enum: those that other columns give to it"""


def find_mapped_types(metadata: Any, dialect: Any) -> list[MappedType]:
    """The enums and domains that the models define, an enum before the domain over it.

    An enum without labels is only a name of one that the database has. So is a domain with
    `create_type=False`, unless its enum is created anew.
    """
    types: dict[tuple[Any, Any], MappedType] = {}
    for mapped in _list_mapped_types(metadata, dialect):
        key = (mapped.type.schema, mapped.type.name)
        types[key] = _merge_types(types[key], mapped) if key in types else mapped
    return list(types.values())


def find_contradictions(metadata: Any, dialect: Any) -> Iterator[ModelsProblem]:
    """The enums that have different labels in different columns; one of them is compared."""
    for mapped in find_mapped_types(metadata, dialect):
        if mapped.other_labels:
            texts = ("(%s)" % ", ".join(labels) for labels in (mapped.type.enums, *mapped.other_labels))
            why = "the models give it different labels: %s; only the first are compared" % " and ".join(texts)
            yield ModelsProblem(str(mapped.type.name), why)


def _merge_types(first: MappedType, second: MappedType) -> MappedType:
    """One type for two columns: as create_all creates it, if it does."""
    kept, other = (second, first) if second.has_own_creator and not first.has_own_creator else (first, second)
    labels = _read_labels(other.type)
    other_labels = {*first.other_labels, *second.other_labels, labels} - {_read_labels(kept.type)}
    has_own_creator = first.has_own_creator or second.has_own_creator
    return MappedType(kept.type, has_own_creator, tuple(sorted(other_labels)))


def _read_labels(type_: Any) -> tuple[str, ...]:
    return tuple(str(label) for label in getattr(type_, "enums", ()))


def _list_mapped_types(metadata: Any, dialect: Any) -> Iterator[MappedType]:
    for table in metadata.tables.values():
        for column in table.columns:
            yield from _types_of_column(column.type, dialect)


def _types_of_column(type_: Any, dialect: Any) -> Iterator[MappedType]:
    """The enum or domain of a column's type, or of its elements, and the enum of a domain."""
    implementation = _find_implementation(type_, dialect)
    if implementation is None:
        return
    is_created = bool(getattr(implementation, "create_type", True))
    if hasattr(implementation, "data_type"):
        inner = _find_implementation(implementation.data_type, dialect)
        has_enum = inner is not None and _is_defined(inner)
        if has_enum:
            yield MappedType(inner, False)
        if is_created or has_enum:
            yield MappedType(implementation, is_created)
    elif _is_defined(implementation):
        yield MappedType(implementation, is_created)


def _is_defined(implementation: Any) -> bool:
    """Whether it has labels, or is a domain."""
    return not hasattr(implementation, "enums") or bool(implementation.enums)


def _find_implementation(type_: Any, dialect: Any) -> Optional[Any]:
    """The ENUM or DOMAIN that a type of SQLAlchemy's is on PostgreSQL; None for another type."""
    from sqlalchemy.dialects import postgresql

    # DOMAIN: since SQLAlchemy 2.0.
    classes = tuple(getattr(postgresql, name) for name in ("ENUM", "DOMAIN") if hasattr(postgresql, name))
    while hasattr(type_, "item_type"):
        type_ = type_.item_type
    implementation = type_.dialect_impl(dialect)
    if not isinstance(implementation, classes):
        implementation = getattr(implementation, "impl", implementation)  # of a TypeDecorator
    while hasattr(implementation, "item_type"):  # of a TypeDecorator over an array
        implementation = implementation.item_type.dialect_impl(dialect)
    if not isinstance(implementation, classes) or not implementation.name:
        return None
    return implementation if getattr(type_, "native_enum", True) else None
