"""What of the two databases is compared: not what the project filters out, not mere partitions or views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from migration_gate.facts.catalog import (
    AttachedObject,
    Column,
    Constraint,
    Grant,
    Index,
    Sequence,
    Snapshot,
    Table,
)
from migration_gate.facts.history import Models, UncreatedObject


@dataclass(frozen=True, slots=True)
class Scope:
    """Both sides, with the tables that both have."""

    before: Snapshot
    after: Snapshot
    shared: frozenset[str]
    """`schema.name` of tables on both sides"""
    of_views: tuple[Column, ...] = ()
    """columns of models that stand for a replayed view: no table is missing there"""

    def both(self, table: str) -> bool:
        """Whether both sides have the table (`schema.name`)."""
        return table in self.shared


def names(snapshot: Snapshot) -> frozenset[str]:
    """`schema.name` of every table."""
    return frozenset(f"{table.schema}.{table.name}" for table in snapshot.tables)


def scope(replayed: Snapshot, models: Models) -> Scope:
    """The comparable part of the replayed database and of the one that the models made."""
    made = models.snapshot or Snapshot()
    known = names(made)
    left_out = {
        f"{table.schema}.{table.name}"
        for table in replayed.tables
        if table.partition_bound is not None and f"{table.schema}.{table.name}" not in known
    }
    refused = [item for item in models.uncreated_objects if item.kind != "table"]
    uncreated = {item.table or item.object for item in models.uncreated_objects if item.kind == "table"}
    uncreated |= {f"public.{name}" for name in uncreated if "." not in name}
    filtered = frozenset((f.kind, f.schema or "public", f.table, f.name) for f in models.filtered_objects)
    views = {f"{view.schema}.{view.name}" for view in replayed.views} & known
    asked = _keeper(left_out | uncreated, filtered, refused)
    of_views = tuple(c for c in made.columns if f"{c.schema}.{c.table}" in views and asked(c))
    keep = _keeper(left_out | uncreated | views, filtered, refused)
    before, after = (_trim(side, keep) for side in (replayed, made))
    return Scope(before, after, names(before) & names(after), of_views)


def _keeper(
    tables: set[str], filtered: frozenset[tuple[str, str, str | None, str]], refused: list[UncreatedObject]
) -> Callable[[object], bool]:
    schemas = {name for kind, _, _, name in filtered if kind == "schema"}

    def gone(schema: str, table: str) -> bool:
        said = {("table", schema, None, table), ("table", schema, table, table)}
        return f"{schema}.{table}" in tables or schema in schemas or not said.isdisjoint(filtered)

    def keep(noun: object) -> bool:  # noqa: PLR0911 - one for each kind of object
        match noun:
            case Table():
                return not gone(noun.schema, noun.name)
            case Column() | Index() | Constraint() | AttachedObject():
                if gone(noun.schema, noun.table) or any(_is_part(noun, part) for part in refused):
                    return False
                kinds = _filter_kinds(noun)
                return not any((kind, noun.schema, noun.table, noun.name) in filtered for kind in kinds)
            case Sequence(owner=str(owner)):
                return not gone(*owner.split(".", 2)[:2])
            case Sequence():
                return f"{noun.schema}.{noun.name}" not in tables and noun.schema not in schemas
            case Grant(kind="table" | "column"):
                parts = noun.name.split(".")
                return len(parts) < 2 or not gone(parts[0], parts[1])
            case _:
                return True

    return keep


def _is_part(noun: Column | Index | Constraint | AttachedObject, part: UncreatedObject) -> bool:
    """Whether this is the database's side of a key or an index that Postgres refused the models."""
    if part.table != f"{noun.schema}.{noun.table}" or not isinstance(noun, Index | Constraint):
        return False
    kind = noun.kind if isinstance(noun, Constraint) else "unique" if noun.unique else "index"
    if part.name is not None and part.name == noun.name:
        return True
    alike = kind == part.kind or (isinstance(noun, Index) and part.kind == "index")
    return alike and bool(part.columns) and part.columns == tuple(noun.columns)


def _filter_kinds(noun: Column | Index | Constraint | AttachedObject) -> tuple[str, ...]:
    """What Alembic calls such an object; a unique constraint may also be met as its index."""
    match noun:
        case Constraint(kind="unique"):
            return ("unique_constraint", "index")
        case Constraint():
            return (f"{noun.kind.replace(' ', '_')}_constraint",)
        case Index():
            return ("index", "unique_constraint")
        case Column():
            return ("column",)
        case _:
            return ()


def _trim(snapshot: Snapshot, keep: Callable[[object], bool]) -> Snapshot:
    columns = tuple(filter(keep, snapshot.columns))
    dropped = {(c.schema, c.table, c.name) for c in snapshot.columns} - {
        (c.schema, c.table, c.name) for c in columns
    }

    def whole(noun: Constraint | Index) -> bool:
        return keep(noun) and not any((noun.schema, noun.table, column) in dropped for column in noun.columns)

    return replace(
        snapshot,
        tables=tuple(filter(keep, snapshot.tables)),
        columns=columns,
        constraints=tuple(filter(whole, snapshot.constraints)),
        indexes=tuple(filter(whole, snapshot.indexes)),
        sequences=tuple(filter(keep, snapshot.sequences)),
        triggers=tuple(filter(keep, snapshot.triggers)),
        policies=tuple(filter(keep, snapshot.policies)),
        rules=tuple(filter(keep, snapshot.rules)),
        grants=tuple(filter(keep, snapshot.grants)),
    )
