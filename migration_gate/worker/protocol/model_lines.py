"""Lines on the models: what was created of them, and what revisions built from them."""

from __future__ import annotations

from dataclasses import field
from typing import Literal, Optional

from ..deferred_methods import dataclass
from .reported_error import Frame
from .run_lines import Stage

UncreatedKind = Literal["table", "foreign key", "check", "unique", "index", "comment", "type", "sequence"]
ModelPart = Literal["table", "column", "part", "labels", "type"]
"""what was taken from the models: a table, a column, an index or constraint; an enum's labels, a type"""


@dataclass(frozen=True)
class UncreatedPart:
    """A part of the models that Postgres refused."""

    label: str
    """`index ix_a of a`"""
    message: str
    kind: UncreatedKind
    name: Optional[str]
    columns: tuple[str, ...]
    """of a key or an index, which may have no name"""
    table: Optional[str]
    """`schema.name`; None for a type or a sequence"""
    compared_by_alembic: bool
    """Alembic's own comparison was used for its table instead"""


@dataclass(frozen=True)
class FilteredObject:
    """An object that the project's own filters leave out of comparisons; "*" stands for every one."""

    kind: str
    """as Alembic calls it (table, column, index...), or type or default if compare_type left it out"""
    schema: str
    table: Optional[str]
    name: Optional[str]
    option: str = field(default="", compare=False)
    """the argument of `context.configure` that left it out"""
    is_flagged: bool = field(default=False, compare=False)
    """a table whose model says so itself, by a flag in its `info`"""
    columns: tuple[str, ...] = ()
    """of a key without a name"""


@dataclass(frozen=True)
class AlembicDifference:
    """A difference that Alembic's own comparison found."""

    operation: str
    """add_column, modify_type..."""
    table: str
    """`schema.name`"""
    name: str
    """of the column, index or constraint; '' for the table itself, and where it has none"""
    database: Optional[str]
    """what the database has, as Alembic reads it; None if that is missing"""
    models: Optional[str]
    columns: tuple[str, ...] = ()
    """of an index or a constraint"""


@dataclass(frozen=True)
class DeclaredOperation:
    """An operation that the project's own comparison asks for, beyond its models."""

    label: str
    """what it says of itself"""
    upgrade: str
    """the lines of a revision that ran; '' if there are none"""
    downgrade: str
    error: Optional[str]
    """why it could not be run"""
    upgrade_statements: Optional[tuple[str, ...]] = None
    """what the lines ran; None where that is not known as plain texts"""
    downgrade_statements: Optional[tuple[str, ...]] = None


@dataclass(frozen=True)
class ModelsProblem:
    """Something of the models, or of the project's own comparison, that was not compared."""

    object: str
    why: str


@dataclass(frozen=True)
class MappedClass:
    """Where a table's model is defined."""

    table: str
    """`schema.name`"""
    file: str
    line: Optional[int]


@dataclass(frozen=True)
class MappedColumn:
    """A column of the models, and the statements that name it."""

    name: str
    type: str
    """as the dialect writes it; '' if it cannot"""
    cast: str
    """to which the driver casts each value; '' if it sends values without a type"""
    is_loaded: bool
    is_inserted: bool
    is_updated: bool
    may_be_null: bool
    """an INSERT sends NULL if the application gives no value"""
    labels: tuple[str, ...]
    """of an Enum"""
    inserted_sql: str = ""
    """what INSERT calls in the database for it, if the application gives no value; '' if nothing"""
    updated_sql: str = ""
    """the same of UPDATE"""


@dataclass(frozen=True)
class MappedTable:
    """A table of the models, with the classes that are mapped to it."""

    schema: str
    name: str
    classes: tuple[str, ...]
    columns: tuple[MappedColumn, ...]


@dataclass(frozen=True)
class ImportedModule:
    """A module of the project's own that had been imported when env.py ended."""

    name: str
    file: str
    """real path"""


@dataclass(frozen=True)
class ModelObject:
    """Something that was built from the models."""

    kind: ModelPart
    name: str
    """`table` or `schema.table` as the code writes it; `table.column` for a column, its labels or its type"""
    source: str = ""
    """of labels: the Python class that has them"""


@dataclass(frozen=True)
class ModelDdl:
    """DDL that was compiled from the project's own models while the history ran, at one place of the code."""

    stage: Stage
    step: int
    """the number of the step that ran, or of the last one before; 0 before the first"""
    revision: Optional[str]
    """None if no revision ran"""
    objects: tuple[ModelObject, ...]
    is_executed: bool
    """SQLAlchemy executed it; else it was compiled, and what became of the text is not known"""
    frames: tuple[Frame, ...]
    """the project's, outermost first"""
    frame: Optional[Frame]
    """the one to show: of the revision, of env.py, or the innermost of the project's own"""
    code: str
    """the line of source there"""


@dataclass(frozen=True)
class ModelDdlFound:
    """What was built from the models while the history ran; sent after it, or before its failure."""

    statements: tuple[ModelDdl, ...]
    kind: Literal["model_ddl"] = "model_ddl"


@dataclass(frozen=True)
class ContextsMissing:
    """env.py came to its end in the models' process before it had as many contexts as in the replay."""

    number: int
    """of contexts that there were"""
    kind: Literal["contexts_missing"] = "contexts_missing"


@dataclass(frozen=True)
class ModelsCreated:
    """What env.py gave as target_metadata was created, as far as Postgres allowed."""

    metadatas: int
    """MetaData objects; 0 if target_metadata is missing"""
    tables: tuple[str, ...]
    """`schema.name`, sorted"""
    uncreated: tuple[UncreatedPart, ...] = ()
    filtered: tuple[FilteredObject, ...] = ()
    alembic_differences: tuple[AlembicDifference, ...] = ()
    """for tables of uncreated parts"""
    mapped_classes: tuple[MappedClass, ...] = ()
    reflected_tables: tuple[str, ...] = ()
    """`schema.name` of those whose columns SQLAlchemy read from the database"""
    lost_tables: tuple[str, ...] = ()
    """`schema.name` of those that only the process which ran the revisions has in target_metadata"""
    frozen_defaults: tuple[str, ...] = ()
    """`schema.table.column` of those whose default is a string for a moment ("now()", "today")"""
    imported_modules: tuple[ImportedModule, ...] = ()
    installed_packages: tuple[str, ...] = ()
    """of which something was imported, by their top-level names"""
    ran_changed_files: bool = False
    """code of a file that the change adds or edits was run to get there"""
    disabled_triggers: tuple[str, ...] = ()
    """event triggers of the migrations, which did not act on the models"""
    dismissed: tuple[FilteredObject, ...] = ()
    """differences that the project's process_revision_directives takes out of a revision"""
    declared: tuple[DeclaredOperation, ...] = ()
    """what the project's own comparators found"""
    declared_catalog: Optional[str] = None
    """the replayed catalog as JSON, after these operations"""
    restored_catalog: Optional[str] = None
    """and after their downgrades"""
    problems: tuple[ModelsProblem, ...] = ()
    """what could not be compared for another reason than a refusal of Postgres"""
    mapped_tables: tuple[MappedTable, ...] = ()
    """where the gate compares releases"""
    files_read: tuple[str, ...] = ()
    """absolute paths of what the project's code has opened, folders too; if the gate may keep the answer"""
    modules: tuple[str, ...] = ()
    """absolute paths of the code that ran and is no installed package's, there too"""
    module_folders: tuple[str, ...] = ()
    """absolute paths of the folders in which modules were looked for, there too"""
    kind: Literal["models"] = "models"
