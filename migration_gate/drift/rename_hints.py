"""Tables and columns that both sides may have, under two names."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from migration_gate.drift.difference import Drift, describe, type_of
from migration_gate.drift.scope import Scope
from migration_gate.facts.catalog import Column, Snapshot, Table
from migration_gate.facts.history import Difference

N = TypeVar("N", Table, Column)


def lookalikes(seen: Iterable[Drift], scope: Scope) -> Mapping[Difference, str]:
    """By the difference of what one side lacks: the name of what the other side may call so.

    One that is missing goes with one that is too many, never with one of two.
    """
    lone = [one for one in seen if (one.before is None) != (one.after is None)]
    names: dict[Difference, str] = {}
    for missing, extra in (*_columns(lone), *_tables(lone, scope)):
        names[missing.difference] = extra.difference.column or _name(extra)
        names[extra.difference] = missing.difference.column or _name(missing)
    return names


def _name(one: Drift) -> str:
    table = one.before or one.after
    return table.name if isinstance(table, Table) else ""


def _columns(lone: list[Drift]) -> Iterator[tuple[Drift, Drift]]:
    """Of one table and one type; where several are, by all that they are and their place."""

    def typed(column: Column) -> Hashable:
        return column.schema, column.table, type_of(column)

    def placed(column: Column) -> Hashable:
        return column.schema, column.table, describe(column), column.position

    pairs = list(_only(lone, Column, typed))
    found = {one.difference for pair in pairs for one in pair}
    return iter((*pairs, *_only([one for one in lone if one.difference not in found], Column, placed)))


def _tables(lone: list[Drift], scope: Scope) -> Iterator[tuple[Drift, Drift]]:
    """Of one schema and with the same columns."""
    shapes: dict[Hashable, Hashable] = {}
    for side in (scope.before, scope.after):
        shapes |= _shapes(side)

    def shaped(table: Table) -> Hashable:
        return table.schema, shapes.get((table.schema, table.name))

    return _only(lone, Table, shaped)


def _shapes(snapshot: Snapshot) -> dict[Hashable, Hashable]:
    shapes: dict[Hashable, set[tuple[str, str]]] = {}
    for column in snapshot.columns:
        shapes.setdefault((column.schema, column.table), set()).add((column.name, type_of(column)))
    return {table: frozenset(shape) for table, shape in shapes.items()}


def _only(lone: list[Drift], noun: type[N], key: Callable[[N], Hashable]) -> Iterator[tuple[Drift, Drift]]:
    """What is missing with what is too many, where the key leaves no choice."""
    groups: dict[Hashable, tuple[list[Drift], list[Drift]]] = {}
    for one in lone:
        if isinstance(one.after, noun):
            groups.setdefault(key(one.after), ([], []))[0].append(one)
        elif isinstance(one.before, noun):
            groups.setdefault(key(one.before), ([], []))[1].append(one)
    for missing, extra in groups.values():
        if len(missing) == len(extra) == 1:
            yield missing[0], extra[0]
