"""The models that env.py passed to Alembic, and the database that they made."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from migration_gate.facts.coverage import Unchecked
from migration_gate.facts.location import Location
from migration_gate.facts.running_code import MappedTable
from migration_gate.facts.snapshot import Snapshot
from migration_gate.lazy_dataclass import dataclass

UncreatedKind = Literal["table", "foreign key", "check", "unique", "index", "comment", "type", "sequence"]


@dataclass(frozen=True, slots=True)
class UncreatedObject:
    """A part of the models that Postgres would not create."""

    object: str
    message: str
    compared_by_alembic: bool
    """Alembic's own comparison was used for it instead"""
    table: str | None = None
    """`schema.name` of the table it belongs to"""
    kind: UncreatedKind = "table"
    name: str | None = None
    columns: tuple[str, ...] = ()
    """of a key or an index, which may have no name of its own in the models"""


@dataclass(frozen=True, slots=True)
class FilteredObject:
    """An object that the project's include_object or include_name leaves out of comparisons."""

    kind: str
    schema: str
    table: str | None
    name: str
    option: str = field(default="", compare=False)
    """the argument of `context.configure` that left it out"""
    is_flagged: bool = field(default=False, compare=False)
    """a table whose model says so itself, by a flag in its `info`"""
    columns: tuple[str, ...] = ()
    """of a key without a name"""


@dataclass(frozen=True, slots=True)
class DeclaredOperation:
    """An operation that the project's own comparison asks for: of alembic_utils or another comparator."""

    label: str
    """what it says of itself"""
    upgrade: str = ""
    """the lines of a revision that ran; empty if there are none"""
    downgrade: str = ""
    error: str | None = None
    """why it could not be run"""
    upgrade_statements: tuple[str, ...] | None = None
    """what the lines ran; None where that is not known as plain texts"""
    downgrade_statements: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AlembicDifference:
    """A difference that Alembic's own comparison saw, in a table that Postgres would not create."""

    operation: str
    """as Alembic names it: add_column, remove_index, modify_type..."""
    table: str
    """`schema.name`"""
    name: str
    """of the column, index or constraint; '' for the table itself, and where it has none"""
    database: str | None
    """what the database has, as Alembic reads it; None if that is missing"""
    models: str | None
    columns: tuple[str, ...] = ()
    """of an index or a constraint"""


@dataclass(frozen=True, slots=True)
class ModelLocation:
    """Where the model of a table is defined."""

    table: str
    """`schema.name`"""
    location: Location


@dataclass(frozen=True, slots=True)
class ImportedModule:
    """A module of the project's own that had been imported when env.py ended."""

    name: str
    """dotted, as it was imported"""
    file: str
    """relative to the repository where it lies in it, else absolute"""


@dataclass(frozen=True, slots=True)
class Models:
    """What env.py passed to Alembic as target_metadata."""

    tables: tuple[str, ...] = ()
    """`schema.name`, schema `public` if none is set"""
    metadatas: int = 0
    """how many MetaData objects; 0 when target_metadata is missing"""
    uncreated_objects: tuple[UncreatedObject, ...] = ()
    filtered_objects: tuple[FilteredObject, ...] = ()
    alembic_differences: tuple[AlembicDifference, ...] = ()
    snapshot: Snapshot | None = None
    """the database that the models made"""
    locations: tuple[ModelLocation, ...] = ()
    """of the tables that a mapped class defines"""
    imported_modules: tuple[ImportedModule, ...] = ()
    installed_packages: tuple[str, ...] = ()
    """of which something was imported, by their top-level names"""
    ran_changed_files: bool = False
    """code of a file that the change adds or edits was run to get the models"""
    environment_file: str | None = None
    """env.py, relative to the repository where it lies in it"""
    reflected_tables: tuple[str, ...] = ()
    """`schema.name` of those whose columns SQLAlchemy read from the database, not from code"""
    lost_tables: tuple[str, ...] = ()
    """`schema.name` of those that were in target_metadata only in the process that ran the revisions"""
    frozen_defaults: tuple[str, ...] = ()
    """`schema.table.column` of those whose default is a string for a moment ("now()", "today")"""
    disabled_triggers: tuple[str, ...] = ()
    """event triggers of the migrations, which did not act on the models"""
    dismissed_objects: tuple[FilteredObject, ...] = ()
    """what the project's process_revision_directives takes out of a revision"""
    declared_operations: tuple[DeclaredOperation, ...] = ()
    """what the project declares beside its models, and the database lacks"""
    declared_snapshot: Snapshot | None = None
    """the replayed database after these operations"""
    restored_snapshot: Snapshot | None = None
    """and after their downgrades"""
    problems: tuple[Unchecked, ...] = ()
    """what could not be compared for another reason than a refusal of Postgres"""
    mapped_tables: tuple[MappedTable, ...] = ()
    """what statements name of each table; only where a change has new revisions"""

    @property
    def own_package(self) -> str | None:
        """The package of env.py, if it is an installed one: a project may have been installed."""
        return Location(self.environment_file).installed_package if self.environment_file else None

    def find_location(self, table: str | None) -> Location | None:
        """Where the model of `table` (`schema.name`) is defined, if a mapped class defines it."""
        return next((model.location for model in self.locations if model.table == table), None)
