"""Makes single rows on trial, whose values are partly given: what Postgres accepts is asked, not guessed.

A row has a value in every column that needs one. A foreign key gets a row to reference, made in the same
way, also around a circle of deferrable keys. Where a CHECK refuses a row, its literals and some usual values
are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.checked_values import CheckedValues, list_combinations
from migration_gate.catalog.needed_values import NeededValues
from migration_gate.catalog.planned_keys import PlannedKeys
from migration_gate.catalog.table_order import find_referenced
from migration_gate.catalog.trial_row import MadeRow, PendingRow, Values
from migration_gate.catalog.trial_statements import RowRefused, TrialStatements
from migration_gate.facts import Column, Constraint, RowRefusal, Snapshot, Table
from migration_gate.sql.identifiers import qualified_name

if TYPE_CHECKING:
    import psycopg

CHECK_VIOLATION = "23514"
NOT_NULL_VIOLATION = "23502"
FOREIGN_KEY_VIOLATION = "23503"
TAKEN = ("23505", "23P01")
"""unique_violation, exclusion_violation"""
NO_PARTITION = "no partition of relation"
MAX_NUMBER = 9
"""of rows whose values are tried in turn where others are taken"""
MAX_ERRORS = 60
"""after which a row is given up"""


class ReferencedRowRefused(RowRefused):
    """No row could be made that a foreign key of the row needs."""


class SingleRows:
    """Makes rows in the open transaction; `scope` takes them back."""

    def __init__(
        self, connection: psycopg.Connection[Any], catalog: Snapshot, *, makes_partitions: bool = True
    ) -> None:
        """`makes_partitions`: a table that has none for a row gets a default one; not where rows stay."""
        self._makes_partitions = makes_partitions
        self._statements = TrialStatements(connection)
        self.run = self._statements.run
        self._catalog = catalog
        self._needed = NeededValues(catalog)
        self._checked = CheckedValues(catalog, self._needed)
        self._planned = PlannedKeys(catalog, self._needed)
        self._made: MutableMapping[int, list[MadeRow]] = {}
        self._pending: list[PendingRow] = []
        self.preferred: list[MadeRow] = []
        """rows that others reference first, where they need one"""

    def end_when_slow(self) -> None:
        """Have TrialsEnded raised where statements take long."""
        self._statements.ends_when_slow = True

    @contextmanager
    def scope(self) -> Iterator[None]:
        """A block whose rows are rolled back at its end; constraints are deferred then, where they can be."""
        outer = self._made
        self._made = {oid: list(rows) for oid, rows in outer.items()}
        try:
            with self._statements.savepoint():
                yield
        finally:
            self._made = outer

    def make_row(self, table: Table, given: Values, *, is_referable: bool = True) -> MadeRow:
        """Insert a row with these values. Raises RowRefused.

        `is_referable`: rows that are made later, and need any row of the table, may reference it.
        """
        if table.kind == "foreign table":
            raise RowRefused(RowRefusal("", f"{table} is a foreign table"))
        number = len(self._made.get(table.oid, ())) + 1
        columns = self._catalog.columns_of(table)
        overrides = any(column.identity and column.name in given for column in columns)
        pending = PendingRow(table, dict(given), number, overrides)
        self._pending.append(pending)
        try:
            row = self._insert_until_accepted(pending, given)
        finally:
            self._pending.pop()
        if is_referable:
            self._made.setdefault(table.oid, []).append(row)
        self._keep_promises(pending, row)
        return row

    def _keep_promises(self, pending: PendingRow, row: MadeRow) -> None:
        """Make the rows that the row references already; they may reference it in their turn."""
        outer = self.preferred
        self.preferred = [row, *outer]
        try:
            for table, key in pending.promised:
                self.make_row(table, key)
        finally:
            self.preferred = outer

    # Inserting, and what is done about an error.

    def _insert_until_accepted(self, pending: PendingRow, given: Values) -> MadeRow:
        refusal: RowRefusal | None = None
        for _ in range(MAX_ERRORS):
            try:
                return self._insert(pending, given)
            except ReferencedRowRefused:
                if not pending.comes_first and self._has_deferrable_key(pending.table):
                    pending.comes_first = True
                    continue
                if refusal is None:
                    raise
                raise RowRefused(refusal) from None  # columns were added that need no value
            except RowRefused as refused:
                refusal = refused.refusal
                if not self._change_after(pending, given, refusal):
                    raise
        raise RowRefused(RowRefusal("", f"no row of {pending.table} was accepted in {MAX_ERRORS} attempts"))

    def _insert(self, pending: PendingRow, given: Values) -> MadeRow:
        # The same dictionary: a row that is made meanwhile may have to know a key of this one.
        pending.promised.clear()
        pending.values.clear()
        pending.values.update({**given, **pending.chosen})
        for key in sorted(self._catalog.foreign_keys_of(pending.table), key=lambda key: len(key.columns)):
            self._reference(pending, key)
        for column in self._catalog.columns_of(pending.table):
            if column.name not in pending.values and self._needed.wants_value(pending, column):
                pending.values[column.name] = self._needed.make_value(column, pending.number)
        return self._execute(pending)

    def _execute(self, pending: PendingRow) -> MadeRow:
        columns = self._catalog.columns_of(pending.table)
        rows = self.run(pending.write_insert(columns))
        if not rows:
            raise RowRefused(RowRefusal("", f"a trigger of {pending.table} discarded the row"))
        return MadeRow(pending.table, dict(zip((column.name for column in columns), rows[0], strict=False)))

    def _change_after(self, pending: PendingRow, given: Values, refusal: RowRefusal) -> bool:
        """Change what is inserted next; False if there is nothing left to try."""
        if refusal.sqlstate in TAKEN:
            return self._choose_another(pending, given, refusal)
        if self._is_given(pending.table, given, refusal):
            return False
        if refusal.message.startswith(NO_PARTITION):
            is_changed = self._create_default_partition(pending) or self._choose_another(
                pending, given, refusal
            )
        elif refusal.sqlstate == CHECK_VIOLATION:
            is_changed = self._satisfy_check(pending, given, refusal)
        else:
            is_changed = refusal.sqlstate == NOT_NULL_VIOLATION and self._fill(pending, given, refusal)
        if not is_changed and not pending.is_full:
            is_changed = pending.is_full = True
        return is_changed

    def _fill(self, pending: PendingRow, given: Values, refusal: RowRefusal) -> bool:
        """Give a value to a column that did not seem to need one."""
        column = self._catalog.find_column(pending.table, refusal.column)
        if column is None or column.name in given or column.name in pending.chosen:
            return False
        pending.chosen[column.name] = self._needed.make_value(column, pending.number)
        return True

    def _is_given(self, table: Table, given: Values, refusal: RowRefusal) -> bool:
        """Whether a foreign key, or NOT NULL, is about given values alone."""
        if refusal.sqlstate == NOT_NULL_VIOLATION:
            return refusal.column in given
        if refusal.sqlstate != FOREIGN_KEY_VIOLATION:
            return False
        constraints = self._catalog.constraints_of(table)
        return any(
            item.name == refusal.constraint and set(item.columns) <= given.keys() for item in constraints
        )

    def _choose_another(self, pending: PendingRow, given: Values, refusal: RowRefusal) -> bool:
        if pending.number >= MAX_NUMBER:
            return False
        pending.number += 1
        keys = self._catalog.constraints_of(pending.table)
        names = next((key.columns for key in keys if key.name == refusal.constraint), ())
        for column in self._catalog.columns_of(pending.table):
            # A value from a sequence may be taken: rows of the migrations have numbers of their own.
            if column.name in names and column.name not in given and not column.generated:
                self._give_own_value(pending, column)
        return True

    def _give_own_value(self, pending: PendingRow, column: Column) -> None:
        if column.identity or (column.default or "").startswith("nextval("):
            pending.chosen[column.name] = self._needed.make_value(column, pending.number)
            pending.overrides = pending.overrides or column.identity is not None

    def _create_default_partition(self, pending: PendingRow) -> bool:
        if pending.has_default_partition or not self._makes_partitions:
            return False
        pending.has_default_partition = True
        table = pending.table
        parent = qualified_name(table.schema, table.name)
        name = qualified_name(table.schema, f"migration_gate_default_{table.oid}")
        try:
            self.run(f"create table {name} partition of {parent} default")
        except RowRefused:
            return False
        return True

    def _satisfy_check(self, pending: PendingRow, given: Values, refusal: RowRefusal) -> bool:
        """Find values with which the CHECK, or the domain's, says nothing; they are `chosen` then."""
        if refusal.constraint in pending.passed_checks:
            return False
        pending.passed_checks.add(refusal.constraint)
        columns, check = self._checked.find_check(pending.table, refusal)
        free = [column for column in columns if column.name not in given and not column.generated]
        candidates = [
            list(self._checked.list_candidates(pending, column, check, self._list_keys(pending, column)))
            for column in free
        ]
        for tried in list_combinations(free, candidates):
            if self._passes(pending, tried, refusal.constraint):
                pending.chosen.update(tried)
                return True
        return False

    def _passes(self, pending: PendingRow, tried: Values, constraint: str) -> bool:
        """Whether a row with these values is refused by nothing, or by another rule than before."""
        kept = dict(pending.values)
        trial = PendingRow(pending.table, {**kept, **tried}, pending.number, pending.overrides)
        try:
            with self.scope():
                self._execute(trial)
        except RowRefused as refused:
            is_about_value = refused.refusal.sqlstate.startswith("22")
            failed = {constraint, *pending.passed_checks}
            return not is_about_value and refused.refusal.constraint not in failed
        return True

    def _list_keys(self, pending: PendingRow, column: Column) -> Iterator[str | None]:
        """A value that a foreign key of the column allows."""
        for key in self._catalog.foreign_keys_of(pending.table):
            if column.name in key.columns:
                row = PendingRow(pending.table, {}, pending.number, is_full=True)
                try:
                    self._reference(row, key)
                except RowRefused:
                    continue
                yield row.values.get(column.name)

    # Foreign keys.

    def _reference(self, pending: PendingRow, key: Constraint) -> None:
        """Give the columns of a foreign key the values of a row that it may reference."""
        values = pending.values
        columns = {name: self._catalog.find_column(pending.table, name) for name in key.columns}
        if any(name in values and values[name] is None for name in key.columns):
            return  # MATCH SIMPLE asks nothing of a key with a NULL
        missing = [column for name, column in columns.items() if name not in values and column is not None]
        if not any(self._needed.wants_value(pending, column) for column in missing):
            return
        referenced = find_referenced(self._catalog, key)
        if referenced is None:
            return
        names = dict(zip(key.referenced_columns, key.columns, strict=False))
        known = {other: values[name] for other, name in names.items() if name in values}
        if pending.comes_first and key.deferrable:
            made = len(self._made.get(referenced.oid, ()))
            row = self._planned.promise_row(pending, referenced, known, names, made=made)
        else:
            row = self._find_row(pending, referenced, known, names)
        for other, name in names.items():
            if name not in values:
                values[name] = row.get(other)

    def _find_row(self, pending: PendingRow, table: Table, known: Values, names: Mapping[str, str]) -> Values:
        """The referenced columns of a row that has the known values: one that is there, or a new one."""
        candidates = [made for made in self.preferred if made.table.oid == table.oid]
        candidates += self._made.get(table.oid, [])
        for made in candidates:
            if all(made.values.get(name) == value for name, value in known.items()):
                return made.values
        waiting = next((item for item in self._pending if item.table.oid == table.oid), None)
        if waiting is None:
            try:
                return self.make_row(table, known).values
            except RowRefused as refused:
                raise ReferencedRowRefused(refused.refusal) from refused
        if any(
            column is not None and column.nullable
            for column in (self._catalog.find_column(pending.table, name) for name in names.values())
        ):
            return {}  # NULL, where that is allowed, ends a circle
        return self._planned.plan_key(waiting, names)

    def _has_deferrable_key(self, table: Table) -> bool:
        return any(key.deferrable for key in self._catalog.foreign_keys_of(table))
