"""The nouns of a Postgres catalog, as Postgres itself prints them; tables and their parts are in `tables`.

Types come from `format_type`, expressions from `pg_get_expr`, constraints from `pg_get_constraintdef`
and indexes from `pg_get_indexdef`, all with an empty `search_path`, so every name in them is qualified.
`oid` and `number` follow an object through renames inside one database; between databases they mean
nothing, and comparisons leave them out.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from migration_gate.facts.object_names import SchemaObject, display_name
from migration_gate.facts.tables import AttachedObject, Column, Constraint, Index, Table
from migration_gate.lazy_dataclass import dataclass

NamedTypeKind = Literal["domain", "composite", "range"]
RoutineKind = Literal["function", "procedure", "aggregate"]
ViewKind = Literal["view", "materialized view"]


@dataclass(frozen=True, slots=True)
class EnumType(SchemaObject):
    """An enum with its labels in their sort order."""

    schema: str
    name: str
    labels: tuple[str, ...]
    comment: str | None = None
    oid: int = 0


@dataclass(frozen=True, slots=True)
class NamedType(SchemaObject):
    """A domain, composite type or range."""

    schema: str
    name: str
    kind: NamedTypeKind
    definition: str
    comment: str | None = None
    oid: int = 0


@dataclass(frozen=True, slots=True)
class Sequence(SchemaObject):
    """A sequence with its options and, for serial and identity columns, its owner: `schema.table.column`."""

    schema: str
    name: str
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool
    owner: str | None = None
    identity: bool = False
    comment: str | None = None
    oid: int = 0


@dataclass(frozen=True, slots=True)
class Routine(SchemaObject):
    """A function, procedure or aggregate; `signature` tells overloads apart."""

    schema: str
    name: str
    signature: str
    kind: RoutineKind
    definition: str
    oid: int = 0

    def __str__(self) -> str:
        return f"{display_name(self.schema, self.name)}({self.signature})"


@dataclass(frozen=True, slots=True)
class View(SchemaObject):
    """A view, materialized or not."""

    schema: str
    name: str
    kind: ViewKind
    definition: str
    options: tuple[str, ...] = ()
    comment: str | None = None
    oid: int = 0
    column_names: tuple[str, ...] = ()
    column_types: tuple[str, ...] = ()
    """as `format_type` prints them, in the order of the names"""


@dataclass(frozen=True, slots=True)
class OtherObject:
    """Anything else with a name (qualified where the kind has schemas): statistics, event trigger..."""

    kind: str
    name: str
    definition: str
    oid: int = 0

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Extension:
    """An installed extension (plpgsql, which is always there, is left out)."""

    name: str
    schema: str
    version: str
    tables: tuple[str, ...] = ()
    """`schema.name` of those that belong to it, which are no tables of the project's"""
    oid: int = 0

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of the project's; those of Postgres and of Migration Gate are left out."""

    name: str
    comment: str | None = None
    oid: int = 0

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Grant:
    """Privileges that differ from the owner's own."""

    kind: str
    """schema, table, column, sequence, function or type"""
    name: str
    acl: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


CatalogObject: TypeAlias = (
    Schema
    | Extension
    | Table
    | Column
    | Constraint
    | Index
    | EnumType
    | NamedType
    | Sequence
    | View
    | Routine
    | AttachedObject
    | OtherObject
    | Grant
)
"""any of the nouns; `str()` of one is its name as reports show it"""
