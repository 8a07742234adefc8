"""The protocol between the gate and its worker: the order, and every line of the answer, as types.

Both ends use this module. The gate sends one `Order` as a line of JSON through a pipe, and when the history
has run a `ModelsRequest`, or it closes the pipe. The worker answers with one JSON object a line through
another pipe; each is one of the dataclasses in `Line`, told apart by `kind`. The gate validates every line
against these types when it comes in (`replay/answer_lines.py`).

The process of the models has two pipes of the same kinds, and the same order with another task.

What the project's code did wrong is data (`RunFailed`), with exit status 0. `Done` is the last line: where it
is missing the interpreter ended early, and the lines before it show how far it got.

Standard library only, syntax of Python 3.9: the worker runs in the project's interpreter. The dataclasses
have no slots, because `vars()` of one is what goes on the wire.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, Literal, Optional, Union

ConfigKind = Literal["ini", "toml", "flask", "hook"]
CommandKind = Literal["python", "run"]
"""a Python file for the worker's interpreter, or a shell command"""
TaskKind = Literal["replay", "models", "bootstrap", "trial"]
"""replay: run the history; models: run env.py without a step and create the models; bootstrap: only create
the models and stamp them; trial: run env.py without a step, and plan the steps"""
Stage = Literal["prepare", "import", "replay", "models"]
FailedStage = Literal["interpreter", "driver", "prepare", "import", "revisions", "replay", "models", "gate"]
"""a stage, what is missing before the first one (Alembic and SQLAlchemy, or a PostgreSQL driver), the import
of a revision's file, which failed as env.py may, or the gate's own code in any of them"""
SettingKind = Literal["variable", "field", "option", "x", "attribute"]
"""of the environment, of a settings class (by the variable that would give it), of the configuration's
section, an `-x` argument, an attribute of the configuration"""
Interception = Literal["url", "creator", "driver"]
"""what intercepted a connection: SQLAlchemy's event, an engine with a creator, the driver's own connect"""
Outcome = Literal["redirected", "swapped", "refused"]
"""sent to the ephemeral server; the dialect was replaced by PostgreSQL; not allowed"""

UncreatedKind = Literal["table", "foreign key", "check", "unique", "index", "comment", "type", "sequence"]


# The order: from the gate to the worker.


@dataclass(frozen=True)
class ServerAddress:
    """Where the ephemeral server is, and how a connection proves that it has reached it."""

    directory: str
    """folder of the server's Unix socket"""
    port: int
    user: str
    password: str
    token: str
    """the server's `cluster_name`; '' on a server of the user's, where a database's comment is the proof"""
    database: str
    """to connect to for CREATE DATABASE"""
    version: int
    """server_version_num: 150018"""
    comment_prefix: str
    """what the comment of a database of this run starts with; the name follows"""


@dataclass(frozen=True)
class ConfigSource:
    """How to get the project's `alembic.config.Config`."""

    kind: ConfigKind
    section: str
    file: Optional[str] = None
    flask_app: Optional[str] = None
    hook: Optional[str] = None
    script_location: str = ""
    """set where the one in the file does not lead there from the worker's folder"""


@dataclass(frozen=True)
class PrepareCommand:
    """What the user wants to run before the first revision."""

    kind: CommandKind
    text: str


@dataclass(frozen=True)
class Order:
    """All that one worker is told."""

    task: TaskKind
    environment: dict[str, str]
    """variables to set: the server's address for libpq, and the project's settings"""
    server: ServerAddress
    database: str
    """the database to replay into"""
    models_database: str
    """the copy in which the models are created; the gate makes it when the history has run"""
    config: ConfigSource
    sys_path: tuple[str, ...]
    """folders to put in front"""
    target: tuple[str, ...]
    """what to upgrade to, one after the other"""
    x_arguments: tuple[str, ...]
    """of Alembic's -x"""
    prepare: tuple[PrepareCommand, ...]
    catalog_query: str
    """prints a catalog as JSON"""
    snapshots: str
    """which revisions get a snapshot before and after: none, all, changed, or the number of newest ones"""
    changed_files: tuple[str, ...]
    """real paths of the files that the change adds or edits"""
    log_after_step: bool
    """the server has no event triggers of ours: call the DDL log after each step"""
    stamp: str
    """the revision that a bootstrap writes into the version table"""
    judged_address: str = ""
    """`host:port/database` of the one of several databases that this run judges; '' where there is one"""
    other_databases: dict[str, str] = dataclasses.field(default_factory=dict)
    """databases on the server for the addresses of the others"""


@dataclass(frozen=True)
class ContextPlace:
    """Where the names without a schema are, for one context of env.py."""

    search_path: str
    default_schema: str


@dataclass(frozen=True)
class ModelsRequest:
    """The history has run, and its database was copied: the models are to be created in the copy."""

    places: tuple[ContextPlace, ...]
    """of each context of the replay"""
    tables: tuple[str, ...]
    """`schema.name` of the tables that target_metadata had in the process that ran the revisions"""


def encode_order(order: Union[Order, ModelsRequest]) -> bytes:
    """A line of JSON; paths that are not UTF-8 survive."""
    return json.dumps(dataclasses.asdict(order)).encode("ascii") + b"\n"


def decode_models_request(data: bytes) -> ModelsRequest:
    """What `encode_order` made of one."""
    fields: dict[str, Any] = json.loads(data)
    places = tuple(ContextPlace(**place) for place in fields["places"])
    return ModelsRequest(places, tuple(fields["tables"]))


def decode_order(data: bytes) -> Order:
    """What `encode_order` made. Raises TypeError where the two ends are not of the same version."""
    fields: dict[str, Any] = json.loads(data)
    for name in ("sys_path", "target", "x_arguments", "changed_files"):
        fields[name] = tuple(fields[name])
    fields["server"] = ServerAddress(**fields["server"])
    fields["config"] = ConfigSource(**fields["config"])
    fields["prepare"] = tuple(PrepareCommand(**command) for command in fields["prepare"])
    return Order(**fields)


# What several lines of the answer are made of.


@dataclass(frozen=True)
class Frame:
    """One frame of a traceback, in the project's own code."""

    file: str
    line: Optional[int]
    function: str
    """'' for the place of a syntax error"""


@dataclass(frozen=True)
class ErrorReport:
    """An exception as data."""

    message: str
    """the server's, where the error comes from the server"""
    exception_class: str = ""
    """of the driver's exception, where SQLAlchemy wrapped it; '' for an error from the server's log"""
    sqlstate: Optional[str] = None
    detail: Optional[str] = None
    hint: Optional[str] = None
    statement: Optional[str] = None
    frames: tuple[Frame, ...] = ()
    """outermost first"""
    line: Optional[int] = None
    """of the revision's file, where a statement of a step failed"""


@dataclass(frozen=True)
class RevisionScript:
    """One revision as Alembic reads it."""

    id: str
    parents: tuple[str, ...]
    depends_on: tuple[str, ...]
    labels: tuple[str, ...]
    message: str
    file: str
    """real path"""
    line: int
    """of `upgrade()`, 1 where there is none"""


@dataclass(frozen=True)
class ExecutedStatement:
    """One statement of a step, as it was handed to the driver."""

    sql: str
    """its first 4,000 characters"""
    seconds: float
    line: Optional[int] = None
    """of the revision's file"""
    rows: Optional[int] = None
    error: Optional[ErrorReport] = None
    """set even where the migration caught it"""
    in_migration_transaction: bool = True
    """it ran on the migration's own connection, which did not commit each statement by itself"""


BoundaryName = Literal["begin", "commit", "rollback", "savepoint", "rollback to savepoint"]


@dataclass(frozen=True)
class RecordedBoundary:
    """Where a transaction began or ended during a step."""

    name: BoundaryName
    statements_before: int
    """how many statements of the step had run"""


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
    """as Alembic calls it (table, column, index...), or type or default where compare_type left it out"""
    schema: str
    table: Optional[str]
    name: Optional[str]
    option: str = field(default="", compare=False)
    """the argument of `context.configure` that left it out"""
    is_flagged: bool = field(default=False, compare=False)
    """a table whose model says so itself, by a flag in its `info`"""


@dataclass(frozen=True)
class AlembicDifference:
    """A difference that Alembic's own comparison found."""

    operation: str
    """add_column, modify_type..."""
    table: str
    """`schema.name`"""
    text: str


@dataclass(frozen=True)
class DeclaredOperation:
    """An operation that the project's own comparison asks for, beyond its models."""

    label: str
    """what it says of itself"""
    upgrade: str
    """the lines of a revision that ran; '' where there are none"""
    downgrade: str
    error: Optional[str]
    """why it could not be run"""


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
class MissingSetting:
    """A setting that the project asked for in vain."""

    kind: SettingKind
    name: str
    example: str = ""
    """a value of the form that it may have"""
    default: Optional[str] = None
    """what the project's code takes instead"""
    place: str = ""
    """`file:line` of the project's that asks for it; the file below the working directory, else absolute"""


@dataclass(frozen=True)
class ImportedModule:
    """A module of the project's own that had been imported when env.py ended."""

    name: str
    file: str
    """real path"""


ModelPart = Literal["table", "column", "part", "labels", "type"]
"""what was taken from the models: a table, a column, an index or constraint; an enum's labels, a type"""


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
    """None where no revision ran"""
    objects: tuple[ModelObject, ...]
    is_executed: bool
    """SQLAlchemy executed it; else it was compiled, and what became of the text is not known"""
    frames: tuple[Frame, ...]
    """the project's, outermost first"""
    frame: Optional[Frame]
    """the one to show: of the revision, of env.py, or the innermost of the project's own"""
    code: str
    """the line of source there"""


# The lines of the answer, in the order in which they come.


@dataclass(frozen=True)
class WorkerStarted:
    """Alembic and SQLAlchemy could be imported."""

    python: str
    alembic: str
    sqlalchemy: str
    drivers: tuple[str, ...]
    """PostgreSQL drivers that are installed"""
    kind: Literal["started"] = "started"


@dataclass(frozen=True)
class StageStarted:
    """A stage begins."""

    name: Stage
    kind: Literal["stage"] = "stage"


@dataclass(frozen=True)
class Note:
    """What a reader of the report should know. The sandbox writes one of these before the worker starts."""

    text: str
    kind: Literal["note"] = "note"


@dataclass(frozen=True)
class ObservationFailed:
    """Something of the gate's failed inside of the project's calls, which went on without it."""

    what: str
    """was not done or not seen, as a noun phrase"""
    error: str
    kind: Literal["observation failed"] = "observation failed"


@dataclass(frozen=True)
class DatabaseUsed:
    """Another attempt follows one that has used the database: the worker waits until it is as it was."""

    kind: Literal["database_used"] = "database_used"


@dataclass(frozen=True)
class ConnectionRequested:
    """The project asked for a connection; each kind is sent once."""

    dialect: str
    driver: str
    address: str
    """what it named, `host:port/database`, without a password"""
    intercepted_by: Interception
    outcome: Outcome
    kind: Literal["connection"] = "connection"


@dataclass(frozen=True)
class SettingSupplied:
    """The project failed for the want of a setting, and runs with a dummy value."""

    setting: SettingKind
    name: str
    value: str
    instead_of: str = ""
    """what the project's code takes where it is not set"""
    place: str = ""
    """as that of a `MissingSetting`"""
    kind: Literal["setting_supplied"] = "setting_supplied"


@dataclass(frozen=True)
class ScriptsFound:
    """Where the revisions are."""

    locations: tuple[str, ...]
    """real paths of the folders with revisions"""
    folder: str
    """real path of env.py's folder"""
    kind: Literal["scripts"] = "scripts"


@dataclass(frozen=True)
class HistoryRead:
    """The revision graph."""

    revisions: tuple[RevisionScript, ...]
    """newest first; empty where it could not be read"""
    heads: tuple[str, ...]
    bases: tuple[str, ...]
    error: Optional[ErrorReport] = None
    """why Alembic could not read it"""
    kind: Literal["history"] = "history"


@dataclass(frozen=True)
class DatabasesFound:
    """env.py migrates several databases, of which the gate did not know; the run ends."""

    addresses: tuple[str, ...]
    """`host:port/database`, as far as they are known"""
    judged: tuple[str, ...]
    """those with models of their own"""
    kind: Literal["databases_found"] = "databases_found"


@dataclass(frozen=True)
class ContextConfigured:
    """env.py runs migrations with a new context; one env.py may do so several times."""

    number: int
    """from 1"""
    driver: str
    version_table: str
    version_table_schema: Optional[str]
    default_schema: str
    """where a table without a schema is"""
    starting_heads: tuple[str, ...] = ()
    """what its version table held before its first revision"""
    has_metadata: bool = True
    """it has a target_metadata"""
    kind: Literal["context"] = "context"


@dataclass(frozen=True)
class RevisionsPlanned:
    """The revisions that lead to one target."""

    revisions: tuple[str, ...]
    """in the order in which they will run"""
    kind: Literal["plan"] = "plan"


@dataclass(frozen=True)
class StepStarted:
    """A revision begins to run."""

    number: int
    """from 1, over all contexts"""
    revision: str
    kind: Literal["step_started"] = "step_started"


@dataclass(frozen=True)
class StepFinished:
    """A revision ran to its end."""

    number: int
    revision: str
    context: int
    seconds: float
    statements: tuple[ExecutedStatement, ...]
    """see `step_record.py` for those that are kept"""
    transactions: tuple[RecordedBoundary, ...]
    """in their order"""
    in_transaction: bool
    """the connection was in a transaction when the migration's function ended"""
    before: Optional[str] = None
    """the catalog as JSON, where the revision gets snapshots"""
    after: Optional[str] = None
    dropped_statements: int = 0
    """that ran too, and only read or changed rows"""
    unrecorded_statements: int = 0
    """that ran too, and a verdict may depend on them"""
    kind: Literal["step_finished"] = "step_finished"


@dataclass(frozen=True)
class ContextFinished:
    """All revisions of one context ran; where its tables are by now."""

    number: int
    version_table: str
    version_table_schema: Optional[str]
    default_schema: str
    search_path: str
    """of the session, before the first revision"""
    kind: Literal["context_finished"] = "context_finished"


@dataclass(frozen=True)
class ModelDdlFound:
    """What was built from the models while the history ran; sent after it, or before its failure."""

    statements: tuple[ModelDdl, ...]
    kind: Literal["model_ddl"] = "model_ddl"


@dataclass(frozen=True)
class RunFailed:
    """The project's code failed, and the run ends."""

    stage: FailedStage
    error: ErrorReport
    revision: Optional[str] = None
    """the one that ran"""
    file: Optional[str] = None
    """real path of its file"""
    line: Optional[int] = None
    """of that file: the statement that ran last"""
    statements: tuple[ExecutedStatement, ...] = ()
    """of the step that failed"""
    first_error: Optional[ErrorReport] = None
    """an earlier error in the same transaction, which this one only follows from"""
    missing: tuple[MissingSetting, ...] = ()
    """what was asked for in vain before the first revision"""
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True)
class StepKeyword:
    """What env.py gives to the functions of the revisions: `context.run_migrations(engine_name="events")`."""

    name: str
    value: Optional[str]
    """None where it is no text"""


@dataclass(frozen=True)
class StepKeywords:
    """Everything that the functions of the revisions are given in one context."""

    keywords: tuple[StepKeyword, ...]
    is_judged: bool
    """for a database that has the models which this run compares"""


@dataclass(frozen=True)
class HistoryFinished:
    """env.py ran to its end, and every step of it: the replayed database does not change any more."""

    tables: tuple[str, ...]
    """`schema.name` of the tables in target_metadata, sorted"""
    skipped_contexts: int = 0
    """that env.py configured, and did not run"""
    step_keywords: tuple[StepKeywords, ...] = ()
    """each once; those of other databases too"""
    kind: Literal["history_finished"] = "history_finished"


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
    """MetaData objects; 0 where target_metadata is missing"""
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
    imported_modules: tuple[ImportedModule, ...] = ()
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
    kind: Literal["models"] = "models"


@dataclass(frozen=True)
class Done:
    """The answer is complete."""

    kind: Literal["done"] = "done"


Line = Union[
    WorkerStarted,
    StageStarted,
    Note,
    ObservationFailed,
    DatabaseUsed,
    ConnectionRequested,
    SettingSupplied,
    ScriptsFound,
    HistoryRead,
    DatabasesFound,
    ContextConfigured,
    RevisionsPlanned,
    StepStarted,
    StepFinished,
    ContextFinished,
    ModelDdlFound,
    RunFailed,
    HistoryFinished,
    ContextsMissing,
    ModelsCreated,
    Done,
]


DATABASE_RESTORED = b"restored\n"
"""what the gate answers to `DatabaseUsed`"""


def encode_line(line: Line) -> bytes:
    """The line as UTF-8 JSON, with the newline.

    A lone surrogate (from a file name that is not UTF-8) becomes a question mark: JSON in UTF-8 has no way to
    write one.
    """
    text = json.dumps(line, default=_json_value, ensure_ascii=False)
    return text.encode("utf-8", "replace") + b"\n"


def _json_value(value: object) -> object:
    """The fields of a dataclass; a text of the project's that only looks like one, as text."""
    return vars(value) if dataclasses.is_dataclass(value) else str(value)
