"""The facts that checks judge: few, frozen, plain nouns.

They hold `str`, `int`, `bool`, `None`, tuples and each other, and go to JSON and back unaided
(`pydantic.TypeAdapter(Facts)`). Nothing in here touches disk, clock, network or database.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from migration_gate.facts.catalog import (
    AttachedObject,
    Column,
    Constraint,
    EnumType,
    Extension,
    Grant,
    Index,
    NamedType,
    OtherObject,
    Routine,
    Schema,
    Sequence,
    Snapshot,
    Table,
    View,
    display_name,
)
from migration_gate.facts.history import (
    ColumnState,
    Connection,
    DdlCommand,
    Difference,
    Failure,
    FilteredObject,
    History,
    Location,
    Models,
    Replay,
    Revision,
    RevisionFile,
    Statement,
    Step,
    UncreatedObject,
)
from migration_gate.facts.tree import Owners, SchemaChange, SqlFile, Tree


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a check may look at, for one project."""

    project: str = ""
    """its name in a report: the `projects:` key, or the folder"""
    replay: Replay = field(default_factory=Replay)
    tree: Tree = field(default_factory=Tree)
    owners: Owners = field(default_factory=Owners)


__all__ = [
    "AttachedObject",
    "Column",
    "ColumnState",
    "Connection",
    "Constraint",
    "DdlCommand",
    "Difference",
    "EnumType",
    "Extension",
    "Facts",
    "Failure",
    "FilteredObject",
    "Grant",
    "History",
    "Index",
    "Location",
    "Models",
    "NamedType",
    "OtherObject",
    "Owners",
    "Replay",
    "Revision",
    "RevisionFile",
    "Routine",
    "Schema",
    "SchemaChange",
    "Sequence",
    "Snapshot",
    "SqlFile",
    "Statement",
    "Step",
    "Table",
    "Tree",
    "UncreatedObject",
    "View",
    "display_name",
]
