"""The nouns of a Postgres catalog, as Postgres itself prints them.

Types come from `format_type`, expressions from `pg_get_expr`, constraints from `pg_get_constraintdef`
and indexes from `pg_get_indexdef`, all with an empty `search_path`, so every name in them is qualified.
`oid` and `number` follow an object through renames inside one database; between databases they mean
nothing, and comparisons leave them out.
"""

from __future__ import annotations

from dataclasses import dataclass, field


def display_name(schema: str, name: str) -> str:
    """The name as people say it: `public` is understood."""
    return name if schema == "public" else f"{schema}.{name}"


@dataclass(frozen=True, slots=True)
class Table:
    """Kind is table, partitioned table or foreign table; persistence permanent, unlogged or temporary."""

    schema: str
    name: str
    kind: str = "table"
    persistence: str = "permanent"
    partition_key: str | None = None
    partition_bound: str | None = None
    inherits: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    row_security: bool = False
    force_row_security: bool = False
    replica_identity: str = "default"
    comment: str | None = None
    oid: int = 0

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table (or of a foreign table)."""

    schema: str
    table: str
    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    generated: str | None = None
    """`stored: expression` or `virtual: expression`"""
    identity: str | None = None
    """`always` or `by default`; the options are its sequence's"""
    collation: str | None = None
    storage: str | None = None
    """collation and storage only where they are not the type's own"""
    comment: str | None = None
    position: int = 0
    """from 1, dropped columns not counted"""
    number: int = 0  # attnum

    def __str__(self) -> str:
        return f"{display_name(self.schema, self.table)}.{self.name}"


@dataclass(frozen=True, slots=True)
class Constraint:
    """kind is primary key, unique, foreign key, check or exclusion."""

    schema: str
    table: str
    name: str
    kind: str
    definition: str
    columns: tuple[str, ...] = ()
    validated: bool = True
    deferrable: bool = False
    deferred: bool = False
    references: str | None = None
    """the referenced table of a foreign key, `schema.name`"""
    referenced_columns: tuple[str, ...] = ()
    on_delete: str | None = None
    """no action, restrict, cascade, set null or set default"""
    on_update: str | None = None
    comment: str | None = None
    oid: int = 0

    def __str__(self) -> str:
        return f"{display_name(self.schema, self.table)}.{self.name}"


@dataclass(frozen=True, slots=True)
class Index:
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
class EnumType:
    """An enum with its labels in their sort order."""

    schema: str
    name: str
    labels: tuple[str, ...]
    comment: str | None = None
    oid: int = 0

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class NamedType:
    """A domain, composite type or range; `kind` says which."""

    schema: str
    name: str
    kind: str
    definition: str
    comment: str | None = None
    oid: int = 0

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Sequence:
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

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Routine:
    """A function, procedure or aggregate; `signature` tells overloads apart."""

    schema: str
    name: str
    signature: str
    kind: str
    definition: str
    oid: int = 0

    def __str__(self) -> str:
        return f"{display_name(self.schema, self.name)}({self.signature})"


@dataclass(frozen=True, slots=True)
class View:
    """kind is view or materialized view."""

    schema: str
    name: str
    kind: str
    definition: str
    options: tuple[str, ...] = ()
    comment: str | None = None
    oid: int = 0

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class AttachedObject:
    """What hangs on a relation and models cannot express: trigger, policy or rule."""

    schema: str
    table: str
    name: str
    kind: str
    definition: str
    enabled: str = "origin"  # or disabled, replica, always

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
    oid: int = 0

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of the project's (not Postgres's, not ours)."""

    name: str
    comment: str | None = None
    oid: int = 0

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Grant:
    """Privileges that differ from the owner's own, on a schema, table, column, sequence, function or type."""

    kind: str
    name: str
    acl: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One database at one moment, without extension members, Alembic's version tables and our own schema."""

    schemas: tuple[Schema, ...] = ()
    extensions: tuple[Extension, ...] = ()
    tables: tuple[Table, ...] = ()
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    enums: tuple[EnumType, ...] = ()
    types: tuple[NamedType, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    views: tuple[View, ...] = ()
    routines: tuple[Routine, ...] = ()
    triggers: tuple[AttachedObject, ...] = ()
    policies: tuple[AttachedObject, ...] = ()
    rules: tuple[AttachedObject, ...] = ()
    others: tuple[OtherObject, ...] = ()
    grants: tuple[Grant, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    """what reading it took"""

    def find_table(self, schema: str, name: str) -> Table | None:
        """The table of that name, if it is there."""
        return next((table for table in self.tables if (table.schema, table.name) == (schema, name)), None)

    def columns_of(self, table: Table) -> tuple[Column, ...]:
        """The columns of `table` in their order."""
        return tuple(c for c in self.columns if (c.schema, c.table) == (table.schema, table.name))

    def constraints_of(self, table: Table) -> tuple[Constraint, ...]:
        """The constraints of `table`."""
        return tuple(c for c in self.constraints if (c.schema, c.table) == (table.schema, table.name))

    def indexes_of(self, table: Table) -> tuple[Index, ...]:
        """The indexes of `table`, those that back a constraint too."""
        return tuple(i for i in self.indexes if (i.schema, i.table) == (table.schema, table.name))
