"""Which revision made the database's side of a difference."""

from __future__ import annotations

from migration_gate.analysis.trace import OriginTrace
from migration_gate.drift.difference import Drift
from migration_gate.facts.catalog import (
    Column,
    Constraint,
    EnumType,
    Index,
    NamedType,
    Routine,
    Sequence,
    Snapshot,
    Table,
    View,
)
from migration_gate.sql.identifiers import qualified_name


def revision(drift: Drift, replayed: Snapshot, trace: OriginTrace) -> str | None:
    """The revision's id, or None where no revision made it, or none can be told."""
    match drift.before:
        case Table() as table:
            return trace.of_table(table).revision
        case Column() as column:
            owner = replayed.find_table(column.schema, column.table)
            return trace.of_column(owner, column).revision if owner else None
        case Constraint() | Index() as part:
            owner = replayed.find_table(part.schema, part.table)
            return trace.of_constraint(owner, part.name).revision if owner else None
        case EnumType() | NamedType() | Sequence() | View() as named:
            return trace.of_named(qualified_name(named.schema, named.name)).revision
        case Routine() as routine:
            return trace.of_named(
                f"{qualified_name(routine.schema, routine.name)}({routine.signature})"
            ).revision
        case _:
            return None
