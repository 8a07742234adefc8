"""Compares two snapshots object by object, by the names that people know them by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias, TypeVar, cast

from migration_gate.facts.catalog import (
    AttachedObject,
    Column,
    Constraint,
    EnumType,
    Extension,
    Grant,
    Index,
    NamedType,
    OtherObject,
    Routine,
    Schema,
    Sequence,
    Snapshot,
    Table,
    View,
)

Noun: TypeAlias = (
    Schema
    | Extension
    | Table
    | Column
    | Constraint
    | Index
    | EnumType
    | NamedType
    | Sequence
    | View
    | Routine
    | AttachedObject
    | OtherObject
    | Grant
)

N = TypeVar("N", bound=Noun)

_INCIDENTAL = {"oid": 0, "number": 0, "position": 0}
"""what two equal objects may differ in"""


@dataclass(frozen=True, slots=True)
class Change:
    """One object on two sides; None where a side lacks it."""

    before: Noun | None
    after: Noun | None

    @property
    def object(self) -> Noun:
        """The object, from whichever side has it."""
        return cast("Noun", self.before if self.before is not None else self.after)


def identity(noun: Noun) -> tuple[str, ...]:
    """The name of an object within its kind."""
    match noun:
        case Column() | Constraint() | AttachedObject():
            return (noun.schema, noun.table, noun.name)
        case Routine():
            return (noun.schema, noun.name, noun.signature)
        case Table() | Index() | EnumType() | NamedType() | Sequence() | View():
            return (noun.schema, noun.name)
        case OtherObject() | Grant():
            return (noun.kind, noun.name)
        case _:
            return (noun.name,)


def bare(noun: N) -> N:
    """The object without what never counts: its oid, number and position."""
    names = {field.name for field in fields(noun)}
    changes: dict[str, Any] = {name: value for name, value in _INCIDENTAL.items() if name in names}
    return replace(noun, **changes)


def pairs(before: Iterable[N], after: Iterable[N]) -> Iterator[tuple[N | None, N | None]]:
    """Objects of one kind side by side, equal ones too; those of `before` come first, in their order."""
    there = {identity(noun): noun for noun in after}
    for noun in before:
        yield noun, there.pop(identity(noun), None)
    for noun in there.values():
        yield None, noun


def compare(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """Every object that was made, removed or changed, kind by kind in the snapshot's order."""
    found: list[Change] = []
    for field in fields(Snapshot):
        if field.name == "seconds":
            continue
        for left, right in pairs(getattr(before, field.name), getattr(after, field.name)):
            if left is None or right is None or (left != right and bare(left) != bare(right)):
                found.append(Change(left, right))
    return tuple(found)
