"""The order in which one revision can fix all differences; its downgrade restores them in reverse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference
from migration_gate.facts import Constraint, Difference, DifferenceKind
from migration_gate.lazy_dataclass import dataclass

KIND_ORDER: tuple[DifferenceKind, ...] = (
    "enum",
    "type definition",
    "sequence",
    "table",
    "column",
    "type",
    "nullability",
    "default",
    "primary key",
    "unique",
    "check",
    "exclusion",
    "foreign key",
    "index",
    "table option",
    "comment",
    "name-only",
    "declared",
    "unmanaged",
)
_PART_KINDS = frozenset({"primary key", "unique", "check", "exclusion", "foreign key", "index"})


@dataclass(frozen=True, slots=True)
class FixOrder:
    """Sorts differences by kind, then tables by their foreign keys, then by the object's name."""

    database_depths: Mapping[str, int]
    models_depths: Mapping[str, int]
    """for each table (`schema.name`), how many foreign keys lead down from it"""

    @classmethod
    def for_scope(cls, scope: ComparisonScope) -> FixOrder:
        """The order of the differences of this comparison."""
        return cls(
            measure_reference_depths(scope.database.constraints),
            measure_reference_depths(scope.models.constraints),
        )

    def sort_key(self, item: CatalogDifference) -> tuple[int, int, str]:
        """The position of the difference: group, place in its group, name of the object."""
        group, place_in_group = self._group_and_place(item.difference)
        return group, place_in_group, item.difference.object

    def _group_and_place(self, difference: Difference) -> tuple[int, int]:
        group = KIND_ORDER.index(difference.kind)
        is_dropped = difference.models is None
        if difference.kind == "table":
            return group, self._table_place(difference)
        if _has_parents(difference):
            # Before the tables: a parent cannot be dropped while it has children.
            return KIND_ORDER.index("table") - 1, 0
        return _place_of_dropped(difference, group) if is_dropped else (group, 0)

    def _table_place(self, difference: Difference) -> int:
        """Tables to drop go first, because new ones may take their names; referencing before referenced."""
        table = difference.table or ""
        if difference.models is None:
            return -1 - self.database_depths.get(table, 0)
        return self.models_depths.get(table, 0)


def _place_of_dropped(difference: Difference, group: int) -> tuple[int, int]:
    """The group and the place in it of what the models lack."""
    if difference.kind in _PART_KINDS:
        # Before the types that they do not allow (a CHECK compares with a number) and the parts that take
        # their names, and foreign keys before the keys that they reference.
        return KIND_ORDER.index("type"), -2 if difference.kind == "foreign key" else -1
    if difference.kind in ("enum", "type definition"):
        # After whatever uses it now.
        return KIND_ORDER.index("unmanaged"), -1
    return group, -1 if difference.kind == "column" else 0


def _has_parents(difference: Difference) -> bool:
    """Whether the database's table inherits from others, and the difference is about that."""
    parents = difference.database or ""
    return difference.kind == "table option" and parents.startswith("INHERITS (") and parents != "INHERITS ()"


def measure_reference_depths(constraints: Iterable[Constraint]) -> dict[str, int]:
    """How many foreign keys lead from a table down to one that has none; a circle counts once around."""
    references: dict[str, set[str]] = {}
    for constraint in constraints:
        table = constraint.full_table_name
        if constraint.references and constraint.references != table:
            references.setdefault(table, set()).add(constraint.references)
    depths: dict[str, int] = {}

    def measure(table: str, above: frozenset[str]) -> int:
        if table not in depths:
            below = references.get(table, set()) - above
            depths[table] = max((1 + measure(other, above | {table}) for other in below), default=0)
        return depths[table]

    for table in references:
        measure(table, frozenset())
    return depths
