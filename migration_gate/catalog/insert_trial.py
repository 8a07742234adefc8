"""Tries the INSERT of the base's models on the schema of the change.

What refuses it is given what it wants, so that what refuses it next shows as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migration_gate.catalog.mapped_statements import Attempt, find_error
from migration_gate.catalog.relation_shapes import RelationShape
from migration_gate.catalog.simple_values import collect_named_types, make_simple_value
from migration_gate.catalog.single_rows import SingleRows
from migration_gate.catalog.tried_table import (
    CHECK_VIOLATION,
    GENERATED_ALWAYS,
    MADE_UP,
    TriedTable,
    is_about_values,
    is_generated,
)
from migration_gate.facts import Column, MappedColumn, RefusalCause, RowRefusal, StatementKind
from migration_gate.sql.literals import quote_literal

NOT_NULL_VIOLATION = "23502"
MAX_REQUIRED = 50
"""columns without a value that one INSERT may turn out to need"""


class InsertTrial:
    """The INSERT for one table; each is rolled back."""

    def __init__(self, rows: SingleRows, table: TriedTable, new: RelationShape) -> None:
        """`new`: the table as the change has it."""
        self._rows = rows
        self._table = table
        self._new = new

    def try_insert(self, columns: Sequence[MappedColumn]) -> None:
        """Insert as the models do, with these columns, and look at each refusal."""
        values = {column.name: self._write_value(column) for column in columns}
        for _ in range(MAX_REQUIRED):
            sql = self._table.texts.write_insert(values)
            with self._rows.scope():
                error = find_error(self._rows, sql)
            if error is None:
                self._try_nulls(columns, values)
                return
            if not self._change_after(error, values, sql):
                return

    def _change_after(self, error: RowRefusal, values: dict[str, str], sql: str) -> bool:
        """Say what refused the INSERT, and change its values; False if nothing more can be learned."""
        if error.sqlstate == NOT_NULL_VIOLATION and error.column not in values:
            return self._add_required(error, values, sql)
        if error.sqlstate == GENERATED_ALWAYS:
            return self._remove_generated(error, values, sql)
        if error.sqlstate == CHECK_VIOLATION:
            self._judge_check(error, values, sql)
        elif error.sqlstate not in (*MADE_UP, NOT_NULL_VIOLATION) and not is_about_values(error):
            self._table.keep_unexplained("INSERT", error)
        return False

    def _add_required(self, error: RowRefusal, values: dict[str, str], sql: str) -> bool:
        column = self._new.columns.get(error.column)
        is_own = error.table in ("", self._table.mapped.name) or self._new.table is None
        if column is None or not is_own:
            return False  # of a table that a trigger writes to
        is_sent = any(item.name == column.name and item.is_inserted for item in self._table.mapped.columns)
        if column.number in self._renamed or is_sent:
            pass  # its old name is missing: that says it; or its own schema has no such column yet
        elif _needs_no_value(self._table.old.columns.get(column.name)):
            self._table.refuse(
                RefusalCause.REQUIRED_COLUMN, (StatementKind.INSERT,), Attempt(sql, error), column.name
            )
        else:
            self._table.untried.append(
                f"its INSERT gives no value for `{column.name}`, which the base needs, too"
            )
        values[column.name] = self._write_made(column)
        return True

    def _remove_generated(self, error: RowRefusal, values: dict[str, str], sql: str) -> bool:
        generated = [name for name in values if is_generated(self._new.columns.get(name))]
        for name in generated:
            del values[name]
            if not is_generated(self._table.old.columns.get(name)):
                kinds = (StatementKind.INSERT, StatementKind.UPDATE)
                self._table.refuse(RefusalCause.GENERATED, kinds, Attempt(sql, error), name)
        return bool(generated)

    def _judge_check(self, error: RowRefusal, values: Mapping[str, str], sql: str) -> None:
        """A CHECK on nothing that the INSERT names refuses every one of them."""
        check = self._table.find_new_check(error)
        if check is not None and check.columns and values.keys().isdisjoint(check.columns):
            self._table.refuse(RefusalCause.RULE, (StatementKind.INSERT,), Attempt(sql, error))

    def _try_nulls(self, columns: Sequence[MappedColumn], values: Mapping[str, str]) -> None:
        """Leave each column out whose value the models do not need."""
        for column in columns:
            old, new = self._table.old.columns[column.name], self._new.columns[column.name]
            if not column.may_be_null or not self._table.accepts_null(old) or new.nullable:
                continue
            sql = self._table.texts.write_insert({**values, column.name: "NULL"})
            with self._rows.scope():
                error = find_error(self._rows, sql)
            if error is not None and error.sqlstate == NOT_NULL_VIOLATION and error.column == column.name:
                kinds = (StatementKind.INSERT, StatementKind.UPDATE)
                self._table.refuse(RefusalCause.NULL, kinds, Attempt(sql, error), column.name)

    @property
    def _renamed(self) -> set[int]:
        """Numbers of columns whose name of the base is gone: a column keeps its own."""
        earlier, later = self._table.old.columns, self._new.columns
        return {column.number for name, column in earlier.items() if name not in later} - {0}

    def _write_value(self, column: MappedColumn) -> str:
        return self._write_made(self._new.columns[column.name])

    def _write_made(self, column: Column) -> str:
        """The made row's value, or the simplest one, as the later schema takes it."""
        catalog = self._table.after.catalog
        named = collect_named_types(catalog.enums, catalog.types)
        value = self._table.texts.made.get(column.name)
        if value is None and not column.nullable:
            value = make_simple_value(column.type, 1, named)
        return "NULL" if value is None else quote_literal(value)


def _needs_no_value(column: Column | None) -> bool:
    """Whether a row could be inserted at the base without a value for the column; None: it was not there."""
    if column is None or column.nullable:
        return True
    return column.default is not None or column.identity is not None or column.generated is not None
