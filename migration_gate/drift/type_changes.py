"""What a change of a column's type does to its values and to its default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from migration_gate.drift.type_names import NUMBER_TYPES, is_text_type, type_without_length
from migration_gate.facts import Difference, TypeCast
from migration_gate.lazy_dataclass import dataclass

_SAME_CONTENT = (
    {"json", "jsonb"},
    {"inet", "cidr"},
    {"money", "numeric"},
    {"timestamp with time zone", "timestamp without time zone"},
)
"""types that hold the same values, although the cast is no implicit one"""
_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}
"""of the largest whole number of the type"""
_UNLIMITED = 1000
"""digits before the point of the other number types: more than any `numeric` is declared with"""


def mark_losses(differences: Iterable[Difference], casts: Iterable[TypeCast]) -> tuple[Difference, ...]:
    """The differences; each of a type says whether the database's values may not be those of the models."""
    implicit = {(cast.source, cast.target) for cast in casts if cast.is_implicit}
    return tuple(
        replace(item, loses_values=_loses_values(item, implicit)) if item.kind == "type" else item
        for item in differences
    )


@dataclass(frozen=True, slots=True)
class _TypeChange:
    """Two types as Postgres prints them, without their collations."""

    source: str
    target: str

    @property
    def source_type(self) -> str:
        """The type of the values, or of the elements of an array, without its length."""
        return type_without_length(self.source).removesuffix("[]")

    @property
    def target_type(self) -> str:
        """The same of the target."""
        return type_without_length(self.target).removesuffix("[]")

    @property
    def is_of_length_only(self) -> bool:
        """Whether only the length differs, which `type_width` knows."""
        is_same_depth = self.source.endswith("[]") == self.target.endswith("[]")
        return self.source_type == self.target_type and is_same_depth

    @property
    def may_refuse_text(self) -> bool:
        """Whether the target is an array, as which text is seldom written, or text of a certain length."""
        if self.target.endswith("[]") and not self.source.endswith("[]"):
            return True
        has_length = self.target != type_without_length(self.target)
        return self.target_type == "character" or (is_text_type(self.target_type) and has_length)

    @property
    def keeps_content(self) -> bool:
        """Whether the target can hold every value of the source, although the cast is no implicit one."""
        if is_text_type(self.target_type) or {self.source_type, self.target_type} in _SAME_CONTENT:
            return True
        return self.source_type == "boolean" and self.target_type in NUMBER_TYPES

    @property
    def limits_digits(self) -> bool:
        """Whether numbers become a `numeric` of a certain precision."""
        is_limited = self.target_type == "numeric" and self.target != "numeric"
        return is_limited and self.source_type in NUMBER_TYPES

    @property
    def has_fewer_digits(self) -> bool:
        """Whether `numeric(9,2)` holds fewer digits before the point than the whole number may have."""
        precision, _, scale = self.target.partition("(")[2].partition(")")[0].partition(",")
        return int(precision) - int(scale or 0) < _DIGITS.get(self.source_type, _UNLIMITED)


def _loses_values(difference: Difference, implicit: Set[tuple[str, str]]) -> bool:
    """Whether a value of the database may be refused, or become another one."""
    change = _TypeChange(_without_collation(difference.database), _without_collation(difference.models))
    if change.is_of_length_only:
        return False
    if change.may_refuse_text:
        return True
    if change.keeps_content:
        return False
    if change.limits_digits:
        return change.has_fewer_digits
    return (change.source_type, change.target_type) not in implicit


def _without_collation(type_text: str | None) -> str:
    return (type_text or "").partition(" COLLATE ")[0]


def join_defaults(
    differences: Iterable[Difference], followers: Iterable[Difference]
) -> tuple[Difference, ...]:
    """The differences without the defaults that change with their column's type, which then names both.

    `followers` have no lines of their own.
    """
    differences = tuple(differences)
    defaults = {item.object: item for item in followers if item.kind == "default"}
    joined = {item.object for item in differences if _changes_values(item)} & defaults.keys()
    remaining = (item for item in differences if item.kind != "default" or item.object not in joined)
    return tuple(_add_default(item, defaults) if item.object in joined else item for item in remaining)


def _changes_values(difference: Difference) -> bool:
    """Whether it is one of a type, which a revision has to change."""
    return difference.kind == "type" and not difference.harmless_because


def _add_default(difference: Difference, defaults: Mapping[str, Difference]) -> Difference:
    """A difference of the type with the default in its text; every other one as it is."""
    if not _changes_values(difference):
        return difference
    default = defaults[difference.object]
    return replace(
        difference,
        database=_type_with_default(difference.database, default.database),
        models=_type_with_default(difference.models, default.models),
        includes_default=True,
    )


def _type_with_default(type_text: str | None, default: str | None) -> str | None:
    return type_text if default is None else f"{type_text} DEFAULT {default}"
