"""The database as it is and as it should be, while one revision leads from the one to the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from migration_gate.facts.catalog import Column, Constraint, Index, Sequence, Snapshot, Table


@dataclass(frozen=True, slots=True)
class World:
    """Both databases; to undo a revision, take it the other way round."""

    have: Snapshot
    want: Snapshot
    undo: bool = False
    """this is the way back"""

    def turned(self) -> World:
        """The way back."""
        return World(self.want, self.have, not self.undo)

    @property
    def around(self) -> Snapshot:
        """All else while an enum changes, which comes first in a revision and last on the way back."""
        return self.want if self.undo else self.have


def shared(world: World) -> frozenset[tuple[str, str]]:
    """Schema and name of the tables on both sides."""
    return frozenset((t.schema, t.name) for t in world.have.tables) & frozenset(
        (t.schema, t.name) for t in world.want.tables
    )


def sequence_of(snapshot: Snapshot, column: Column) -> Sequence | None:
    """The sequence that belongs to a column."""
    owner = f"{column.schema}.{column.table}.{column.name}"
    return next((s for s in snapshot.sequences if s.owner == owner), None)


def views_on(world: World, column: Column) -> list[str]:
    """A comment that names the views that stand in the way of another type, or of dropping the column."""
    words = [rf'(?<!\w)"?{re.escape(name)}"?(?!\w)' for name in (column.table, column.name)]
    views = [
        str(view) for view in world.around.views if all(re.search(word, view.definition) for word in words)
    ]
    if not views:
        return []
    what = f"{', '.join(views)} may stand on {column.table}.{column.name}"
    them = "it" if len(views) == 1 else "them"
    return [f"# {what}: drop {them} first, and create {them} again after."]


def is_serial(snapshot: Snapshot, column: Column) -> bool:
    """Whether the column takes its default from a sequence of its own."""
    return (
        column.identity is None
        and (column.default or "").startswith("nextval(")
        and sequence_of(snapshot, column) is not None
    )


def arriving(world: World, part: Column | Constraint | Index) -> frozenset[str]:
    """The columns that its table gets."""
    have, want = (
        {c.name for c in side.columns if (c.schema, c.table) == (part.schema, part.table)}
        for side in (world.have, world.want)
    )
    return frozenset(want - have)


def table_of(snapshot: Snapshot, part: Column | Constraint | Index) -> Table | None:
    """The table that a part belongs to."""
    return snapshot.find_table(part.schema, part.table)


def column_of(snapshot: Snapshot, schema: str, table: str, name: str) -> Column | None:
    """The column of that name."""
    wanted = (schema, table, name)
    return next((c for c in snapshot.columns if (c.schema, c.table, c.name) == wanted), None)
