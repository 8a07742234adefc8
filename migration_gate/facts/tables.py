"""Tables, and what belongs to one, as Postgres itself prints it: `catalog` says how."""

from __future__ import annotations

import re
from typing import Literal

from migration_gate.facts.object_names import SchemaObject, TablePart, display_name
from migration_gate.lazy_dataclass import dataclass

TableKind = Literal["table", "partitioned table", "foreign table"]
Persistence = Literal["permanent", "unlogged", "temporary"]
ColumnIdentity = Literal["always", "by default"]
ConstraintKind = Literal["primary key", "unique", "foreign key", "check", "exclusion", "not null"]
ReferentialAction = Literal["no action", "restrict", "cascade", "set null", "set default"]
AttachedKind = Literal["trigger", "policy", "rule"]
FiringMode = Literal["origin", "disabled", "replica", "always"]
"""when a trigger or rule fires, by `session_replication_role`"""
_REFUSES_NULL = re.compile(
    r"""CHECK \(\((?:"(?:[^"]|"")+"|[\w$]+) IS NOT NULL\)\)(?: NO INHERIT)?(?: NOT VALID)?"""
)


@dataclass(frozen=True, slots=True)
class Table(SchemaObject):
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
class Column(TablePart):
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
class Constraint(TablePart):
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

    @property
    def required_column(self) -> str | None:
        """The column of a CHECK that does nothing but to refuse NULL in it, as a NOT NULL does; else None.

        One that is NOT VALID refuses new rows as well.
        """
        is_of_one = self.kind == "check" and len(self.columns) == 1
        return self.columns[0] if is_of_one and _REFUSES_NULL.fullmatch(self.definition) else None


@dataclass(frozen=True, slots=True)
class Index(TablePart):
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
class AttachedObject(TablePart):
    """A trigger, policy or rule of a relation: models cannot express these."""

    schema: str
    table: str
    name: str
    kind: AttachedKind
    definition: str
    enabled: FiringMode = "origin"

    def __str__(self) -> str:
        return f"{self.name} on {display_name(self.schema, self.table)}"
