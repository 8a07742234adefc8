"""Tries values of a column's earlier type where the change gives it another type, or other labels."""

from __future__ import annotations

from migration_gate.catalog.earlier_values import list_earlier_values, name_literal_type
from migration_gate.catalog.mapped_statements import Attempt, find_error, list_kinds
from migration_gate.catalog.relation_shapes import RelationShape
from migration_gate.catalog.simple_values import collect_named_types
from migration_gate.catalog.single_rows import SingleRows
from migration_gate.catalog.tried_table import (
    CHECK_VIOLATION,
    TYPE_ERRORS,
    TriedTable,
    is_about_values,
    is_generated,
)
from migration_gate.facts import Column, MappedColumn, RefusalCause, RowRefusal, StatementKind
from migration_gate.sql.literals import quote_literal


class ValueTrial:
    """The values for one table, given to a row that is there; each is rolled back."""

    def __init__(self, rows: SingleRows, table: TriedTable, new: RelationShape) -> None:
        """`new`: the table as the change has it."""
        self._rows = rows
        self._table = table
        self._new = new

    def try_column(self, column: MappedColumn) -> None:
        """Set the column to values of its earlier type, if the models send such."""
        kinds = tuple(kind for kind in list_kinds(column) if kind is not StatementKind.SELECT)
        old, new = self._table.old.columns[column.name], self._new.columns[column.name]
        if not kinds or is_generated(new):
            return
        labels = self._list_labels(column, old)
        if labels:
            self._try_labels(column, kinds, labels)
        elif old.type != new.type or self._table.has_other_attributes(old.type):
            self._try_type(column, kinds)

    def _list_labels(self, column: MappedColumn, old: Column) -> tuple[str, ...]:
        """The labels that the application may send; none if any value may come."""
        stored = self._table.before.list_labels(old.type)
        if old.type.endswith("[]"):
            return ()
        if stored is None:
            return column.labels if self._table.texts.made else ()
        return tuple(label for label in stored if not column.labels or label in column.labels)

    def _try_labels(
        self,
        column: MappedColumn,
        kinds: tuple[StatementKind, ...],
        labels: tuple[str, ...],
    ) -> None:
        outcomes = [(label, *self._try_value(column, label)) for label in labels]
        refused = [(label, sql, error) for label, sql, error in outcomes if error is not None]
        if len(refused) == len(labels) and refused[0][2].sqlstate in TYPE_ERRORS:
            _, sql, error = refused[0]
            self._table.refuse(RefusalCause.TYPE, kinds, Attempt(sql, error), column.name)
            return
        cause = RefusalCause.LABEL if column.labels else RefusalCause.VALUE
        for label, sql, error in refused:
            self._table.refuse(cause, kinds, Attempt(sql, error), column.name, label)

    def _try_type(self, column: MappedColumn, kinds: tuple[StatementKind, ...]) -> None:
        old, new = self._table.old.columns[column.name], self._new.columns[column.name]
        catalog = self._table.before.catalog
        named = collect_named_types(catalog.enums, catalog.types)
        outcomes = [
            (value, *self._try_value(column, value))
            for value in dict.fromkeys(list_earlier_values(old.type, new.type, named))
        ]
        refused = [(value, sql, error) for value, sql, error in outcomes if error is not None]
        if not refused:
            return
        value, sql, error = refused[0]
        is_for_all = len(refused) == len(outcomes) and (
            error.sqlstate in TYPE_ERRORS or self._table.has_other_attributes(old.type)
        )
        cause = RefusalCause.TYPE if is_for_all else RefusalCause.VALUE
        self._table.refuse(cause, kinds, Attempt(sql, error), column.name, "" if is_for_all else value)

    def _try_value(self, column: MappedColumn, value: str) -> tuple[str, RowRefusal | None]:
        """The UPDATE that gives the value to the made row, and why it is refused; None if it is not."""
        literal = self._cast(column, quote_literal(value))
        sql = self._table.texts.write_setting(column.name, literal)
        with self._rows.scope():
            error = find_error(self._rows, sql)
        return sql, error if error is not None and self._refuses_value(error, column) else None

    def _refuses_value(self, error: RowRefusal, column: MappedColumn) -> bool:
        """Whether an error is about the value: a type, or a CHECK of the change that has labels."""
        if is_about_values(error):
            return True
        if error.sqlstate != CHECK_VIOLATION or not column.labels:
            return False
        check = self._table.find_new_check(error)
        return check is not None and check.columns == (column.name,)

    def _cast(self, column: MappedColumn, literal: str) -> str:
        type_text = column.cast or name_literal_type(self._table.old.columns[column.name].type)
        return f"{literal}::{type_text}" if type_text else literal
