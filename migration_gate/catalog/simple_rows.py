"""The simplest rows that tables take: every column has a value, and each row another one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.old_partitions import list_partition_checks
from migration_gate.catalog.old_shape import OldShape
from migration_gate.catalog.row_source import NEWEST, FilledTable, RowVariety
from migration_gate.catalog.simple_values import (
    NamedTypes,
    collect_named_types,
    is_built_in,
    is_text,
    make_simple_value,
)
from migration_gate.catalog.single_rows import SingleRows
from migration_gate.facts import Column, Constraint, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal

if TYPE_CHECKING:
    import psycopg

_LITERAL = re.compile(r"'((?:[^']|'')*)'::")
_ROW_COUNT = 2
DRAW_IDENTITY = "nextval(pg_get_serial_sequence({table}, {column}))"
_REFUSED = "its rows would not have fitted {rule} of the older schema"


class SimpleRows:
    """The simplest rows: two a table, with a value in every column if the table takes that."""

    def fill_tables(
        self,
        connection: psycopg.Connection[Any],
        catalog: Snapshot,
        tables: Sequence[Table],
        old: OldShape,
    ) -> tuple[FilledTable, ...]:
        """As `RowSource` says."""
        filling = _Filling(connection, catalog, old)
        for table in tables:
            filling.fill(table)
        filling.try_refused_again()
        return tuple(filling.filled.values())

    def add_unusual(
        self,
        connection: psycopg.Connection[Any],
        catalog: Snapshot,
        tables: Sequence[FilledTable],
        old: OldShape,
        variety: RowVariety,
    ) -> tuple[FilledTable, ...]:
        """None: these rows are simple."""
        return ()

    def start_rows(self, connection: psycopg.Connection[Any], catalog: Snapshot) -> SingleRows:
        """As `RowSource` says."""
        return SingleRows(connection, catalog)


@dataclass(frozen=True, slots=True)
class _Manner:
    """One way to make rows, of several that are tried."""

    rows: int
    only_required: bool = False
    small_numbers: bool = False
    old_types: bool = True


_MANNERS = (
    _Manner(_ROW_COUNT),
    _Manner(_ROW_COUNT, old_types=False),
    _Manner(_ROW_COUNT, small_numbers=True, old_types=False),
    _Manner(1, old_types=False),
    _Manner(1, small_numbers=True, old_types=False),
    _Manner(_ROW_COUNT, only_required=True, old_types=False),
    _Manner(1, only_required=True, small_numbers=True, old_types=False),
)


class _Filling:
    """The tables of one database, filled in the order of their foreign keys."""

    def __init__(self, connection: psycopg.Connection[Any], catalog: Snapshot, old: OldShape) -> None:
        self._connection = connection
        self._catalog = catalog
        self._old = old
        labels = {
            enum.full_name: _shared_labels(enum.labels, old.find_labels(enum.full_name))
            for enum in catalog.enums
        }
        named = collect_named_types(catalog.enums, catalog.types)
        self._named = NamedTypes(labels, named.domain_bases, named.attributes)
        self.filled: dict[tuple[str, str], FilledTable] = {}
        self._being_filled: set[tuple[str, str]] = set()
        self._canceled: set[int] = set()
        """tables whose row takes longer than the limit of statements allows"""

    def fill(self, table: Table) -> None:
        """Fill the tables that it references, and then the table."""
        key = (table.schema, table.name)
        if key in self.filled or key in self._being_filled:
            return
        self._being_filled.add(key)
        for foreign_key in self._list_foreign_keys(table):
            referenced = self._find_referenced(foreign_key)
            if referenced is not None:
                self.fill(referenced)
        self.filled[key] = self._insert(table)

    def try_refused_again(self) -> None:
        """Try the tables that took no rows again: of a circle of foreign keys one table has to be first."""
        count = -1
        while count != (count := sum(table.is_filled for table in self.filled.values())):
            for key, filled in self.filled.items():
                table = self._catalog.find_table(*key)
                if table is not None and not filled.is_filled and table.oid not in self._canceled:
                    self.filled[key] = self._insert(table)

    def _list_foreign_keys(self, table: Table) -> tuple[Constraint, ...]:
        """Those that it has, and those that it had."""
        rules = self._old.list_rules(table.schema, table.name)
        former = tuple(rule for rule in rules if rule.kind == "foreign key")
        return (*self._catalog.foreign_keys_of(table), *former)

    def _find_referenced(self, foreign_key: Constraint) -> Table | None:
        schema, _, name = (foreign_key.references or "").partition(".")
        return self._catalog.find_table(schema, name)

    def _insert(self, table: Table) -> FilledTable:
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        refusal = "it is a foreign table"
        for manner in _MANNERS if table.kind != "foreign table" else ():
            try:
                with self._connection.transaction():
                    for number in range(1, manner.rows + 1):
                        if number > 1:
                            self._skip_numbers(table)
                        self._connection.execute(self._insert_statement(table, number, manner).encode())
                    self._demand_old_rules(table)
            except psycopg.Error as error:
                if self._connection.closed:
                    raise
                refusal = error.diag.message_primary or str(error)
                if isinstance(error, psycopg.errors.QueryCanceled):  # each manner would take as long
                    self._canceled.add(table.oid)
                    break
            except _OldRuleBroken as error:
                refusal = str(error)
            else:
                return FilledTable(
                    table.schema, table.name, table.oid, manner.rows, fits_old_types=manner.old_types
                )
        return FilledTable(table.schema, table.name, table.oid, 0, refusal)

    def _skip_numbers(self, table: Table) -> None:
        """Draw a number for each column that numbers its rows, as a row does that was deleted since.

        Else a column that comes back with the next upgrade would have the same numbers as before.
        """
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        for column in self._catalog.columns_of(table):
            if column.identity or _is_serial(column):
                draw = column.default or DRAW_IDENTITY.format(
                    table=quote_literal(qualified_name(column.schema, column.table)),
                    column=quote_literal(column.name),
                )
                # The sequence may be at its end: then the rows are numbered without a gap, or refused.
                with contextlib.suppress(psycopg.Error), self._connection.transaction():
                    self._connection.execute(f"select {draw}".encode())

    def _demand_old_rules(self, table: Table) -> None:
        """Raise _OldRuleBroken if the rows do not fit a constraint that the table had."""
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        columns = {column.name for column in self._catalog.columns_of(table)}
        for rule in self._list_old_rules(table):
            if not columns.issuperset(rule.columns) or rule.kind == "primary key":
                continue
            command = (
                f"alter table {qualified_name(rule.schema, rule.table)} "
                f"add constraint migration_gate_old_rule {rule.definition}"
            )
            try:
                with self._connection.transaction(force_rollback=True):
                    self._connection.execute(command.encode())
            except psycopg.Error as error:
                if (error.sqlstate or "").startswith("23"):
                    raise _OldRuleBroken(_REFUSED.format(rule=f"`{rule.name}`")) from error

    def _list_old_rules(self, table: Table) -> tuple[Constraint, ...]:
        rules = self._old.list_rules(table.schema, table.name)
        return (*rules, *list_partition_checks(self._catalog, table, self._old))

    def _insert_statement(self, table: Table, number: int, manner: _Manner) -> str:
        values = dict(self._list_values(table, number, manner))
        target = qualified_name(table.schema, table.name)
        if not values:
            return f"insert into {target} default values"
        names = ", ".join(map(quote_identifier, values))
        return f"insert into {target} ({names}) values ({', '.join(values.values())})"  # noqa: S608

    def _list_values(self, table: Table, number: int, manner: _Manner) -> Iterator[tuple[str, str]]:
        """Columns, and expressions for their values; those that get their own default are left out."""
        references = dict(self._list_references(table, number))
        for column in self._catalog.columns_of(table):
            if column.generated or column.identity or _is_serial(column):
                continue
            if manner.only_required and not self._is_required(column):
                continue
            expression = references.get(column.name) or self._make_value(table, column, number, manner)
            if expression is not None:
                yield column.name, expression

    def _is_required(self, column: Column) -> bool:
        """Whether the column must have a value, or had to."""
        old = self._old.find_column(column.schema, column.table, column.name)
        was_required = old is not None and not old.nullable
        return was_required or (not column.nullable and column.default is None)

    def _make_value(self, table: Table, column: Column, number: int, manner: _Manner) -> str | None:
        choices = self._list_checked_literals(table, column)
        if choices:
            return quote_literal(choices[(number - 1) % len(choices)])
        old = self._old.find_column(column.schema, column.table, column.name)
        value = None
        if manner.old_types and old is not None:
            value = self._make_old_value(old, number)
            if value is not None and is_text(column.type) and is_built_in(old.type):
                # As Postgres writes it (`{1}`, 10.0.0.1/32): no other text comes back from the old type.
                return f"({quote_literal(value)}::{old.type})::text"
        if value is None:
            value = make_simple_value(column.type, number, self._named, small=manner.small_numbers)
        return None if value is None else quote_literal(value)

    def _make_old_value(self, old: Column, number: int) -> str | None:
        """A value of the type that the column had."""
        labels = self._old.find_labels(old.type.replace('"', ""))
        if labels:
            return labels[(number - 1) % len(labels)]
        return make_simple_value(old.type, number, self._named)

    def _list_checked_literals(self, table: Table, column: Column) -> list[str]:
        """The texts that the CHECKs about this column alone compare it with, also those that it had."""
        rules = (*self._catalog.constraints_of(table), *self._list_old_rules(table))
        choices: list[str] = []
        for rule in rules:
            if rule.kind == "check" and rule.columns == (column.name,):
                literals = [text.replace("''", "'") for text in _LITERAL.findall(rule.definition)]
                choices = [text for text in literals if text in choices] or choices or literals
        return choices

    def _list_references(self, table: Table, number: int) -> Iterator[tuple[str, str]]:
        """Columns of foreign keys, and expressions for the values of a row that they may reference.

        The newest rows are made ones. An older one may be the revision's own, which its downgrade deletes; so
        the rows of a table that references itself have no parent, where they need none.
        """
        for foreign_key in self._list_foreign_keys(table):
            referenced = self._find_referenced(foreign_key)
            if referenced is None:
                continue
            source = qualified_name(referenced.schema, referenced.name)
            if referenced.oid == table.oid and self._accepts_null(table, foreign_key):
                yield from dict.fromkeys(foreign_key.columns, "null").items()
                continue
            pairs = zip(foreign_key.columns, foreign_key.referenced_columns, strict=False)
            for name, referenced_name in pairs:
                key = quote_identifier(referenced_name)
                yield (
                    name,
                    f"(select {key} from {source} order by {NEWEST} offset {number - 1} limit 1)",  # noqa: S608
                )

    def _accepts_null(self, table: Table, foreign_key: Constraint) -> bool:
        columns = (self._catalog.find_column(table, name) for name in foreign_key.columns)
        return all(column is not None and not self._is_required(column) for column in columns)


class _OldRuleBroken(Exception):
    """The rows do not fit a constraint that the table had."""


def _is_serial(column: Column) -> bool:
    return column.default is not None and column.default.startswith("nextval(")


def _shared_labels(labels: tuple[str, ...], old: tuple[str, ...] | None) -> tuple[str, ...]:
    """The labels that an enum has and had."""
    shared = tuple(label for label in labels if old is None or label in old)
    return shared or labels
