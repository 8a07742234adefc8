"""Tries the statements of the base's models on the schema of the change; nothing is left of them.

The statements are those that SQLAlchemy makes for a mapped table: they name what the models name, and cast
values as the project's driver does. No code of the project's runs but what is in the database: triggers. The
catalog of the base says what worked there: what it did not have, nobody can miss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.earlier_values import list_earlier_values, name_literal_type
from migration_gate.catalog.mapped_statements import Attempt, StatementTexts, find_error, list_kinds
from migration_gate.catalog.relation_shapes import RelationShape, Shapes
from migration_gate.catalog.simple_values import collect_named_types, make_simple_value
from migration_gate.catalog.single_rows import SingleRows
from migration_gate.catalog.trial_statements import RowRefused
from migration_gate.facts import (
    Column,
    MappedColumn,
    MappedTable,
    RefusalCause,
    RefusedStatement,
    RowRefusal,
    Snapshot,
    StatementKind,
    UntriedTable,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal

if TYPE_CHECKING:
    import psycopg

NOT_NULL_VIOLATION = "23502"
CHECK_VIOLATION = "23514"
GENERATED_ALWAYS = "428C9"
MADE_UP = ("23503", "23505", "23P01")
"""foreign_key_violation, unique_violation, exclusion_violation: the made-up values may be to blame"""
TYPE_ERRORS = ("42804", "42846", "42704", "42883")
"""datatype_mismatch, cannot_coerce, undefined_object, undefined_function"""
DATA_EXCEPTION = "22"
UNMAPPED = "no model of the base has it"
MAX_REQUIRED = 50
"""columns without a value that one INSERT may turn out to need"""


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
    touched = [trial for table in mapped if (trial := _begin_trial(table, before, after)) is not None]
    unmapped = tuple(_list_unmapped(mapped, before, after))
    if not touched:
        return StatementTrials(untried=unmapped)
    refused: list[RefusedStatement] = []
    with connection.transaction(force_rollback=True):
        for trial in touched:
            rows = SingleRows(connection, later)
            with rows.scope():
                rows.run(_add_to_search_path(trial.mapped.schema))
                trial.try_all(rows)
            refused += trial.refused
    return StatementTrials(
        tuple(refused),
        tuple(str(trial.mapped) for trial in touched),
        (
            *(
                UntriedTable(trial.mapped.schema, trial.mapped.name, reason)
                for trial in touched
                for reason in trial.untried
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


def _begin_trial(mapped: MappedTable, before: Shapes, after: Shapes) -> TableTrial | None:
    """The trial of a table; None if the base does not have it, or the change leaves it as it was."""
    old = before.find(mapped.schema, mapped.name)
    if old is None:
        return None
    new = after.find(mapped.schema, mapped.name)
    if new is not None and before.describe(old) == after.describe(new):
        return None
    return TableTrial(mapped, old, new, before, after)


def _add_to_search_path(schema: str) -> str:
    """Names without a schema, such as those of types, mean what they mean in the project's sessions."""
    name = quote_literal(quote_identifier(schema) + ", ")
    return (
        f"select set_config('search_path', {name} || current_setting('search_path'), true) "  # noqa: S608
        f"where current_schema() is distinct from {quote_literal(schema)}"
    )


@dataclass
class TableTrial:
    """The statements for one mapped table, before and after the change."""

    mapped: MappedTable
    old: RelationShape
    new: RelationShape | None
    before: Shapes
    after: Shapes
    refused: list[RefusedStatement] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)
    """reasons why something is not known"""
    _texts: StatementTexts = field(init=False)

    def __post_init__(self) -> None:
        """Begin without a row."""
        table = self.new.table if self.new is not None else None
        key = self.after.catalog.primary_key_of(table) if table is not None else None
        target = qualified_name(self.mapped.schema, self.mapped.name)
        self._texts = StatementTexts(target, key.columns if key is not None else ())

    @property
    def _renamed(self) -> set[int]:
        """Numbers of columns whose name of the base is gone: a column keeps its own."""
        later = self.new.columns if self.new is not None else {}
        return {column.number for name, column in self.old.columns.items() if name not in later} - {0}

    @property
    def own_columns(self) -> list[MappedColumn]:
        """The columns of the models that the base has."""
        return [column for column in self.mapped.columns if column.name in self.old.columns]

    def try_all(self, rows: SingleRows) -> None:
        """Run everything; the caller takes it back."""
        if self.new is None:
            sql = self._texts.write_select(self.own_columns)
            error = find_error(rows, sql)
            if error is not None:
                self._refuse(RefusalCause.MISSING_TABLE, tuple(StatementKind), Attempt(sql, error))
            return
        present = [column for column in self.own_columns if column.name in self.new.columns]
        for column in self.own_columns:
            if column not in present:
                self._try_missing_column(rows, column, present)
        self._check_plainly(rows, "SELECT", self._texts.write_select(present))
        self._make_row(rows)
        for column in present:
            self._try_earlier_values(rows, column)
        with rows.scope():
            self._delete_made(rows)
            self._try_insert(rows, [column for column in present if column.is_inserted])
        updated = [column for column in present if column.is_updated]
        if updated:
            self._check_plainly(rows, "UPDATE", self._texts.write_update(updated))
        self._check_plainly(rows, "DELETE", self._texts.write_delete())

    # Columns that are gone.

    def _try_missing_column(
        self, rows: SingleRows, column: MappedColumn, present: Sequence[MappedColumn]
    ) -> None:
        kinds = list_kinds(column)
        if not kinds:
            return
        loaded = [item for item in self.own_columns if item in present or item is column]
        sql = {
            StatementKind.SELECT: self._texts.write_select(loaded),
            StatementKind.INSERT: self._texts.write_insert({column.name: "NULL"}),
            StatementKind.UPDATE: self._texts.write_setting(column.name, "NULL"),
        }[kinds[0]]
        error = find_error(rows, sql)
        if error is not None:
            self._refuse(RefusalCause.MISSING_COLUMN, kinds, Attempt(sql, error), column.name)

    # Rows.

    def _make_row(self, rows: SingleRows) -> None:
        if self.new is None or self.new.table is None:
            return
        try:
            self._texts.made = rows.make_row(self.new.table, {}, is_referable=False).values
        except RowRefused as refused:
            self.untried.append(f"no row could be made for it ({refused})")

    def _delete_made(self, rows: SingleRows) -> None:
        """So that the same values are not taken; if that fails, they are, and the INSERT says nothing."""
        if self._texts.made:
            find_error(rows, self._texts.write_delete())

    # INSERT.

    def _try_insert(self, rows: SingleRows, columns: Sequence[MappedColumn]) -> None:
        """Insert as the models do, and look at each refusal; what refused is then given what it wants."""
        values = {column.name: self._write_value(column) for column in columns}
        for _ in range(MAX_REQUIRED):
            sql = self._texts.write_insert(values)
            with rows.scope():
                error = find_error(rows, sql)
            if error is None:
                self._try_nulls(rows, columns, values)
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
        elif error.sqlstate not in (*MADE_UP, NOT_NULL_VIOLATION) and not _is_about_values(error):
            self.untried.append(f"its INSERT fails ({error}), and whether it did at the base is not known")
        return False

    def _add_required(self, error: RowRefusal, values: dict[str, str], sql: str) -> bool:
        assert self.new is not None  # noqa: S101 - the caller has looked
        column = self.new.columns.get(error.column)
        is_own = error.table in ("", self.mapped.name) or self.new.table is None
        if column is None or not is_own:
            return False  # of a table that a trigger writes to
        is_sent = any(item.name == column.name and item.is_inserted for item in self.mapped.columns)
        if column.number in self._renamed or is_sent:
            pass  # its old name is missing: that says it; or its own schema has no such column yet
        elif _needs_no_value(self.old.columns.get(column.name)):
            self._refuse(
                RefusalCause.REQUIRED_COLUMN, (StatementKind.INSERT,), Attempt(sql, error), column.name
            )
        else:
            self.untried.append(f"its INSERT gives no value for `{column.name}`, which the base needs, too")
        values[column.name] = self._write_made(column)
        return True

    def _remove_generated(self, error: RowRefusal, values: dict[str, str], sql: str) -> bool:
        assert self.new is not None  # noqa: S101 - as above
        generated = [name for name in values if _is_generated(self.new.columns.get(name))]
        for name in generated:
            del values[name]
            if not _is_generated(self.old.columns.get(name)):
                kinds = (StatementKind.INSERT, StatementKind.UPDATE)
                self._refuse(RefusalCause.GENERATED, kinds, Attempt(sql, error), name)
        return bool(generated)

    def _judge_check(self, error: RowRefusal, values: Mapping[str, str], sql: str) -> None:
        """A CHECK on nothing that the INSERT names refuses every one of them."""
        checks = self.after.catalog.constraints_in(self.mapped.schema, self.mapped.name)
        check = next((item for item in checks if item.name == error.constraint), None)
        if check is None or not check.columns or not values.keys().isdisjoint(check.columns):
            return
        earlier = self.before.catalog.constraints_in(self.mapped.schema, self.mapped.name)
        if all(item.definition != check.definition for item in earlier):
            self._refuse(RefusalCause.RULE, (StatementKind.INSERT,), Attempt(sql, error))

    def _try_nulls(
        self, rows: SingleRows, columns: Sequence[MappedColumn], values: Mapping[str, str]
    ) -> None:
        """Leave each column out whose value the models do not need."""
        assert self.new is not None  # noqa: S101 - as above
        for column in columns:
            old, new = self.old.columns[column.name], self.new.columns[column.name]
            if not column.may_be_null or not old.nullable or new.nullable:
                continue
            sql = self._texts.write_insert({**values, column.name: "NULL"})
            with rows.scope():
                error = find_error(rows, sql)
            if error is not None and error.sqlstate == NOT_NULL_VIOLATION and error.column == column.name:
                kinds = (StatementKind.INSERT, StatementKind.UPDATE)
                self._refuse(RefusalCause.NULL, kinds, Attempt(sql, error), column.name)

    # Values of the earlier type.

    def _try_earlier_values(self, rows: SingleRows, column: MappedColumn) -> None:
        assert self.new is not None  # noqa: S101 - as above
        kinds = tuple(kind for kind in list_kinds(column) if kind is not StatementKind.SELECT)
        old, new = self.old.columns[column.name], self.new.columns[column.name]
        if not kinds or _is_generated(new):
            return
        labels = self._list_labels(column, old)
        if labels:
            self._try_labels(rows, column, kinds, labels)
        elif old.type != new.type:
            self._try_type(rows, column, kinds)

    def _list_labels(self, column: MappedColumn, old: Column) -> tuple[str, ...]:
        """The labels that the application may send; none if any value may come."""
        stored = self.before.list_labels(old.type)
        if old.type.endswith("[]"):
            return ()
        if stored is None:
            return column.labels if self._texts.made else ()
        return tuple(label for label in stored if not column.labels or label in column.labels)

    def _try_labels(
        self,
        rows: SingleRows,
        column: MappedColumn,
        kinds: tuple[StatementKind, ...],
        labels: tuple[str, ...],
    ) -> None:
        outcomes = [(label, *self._try_value(rows, column, label)) for label in labels]
        refused = [(label, sql, error) for label, sql, error in outcomes if error is not None]
        if len(refused) == len(labels) and refused[0][2].sqlstate in TYPE_ERRORS:
            _, sql, error = refused[0]
            self._refuse(RefusalCause.TYPE, kinds, Attempt(sql, error), column.name)
            return
        cause = RefusalCause.LABEL if column.labels else RefusalCause.VALUE
        for label, sql, error in refused:
            self._refuse(cause, kinds, Attempt(sql, error), column.name, label)

    def _try_type(self, rows: SingleRows, column: MappedColumn, kinds: tuple[StatementKind, ...]) -> None:
        assert self.new is not None  # noqa: S101 - as above
        old, new = self.old.columns[column.name], self.new.columns[column.name]
        named = collect_named_types(self.before.catalog.enums, self.before.catalog.types)
        outcomes = [
            (value, *self._try_value(rows, column, value))
            for value in dict.fromkeys(list_earlier_values(old.type, new.type, named))
        ]
        refused = [(value, sql, error) for value, sql, error in outcomes if error is not None]
        if not refused:
            return
        value, sql, error = refused[0]
        is_for_all = len(refused) == len(outcomes) and error.sqlstate in TYPE_ERRORS
        cause = RefusalCause.TYPE if is_for_all else RefusalCause.VALUE
        self._refuse(cause, kinds, Attempt(sql, error), column.name, "" if is_for_all else value)

    def _try_value(self, rows: SingleRows, column: MappedColumn, value: str) -> tuple[str, RowRefusal | None]:
        """The UPDATE that gives the value to the made row, and why it is refused; None if it is not."""
        literal = self._cast(column, quote_literal(value))
        sql = self._texts.write_setting(column.name, literal)
        with rows.scope():
            error = find_error(rows, sql)
        return sql, error if error is not None and self._refuses_value(error, column) else None

    def _refuses_value(self, error: RowRefusal, column: MappedColumn) -> bool:
        """Whether an error is about the value: a type, or a CHECK of the change that has labels."""
        if error.sqlstate.startswith(DATA_EXCEPTION) or error.sqlstate in TYPE_ERRORS:
            return True
        if error.sqlstate != CHECK_VIOLATION or not column.labels:
            return False
        checks = self.after.catalog.constraints_in(self.mapped.schema, self.mapped.name)
        check = next((item for item in checks if item.name == error.constraint), None)
        earlier = self.before.catalog.constraints_in(self.mapped.schema, self.mapped.name)
        is_new = check is not None and all(item.definition != check.definition for item in earlier)
        return is_new and check is not None and check.columns == (column.name,)

    # Values of the later type.

    def _write_value(self, column: MappedColumn) -> str:
        assert self.new is not None  # noqa: S101 - as above
        return self._write_made(self.new.columns[column.name])

    def _write_made(self, column: Column) -> str:
        """The made row's value, or the simplest one, as the later schema takes it."""
        named = collect_named_types(self.after.catalog.enums, self.after.catalog.types)
        value = self._texts.made.get(column.name)
        if value is None and not column.nullable:
            value = make_simple_value(column.type, 1, named)
        return "NULL" if value is None else quote_literal(value)

    def _cast(self, column: MappedColumn, literal: str) -> str:
        type_text = column.cast or name_literal_type(self.old.columns[column.name].type)
        return f"{literal}::{type_text}" if type_text else literal

    # Results.

    def _check_plainly(self, rows: SingleRows, kind: str, sql: str) -> None:
        """Run a statement that nothing of the above explains if it fails."""
        with rows.scope():
            error = find_error(rows, sql)
        is_explained = error is None or error.sqlstate in (*MADE_UP, CHECK_VIOLATION, GENERATED_ALWAYS)
        if error is not None and not is_explained:
            self.untried.append(f"its {kind} fails ({error}), and whether it did at the base is not known")

    def _refuse(
        self,
        cause: RefusalCause,
        kinds: tuple[StatementKind, ...],
        attempt: Attempt,
        column: str = "",
        value: str = "",
    ) -> None:
        self.refused.append(
            RefusedStatement(
                self.mapped.schema,
                self.mapped.name,
                self.mapped.classes,
                cause,
                kinds,
                attempt.sql,
                attempt.error.message,
                column,
                value,
            )
        )


def _is_about_values(error: RowRefusal) -> bool:
    return error.sqlstate.startswith(DATA_EXCEPTION) or error.sqlstate in TYPE_ERRORS


def _is_generated(column: Column | None) -> bool:
    return column is not None and (column.generated is not None or column.identity == "always")


def _needs_no_value(column: Column | None) -> bool:
    """Whether a row could be inserted at the base without a value for the column; None: it was not there."""
    if column is None or column.nullable:
        return True
    return column.default is not None or column.identity is not None or column.generated is not None
