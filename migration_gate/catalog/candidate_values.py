"""Which values are worth a try in a column: what its type, its CHECKs and its partitions allow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from migration_gate.catalog.check_expressions import list_literals, only_compares_with_literals
from migration_gate.catalog.row_values import (
    find_base_type,
    list_extreme_values,
    list_unusual_values,
    make_plain_value,
)
from migration_gate.catalog.simple_values import collect_named_types, is_text, list_usual_values, tag_uuid
from migration_gate.catalog.trial_row import Values
from migration_gate.facts import Column, Constraint, Snapshot, Table

_BOUND = re.compile(r"(?:FROM|IN) \((?P<values>.*?)\)(?: TO |$)")
_EARLY = {"date": "1990-01-01", "timestamp": "1990-01-01", "integer": "-7", "bigint": "-7", "smallint": "-7"}
"""below the ranges that tables are usually parted into, by the beginnings of the types' names"""
_KEY_COLUMN = re.compile(r'^(?:RANGE|LIST) \("?(?P<name>[^"(),]+)"?')


class CandidateValues:
    """The values of one database's columns."""

    def __init__(self, catalog: Snapshot) -> None:
        self._catalog = catalog
        self._named = collect_named_types(catalog.enums, catalog.types)

    def make_plain(self, table: Table, column: Column, number: int) -> str | None:
        """The value of a row's number (from 1), such as an application would write; None if none is known."""
        choices = self._list_allowed(table, column)
        if choices:
            return choices[(number - 1) % len(choices)]
        value = make_plain_value(column.type, number, self._named)
        if value is not None and find_base_type(column.type, self._named) == "uuid":
            return tag_uuid(value, self._name_keyed_table(table, column))
        return value

    def _name_keyed_table(self, table: Table, column: Column) -> str:
        """The table whose rows a UUID names: its own, or the one that `order_id` means; '' if it has none."""
        key = self._catalog.primary_key_of(table)
        if key is not None and column.name in key.columns:
            return table.full_name
        stem = column.name.removesuffix("_id")
        names = (stem, f"{stem}s", f"{stem}es") if stem != column.name else ()
        meant = (self._catalog.find_table(table.schema, name) for name in names)
        return next((item.full_name for item in meant if item is not None), "")

    def list_unusual(self, table: Table, column: Column) -> tuple[str | None, ...]:
        """NULL where it is allowed, and what the type has; a plain value that other rows have as well."""
        values: tuple[str | None, ...] = (None,) if column.nullable else ()
        if self._list_allowed(table, column) or self._is_key(table, column):
            return values
        duplicate = self.make_plain(table, column, 1)
        unusual = (*values, *list_unusual_values(column.type, self._named))
        return (*unusual, duplicate) if duplicate is not None else unusual

    def list_extreme(self, table: Table, column: Column) -> tuple[str, ...] | None:
        """The ends of what the type can hold; None if the column gets none."""
        if self._list_allowed(table, column) or self._is_key(table, column):
            return None
        return list_extreme_values(column.type, self._named) or None

    def pick_checked(self, table: Table, values: Values) -> Mapping[str, str | None]:
        """Of a row that was accepted, the values of columns that CHECKs are about."""
        unique = self._unique_columns.get(table.full_name, frozenset())
        chosen = self._find_ruled(table) - unique
        return {
            name: value
            for name, value in values.items()
            if name in chosen and not self._is_made_by_server(table, name)
        }

    def list_ruled_texts(self, table: Table, columns: Iterable[Column]) -> Iterator[Column]:
        """The columns with any text that CHECKs or domains have rules about, but list no values of."""
        ruled = self._find_ruled(table)
        for column in columns:
            base = find_base_type(column.type, self._named)
            is_free = column.name in ruled and not self._list_allowed(table, column)
            if is_free and (is_text(base) or base.startswith("character(")):
                yield column

    def list_usual(self, column: Column) -> tuple[str, ...]:
        """Values that rules about a column of this type often ask for."""
        return list_usual_values(column.type, self._named)

    def _find_ruled(self, table: Table) -> set[str]:
        """The columns that CHECKs or domains have rules about, without those that lead to other rows."""
        names = {
            name
            for check in self._catalog.constraints_of(table)
            if check.kind == "check"
            for name in check.columns
        }
        domains = {
            column.name
            for column in self._catalog.columns_of(table)
            if find_base_type(column.type, self._named) != column.type.replace('"', "")
        }
        return (names | domains) - {
            name for key in self._catalog.foreign_keys_of(table) for name in key.columns
        }

    def is_unique_key(self, table: Table, key: Constraint) -> bool:
        """Whether a rule keeps rows from having the same parent: a unique one over foreign keys alone."""
        parents = {name for other in self._catalog.foreign_keys_of(table) for name in other.columns}
        return any(
            index.unique
            and parents.issuperset(index.columns)
            and not set(index.columns).isdisjoint(key.columns)
            for index in self._catalog.indexes_of(table)
        )

    def _is_made_by_server(self, table: Table, name: str) -> bool:
        column = self._catalog.find_column(table, name)
        return column is None or bool(
            column.generated or column.identity or (column.default or "").startswith("nextval(")
        )

    def _is_key(self, table: Table, column: Column) -> bool:
        """Whether the column names the row, or leads to another one: no value is as good as another."""
        kinds = ("primary key", "foreign key")
        return any(
            column.name in key.columns for key in self._catalog.constraints_of(table) if key.kind in kinds
        )

    def _list_allowed(self, table: Table, column: Column) -> Sequence[str]:
        """All values that the column may have, where a CHECK or the partitions list them; else none."""
        bounds = self._bounds.get((table.full_name, column.name))
        if bounds:
            return (*bounds, *self._list_for_default(table, column))
        for check in self._catalog.constraints_of(table):
            if check.kind == "check" and check.columns == (column.name,):
                literals = list_literals([check])
                if (
                    literals
                    and only_compares_with_literals(column.name, check)
                    and "<>" not in check.definition
                ):
                    return literals
        return ()

    def _list_for_default(self, table: Table, column: Column) -> Sequence[str]:
        """Values that no other partition may take, if the table has a default one."""
        partitions = (item for item in self._catalog.tables if table.full_name in item.inherits)
        if not any(item.partition_bound == "DEFAULT" for item in partitions):
            return ()
        plain = make_plain_value(column.type, 1, self._named)
        base = find_base_type(column.type, self._named)
        early = next((value for start, value in _EARLY.items() if base.startswith(start)), plain)
        return tuple(value for value in dict.fromkeys((plain, early)) if value is not None)

    @cached_property
    def _unique_columns(self) -> Mapping[str, frozenset[str]]:
        columns: dict[str, set[str]] = {}
        for index in self._catalog.indexes:
            if index.unique:
                columns.setdefault(index.full_table_name, set()).update(filter(None, index.columns))
        return {table: frozenset(names) for table, names in columns.items()}

    @cached_property
    def _bounds(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """Values that partitions take, by the names of their table and of its key's first column."""
        bounds: dict[tuple[str, str], list[str]] = {}
        for partition in self._catalog.tables:
            for parent_name in partition.inherits if partition.partition_bound else ():
                schema, _, name = parent_name.partition(".")
                parent = self._catalog.find_table(schema, name)
                column = _KEY_COLUMN.match(parent.partition_key or "") if parent is not None else None
                if column is not None:
                    values = bounds.setdefault((parent_name, column["name"]), [])
                    values += _list_bound_values(partition)
        return {key: tuple(values) for key, values in bounds.items()}


def _list_bound_values(partition: Table) -> tuple[str, ...]:
    """Of a list the values, of a range its lower end; none of MINVALUE and of the default partition."""
    match = _BOUND.search(partition.partition_bound or "")
    if match is None:
        return ()
    first = (
        match["values"].split(", ")[0] if "FROM (" in (partition.partition_bound or "") else match["values"]
    )
    bound = Constraint(partition.schema, partition.name, "", "check", f"({first})")
    return list_literals([bound])
