"""What a change of a column's type does to its values and to its default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from migration_gate.drift.type_names import NUMBER_TYPES, is_text_type, type_without_length
from migration_gate.facts import Difference, TypeCast

_SAME_CONTENT = (
    {"json", "jsonb"},
    {"inet", "cidr"},
    {"money", "numeric"},
    {"timestamp with time zone", "timestamp without time zone"},
)
"""types that hold the same values, although the cast is no implicit one"""
_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}


def mark_losses(differences: Iterable[Difference], casts: Iterable[TypeCast]) -> tuple[Difference, ...]:
    """The differences; each of a type says whether the database's values may not be those of the models."""
    implicit = {(cast.source, cast.target) for cast in casts if cast.is_implicit}
    return tuple(
        replace(item, loses_values=_loses_values(item, implicit)) if item.kind == "type" else item
        for item in differences
    )


def _loses_values(difference: Difference, implicit: set[tuple[str, str]]) -> bool:
    source, target = (
        (text or "").partition(" COLLATE ")[0] for text in (difference.database, difference.models)
    )
    source_type, target_type = (type_without_length(name).removesuffix("[]") for name in (source, target))
    if source_type == target_type and source.endswith("[]") == target.endswith("[]"):
        return False  # only the length differs, which `type_width` knows
    becomes_array = target.endswith("[]") and not source.endswith("[]")  # text is seldom written as one
    becomes_short = is_text_type(target_type) and target != type_without_length(target)
    if becomes_array or becomes_short or target_type == "character":
        return True
    if source_type == "boolean" and target_type in NUMBER_TYPES:
        return False
    if is_text_type(target_type) or {source_type, target_type} in _SAME_CONTENT:
        return False
    if target_type == "numeric" and source_type in NUMBER_TYPES and target != "numeric":
        return _has_fewer_digits(source_type, target)
    return (source_type, target_type) not in implicit


def _has_fewer_digits(source_type: str, target: str) -> bool:
    """Whether `numeric(9,2)` holds fewer digits before the point than the whole number may have."""
    precision, _, scale = target.partition("(")[2].partition(")")[0].partition(",")
    return int(precision) - int(scale or 0) < _DIGITS.get(source_type, 1000)


def join_defaults(
    differences: Iterable[Difference], followers: Iterable[Difference]
) -> tuple[Difference, ...]:
    """The differences without the defaults that change with their column's type, which then names both.

    `followers` have no lines of their own.
    """
    differences = tuple(differences)
    defaults = {item.object: item for item in followers if item.kind == "default"}
    types = {item.object for item in differences if item.kind == "type" and not item.harmless_because}
    return tuple(
        _add_default(item, defaults[item.object]) if item.kind == "type" and item.object in defaults else item
        for item in differences
        if not (item.kind == "default" and item.object in types & defaults.keys())
    )


def _add_default(difference: Difference, default: Difference) -> Difference:
    if difference.harmless_because:
        return difference
    database, models = (
        f"{type_name} DEFAULT {value}" if value is not None else type_name
        for type_name, value in ((difference.database, default.database), (difference.models, default.models))
    )
    return replace(difference, database=database, models=models, includes_default=True)
