"""What the repository holds beside the migrations, read as text because there is nothing to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from migration_gate.facts.history import Location, Unchecked

SqlKind = Literal["schema", "data", "query"]
SchemaChangeKind = Literal["execute", "create_all", "drop_all", "ddl element", "shell", "workflow"]


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A tracked `.sql` file."""

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


@dataclass(frozen=True, slots=True)
class Tree:
    """The tracked files of the project."""

    root: str = "."
    """the repository's top folder"""
    prefix: str = ""
    """the project's folder inside it, where that is not the top; paths are from the top"""
    sql_files: tuple[SqlFile, ...] = ()
    schema_changes: tuple[SchemaChange, ...] = ()
    notes: tuple[str, ...] = ()
    """no git here, a shallow clone..."""
    unchecked: tuple[Unchecked, ...] = ()


@dataclass(frozen=True, slots=True)
class Owners:
    """Which columns name the owner of a row (`owners:` in the configuration)."""

    columns: tuple[str, ...] = ("owner_id", "ownerId")
    tables: tuple[str, ...] = ()
    """glob patterns of tables that must have an owner column"""
    exempt: tuple[str, ...] = ()
    """glob patterns of tables, or table.column, that need none"""
    references: str | None = None
    """the table of owners, which every owner column must reference"""
    every_reference: bool = False
    """every table that references `references` is an owned table"""
    on_delete: tuple[str, ...] = ("cascade",)
    """the ON DELETE actions that are accepted for an owner's foreign key"""
