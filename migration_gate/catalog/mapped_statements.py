"""The statements that SQLAlchemy makes for a mapped table, as text, and what Postgres says of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from migration_gate.catalog.single_rows import SingleRows
from migration_gate.catalog.trial_statements import RowRefused
from migration_gate.facts import MappedColumn, RowRefusal, StatementKind
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import quote_identifier
from migration_gate.sql.literals import quote_literal


@dataclass(frozen=True, slots=True)
class Attempt:
    """A statement that failed."""

    sql: str
    error: RowRefusal


@dataclass
class StatementTexts:
    """Writes the statements for one table."""

    target: str
    """its name in SQL"""
    key: Sequence[str]
    """columns of its primary key"""
    made: Mapping[str, str | None] = field(default_factory=dict)
    """a row that is there: UPDATE and DELETE are about it"""

    def write_select(self, columns: Iterable[MappedColumn]) -> str:
        """With the columns that a class loads."""
        names = ", ".join(quote_identifier(column.name) for column in columns if column.is_loaded)
        return f"SELECT {names or '1'} FROM {self.target} LIMIT 1"  # noqa: S608

    def write_insert(self, values: Mapping[str, str]) -> str:
        """With values in SQL."""
        if not values:
            return f"INSERT INTO {self.target} DEFAULT VALUES"
        names = ", ".join(map(quote_identifier, values))
        return f"INSERT INTO {self.target} ({names}) VALUES ({', '.join(values.values())})"  # noqa: S608

    def write_update(self, columns: Iterable[MappedColumn]) -> str:
        """Sets the columns to what they are."""
        names = [quote_identifier(column.name) for column in columns]
        settings = ", ".join(f"{name} = {name}" for name in names)
        return f"UPDATE {self.target} SET {settings}{self._write_condition()}"  # noqa: S608

    def write_setting(self, column: str, value: str) -> str:
        """Sets one column to a value in SQL."""
        name = quote_identifier(column)
        return f"UPDATE {self.target} SET {name} = {value}{self._write_condition()}"  # noqa: S608

    def write_delete(self) -> str:
        """Deletes the row."""
        return f"DELETE FROM {self.target}{self._write_condition()}"  # noqa: S608

    def _write_condition(self) -> str:
        """Finds the row by its key; no row if there is none, all rows without a key."""
        if not self.made:
            return " WHERE false"
        conditions = (
            f"{quote_identifier(name)} = {quote_literal(str(self.made[name]))}" for name in self.key
        )
        return " WHERE " + " AND ".join(conditions) if self.key else ""


def add_to_search_path(schema: str) -> str:
    """Names without a schema, such as those of types, mean what they mean in the project's sessions."""
    name = quote_literal(quote_identifier(schema) + ", ")
    return (
        f"select set_config('search_path', {name} || current_setting('search_path'), true) "  # noqa: S608
        f"where current_schema() is distinct from {quote_literal(schema)}"
    )


def find_error(rows: SingleRows, sql: str) -> RowRefusal | None:
    """Why Postgres refuses a statement; None if it ran."""
    try:
        rows.run(sql)
    except RowRefused as refused:
        return refused.refusal
    return None


def list_kinds(column: MappedColumn) -> tuple[StatementKind, ...]:
    """The statements that name the column."""
    kinds = [
        (StatementKind.SELECT, column.is_loaded),
        (StatementKind.INSERT, column.is_inserted),
        (StatementKind.UPDATE, column.is_updated),
    ]
    return tuple(kind for kind, is_named in kinds if is_named)
