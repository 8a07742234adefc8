"""The nouns of a Postgres catalog, as Postgres itself prints them.

Types come from `format_type`, expressions from `pg_get_expr`, constraints from `pg_get_constraintdef`
and indexes from `pg_get_indexdef`, all with an empty `search_path`, so every name in them is qualified.
`oid` and `number` follow an object through renames inside one database; between databases they mean
nothing, and comparisons leave them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

TableKind = Literal["table", "partitioned table", "foreign table"]
Persistence = Literal["permanent", "unlogged", "temporary"]
ColumnIdentity = Literal["always", "by default"]
ConstraintKind = Literal["primary key", "unique", "foreign key", "check", "exclusion", "not null"]
ReferentialAction = Literal["no action", "restrict", "cascade", "set null", "set default"]
NamedTypeKind = Literal["domain", "composite", "range"]
RoutineKind = Literal["function", "procedure", "aggregate"]
ViewKind = Literal["view", "materialized view"]
AttachedKind = Literal["trigger", "policy", "rule"]
FiringMode = Literal["origin", "disabled", "replica", "always"]
"""when a trigger or rule fires, by `session_replication_role`"""


def display_name(schema: str, name: str) -> str:
    """The name as reports show it: with its schema, unless that is `public`."""
    return name if schema == "public" else f"{schema}.{name}"


class _SchemaObject:
    """An object with a name of its own in a schema."""

    __slots__ = ()
    schema: str
    name: str

    @property
    def full_name(self) -> str:
        """`schema.name`, also of those in `public`; nothing is quoted."""
        return f"{self.schema}.{self.name}"

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


class _TablePart:
    """An object that belongs to a table."""

    __slots__ = ()
    schema: str
    table: str
    name: str

    @property
    def full_table_name(self) -> str:
        """`schema.table`, also of those in `public`; nothing is quoted."""
        return f"{self.schema}.{self.table}"

    def __str__(self) -> str:
        return f"{display_name(self.schema, self.table)}.{self.name}"


@dataclass(frozen=True, slots=True)
class Table(_SchemaObject):
    """A table; `oid` follows it through renames."""

    schema: str
    name: str
    kind: TableKind = "table"
    persistence: Persistence = "permanent"
    partition_key: str | None = None
    """of a partitioned table: `RANGE (day)`"""
    partition_bound: str | None = None
    """of a partition: `FOR VALUES FROM … TO …`"""
    inherits: tuple[str, ...] = ()
    """its parents, `schema.name`"""
    options: tuple[str, ...] = ()
    row_security: bool = False
    force_row_security: bool = False
    replica_identity: str = "default"
    comment: str | None = None
    oid: int = 0


@dataclass(frozen=True, slots=True)
class Column(_TablePart):
    """A column of a table."""

    schema: str
    table: str
    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    generated: str | None = None
    """`stored: expression` or `virtual: expression`"""
    identity: ColumnIdentity | None = None
    """the options are its sequence's"""
    collation: str | None = None
    storage: str | None = None
    """collation and storage only if they are not the type's own"""
    comment: str | None = None
    position: int = 0
    """from 1, dropped columns not counted"""
    number: int = 0  # attnum

    @property
    def full_name(self) -> str:
        """`schema.table.column`; nothing is quoted."""
        return f"{self.full_table_name}.{self.name}"


@dataclass(frozen=True, slots=True)
class Constraint(_TablePart):
    """A constraint of a table. Fields about references are those of a foreign key."""

    schema: str
    table: str
    name: str
    kind: ConstraintKind
    definition: str
    columns: tuple[str, ...] = ()
    validated: bool = True
    deferrable: bool = False
    deferred: bool = False
    references: str | None = None
    """the referenced table, `schema.name`"""
    referenced_columns: tuple[str, ...] = ()
    on_delete: ReferentialAction | None = None
    on_update: ReferentialAction | None = None
    comment: str | None = None
    oid: int = 0


@dataclass(frozen=True, slots=True)
class Index(_TablePart):
    """An index; `constraint` names the constraint it backs, if any."""

    schema: str
    table: str
    name: str
    definition: str
    columns: tuple[str | None, ...] = ()
    """the key columns in order, None for an expression"""
    unique: bool = False
    valid: bool = True
    partial: bool = False
    on_view: bool = False
    """it belongs to a materialized view"""
    constraint: str | None = None
    comment: str | None = None
    oid: int = 0

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class EnumType(_SchemaObject):
    """An enum with its labels in their sort order."""

    schema: str
    name: str
    labels: tuple[str, ...]
    comment: str | None = None
    oid: int = 0


@dataclass(frozen=True, slots=True)
class NamedType(_SchemaObject):
    """A domain, composite type or range."""

    schema: str
    name: str
    kind: NamedTypeKind
    definition: str
    comment: str | None = None
    oid: int = 0


@dataclass(frozen=True, slots=True)
class Sequence(_SchemaObject):
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
class Routine(_SchemaObject):
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
class View(_SchemaObject):
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
class AttachedObject(_TablePart):
    """A trigger, policy or rule of a relation: models cannot express these."""

    schema: str
    table: str
    name: str
    kind: AttachedKind
    definition: str
    enabled: FiringMode = "origin"

    def __str__(self) -> str:
        return f"{self.name} on {display_name(self.schema, self.table)}"


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
