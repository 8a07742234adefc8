"""Which statements of the models work on the other side of a change: old code on the new schema, and back."""

from __future__ import annotations

from enum import StrEnum

from migration_gate.facts.object_names import display_name
from migration_gate.lazy_dataclass import dataclass


class StatementKind(StrEnum):
    """A statement that SQLAlchemy makes for a mapped class."""

    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class RefusalCause(StrEnum):
    """What of the schema refuses a statement."""

    MISSING_TABLE = "missing table"
    MISSING_COLUMN = "missing column"
    REQUIRED_COLUMN = "required column"
    """the statement gives no value, and the column has no default"""
    NULL = "NULL"
    """the column accepted NULL, which the class may send"""
    TYPE = "type"
    """no value of the column's earlier type is accepted"""
    VALUE = "value"
    """a value is refused that the column's earlier type has, and others are accepted"""
    LABEL = "label"
    """an enum's label is not there any more"""
    GENERATED = "generated column"
    """the column accepts no values of a statement any more"""
    DEFAULT = "default"
    """the models' own default calls something that is gone"""
    RULE = "rule"
    """a CHECK on columns that the statement knows nothing of"""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """A column as the models have it, and the statements that name it."""

    name: str
    type: str
    """as the project's dialect writes it; '' if it cannot"""
    cast: str = ""
    """to which the project's driver casts each value: `VARCHAR`; '' if it sends values without a type"""
    is_loaded: bool = True
    """SELECT names it: it is not deferred"""
    is_inserted: bool = True
    """INSERT names it, whether or not the application gives a value"""
    is_updated: bool = True
    may_be_null: bool = True
    """an INSERT sends NULL if the application gives no value"""
    labels: tuple[str, ...] = ()
    """of an Enum"""
    inserted_sql: str = ""
    """an expression that INSERT has for it if the application gives no value: a function, a sequence"""
    updated_sql: str = ""
    """the same of UPDATE"""


@dataclass(frozen=True, slots=True)
class MappedTable:
    """A table of the models, with the classes that are mapped to it."""

    schema: str
    name: str
    classes: tuple[str, ...] = ()
    """names; none of a Table without a class"""
    columns: tuple[MappedColumn, ...] = ()

    @property
    def display(self) -> str:
        """The classes as reports show them, or else the table."""
        return ", ".join(self.classes) or display_name(self.schema, self.name)

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class RefusedStatement:
    """A statement for a mapped class that the schema of the other side refused, and its own did not."""

    schema: str
    table: str
    """as the models call it"""
    classes: tuple[str, ...]
    cause: RefusalCause
    kinds: tuple[StatementKind, ...]
    """which statements fail"""
    sql: str
    """one of them"""
    message: str
    """Postgres's"""
    column: str = ""
    value: str = ""
    """that was refused"""

    @property
    def is_partial(self) -> bool:
        """Whether it depends on the value that the application sends."""
        return self.cause in (RefusalCause.NULL, RefusalCause.VALUE)

    def __str__(self) -> str:
        name = display_name(self.schema, self.table)
        return f"{name}.{self.column}" if self.column else name


@dataclass(frozen=True, slots=True)
class UntriedTable:
    """A table of the models with which not all could be tried."""

    schema: str
    name: str
    reason: str
    """a clause"""

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class RunningCode:
    """What the change does to the release that runs while it is deployed, and what its own release needs."""

    old_code: tuple[RefusedStatement, ...] = ()
    """statements of the base's models on the schema of the change"""
    new_code: tuple[RefusedStatement, ...] = ()
    """statements of the change's models on the schema of the base"""
    tried: tuple[str, ...] = ()
    """tables of the base's models, as reports show them, that the change touches"""
    untried: tuple[UntriedTable, ...] = ()
    unproven: str = ""
    """why nothing was tried, as a clause; '' if all was, or there was nothing to try"""
