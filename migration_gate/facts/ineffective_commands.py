"""Commands that ran without an error that anybody sees, and without an effect."""

from __future__ import annotations

from typing import Literal

from migration_gate.facts.ddl_commands import NamedDefinition
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ObjectDescription:
    """What an object is, as Postgres prints it, without its name."""

    kind: str = ""
    """unlogged table, index, enum, domain...; empty if a constraint or the like needs no word for it"""
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
    """what the statement would have created; None if Postgres could not create it elsewhere"""
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
    """Postgres' own; empty if it is not known"""
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
