"""The order in which one revision can mend all differences, and its reverse can undo them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from migration_gate.drift.difference import Drift
from migration_gate.facts.catalog import Constraint, Snapshot

KINDS = (
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
    "unmanaged",
)

_PARTS = frozenset({"primary key", "unique", "check", "exclusion", "foreign key", "index"})


def place(before: Snapshot, after: Snapshot) -> Callable[[Drift], tuple[int, int, str]]:
    """A key to sort by: kind, then tables by who references whom, then the object's name."""
    depths = (_depths(before.constraints), _depths(after.constraints))

    def key(one: Drift) -> tuple[int, int, str]:
        difference = one.difference
        kind = KINDS.index(difference.kind)
        depth = 0
        if difference.kind == "table":
            # Those to drop go first, for a new table may take their names: referencing ones first.
            gone = difference.models is None
            known = depths[0 if gone else 1].get(difference.table or "", 0)
            depth = -1 - known if gone else known
        elif (
            difference.kind == "table option"
            and (difference.database or "").startswith("INHERITS (")
            and difference.database != "INHERITS ()"
        ):
            kind = KINDS.index("table") - 1
        elif difference.kind in _PARTS and difference.models is None:
            # Out of the way of what takes their names; foreign keys before the keys they stand on.
            kind, depth = KINDS.index("primary key"), -2 if difference.kind == "foreign key" else -1
        elif difference.kind == "column" and difference.models is None:
            depth = -1
        return kind, depth, difference.object

    return key


def _depths(constraints: Iterable[Constraint]) -> dict[str, int]:
    """How many foreign keys lead from a table down to one that has none; a circle counts once around."""
    references: dict[str, set[str]] = {}
    for constraint in constraints:
        table = f"{constraint.schema}.{constraint.table}"
        if constraint.references and constraint.references != table:
            references.setdefault(table, set()).add(constraint.references)
    depths: dict[str, int] = {}

    def depth(table: str, above: frozenset[str]) -> int:
        if table not in depths:
            below = references.get(table, set()) - above
            depths[table] = max((1 + depth(other, above | {table}) for other in below), default=0)
        return depths[table]

    for table in references:
        depth(table, frozenset())
    return depths
