"""Tries the statements of the base's models on the schema of the change; nothing is left of them.

The statements are those that SQLAlchemy makes for a mapped table: they name what the models name, and cast
values as the project's driver does. No code of the project's runs but what is in the database: triggers. The
catalog of the base says what worked there: what it did not have, nobody can miss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.default_trial import DefaultTrial
from migration_gate.catalog.insert_trial import InsertTrial
from migration_gate.catalog.mapped_statements import Attempt, add_to_search_path, find_error, list_kinds
from migration_gate.catalog.relation_shapes import RelationShape, Shapes
from migration_gate.catalog.single_rows import SingleRows
from migration_gate.catalog.trial_statements import RowRefused
from migration_gate.catalog.tried_table import CHECK_VIOLATION, GENERATED_ALWAYS, MADE_UP, TriedTable
from migration_gate.catalog.value_trial import ValueTrial
from migration_gate.facts import (
    MappedColumn,
    MappedTable,
    RefusalCause,
    RefusedStatement,
    Snapshot,
    StatementKind,
    UntriedTable,
)
from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import psycopg

UNMAPPED = "no model of the base has it"


@dataclass(frozen=True, slots=True)
class StatementTrials:
    """What came of the statements."""

    refused: tuple[RefusedStatement, ...] = ()
    tried: tuple[str, ...] = ()
    """tables that the change touches, as reports show them"""
    untried: tuple[UntriedTable, ...] = ()


def try_statements(
    connection: psycopg.Connection[Any], earlier: Snapshot, later: Snapshot, tables: Iterable[MappedTable]
) -> StatementTrials:
    """Try the statements of tables that differ between the catalogs; the connection has the later one."""
    before, after = Shapes(earlier), Shapes(later)
    mapped = tuple(tables)
    touched = [tried for table in mapped if (tried := _find_touched(table, before, after)) is not None]
    unmapped = tuple(_list_unmapped(mapped, before, after))
    refused: list[RefusedStatement] = []
    with connection.transaction(force_rollback=True):
        refused += DefaultTrial(SingleRows(connection, later), earlier, later).list_refused(mapped)
        for tried in touched:
            rows = SingleRows(connection, later)
            with rows.scope():
                rows.run(add_to_search_path(tried.mapped.schema))
                _TableTrial(rows, tried).try_all()
            refused += tried.refused
    return StatementTrials(
        tuple(refused),
        tuple(str(tried.mapped) for tried in touched),
        (
            *(
                UntriedTable(tried.mapped.schema, tried.mapped.name, reason)
                for tried in touched
                for reason in tried.untried
            ),
            *unmapped,
        ),
    )


def _list_unmapped(mapped: Iterable[MappedTable], before: Shapes, after: Shapes) -> Iterator[UntriedTable]:
    """The tables of the base that the change touches and of which no statement is known."""
    known = {(table.schema, table.name) for table in mapped}
    for table in before.catalog.tables:
        place = (table.schema, table.name)
        if place in known or table.partition_bound is not None:
            continue
        old, new = before.find(*place), after.find(*place)
        is_changed = old is not None and (new is None or before.describe(old) != after.describe(new))
        if is_changed:
            yield UntriedTable(table.schema, table.name, UNMAPPED)


def _find_touched(mapped: MappedTable, before: Shapes, after: Shapes) -> TriedTable | None:
    """The table before and after; None if the base does not have it, or the change leaves it as it was."""
    old = before.find(mapped.schema, mapped.name)
    if old is None:
        return None
    new = after.find(mapped.schema, mapped.name)
    if new is not None and before.describe(old) == after.describe(new):
        return None
    return TriedTable(mapped, old, new, before, after)


class _TableTrial:
    """All statements for one table."""

    def __init__(self, rows: SingleRows, table: TriedTable) -> None:
        self._rows = rows
        self._table = table

    def try_all(self) -> None:
        """Run everything; the caller takes it back."""
        new, texts, own_columns = self._table.new, self._table.texts, self._table.own_columns
        if new is None:
            sql = texts.write_select(own_columns)
            error = find_error(self._rows, sql)
            if error is not None:
                kinds = tuple(StatementKind)
                self._table.refuse(RefusalCause.MISSING_TABLE, kinds, Attempt(sql, error))
            return
        present = [column for column in own_columns if column.name in new.columns]
        for column in own_columns:
            if column not in present:
                self._try_missing_column(column, present)
        self._check_plainly("SELECT", texts.write_select(present))
        self._make_row(new)
        values = ValueTrial(self._rows, self._table, new)
        for column in present:
            values.try_column(column)
        with self._rows.scope():
            self._delete_made()
            InsertTrial(self._rows, self._table, new).try_insert(
                [column for column in present if column.is_inserted]
            )
        updated = [column for column in present if column.is_updated]
        if updated:
            self._check_plainly("UPDATE", texts.write_update(updated))
        self._check_plainly("DELETE", texts.write_delete())

    def _try_missing_column(self, column: MappedColumn, present: Sequence[MappedColumn]) -> None:
        kinds = list_kinds(column)
        if not kinds:
            return
        texts = self._table.texts
        loaded = [item for item in self._table.own_columns if item in present or item is column]
        sql = {
            StatementKind.SELECT: texts.write_select(loaded),
            StatementKind.INSERT: texts.write_insert({column.name: "NULL"}),
            StatementKind.UPDATE: texts.write_setting(column.name, "NULL"),
        }[kinds[0]]
        error = find_error(self._rows, sql)
        if error is not None:
            self._table.refuse(RefusalCause.MISSING_COLUMN, kinds, Attempt(sql, error), column.name)

    def _make_row(self, new: RelationShape) -> None:
        """Make the row that UPDATE and DELETE are about."""
        if new.table is None:
            return
        try:
            self._table.texts.made = self._rows.make_row(new.table, {}, is_referable=False).values
        except RowRefused as refused:
            self._table.untried.append(f"no row could be made for it ({refused})")

    def _delete_made(self) -> None:
        """So that the same values are not taken; if that fails, they are, and the INSERT says nothing."""
        if self._table.texts.made:
            find_error(self._rows, self._table.texts.write_delete())

    def _check_plainly(self, kind: str, sql: str) -> None:
        """Run a statement that nothing of the above explains if it fails."""
        with self._rows.scope():
            error = find_error(self._rows, sql)
        is_explained = error is None or error.sqlstate in (*MADE_UP, CHECK_VIOLATION, GENERATED_ALWAYS)
        if error is not None and not is_explained:
            self._table.keep_unexplained(kind, error)
