"""Constraints and indexes that differ: told apart by what they do first, by their names second."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from migration_gate.drift.difference import Drift, constraint_text, found, index_text
from migration_gate.drift.expression import Unparsed, tokens
from migration_gate.drift.normalize import plain
from migration_gate.drift.scope import Scope
from migration_gate.drift.types_and_sequences import domain_base
from migration_gate.drift.uniqueness import merged
from migration_gate.facts.catalog import Constraint, ConstraintKind, Index, Snapshot
from migration_gate.facts.history import DifferenceKind

_HEAD = re.compile(r'^CREATE (UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+) ON (?:ONLY )?')
_KINDS: dict[ConstraintKind, DifferenceKind] = {
    "primary key": "primary key",
    "foreign key": "foreign key",
    "unique": "unique",
    "check": "check",
    "exclusion": "exclusion",
    "not null": "nullability",
}

P = TypeVar("P", Constraint, Index)


@dataclass(slots=True)
class _Sides(Generic[P]):
    """What of one table is still without a partner."""

    before: list[P]
    after: list[P]

    def matched(self, key: Callable[[P, int], Hashable | None]) -> Iterator[tuple[P, P]]:
        """Takes out the pairs that `key` calls alike; None is like nothing. It is told the side, 0 or 1."""
        there: dict[Hashable, list[P]] = {}
        for part in self.after:
            there.setdefault(key(part, 1), []).append(part)
        for part in list(self.before):
            name = key(part, 0)
            if name is None or not there.get(name):
                continue
            other = there[name].pop(0)
            self.before.remove(part)
            self.after.remove(other)
            yield part, other


class Types:
    """The types of every table's columns, on both sides."""

    def __init__(self, scope: Scope) -> None:
        self.sides: tuple[dict[str, dict[str, str]], ...] = ({}, {})
        for side, types in zip((scope.before, scope.after), self.sides, strict=True):
            domains = {f"{d.schema}.{d.name}": domain_base(d) for d in side.types if d.kind == "domain"}
            for column in side.columns:
                type_ = domains.get(column.type, column.type)
                types.setdefault(f"{column.schema}.{column.table}", {})[column.name] = type_

    def columns(self, part: Constraint | Index, side: int) -> dict[str, str]:
        """Names and types of the columns of the part's table on that side."""
        return self.sides[side].get(f"{part.schema}.{part.table}", {})

    def plain(self, part: Constraint | Index, side: int) -> str:
        """What the part does, in one spelling, without its name."""
        if isinstance(part, Constraint):
            return plain(part.definition, self.columns(part, side))
        text = plain(_HEAD.sub(r"CREATE \1INDEX ON ", part.definition), self.columns(part, side))
        return text if part.valid else f"{text} (INVALID)"


def constraints_and_indexes(scope: Scope) -> Iterator[Drift]:
    """Differing constraints and indexes of the tables that both sides have."""
    types = Types(scope)
    constraints = _by_table(scope, scope.before.constraints, scope.after.constraints)
    indexes = _by_table(scope, _free(scope.before), _free(scope.after))
    for table in sorted(constraints.keys() | indexes.keys()):
        keys = constraints.get(table, _Sides([], []))
        others = indexes.get(table, _Sides([], []))
        yield from _same_constraints(keys, types)
        yield from _same_indexes(others, types)
        yield from merged((keys.before, keys.after), (others.before, others.after))
        yield from _changed_constraints(keys)
        yield from _changed_indexes(others)
        yield from _crossed(keys, others)
        yield from _alone(keys, others, scope, types)


def _free(snapshot: Snapshot) -> Iterable[Index]:
    return (index for index in snapshot.indexes if index.constraint is None and not index.on_view)


def _by_table(scope: Scope, before: Iterable[P], after: Iterable[P]) -> dict[str, _Sides[P]]:
    sides: dict[str, _Sides[P]] = {}
    for part in before:
        sides.setdefault(f"{part.schema}.{part.table}", _Sides([], [])).before.append(part)
    for part in after:
        sides.setdefault(f"{part.schema}.{part.table}", _Sides([], [])).after.append(part)
    return {table: parts for table, parts in sides.items() if scope.both(table)}


def _same_constraints(sides: _Sides[Constraint], types: Types) -> Iterator[Drift]:
    for before, after in (
        *sides.matched(lambda part, _: (part.name, part.definition)),
        *sides.matched(lambda part, side: (part.name, types.plain(part, side))),
    ):
        yield from _comment(before, after)
    for before, after in sides.matched(types.plain):
        yield found("name-only", before, after, (before.name, after.name))
        yield from _comment(before, after)


def _changed_constraints(sides: _Sides[Constraint]) -> Iterator[Drift]:
    for before, after in (
        *sides.matched(lambda part, _: (part.kind, part.name)),
        *sides.matched(_alike),
    ):
        kind = _KINDS[after.kind]
        yield found(kind, before, after, (constraint_text(before), constraint_text(after)))
        yield from _comment(before, after)


def _alike(part: Constraint, _: int) -> Hashable | None:
    """Two constraints of these are one that changed, whatever they are called."""
    if part.kind == "primary key":
        return part.kind
    if part.kind == "unique":
        return part.kind, frozenset(part.columns)
    return (part.kind, part.columns) if part.kind == "foreign key" else None


def _same_indexes(sides: _Sides[Index], types: Types) -> Iterator[Drift]:
    for before, after in (
        *sides.matched(lambda part, _: (part.name, part.definition, part.valid)),
        *sides.matched(lambda part, side: (part.name, types.plain(part, side))),
    ):
        yield from _comment(before, after)
    for before, after in sides.matched(types.plain):
        yield found("name-only", before, after, (before.name, after.name))
        yield from _comment(before, after)


def _changed_indexes(sides: _Sides[Index]) -> Iterator[Drift]:
    for before, after in sides.matched(lambda part, _: part.name):
        yield found("index", before, after, (index_text(before), index_text(after)))
        yield from _comment(before, after)


def _comment(before: Constraint | Index, after: Constraint | Index) -> Iterator[Drift]:
    if before.comment != after.comment:
        yield found("comment", before, after, (before.comment, after.comment))


def _crossed(keys: _Sides[Constraint], others: _Sides[Index]) -> Iterator[Drift]:
    """A unique constraint on one side, on the other a unique index with its columns in another order."""
    for constraints, indexes, turned in (
        (keys.before, others.after, False),
        (keys.after, others.before, True),
    ):
        for constraint in [part for part in constraints if part.kind == "unique"]:
            index = next((i for i in indexes if _equivalent(constraint, i)), None)
            if index is None:
                continue
            constraints.remove(constraint)
            indexes.remove(index)
            if turned:
                sides = (index_text(index), constraint_text(constraint))
                yield found("unique", index, constraint, sides)
            else:
                sides = (constraint_text(constraint), index_text(index))
                yield found("unique", constraint, index, sides)


def _equivalent(constraint: Constraint, index: Index) -> bool:
    return index.unique and not index.partial and frozenset(index.columns) == frozenset(constraint.columns)


def _alone(keys: _Sides[Constraint], others: _Sides[Index], scope: Scope, types: Types) -> Iterator[Drift]:
    """What one side lacks, unless it went with a column or a table, which is told elsewhere."""
    mine: list[Constraint | Index] = [*keys.before, *others.before]
    theirs: list[Constraint | Index] = [*keys.after, *others.after]
    for side, parts in enumerate((mine, theirs)):
        for part in parts:
            other = types.columns(part, 1 - side)
            if follows(part, frozenset(types.columns(part, side)) - frozenset(other)):
                continue
            if isinstance(part, Constraint):
                if part.references and not scope.both(part.references):
                    continue
                kind, text = _KINDS[part.kind], constraint_text(part)
            else:
                kind, text = "index", index_text(part)
            if side == 0:
                yield found(kind, part, None, (text, None))
            else:
                yield found(kind, None, part, (None, text))


def follows(part: Constraint | Index, columns: frozenset[str]) -> bool:
    """Whether the part stands on one of these columns, and so comes and goes with it."""
    if not columns:
        return False
    if any(column in columns for column in part.columns):
        return True
    if isinstance(part, Constraint) and part.kind not in ("exclusion", "check"):
        return False
    try:
        words = {token.text.strip('"') for token in tokens(part.definition) if token.kind in ("word", "name")}
    except Unparsed:
        return False
    return not columns.isdisjoint(words)
