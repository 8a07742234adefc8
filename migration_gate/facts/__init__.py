"""The facts that checks judge: frozen dataclasses, named by nouns.

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
from migration_gate.facts.coverage import Coverage, LeftOut
from migration_gate.facts.history import (
    AlembicDifference,
    ColumnState,
    Connection,
    DdlCommand,
    DeclaredOperation,
    Difference,
    DifferenceKind,
    DriftRevision,
    Failure,
    FilteredObject,
    History,
    ImportedModule,
    Location,
    MigrationContext,
    MissingParent,
    ModelLocation,
    ModelObject,
    Models,
    ModelStatement,
    NamedDefinition,
    NullTrial,
    ObjectDescription,
    Origin,
    RenameFix,
    Replay,
    Revision,
    RevisionFile,
    SkippedCreation,
    SoftwareVersion,
    SourceCall,
    StageTime,
    Statement,
    Step,
    TableState,
    TransactionBoundary,
    Unchecked,
    UncreatedObject,
)
from migration_gate.facts.tree import (
    CreatedObject,
    ModelDefinition,
    ModelPart,
    ModelPartKind,
    NameUse,
    Owners,
    SchemaChange,
    SchemaChangeKind,
    SqlFile,
    SqlKind,
    Tree,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a check may read, for one project."""

    project: str = ""
    """its name in a report: the `projects:` key, or the folder"""
    replay: Replay = field(default_factory=Replay)
    tree: Tree = field(default_factory=Tree)
    owners: Owners = field(default_factory=Owners)


__all__ = [
    "AlembicDifference",
    "AttachedObject",
    "Column",
    "ColumnState",
    "Connection",
    "Constraint",
    "Coverage",
    "CreatedObject",
    "DdlCommand",
    "DeclaredOperation",
    "Difference",
    "DifferenceKind",
    "DriftRevision",
    "EnumType",
    "Extension",
    "Facts",
    "Failure",
    "FilteredObject",
    "Grant",
    "History",
    "ImportedModule",
    "Index",
    "LeftOut",
    "Location",
    "MigrationContext",
    "MissingParent",
    "ModelDefinition",
    "ModelLocation",
    "ModelObject",
    "ModelPart",
    "ModelPartKind",
    "ModelStatement",
    "Models",
    "NameUse",
    "NamedDefinition",
    "NamedType",
    "NullTrial",
    "ObjectDescription",
    "Origin",
    "OtherObject",
    "Owners",
    "RenameFix",
    "Replay",
    "Revision",
    "RevisionFile",
    "Routine",
    "Schema",
    "SchemaChange",
    "SchemaChangeKind",
    "Sequence",
    "SkippedCreation",
    "Snapshot",
    "SoftwareVersion",
    "SourceCall",
    "SqlFile",
    "SqlKind",
    "StageTime",
    "Statement",
    "Step",
    "Table",
    "TableState",
    "TransactionBoundary",
    "Tree",
    "Unchecked",
    "UncreatedObject",
    "View",
    "display_name",
]
