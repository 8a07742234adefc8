"""The facts that checks judge: frozen dataclasses, named by nouns.

They hold `str`, `int`, `bool`, `None`, tuples and each other, and go to JSON and back unaided
(`pydantic.TypeAdapter(Facts)`). Nothing in here touches disk, clock, network or database.

Other folders import every fact from here, so that only this folder knows which of its files has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from migration_gate.facts.branch_history import BranchTip, Lineage, ObjectChange, SquashProof
from migration_gate.facts.catalog import (
    AttachedObject,
    CatalogObject,
    Column,
    ColumnIdentity,
    Constraint,
    ConstraintKind,
    EnumType,
    Extension,
    Grant,
    Index,
    NamedType,
    OtherObject,
    ReferentialAction,
    Routine,
    Schema,
    Sequence,
    Table,
    View,
    display_name,
)
from migration_gate.facts.change import ChangedFile, LineRange
from migration_gate.facts.correction import (
    COLUMN_FUNCTIONS,
    FOREIGN_KEY_FUNCTIONS,
    AddImports,
    Correction,
    SetKeyword,
    SetTypeArguments,
    SetVariable,
    SourceEdit,
)
from migration_gate.facts.coverage import CheckCoverage, Coverage, LeftOut, Subject, Unchecked
from migration_gate.facts.ddl_commands import ColumnState, DdlCommand, NamedDefinition, TableState
from migration_gate.facts.differences import (
    Difference,
    DifferenceKind,
    DriftRevision,
    EngineBody,
    RenameFix,
    TypeCast,
)
from migration_gate.facts.failure import Failure
from migration_gate.facts.gate_files import AllowanceText, GateFiles, GateRun, GateSetting, GateTrigger
from migration_gate.facts.history import (
    FileDefect,
    History,
    MissingParent,
    Revision,
    RevisionFile,
    SourceCall,
)
from migration_gate.facts.ineffective_commands import CaughtError, ObjectDescription, SkippedCreation
from migration_gate.facts.location import Location, Origin
from migration_gate.facts.migration_environment import Connection, MigrationContext, StepKeyword, StepKeywords
from migration_gate.facts.model_uses import ModelObject, ModelStatement
from migration_gate.facts.models import (
    AlembicDifference,
    DeclaredOperation,
    FilteredObject,
    ImportedModule,
    ModelLocation,
    Models,
    UncreatedObject,
)
from migration_gate.facts.owners import (
    DeletionBlocker,
    LeftOwner,
    NullTrial,
    Owners,
    OwnershipTrial,
    RowRefusal,
)
from migration_gate.facts.replay import Replay, SoftwareVersion, StageTime
from migration_gate.facts.rollback import (
    AlteredRows,
    DowngradeText,
    RevisionRollback,
    RollbackDifference,
    RollbackScope,
    UnnamedDrop,
)
from migration_gate.facts.server_difference import ServerDifference
from migration_gate.facts.snapshot import Snapshot, TablePart
from migration_gate.facts.steps import Statement, Step, TransactionBoundary
from migration_gate.facts.tree import (
    CreatedObject,
    ModelDefinition,
    ModelPart,
    ModelPartKind,
    NameUse,
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
    base: Base | None = None
    """the state that a change is compared with; None if it was not asked for"""
    gate_files: GateFiles | None = None
    """what the change's files say about the gate; None if the change has none of these files"""
    policy_commit: str = ""
    """the commit whose settings judge, with `policy: base`; '' where the change's own do"""
    new_comments: tuple[AllowanceText, ...] = ()
    """comments that allow findings, and are not at the base"""


@dataclass(frozen=True, slots=True)
class Base:
    """The project at the base, or why it is not known."""

    commit: str
    """its full id; '' if there is none"""
    reason: str
    """which commit that is, or why there is none"""
    facts: Facts | None = None
    """from an examination of that commit's own tree; None if it failed"""
    failure: str = ""
    """why it failed, as a sentence"""
    is_new_project: bool = False
    """the project is not in that tree: all of it is new"""
    is_unchanged: bool = False
    """nothing that is read differs: the facts would be the same"""
    comment_texts: tuple[tuple[str, str], ...] = ()
    """path and text of the files whose comments may allow findings"""
    gate_files: GateFiles | None = None
    """what its files say about the gate; None if the change has none of these files"""
    lineage: Lineage = Lineage.ANCESTOR
    text_history: History | None = None
    """the revision files as text, where there are no facts"""
    tip: BranchTip | None = None
    """the newest state of the branch into which the change goes; None if HEAD has it, or it is not known"""
    squash_proof: SquashProof | None = None
    """how the catalogs before and after a squash compare; None if there is none, or it cannot be told"""

    @property
    def history(self) -> History | None:
        """The revisions at the base, as far as they are known."""
        return self.facts.replay.history if self.facts is not None else self.text_history


__all__ = [
    "COLUMN_FUNCTIONS",
    "FOREIGN_KEY_FUNCTIONS",
    "AddImports",
    "AlembicDifference",
    "AllowanceText",
    "AlteredRows",
    "AttachedObject",
    "Base",
    "BranchTip",
    "CatalogObject",
    "CaughtError",
    "ChangedFile",
    "CheckCoverage",
    "Column",
    "ColumnIdentity",
    "ColumnState",
    "Connection",
    "Constraint",
    "ConstraintKind",
    "Correction",
    "Coverage",
    "CreatedObject",
    "DdlCommand",
    "DeclaredOperation",
    "DeletionBlocker",
    "Difference",
    "DifferenceKind",
    "DowngradeText",
    "DriftRevision",
    "EngineBody",
    "EnumType",
    "Extension",
    "Facts",
    "Failure",
    "FileDefect",
    "FilteredObject",
    "GateFiles",
    "GateRun",
    "GateSetting",
    "GateTrigger",
    "Grant",
    "History",
    "ImportedModule",
    "Index",
    "LeftOut",
    "LeftOwner",
    "LineRange",
    "Lineage",
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
    "ObjectChange",
    "ObjectDescription",
    "Origin",
    "OtherObject",
    "Owners",
    "OwnershipTrial",
    "ReferentialAction",
    "RenameFix",
    "Replay",
    "Revision",
    "RevisionFile",
    "RevisionRollback",
    "RollbackDifference",
    "RollbackScope",
    "Routine",
    "RowRefusal",
    "Schema",
    "SchemaChange",
    "SchemaChangeKind",
    "Sequence",
    "ServerDifference",
    "SetKeyword",
    "SetTypeArguments",
    "SetVariable",
    "SkippedCreation",
    "Snapshot",
    "SoftwareVersion",
    "SourceCall",
    "SourceEdit",
    "SqlFile",
    "SqlKind",
    "SquashProof",
    "StageTime",
    "Statement",
    "Step",
    "StepKeyword",
    "StepKeywords",
    "Subject",
    "Table",
    "TablePart",
    "TableState",
    "TransactionBoundary",
    "Tree",
    "TypeCast",
    "Unchecked",
    "UncreatedObject",
    "UnnamedDrop",
    "View",
    "display_name",
]
