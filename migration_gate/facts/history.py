"""The facts of a replay: the history as Alembic reads it, and what each revision did on Postgres."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from migration_gate.facts.catalog import (
    Column,
    ColumnIdentity,
    EnumType,
    NamedType,
    Persistence,
    Sequence,
    Snapshot,
    TableKind,
    View,
)
from migration_gate.facts.coverage import Coverage

Direction = Literal["upgrade", "downgrade"]
BoundaryKind = Literal["begin", "commit", "rollback", "savepoint", "rollback to savepoint"]
UncreatedKind = Literal["table", "foreign key", "check", "unique", "index", "comment", "type", "sequence"]
ModelObjectKind = Literal["table", "column", "part", "labels", "type"]
"""what was taken from the models; a part is an index, a constraint or a sequence"""
RunStage = Literal["prepare", "import", "replay", "models"]
DifferenceKind = Literal[
    "table",
    "column",
    "type",
    "nullability",
    "default",
    "primary key",
    "foreign key",
    "unique",
    "check",
    "exclusion",
    "index",
    "enum",
    "type definition",
    "sequence",
    "comment",
    "table option",
    "name-only",
    "declared",
    "unmanaged",
]


@dataclass(frozen=True, slots=True)
class Location:
    """A line of a file; the path is relative to the repository where it lies in it, else absolute."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision as Alembic reads it."""

    id: str
    parents: tuple[str, ...]
    """down_revision; none for a base"""
    message: str
    location: Location
    """the file, and the line of its `upgrade()`"""
    depends_on: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """branch labels, inherited ones too"""

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class SourceCall:
    """A call in the text of a revision, a `with` block, or a literal that holds SQL."""

    name: str
    """of the function, without what it belongs to: `create_table`, `Column`; `with`; empty for a literal"""
    line: int
    end_line: int
    strings: tuple[str, ...] = ()
    """its literal arguments, those in lists among them, in their order"""
    keywords: tuple[str, ...] = ()
    """names of its keyword arguments"""


@dataclass(frozen=True, slots=True)
class RevisionFile:
    """A Python file that looks like a revision, read as text."""

    path: str
    revision: str | None
    parents: tuple[str, ...] = ()
    is_loaded: bool = True
    """whether Alembic loads it"""
    error: str | None = None
    """why Python could not parse it"""
    line: int | None = None
    """of `revision = `"""
    parents_line: int | None = None
    """of `down_revision = `"""
    not_loaded_because: str | None = None
    created_tables: tuple[str, ...] = ()
    """tables that its text creates (`op.create_table("users"`), as written"""
    calls: tuple[SourceCall, ...] = ()
    """the calls in its text that Alembic's operations are made of, in their order"""
    added_columns: tuple[str, ...] = ()
    """`table.column` of the columns that its text adds, as far as it is plain"""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error raised by the project's code, or by Postgres on its behalf."""

    message: str
    """Postgres's own message, where the error comes from Postgres"""
    exception_class: str = ""
    """name of the Python exception's class"""
    sqlstate: str | None = None
    detail: str | None = None
    hint: str | None = None
    statement: str | None = None
    revision: str | None = None
    direction: Direction = "upgrade"
    location: Location | None = None
    """the line of the migration (or of env.py) that was running"""
    traceback: tuple[str, ...] = ()
    """the project's own frames, outermost first, `file:line in function`"""
    first_error: Failure | None = None
    """an earlier error of the same transaction that this one only follows from"""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was passed to the driver."""

    sql: str
    seconds: float
    line: int | None = None
    """of the revision's file"""
    rows: int | None = None
    error: Failure | None = None
    """set even when the migration caught the error"""
    in_migration_transaction: bool = True
    """it ran on the migration's own connection, which did not commit each statement by itself"""


@dataclass(frozen=True, slots=True)
class TransactionBoundary:
    """Where a transaction began or ended while a revision ran."""

    kind: BoundaryKind
    statements_before: int
    """how many statements of the revision had run"""

    def __str__(self) -> str:
        return f"{self.kind}@{self.statements_before}"


@dataclass(frozen=True, slots=True)
class Step:
    """The run of one revision."""

    number: int
    """from 1, in the order of the replay"""
    revision: str
    seconds: float
    statements: tuple[Statement, ...] = ()
    transactions: tuple[TransactionBoundary, ...] = ()
    """in their order"""
    in_transaction: bool = True
    """the connection was in a transaction when the migration's function ended"""
    context: int = 1
    """which context of env.py ran it (tenant loops have several)"""
    before: Snapshot | None = None
    after: Snapshot | None = None
    """the catalog before and after it, where the run asked for them"""
    dropped_statements: int = 0
    """that ran too, after the first 2,000: they only read or changed rows, or repeated an error"""
    unrecorded_statements: int = 0
    """that ran too, and a verdict may depend on them"""

    @property
    def statement_count(self) -> int:
        """How many statements it ran."""
        return len(self.statements) + self.dropped_statements + self.unrecorded_statements


@dataclass(frozen=True, slots=True)
class Origin:
    """The revision that made an object the way it is. It is false where no revision did, or none is known."""

    revision: str | None = None
    location: Location | None = None

    def __bool__(self) -> bool:
        return self.revision is not None


@dataclass(frozen=True, slots=True)
class TableState:
    """A table after a DDL command; the fields are those of `Table`."""

    schema: str
    name: str
    kind: TableKind = "table"
    persistence: Persistence = "permanent"
    options: tuple[str, ...] = ()
    partition_key: str | None = None
    partition_bound: str | None = None
    inherits: tuple[str, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnState:
    """A column after a DDL command; the fields are those of `Column`."""

    number: int
    name: str
    type: str
    nullable: bool
    default: str | None
    generated: str | None = None
    identity: ColumnIdentity | None = None
    collation: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class NamedDefinition:
    """A constraint or index after a DDL command."""

    name: str
    definition: str
    """as Postgres prints it"""
    oid: int = 0
    """not the same for all of its life: a new type of a column makes its indexes and constraints anew"""
    columns: tuple[str, ...] = ()
    """in their order, without expressions; those that an index INCLUDEs come last"""
    structure: str = ""
    """what a command can change without a new oid; the definition may change with the names that it spells"""
    valid: bool = True
    constraint: str | None = None
    """the constraint that an index backs"""
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectDescription:
    """What an object is, as Postgres prints it, without its name."""

    kind: str = ""
    """unlogged table, index, enum, domain...; empty where a constraint or the like needs no word for it"""
    definition: str | None = None
    """of what is neither a table nor an enum"""
    columns: tuple[NamedDefinition, ...] = ()
    """of a table, by name; of a statement that adds columns, those that had their names already"""
    constraints: tuple[str, ...] = ()
    """their definitions; a unique index counts as UNIQUE"""
    labels: tuple[str, ...] = ()
    """of an enum, in their order"""
    properties: tuple[NamedDefinition, ...] = ()
    """what else there is: PARTITION BY, WITH, OWNER, VERSION..."""


@dataclass(frozen=True, slots=True)
class SkippedCreation:
    """A statement that created nothing, because its name was taken: IF NOT EXISTS, or a caught error."""

    step: int
    kind: str
    """table, column, index, constraint, type, sequence, view, trigger, policy, schema or extension"""
    schema: str | None
    name: str
    """empty for columns: the descriptions name them"""
    existing: ObjectDescription
    """what had the name"""
    wanted: ObjectDescription | None
    """what the statement would have created; None where Postgres could not create it elsewhere"""
    query: str = ""
    """the text that the client sent, its first 4,000 characters"""
    table: str | None = None
    """of a column, index, constraint, trigger or policy"""
    oid: int = 0
    """of what had the name; for a column, index or constraint that of its table"""
    commands_before: int = 0
    """how many of the replay's DDL commands came before it"""
    final: ObjectDescription | None = None
    """what has the name at the end of the replay"""
    is_gone: bool = False
    """what had the name was dropped later"""
    problem: str | None = None
    """why `wanted` is not known"""


@dataclass(frozen=True, slots=True)
class CaughtError:
    """A command of a step without an effect, whose error was caught where SQLAlchemy does not see it.

    By PL/pgSQL in a DO block or a function, or by Python around a driver's own cursor. Left out are commands
    whose object is there as they wanted it, and those that a `SkippedCreation` describes.
    """

    step: int
    statement: str
    """the command, its first 2,000 characters"""
    message: str
    """Postgres' own; empty where it is not known"""
    sqlstate: str = ""
    query: str = ""
    """the text that the client sent, its first 4,000 characters"""
    catcher: Literal["block", "cursor"] = "block"
    is_undone: bool = False
    """the command succeeded; the error of a later one in its block undid it"""
    fallback: str = ""
    """the command that the handler of the error ran"""
    changes_rows: bool = False
    """it is no DDL command: what the handler does instead is not known"""
    is_in_savepoint: bool = False
    """a cursor's error that did not end the transaction of the migration"""
    lost: int = 0
    """later statements that failed because the transaction was aborted"""


@dataclass(frozen=True, slots=True)
class DdlCommand:
    """A DDL command as the server's event triggers reported it, with the state that it left behind.

    The state is that of the table that the command was about (or whose index or constraint it was about), of
    the sequence, view or type. What the command changed as a consequence has an entry of its own.
    """

    step: int
    """number of the step; 0 is what was done before the first revision"""
    tag: str
    """CREATE TABLE, ALTER TABLE, DROP INDEX..."""
    kind: str
    """table, column, index, sequence, type, view..."""
    identity: str
    """as `pg_identify_object` prints it; empty when nothing was made (IF NOT EXISTS)"""
    oid: int = 0
    """of the table, sequence, view or type of the state; of the object itself where there is none"""
    statement: str | None = None
    """only where the command made nothing"""
    columns: tuple[ColumnState, ...] = ()
    """all columns of the table after the command; empty where the command was not about a table"""
    constraints: tuple[NamedDefinition, ...] = ()
    indexes: tuple[NamedDefinition, ...] = ()
    table: TableState | None = None
    object: Sequence | View | EnumType | NamedType | None = None
    dropped: bool = False
    """the object with that oid is gone"""
    query: str = ""
    """the first 4,000 characters of the client's statement; a DO block or a function may be between"""
    query_number: int = 0
    """of that statement among those in the log, from 1"""
    line: int | None = None
    """of the revision's file, where that statement was run"""


@dataclass(frozen=True, slots=True)
class MigrationContext:
    """A context of env.py that ran migrations; a loop over tenants or databases has several."""

    number: int
    """from 1"""
    starting_heads: tuple[str, ...] = ()
    """what its version table held before its first revision"""
    has_metadata: bool = True
    """it has a target_metadata"""
    default_schema: str = "public"
    """where a table without a schema is: that of a tenant, where env.py loops over these"""


@dataclass(frozen=True, slots=True)
class StepKeyword:
    """What env.py gives to the functions of the revisions: `context.run_migrations(engine_name="events")`."""

    name: str
    value: str | None
    """None where it is no text"""


@dataclass(frozen=True, slots=True)
class StepKeywords:
    """Everything that the functions of the revisions are given in one context of env.py."""

    keywords: tuple[StepKeyword, ...]
    is_judged: bool = True
    """for a database that has the models which this run compares"""

    def find_value(self, name: str) -> str | None:
        """The value of the keyword, where it is given and is text."""
        return next((keyword.value for keyword in self.keywords if keyword.name == name), None)


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that the project's code opened; passwords are not recorded."""

    dialect: str
    driver: str
    requested_address: str
    """`host:port/database` that the code named"""
    intercepted_by: Literal["url", "creator", "pool", "driver"]
    """the layer that intercepted it"""
    outcome: Literal["redirected", "swapped", "refused"]
    """swapped: another dialect's connection, replaced by one to our server"""


@dataclass(frozen=True, slots=True)
class ModelObject:
    """Something that was built from the models."""

    kind: ModelObjectKind
    name: str
    """`users`, `users.email`: with its schema, where the models name one"""
    source: str = ""
    """of labels: the Python class that has them"""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ModelStatement:
    """DDL that SQLAlchemy compiled from the project's own models while the history ran, at one place."""

    step: int
    """the number of the step that ran, or of the last one before; 0 before the first"""
    revision: str | None
    """None where no revision ran: in env.py, on import, in `prepare:`"""
    stage: RunStage
    objects: tuple[ModelObject, ...]
    is_executed: bool
    """SQLAlchemy executed it; else only its text was made, which the code may have used in any way"""
    location: Location | None = None
    """in the revision where one ran, else in env.py or what it imports"""
    code: str = ""
    """the line of source there"""
    traceback: tuple[str, ...] = ()
    """the project's own frames, outermost first, `file:line in function`"""


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


@dataclass(frozen=True, slots=True)
class DeclaredOperation:
    """An operation that the project's own comparison asks for: of alembic_utils or another comparator."""

    label: str
    """what it says of itself"""
    upgrade: str = ""
    """the lines of a revision that ran; empty where there are none"""
    downgrade: str = ""
    error: str | None = None
    """why it could not be run"""


@dataclass(frozen=True, slots=True)
class AlembicDifference:
    """A difference that Alembic's own comparison saw, in a table that Postgres would not create."""

    operation: str
    """as Alembic names it: add_column, remove_index, modify_type..."""
    table: str
    """`schema.name`"""
    text: str


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
class Unchecked:
    """Something that could not be checked."""

    object: str
    """a file, a table, or a part of the run: `models`"""
    why: str
    advice: str = ""
    """the next step, where it is not to give the gate what it lacks"""


@dataclass(frozen=True, slots=True)
class Models:
    """What env.py passed to Alembic as target_metadata."""

    tables: tuple[str, ...] = ()
    """`schema.name`, schema `public` where none is set"""
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
    environment_file: str | None = None
    """env.py, relative to the repository where it lies in it"""
    reflected_tables: tuple[str, ...] = ()
    """`schema.name` of those whose columns SQLAlchemy read from the database, not from code"""
    lost_tables: tuple[str, ...] = ()
    """`schema.name` of those that were in target_metadata only in the process that ran the revisions"""
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

    def find_location(self, table: str | None) -> Location | None:
        """Where the model of `table` (`schema.name`) is defined, if a mapped class defines it."""
        return next((model.location for model in self.locations if model.table == table), None)


@dataclass(frozen=True, slots=True)
class TypeCast:
    """A conversion between two types that the server has."""

    source: str
    target: str
    is_implicit: bool
    """Postgres uses it unasked: the target holds every value of the source"""


@dataclass(frozen=True, slots=True)
class RenameFix:
    """The lines that rename a table or column, and then change what else differs; they ran both ways."""

    upgrade: str = ""
    downgrade: str = ""
    remaining: tuple[str, ...] = ()
    """objects that differ still after it, which a person has to decide on"""
    refused: str = ""
    """what went wrong when the lines were run; there are none then"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A drift: the replayed database and the models disagree about one object."""

    kind: DifferenceKind
    object: str
    """as reports show it: `users.email`"""
    database: str | None
    """as Postgres prints it, None where it is missing"""
    models: str | None
    table: str | None = None
    """`schema.name` of the table it belongs to"""
    column: str | None = None
    upgrade: str = ""
    """body of the `upgrade()` that makes the database agree with the models; empty where there is none"""
    downgrade: str = ""
    """body of the `downgrade()` that undoes it"""
    fix_refused: str = ""
    """why the revision that was written for it is not offered: what went wrong when it was run"""
    loses_values: bool = False
    """for a type: the server's cast is none that it uses unasked, so values may be cut, rounded or refused"""
    includes_default: bool = False
    """for a type: its default, which differs as well, changes with it"""
    fixed_by_others: bool = False
    """the fix of another difference changes this, too"""
    runs_only_with: str = ""
    """Postgres' words where `upgrade` and `downgrade` run only together with those of other differences"""
    revision: str | None = None
    """the revision that made the database's side, or dropped what is missing; None when no revision did"""
    object_noun: str = ""
    """what an unmanaged or declared object is: view, function, trigger, policy, extension, grant..."""
    harmless_because: str = ""
    """why no query is affected, where none is"""
    rename_hint: str = ""
    """for a table or column that one side lacks: the name on the other side that may be the same object"""
    rename_is_likely: bool = False
    """whether names, types and other properties speak for it; else only that nothing else has its type"""
    rename_fix: RenameFix | None = None
    """instead of dropping the one and adding the other: the lines that keep rows, where they were tried"""
    location: Location | None = None
    """the line of `revision` that did it"""
    columns: tuple[str, ...] = ()
    """of a constraint or an index"""


@dataclass(frozen=True, slots=True)
class EngineBody:
    """What a revision does in the database of one engine, where env.py migrates several."""

    engine: str
    """as env.py names it"""
    upgrade: str
    downgrade: str


@dataclass(frozen=True, slots=True)
class DriftRevision:
    """One revision that removes all differences that can be removed; it was run both ways."""

    identifier: str
    down_revision: tuple[str, ...]
    """the head that it follows; none where no revision is there"""
    depends_on: tuple[str, ...]
    """other heads whose objects it changes"""
    upgrade: str
    """body of its `upgrade()`"""
    downgrade: str
    differences: int
    """how many it removes"""
    left_out: tuple[str, ...] = ()
    """objects whose differences it does not remove"""
    engine_keyword: str = ""
    """which of the keywords of its functions names the engine; empty where env.py names none"""
    engines: tuple[EngineBody, ...] = ()
    """in the order in which env.py migrates them"""
    takes_keywords: bool = False
    """its functions are given (other) keywords"""
    database: str = ""
    """where env.py migrates several databases without a name: the one that it is for"""


@dataclass(frozen=True, slots=True)
class MissingParent:
    """A revision whose parent or dependency is in no file."""

    revision: str
    parent: str


@dataclass(frozen=True)
class History:
    """The revision graph."""

    revisions: tuple[Revision, ...] = ()
    """in the order of the replay where there is one"""
    heads: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    files: tuple[RevisionFile, ...] = ()
    locations: tuple[str, ...] = ()
    """folders with revisions"""
    target: tuple[str, ...] = ("heads",)
    error: Failure | None = None
    """why Alembic could not read it"""
    missing_parents: tuple[MissingParent, ...] = ()

    def find_revision(self, identifier: str | None) -> Revision | None:
        """The revision of that id, if Alembic knows it."""
        return self._revisions_by_id.get(identifier) if identifier is not None else None

    def find_calls(self, path: str) -> tuple[SourceCall, ...]:
        """The calls in the text of a revision's file; none where the text was not read."""
        return self._calls_by_file.get(path, ())

    @cached_property
    def _calls_by_file(self) -> Mapping[str, tuple[SourceCall, ...]]:
        return {file.path: file.calls for file in self.files}

    @cached_property
    def _revisions_by_id(self) -> Mapping[str, Revision]:
        return {revision.id: revision for revision in reversed(self.revisions)}


@dataclass(frozen=True, slots=True)
class SoftwareVersion:
    """The version of a program or package that took part in a run."""

    name: str
    """python, alembic, sqlalchemy, driver or postgres"""
    version: str


@dataclass(frozen=True, slots=True)
class NullTrial:
    """What Postgres did with rows that name no owner, tried on an empty copy of the table.

    There is one for each owner column that a CHECK or a domain may keep from being NULL.
    """

    schema: str
    table: str
    column: str
    is_refused: bool
    """proved: no row is accepted that has NULL in this column and in the other owners"""
    other_owners: tuple[str, ...] = ()
    """columns that a CHECK names beside this one and that can own a row in its place"""
    accepted_row: str = ""
    """the values of other columns with which a row without any owner is accepted; empty for none"""
    demanding_row: str = ""
    """the values of other columns with which Postgres accepts NULL and refuses an owner; empty for none"""
    demanded_by: str = ""
    """the CHECK that refuses an owner there, as Postgres prints it"""


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage of the run took."""

    stage: str
    seconds: float
    """wall time"""


@dataclass(frozen=True)
class Replay:
    """Everything that one run of the project's history showed."""

    history: History = field(default_factory=History)
    steps: tuple[Step, ...] = ()
    failure: Failure | None = None
    """the error that ended it before the target"""
    ddl_commands: tuple[DdlCommand, ...] = ()
    skipped_creations: tuple[SkippedCreation, ...] = ()
    caught_errors: tuple[CaughtError, ...] = ()
    arrived_heads: tuple[str, ...] = ()
    """the heads in the version table of our server"""
    version_tables: tuple[str, ...] = ()
    contexts: tuple[MigrationContext, ...] = ()
    skipped_contexts: int = 0
    """that env.py configured, and did not run"""
    started_from: str = ""
    """what the settings have done before the first revision: `start_from`, `prepare`"""
    step_keywords: tuple[StepKeywords, ...] = ()
    """none where env.py gives the revisions none"""
    database: str = ""
    """`host:port/database` of the one that was judged, where env.py migrates several"""
    connections: tuple[Connection, ...] = ()
    model_statements: tuple[ModelStatement, ...] = ()
    """what was built from the models while the history ran"""
    catalog: Snapshot = field(default_factory=Snapshot)
    models: Models = field(default_factory=Models)
    differences: tuple[Difference, ...] = ()
    drift_revision: DriftRevision | None = None
    """None where nothing differs, or nothing can be removed"""
    versions: tuple[SoftwareVersion, ...] = ()
    notes: tuple[str, ...] = ()
    """what a reader should know: a swapped dialect, dummy settings, a missing layer of protection"""
    unchecked: tuple[Unchecked, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    failed_statements: tuple[Statement, ...] = ()
    """what the revision that failed had run, with the statement that failed"""
    available_extensions: tuple[str, ...] = ()
    """that the server could create; asked for where a revision failed"""
    null_trials: tuple[NullTrial, ...] = ()
    """of owner columns"""
    changed_files: tuple[str, ...] = ()
    """that the change adds or edits, relative to the repository; none where there is no base"""
    output: str = ""
    """the end of what the project's code printed"""
    stage_times: tuple[StageTime, ...] = ()

    def find_step(self, revision: str) -> Step | None:
        """The first step that ran `revision`, if it was run."""
        return next((step for step in self.steps if step.revision == revision), None)

    def find_revision_of_step(self, number: int) -> str | None:
        """The id of the revision that step `number` ran; None for what ran before the first revision."""
        step = self._steps_by_number.get(number)
        return step.revision if step is not None else None

    def find_step_by_number(self, number: int) -> Step | None:
        """The step of that number, if it ran to its end."""
        return self._steps_by_number.get(number)

    def find_version(self, name: str) -> str:
        """The version of `python`, `postgres`...; empty where it is not known."""
        return next((software.version for software in self.versions if software.name == name), "")

    def find_null_trial(self, column: Column) -> NullTrial | None:
        """What was tried with the column; None where nothing but NOT NULL has a say."""
        key = (column.schema, column.table, column.name)
        trials = (trial for trial in self.null_trials if (trial.schema, trial.table, trial.column) == key)
        return next(trials, None)

    def commands_on(self, oid: int) -> tuple[DdlCommand, ...]:
        """The DDL commands on the object with that oid, in their order."""
        return self._commands_by_oid.get(oid, ())

    @cached_property
    def _steps_by_number(self) -> Mapping[int, Step]:
        return {step.number: step for step in reversed(self.steps)}

    @cached_property
    def _commands_by_oid(self) -> Mapping[int, tuple[DdlCommand, ...]]:
        groups: dict[int, list[DdlCommand]] = defaultdict(list)
        for command in self.ddl_commands:
            groups[command.oid].append(command)
        return {oid: tuple(commands) for oid, commands in groups.items()}
