"""What the repository holds beside the migrations, read as text because there is nothing to run."""

from __future__ import annotations

from typing import Literal

from migration_gate.facts.coverage import Unchecked
from migration_gate.facts.location import Location
from migration_gate.lazy_dataclass import dataclass

SqlKind = Literal["schema", "data", "query"]
SchemaChangeKind = Literal[
    "execute", "create_all", "drop_all", "ddl element", "ddl event", "shell", "workflow"
]
"""ddl event: SQL that create_all runs, because it listens to `after_create` or `before_create`"""
ModelPartKind = Literal[
    "column", "primary key", "foreign key", "unique", "check", "exclusion", "index", "sequence"
]


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A tracked file with SQL: `.sql`, `.psql`, `.ddl`, or a template of one (`.sql.j2`)."""

    path: str
    statement_kinds: tuple[SqlKind, ...] = ()
    """in the order schema, data, query; empty when the file holds no statement"""
    first_statement: str | None = None
    """its first statement that changes the schema, else its first statement, on one line and shortened"""
    line: int = 1
    """of that statement"""
    tables: tuple[str, ...] = ()
    """tables that its schema statements name, as written"""
    executed_by: str | None = None
    """path of a revision that reads it"""
    allowed_by: str | None = None
    """the `raw_sql.allow` pattern that covers it"""
    unreadable: str | None = None
    """why it could not be read: binary, not UTF-8, no permission"""
    unread: str | None = None
    """why it was not read, or not to its end"""


@dataclass(frozen=True, slots=True)
class CreatedObject:
    """What a schema statement creates, by the names in its text."""

    noun: str
    """table, index, view, function, trigger, policy, rule, type, sequence, extension, constraint..."""
    name: str
    """as written, with its schema if that is written; the table's where the noun is `row security`"""
    table: str = ""
    """of a trigger, policy, rule or constraint, as written"""


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A place outside the migrations whose code changes a schema when it runs."""

    location: Location
    statement: str
    """the DDL, or the call (`Base.metadata.create_all`)"""
    kind: SchemaChangeKind
    tables: tuple[str, ...] = ()
    """tables it names, as written; empty for create_all and drop_all, which concern all tables"""
    suggested_op: str | None = None
    """the operation of Alembic's that does the same in a revision"""
    function: str = ""
    """the innermost function in which it stands"""
    metadata: str = ""
    """of create_all and drop_all: the MetaData, by the same name as in `ModelDefinition.metadata`"""
    stamps_head: bool = False
    """the function also stamps the version table: Alembic's recipe for a new database"""
    engine_url: str = ""
    """of create_all and drop_all: the expression of the URL, where the engine is made for it on the spot"""
    created: CreatedObject | None = None
    """of a ddl event"""


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A column, constraint, index or sequence, as the text of a model writes it."""

    kind: ModelPartKind
    location: Location
    """its own line, in the file of the mixin where it comes from one"""
    name: str | None = None
    """its name in the database; None if the text gives none"""
    columns: tuple[str, ...] = ()
    """the columns of a constraint or index that the text names"""
    is_certain: bool = True
    """a column: that it is one is plain from the text alone"""


@dataclass(frozen=True, slots=True)
class ModelDefinition:
    """A mapped class, or a `Table(...)`, as the text of a module writes it."""

    table: str
    """its name in the database, without schema; empty if only running the module could tell"""
    location: Location
    """of the class, or of the call"""
    schema: str | None = None
    """None if the text of the definition names none: it may come from the MetaData"""
    class_name: str = ""
    """empty for a `Table(...)`"""
    variable: str = ""
    """what a `Table(...)` is assigned to"""
    module: str = ""
    """dotted, from the top of the repository: `src.app.users`"""
    is_below_package: bool = False
    """the first folder of its path is a package itself, as one of its name `src` need not be"""
    metadata: str = ""
    """the MetaData to which it belongs, by the name of the base class or variable that holds it
    (`app.base:Base`, `sqlmodel:SQLModel`); empty if the text does not tell"""
    parts: tuple[ModelPart, ...] = ()
    is_conditional: bool = False
    """it stands in an `if`, a `try` or a function, which may not have run"""
    is_skipped: bool = False
    """its `info` keeps it out of Alembic's comparison: `skip_autogenerate`, `is_view`"""

    def find_column(self, name: str) -> ModelPart | None:
        """The column of that name in the database."""
        return next((part for part in self.parts if part.kind == "column" and part.name == name), None)


@dataclass(frozen=True, slots=True)
class NameUse:
    """A place in the repository's Python, outside of its revisions, that names a table or a column."""

    name: str
    location: Location
    line_text: str
    """the line, without its indentation and shortened"""


@dataclass(frozen=True, slots=True)
class Tree:
    """The tracked files of the project."""

    root: str = "."
    """the repository's top folder"""
    prefix: str = ""
    """the project's folder inside it, if that is not the top; paths are from the top"""
    file_count: int = 0
    """how many files git tracks in the project's folder"""
    sql_files: tuple[SqlFile, ...] = ()
    schema_changes: tuple[SchemaChange, ...] = ()
    model_definitions: tuple[ModelDefinition, ...] = ()
    """by file and line"""
    model_sequences: tuple[ModelPart, ...] = ()
    """sequences that stand outside of a definition"""
    other_tables: tuple[str, ...] = ()
    """tables that revisions of the repository's other Alembic environments create, without schema"""
    searched_names: tuple[str, ...] = ()
    """names of tables and columns for which the repository's Python was searched"""
    name_uses: tuple[NameUse, ...] = ()
    """of the tables and columns that the migrations make and no model has; a few places of each"""
    notes: tuple[str, ...] = ()
    """no git here, a shallow clone..."""
    unchecked: tuple[Unchecked, ...] = ()
