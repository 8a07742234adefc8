"""A row on trial: as it is to be inserted, and as Postgres stored it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from migration_gate.facts import Column, Table
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal

Values = Mapping[str, "str | None"]
"""by the names of columns, as text that the type's input function takes; None is NULL"""


@dataclass(frozen=True)
class MadeRow:
    """A row, as Postgres stored it."""

    table: Table
    values: Values


@dataclass
class PendingRow:
    """A row that is going to be inserted when those that it references are there."""

    table: Table
    values: dict[str, str | None]
    number: int
    overrides: bool = False
    """an identity column has a value of its own"""
    chosen: dict[str, str | None] = field(default_factory=dict)
    """values that a CHECK or a key made necessary"""
    is_full: bool = False
    """columns that need no value have one, too"""
    has_default_partition: bool = False
    """one was made for it"""
    passed_checks: set[str] = field(default_factory=set)
    comes_first: bool = False
    """it is inserted before the rows that its deferrable keys reference"""
    promised: list[tuple[Table, Values]] = field(default_factory=list)
    """those rows, with the key that they must have"""

    def write_insert(self, columns: Sequence[Column]) -> str:
        """The statement that inserts it, and returns the values of these columns as text."""
        returned = ", ".join(f"{quote_identifier(column.name)}::text" for column in columns)
        target = qualified_name(self.table.schema, self.table.name)
        if self.values:
            names = ", ".join(map(quote_identifier, self.values))
            literals = ", ".join(map(_write_value, self.values.values()))
            overriding = " overriding system value" if self.overrides else ""
            insert = f"insert into {target} ({names}){overriding} values ({literals})"  # noqa: S608
        else:
            insert = f"insert into {target} default values"
        return f"{insert} returning {returned or '1'}"


def _write_value(value: str | None) -> str:
    return "NULL" if value is None else quote_literal(value)
