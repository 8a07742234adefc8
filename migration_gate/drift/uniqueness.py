"""Unique constraints and unique indexes: what each of them guarantees, and which of them stand for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TypeAlias

from migration_gate.drift.difference import Drift, found
from migration_gate.drift.expression import Unparsed, tokens
from migration_gate.facts.catalog import Constraint, Index
from migration_gate.facts.history import DifferenceKind

Part: TypeAlias = Constraint | Index
Guarantee: TypeAlias = tuple[frozenset[str], bool]
"""the columns whose values occur once together, and whether NULLs count as equal"""

_NULLS = " NULLS NOT DISTINCT"


def guarantee(part: Part) -> Guarantee | None:
    """What it guarantees from each statement on, by its columns alone; None where that is nothing."""
    if isinstance(part, Constraint):
        unique = part.kind in ("primary key", "unique") and not part.deferrable
    else:
        unique = part.unique and part.valid and not part.partial
    if not unique or not is_simple(part):
        return None
    return frozenset(column for column in part.columns if column), _NULLS in part.definition


def is_simple(part: Part) -> bool:
    """Whether it is a key or a b-tree of plain columns, without orders, operator classes and INCLUDE."""
    text = part.definition.replace(_NULLS, "")
    if isinstance(part, Index):
        text = "(" + text.partition(" USING btree (")[2]
    try:
        words = [token.text.strip('"').replace('""', '"') for token in tokens(text[text.find("(") :])]
    except Unparsed:
        return False
    expected = [word for column in part.columns for word in (",", column)]
    return words == ["(", *expected[1:], ")"]


def merged(
    constraints: tuple[list[Constraint], list[Constraint]], indexes: tuple[list[Index], list[Index]]
) -> Iterator[Drift]:
    """One difference for all that makes the same columns unique in other ways; takes it out of the lists."""
    sides: tuple[dict[tuple[str | None, ...], list[Part]], ...] = ({}, {})
    for side, keys, others in zip(sides, constraints, indexes, strict=True):
        candidates: list[Part] = [key for key in keys if key.kind == "unique"]
        candidates += [i for i in others if _is_member(i)]
        for part in candidates:
            side.setdefault(part.columns, []).append(part)
    for columns in sides[0].keys() & sides[1].keys():
        mine, theirs = sides[0][columns], sides[1][columns]
        keyed = [isinstance(part, Constraint) for part in (*mine, *theirs)]
        unique = [isinstance(part, Constraint) or part.unique for part in (*mine, *theirs)]
        if all(keyed) or not any(unique):
            continue
        for parts, keys, others in zip((mine, theirs), constraints, indexes, strict=True):
            keys[:] = [key for key in keys if key not in parts]
            others[:] = [index for index in others if index not in parts]
        yield _one("unique" if any(keyed) else "index", mine, theirs)


def _is_member(index: Index) -> bool:
    if index.partial or not index.valid or None in index.columns:
        return False
    return index.unique or is_simple(index)


def _one(kind: DifferenceKind, mine: Sequence[Part], theirs: Sequence[Part]) -> Drift:
    """The difference of both lists: what has one name goes together, then in the order given."""
    there = {part.name: part for part in theirs}
    named = {part.name for part in mine} & there.keys()
    first = [(part, there[part.name]) for part in mine if part.name in named]
    left = [part for part in mine if part.name not in named]
    right = [part for part in theirs if part.name not in named]
    pairs: list[tuple[Part | None, Part | None]] = [*first, *zip_longest(left, right)]
    (before, after), *beside = pairs
    sides = tuple("; ".join(part.definition for part in side) for side in (mine, theirs))
    return found(kind, before, after, (sides[0], sides[1]), beside=tuple(beside))
