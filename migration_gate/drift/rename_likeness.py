"""Whether two columns are so alike that one is likely the other under a new name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference_text import type_text
from migration_gate.drift.likeness import ALIKE, measure_name_likeness
from migration_gate.drift.type_names import NUMBER_TYPES, list_spellings, type_without_length
from migration_gate.facts import Column, Constraint
from migration_gate.lazy_dataclass import dataclass

SAME_TYPE, SAME_FAMILY, RELATED_TYPE = 1.0, 0.6, 0.3
_MUCH_ALIKE = 0.85
"""names of columns whose types are only related"""
_SOMEWHAT_ALIKE = 0.5
_FAMILIES = {
    **dict.fromkeys((*NUMBER_TYPES, "money"), "number"),
    **dict.fromkeys(("text", "character varying", "character", "citext", "name"), "text"),
    **dict.fromkeys(
        ("date", "timestamp without time zone", "timestamp with time zone"),
        "moment",
    ),
    **dict.fromkeys(("json", "jsonb"), "json"),
    **dict.fromkeys(("inet", "cidr"), "address"),
    **dict.fromkeys(("bit", "bit varying"), "bits"),
}
"""by type: the kind of its values"""
_RELATED = ({"smallint", "boolean"}, {"integer", "boolean"}, {"character varying", "uuid"}, {"text", "uuid"})
"""types of two families between which projects change"""


@dataclass(frozen=True, slots=True)
class ColumnLikeness:
    """Compares columns of one table."""

    enums: frozenset[str]
    """as columns name them"""
    references: Mapping[str, tuple[str, str]]
    """by `schema.table.column`: the table and column that its foreign key leads to"""

    @classmethod
    def for_scope(cls, scope: ComparisonScope) -> ColumnLikeness:
        """With what it needs of both databases."""
        enums = (enum for side in scope.sides for enum in side.enums)
        return cls(
            frozenset(name for enum in enums for name in list_spellings(enum.schema, enum.name)),
            _map_references(constraint for side in scope.sides for constraint in side.constraints),
        )

    def measure(self, database: Column, models: Column) -> float:
        """More than 0 if one is likely the other; the more, the more speaks for it."""
        type_likeness = self.measure_types(database, models)
        if not type_likeness:
            return 0.0
        name = measure_name_likeness(database.name, models.name)
        signs = self._count_signs(database, models)
        if not _is_likely(name, type_likeness, signs):
            return 0.0
        # The name counts most: many columns of a table share a type, few have nearly the same name.
        return 4 * name + 2 * type_likeness + signs + 0.25 * (database.nullable == models.nullable)

    def measure_types(self, database: Column, models: Column) -> float:
        """How near the types are to each other; 0 if no value of one becomes one of the other."""
        if (database.generated is None) != (models.generated is None):
            return 0.0
        if type_text(database) == type_text(models):
            return SAME_TYPE
        types = {type_without_length(column.type) for column in (database, models)}
        if len({self._family_of(name) for name in types}) == 1:
            return SAME_FAMILY
        return RELATED_TYPE if types in _RELATED else 0.0

    def _family_of(self, type_name: str) -> str:
        array = "[]" if type_name.endswith("[]") else ""
        element = type_name.removesuffix("[]")
        return ("text" if element in self.enums else _FAMILIES.get(element, element)) + array

    def _count_signs(self, database: Column, models: Column) -> float:
        """What else speaks for it: place, default, comment, and what its foreign key leads to."""
        keys = [self.references.get(column.full_name) for column in (database, models)]
        signs = (
            database.position == models.position != 0,
            None is not database.default == models.default,
            None is not database.comment == models.comment,
            None is not keys[0] == keys[1],
        )
        return float(sum(signs))


def _map_references(constraints: Iterable[Constraint]) -> dict[str, tuple[str, str]]:
    return {
        f"{key.full_table_name}.{key.columns[0]}": (key.references, key.referenced_columns[0])
        for key in constraints
        if key.references is not None and len(key.columns) == len(key.referenced_columns) == 1
    }


def _is_likely(name: float, type_likeness: float, signs: float) -> bool:
    """Whether enough speaks for it: the less the types agree, the more the names must."""
    if type_likeness == RELATED_TYPE:
        return name >= _MUCH_ALIKE
    if name >= ALIKE:
        return True
    return type_likeness == SAME_TYPE and signs >= (1 if name >= _SOMEWHAT_ALIKE else 2)
