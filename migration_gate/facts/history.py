"""What a replay told: the history as Alembic reads it, and what each revision did on Postgres."""

from __future__ import annotations

from dataclasses import dataclass, field

from migration_gate.facts.catalog import Snapshot


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
class RevisionFile:
    """A Python file that looks like a revision, read as text; `seen` when Alembic loads it."""

    path: str
    revision: str | None
    parents: tuple[str, ...] = ()
    is_loaded: bool = True
    error: str | None = None
    """why Python could not parse it"""
    line: int | None = None
    not_loaded_because: str | None = None
    creates: tuple[str, ...] = ()
    """tables that its text creates (`op.create_table("users"`), as written"""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error while something of the project's ran."""

    message: str
    """the message: Postgres's own, where it comes from Postgres"""
    exception_class: str = ""
    """the exception's class"""
    sqlstate: str | None = None
    detail: str | None = None
    hint: str | None = None
    statement: str | None = None
    revision: str | None = None
    direction: str = "upgrade"
    location: Location | None = None
    """the line of the migration (or of env.py) that was running"""
    traceback: tuple[str, ...] = ()
    """the project's own frames, outermost first, `file:line in function`"""
    first_error: Failure | None = None
    """an earlier error of the same transaction that this one only follows from"""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, as the driver was handed it."""

    sql: str
    seconds: float
    line: int | None = None
    """of the revision's file"""
    rows: int | None = None
    error: Failure | None = None
    """set even when the migration swallowed it"""


@dataclass(frozen=True, slots=True)
class Step:
    """One revision, run."""

    number: int
    """from 1, in the order of the replay"""
    revision: str
    seconds: float
    statements: tuple[Statement, ...] = ()
    transactions: tuple[str, ...] = ()
    """boundaries in their order: begin, commit, rollback, savepoint, rollback to savepoint, autocommit, each
    with the number of statements before it (`savepoint@3`)"""
    in_transaction: bool = True
    """the connection was in a transaction when the migration's function ended"""
    context: int = 1
    """which context of env.py ran it (tenant loops have several)"""
    before: Snapshot | None = None
    after: Snapshot | None = None
    """catalogs around it, where they were asked for"""


@dataclass(frozen=True, slots=True)
class ColumnState:
    """What a column was after one DDL command."""

    number: int
    name: str
    type: str
    nullable: bool
    default: str | None


@dataclass(frozen=True, slots=True)
class DdlCommand:
    """One DDL command as the server's event triggers reported it."""

    step: int
    """number of the step; 0 is what was done before the first revision"""
    tag: str
    """CREATE TABLE, ALTER TABLE, DROP INDEX..."""
    kind: str
    """table, column, index, sequence, type, view..."""
    identity: str
    """as `pg_identify_object` prints it; empty when nothing was made (IF NOT EXISTS)"""
    oid: int = 0
    statement: str | None = None
    """only where the command made nothing"""
    columns: tuple[ColumnState, ...] = ()
    constraints: tuple[tuple[str, str], ...] = ()
    """name and definition"""
    indexes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that the project asked for; passwords are never kept."""

    dialect: str
    driver: str
    requested_address: str
    """what it named, `host:port/database`"""
    intercepted_by: str
    """url, creator, pool or driver: the layer that met it"""
    outcome: str
    """redirected, swapped (the dialect was) or refused"""


@dataclass(frozen=True, slots=True)
class UncreatedObject:
    """A part of the models that Postgres would not create."""

    object: str
    message: str
    compared_by_alembic: bool
    """Alembic's own comparison stood in"""
    table: str | None = None
    """`schema.name` of the table it belongs to"""
    kind: str = "table"
    """table, foreign key, check, unique, index, comment, type or sequence"""
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


@dataclass(frozen=True, slots=True)
class Models:
    """What env.py handed to Alembic as target_metadata."""

    tables: tuple[str, ...] = ()
    """`schema.name`, schema `public` where none is set"""
    metadatas: int = 0
    """how many MetaData objects; 0 when target_metadata is missing"""
    uncreated_objects: tuple[UncreatedObject, ...] = ()
    filtered_objects: tuple[FilteredObject, ...] = ()
    alembic_differences: tuple[tuple[str, str, str], ...] = ()
    """Alembic's own differences for uncreated tables: operation, table, text"""
    snapshot: Snapshot | None = None
    """the database that the models made"""
    locations: tuple[tuple[str, Location], ...] = ()
    """where each table's model is defined, if a mapped class says so"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One drift: the replayed database and the models disagree."""

    kind: str
    """table, column, type, nullability, default, primary key, foreign key, unique, check, exclusion, index,
    enum, type definition, sequence, comment, table option, name-only or unmanaged"""
    object: str
    """as people say it: `users.email`"""
    database: str | None
    """as Postgres prints it, None where it is missing"""
    models: str | None
    table: str | None = None
    """`schema.name` of the table it belongs to"""
    column: str | None = None
    upgrade: str = ""
    """body of a revision that would mend the database"""
    downgrade: str = ""
    revision: str | None = None
    """the revision that introduced the database's side; None when no revision makes it"""
    object_noun: str = ""
    """for what is unmanaged, what it is: view, function, trigger, policy, extension, grant..."""
    harmless_because: str = ""
    """why no query notices it, where none does"""
    rename_hint: str = ""
    """for a table or a column that one side lacks: what of the other side may be it under another name"""


@dataclass(frozen=True, slots=True)
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
    missing: tuple[tuple[str, str], ...] = ()
    """revision and the parent or dependency of it that is nowhere"""

    def find_revision(self, identifier: str | None) -> Revision | None:
        """The revision of that id."""
        return next((r for r in self.revisions if r.id == identifier), None)


@dataclass(frozen=True, slots=True)
class Replay:
    """Everything that one run of the project's history told."""

    history: History = field(default_factory=History)
    steps: tuple[Step, ...] = ()
    failure: Failure | None = None
    """what ended it before the target"""
    ddl_commands: tuple[DdlCommand, ...] = ()
    arrived_heads: tuple[str, ...] = ()
    """the heads in the version table of our server"""
    version_tables: tuple[str, ...] = ()
    connections: tuple[Connection, ...] = ()
    catalog: Snapshot = field(default_factory=Snapshot)
    models: Models = field(default_factory=Models)
    differences: tuple[Difference, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    """python, alembic, sqlalchemy, driver, postgres"""
    notes: tuple[str, ...] = ()
    """what a reader should know: a swapped dialect, dummy settings, a missing layer of protection"""
    unchecked: tuple[tuple[str, str], ...] = ()
    """what could not be checked, and why"""
    output: str = ""
    """the last of what the project's code printed"""
    stage_seconds: tuple[tuple[str, float], ...] = ()
    """wall time of each stage"""

    def find_step(self, revision: str) -> Step | None:
        """The step that ran `revision`."""
        return next((s for s in self.steps if s.revision == revision), None)
