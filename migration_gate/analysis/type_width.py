"""Which types hold fewer values than others, so that a change to them may fail on the rows of production."""

from __future__ import annotations

import re

_RANKS = (
    ("smallint", "integer", "bigint", "numeric"),
    ("real", "double precision"),
    ("date", "timestamp without time zone"),
    ("date", "timestamp with time zone"),
)
"""each type holds all values of those before it"""
_TEXT_TYPES = ("text", "character varying", "character")
_LENGTH = re.compile(r"\((\d+)(?:,(-?\d+))?\)")


def is_narrowing(current: str, target: str) -> bool:
    """Whether values of the current type, as Postgres prints it, may not fit into the target type.

    Types of different families, such as text and numbers, count as narrower in the direction in which the
    conversion can fail: to anything but text.
    """
    current, target = _without_collation(current), _without_collation(target)
    current_base, target_base = _base_of(current), _base_of(target)
    if current_base in _TEXT_TYPES:
        return _holds_less_text(current, target) if target_base in _TEXT_TYPES else True
    if current_base == target_base:
        return _has_smaller_size(current, target)
    return any(
        current_base in ranks
        and target_base in ranks
        and ranks.index(target_base) < ranks.index(current_base)
        for ranks in _RANKS
    )


def is_same_family(current: str, target: str) -> bool:
    """Whether both are text, or both are numbers or moments of one kind: then one is just wider."""
    bases = {_base_of(_without_collation(name)) for name in (current, target)}
    return len(bases) == 1 or any(bases <= set(family) for family in (_TEXT_TYPES, *_RANKS))


def _without_collation(type_name: str) -> str:
    return type_name.partition(" COLLATE ")[0].removesuffix("[]")


def _base_of(type_name: str) -> str:
    return _LENGTH.sub("", type_name)


def _holds_less_text(current: str, target: str) -> bool:
    current_size, target_size = _sizes_of(current), _sizes_of(target)
    if target_size is None:
        return False
    return current_size is None or target_size[0] < current_size[0]


def _has_smaller_size(current: str, target: str) -> bool:
    """Whether fewer characters, digits before the point, or digits of a second fit."""
    current_size, target_size = _sizes_of(current), _sizes_of(target)
    if target_size is None:
        return False
    if current_size is None:
        return True
    before_point = target_size[0] - target_size[1] < current_size[0] - current_size[1]
    return before_point or target_size[1] < current_size[1]


def _sizes_of(type_name: str) -> tuple[int, int] | None:
    """The numbers in the parentheses; the second is 0 if it is missing."""
    match = _LENGTH.search(type_name)
    return (int(match[1]), int(match[2] or 0)) if match else None
