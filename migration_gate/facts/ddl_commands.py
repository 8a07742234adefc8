"""The DDL commands that Postgres logged, each with the state that it left behind."""

from __future__ import annotations

from migration_gate.facts.catalog import EnumType, NamedType, Sequence, View
from migration_gate.facts.tables import ColumnIdentity, Persistence, TableKind
from migration_gate.lazy_dataclass import dataclass


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
    """of the table, sequence, view or type of the state; of the object itself if there is none"""
    statement: str | None = None
    """only if the command made nothing"""
    columns: tuple[ColumnState, ...] = ()
    """all columns of the table after the command; empty if the command was not about a table"""
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
