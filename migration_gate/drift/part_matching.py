"""Finds the partners among the constraints or indexes of one table on both sides."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from migration_gate.drift.likeness import pair_most_alike
from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.facts import Constraint, Index
from migration_gate.lazy_dataclass import dataclass

PartT = TypeVar("PartT", bound=Constraint | Index)
Key: TypeAlias = Callable[[PartT], Hashable | None]
"""what two partners have in common; None for a part that has no partner by this key"""


class PartPair(NamedTuple, Generic[PartT]):
    """Two constraints or two indexes that belong together."""

    database: PartT
    models: PartT


@dataclass(frozen=True, slots=True)
class UnmatchedParts(Generic[PartT]):
    """The constraints or the indexes of one table that have no partner yet."""

    database: tuple[PartT, ...] = ()
    models: tuple[PartT, ...] = ()

    def without(self, matched: Iterable[ConstraintOrIndex]) -> UnmatchedParts[PartT]:
        """What is left when these are taken out of both sides."""
        taken = frozenset(matched)
        return UnmatchedParts(_without_parts(self.database, taken), _without_parts(self.models, taken))


@dataclass(frozen=True, slots=True)
class Matches(Generic[PartT]):
    """The pairs that were found, and what has no partner yet."""

    pairs: tuple[PartPair[PartT], ...]
    unmatched: UnmatchedParts[PartT]


def match_parts(
    parts: UnmatchedParts[PartT], database_key: Key[PartT], models_key: Key[PartT]
) -> Matches[PartT]:
    """Pairs the parts of equal key, each part once, in the order of the database's side."""
    if not parts.database or not parts.models:
        return Matches((), parts)
    candidates: dict[Hashable, list[PartT]] = {}
    for part in parts.models:
        candidates.setdefault(models_key(part), []).append(part)
    pairs: list[PartPair[PartT]] = []
    for part in parts.database:
        key = database_key(part)
        if key is not None and candidates.get(key):
            pairs.append(PartPair(part, candidates[key].pop(0)))
    unmatched = UnmatchedParts(
        _without_parts(parts.database, (pair.database for pair in pairs)),
        _without_parts(parts.models, (pair.models for pair in pairs)),
    )
    return Matches(tuple(pairs), unmatched)


def match_alike(parts: UnmatchedParts[PartT], measure: Callable[[PartT, PartT], float]) -> Matches[PartT]:
    """Pairs the parts of which each is the other's best, and by far; `measure` is 0 for what is no pair."""
    pairs = tuple(PartPair(*pair) for pair in pair_most_alike(parts.database, parts.models, measure))
    unmatched = UnmatchedParts(
        _without_parts(parts.database, (pair.database for pair in pairs)),
        _without_parts(parts.models, (pair.models for pair in pairs)),
    )
    return Matches(pairs, unmatched)


def match_in_turn(
    parts: UnmatchedParts[PartT],
    *steps: Callable[[UnmatchedParts[PartT]], Matches[PartT]],
) -> Matches[PartT]:
    """The pairs of all steps; each looks at what those before it left."""
    pairs: tuple[PartPair[PartT], ...] = ()
    for step in steps:
        matches = step(parts)
        pairs += matches.pairs
        parts = matches.unmatched
    return Matches(pairs, parts)


def _without_parts(parts: tuple[PartT, ...], removed: Iterable[ConstraintOrIndex]) -> tuple[PartT, ...]:
    taken = frozenset(removed)
    return tuple(part for part in parts if part not in taken)


def match_by_keys(parts: UnmatchedParts[PartT], *keys: Key[PartT]) -> Matches[PartT]:
    """Pairs the parts by the first key that finds a partner; a key reads both sides alike."""
    pairs: tuple[PartPair[PartT], ...] = ()
    for key in keys:
        matches = match_parts(parts, key, key)
        pairs += matches.pairs
        parts = matches.unmatched
    return Matches(pairs, parts)
