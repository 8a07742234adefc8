"""One database at one moment, and questions about one of its tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property
from typing import TypeVar

from migration_gate.facts.catalog import (
    EnumType,
    Extension,
    Grant,
    NamedType,
    OtherObject,
    Routine,
    Schema,
    Sequence,
    View,
)
from migration_gate.facts.object_names import TablePart
from migration_gate.facts.tables import AttachedObject, Column, Constraint, Index, Table
from migration_gate.lazy_dataclass import dataclass

Part = TypeVar("Part", bound=TablePart)


def group_by_table(parts: Iterable[Part]) -> Mapping[tuple[str, str], tuple[Part, ...]]:
    """The parts of each table, by schema and name of the table, in their order."""
    groups: dict[tuple[str, str], list[Part]] = defaultdict(list)
    for part in parts:
        groups[part.schema, part.table].append(part)
    return {table: tuple(group) for table, group in groups.items()}


@dataclass(frozen=True)
class Snapshot:
    """One database at one moment, without extension members, Alembic's version tables and our own schema.

    The objects are flat tuples, as the catalog's rows come. The methods answer questions about one table from
    indexes that are built when first asked for, so a check may ask for every table of a large database.
    """

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
    details: tuple[OtherObject, ...] = ()
    """comments, owners and settings of objects whose own fields do not have them"""
    seconds: float = field(default=0.0, compare=False)
    """how long reading it took"""

    def find_table(self, schema: str, name: str) -> Table | None:
        """The table of that name, if it is there."""
        return self._tables_by_name.get((schema, name))

    def columns_of(self, table: Table) -> tuple[Column, ...]:
        """The columns of `table` in their order."""
        return self.columns_in(table.schema, table.name)

    def columns_in(self, schema: str, table: str) -> tuple[Column, ...]:
        """The columns of the table of that name in their order; none if it is not there."""
        return self._columns_by_table.get((schema, table), ())

    def find_column(self, table: Table, name: str) -> Column | None:
        """The column of that name in `table`, if it is there."""
        return next((column for column in self.columns_of(table) if column.name == name), None)

    def constraints_of(self, table: Table) -> tuple[Constraint, ...]:
        """The constraints of `table`."""
        return self.constraints_in(table.schema, table.name)

    def constraints_in(self, schema: str, table: str) -> tuple[Constraint, ...]:
        """The constraints of the table of that name; none if it is not there."""
        return self._constraints_by_table.get((schema, table), ())

    def primary_key_of(self, table: Table) -> Constraint | None:
        """The primary key of `table`, if it has one."""
        return next((key for key in self.constraints_of(table) if key.kind == "primary key"), None)

    def foreign_keys_of(self, table: Table) -> tuple[Constraint, ...]:
        """The foreign keys of `table`, to whatever table."""
        return tuple(key for key in self.constraints_of(table) if key.kind == "foreign key")

    def indexes_in(self, schema: str, table: str) -> tuple[Index, ...]:
        """The indexes of the table, or materialized view, of that name."""
        return self._indexes_by_table.get((schema, table), ())

    def indexes_of(self, table: Table) -> tuple[Index, ...]:
        """The indexes of `table`, those that back a constraint too."""
        return self._indexes_by_table.get((table.schema, table.name), ())

    @cached_property
    def _tables_by_name(self) -> Mapping[tuple[str, str], Table]:
        return {(table.schema, table.name): table for table in self.tables}

    @cached_property
    def _columns_by_table(self) -> Mapping[tuple[str, str], tuple[Column, ...]]:
        return group_by_table(self.columns)

    @cached_property
    def _constraints_by_table(self) -> Mapping[tuple[str, str], tuple[Constraint, ...]]:
        return group_by_table(self.constraints)

    @cached_property
    def _indexes_by_table(self) -> Mapping[tuple[str, str], tuple[Index, ...]]:
        return group_by_table(self.indexes)
