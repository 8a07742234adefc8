"""Makes single rows on trial, whose values are partly given: what Postgres accepts is asked, not guessed.

A row has a value in every column that needs one. A foreign key gets a row to reference, made in the same
way, also around a circle of deferrable keys. Where a CHECK refuses a row, its literals and some usual values
are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.check_expressions import list_literals
from migration_gate.catalog.simple_values import collect_named_types, list_usual_values, make_simple_value
from migration_gate.catalog.trial_statements import RowRefused, TrialStatements
from migration_gate.facts import Column, Constraint, RowRefusal, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal

if TYPE_CHECKING:
    import psycopg

Values = Mapping[str, "str | None"]
"""by the names of columns, as text that the type's input function takes; None is NULL"""
CHECK_VIOLATION = "23514"
NOT_NULL_VIOLATION = "23502"
FOREIGN_KEY_VIOLATION = "23503"
TAKEN = ("23505", "23P01")
"""unique_violation, exclusion_violation"""
NO_PARTITION = "no partition of relation"
MAX_NUMBER = 9
"""of rows whose values are tried in turn where others are taken"""
MAX_COMBINATIONS = 200
"""of values that are tried for one CHECK"""
MAX_ERRORS = 60
"""after which a row is given up"""


class ReferencedRowRefused(RowRefused):
    """No row could be made that a foreign key of the row needs."""


@dataclass(frozen=True)
class MadeRow:
    """A row, as Postgres stored it."""

    table: Table
    values: Values


@dataclass
class _PendingRow:
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


class SingleRows:
    """Makes rows in the open transaction; `scope` takes them back."""

    def __init__(self, connection: psycopg.Connection[Any], catalog: Snapshot) -> None:
        self._statements = TrialStatements(connection)
        self.run = self._statements.run
        self._catalog = catalog
        self._named = collect_named_types(catalog.enums, catalog.types)
        self._domains = {item.full_name: item for item in catalog.types if item.kind == "domain"}
        self._referenced = {
            (key.references, name) for key in catalog.constraints for name in key.referenced_columns
        }
        self._made: MutableMapping[int, list[MadeRow]] = {}
        self._pending: list[_PendingRow] = []
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
        pending = _PendingRow(table, dict(given), number, overrides)
        self._pending.append(pending)
        try:
            row = self._insert_until_accepted(pending, given)
        finally:
            self._pending.pop()
        if is_referable:
            self._made.setdefault(table.oid, []).append(row)
        self._keep_promises(pending, row)
        return row

    def _keep_promises(self, pending: _PendingRow, row: MadeRow) -> None:
        """Make the rows that the row references already; they may reference it in their turn."""
        outer = self.preferred
        self.preferred = [row, *outer]
        try:
            for table, key in pending.promised:
                self.make_row(table, key)
        finally:
            self.preferred = outer

    # Inserting, and what is done about an error.

    def _insert_until_accepted(self, pending: _PendingRow, given: Values) -> MadeRow:
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

    def _insert(self, pending: _PendingRow, given: Values) -> MadeRow:
        # The same dictionary: a row that is made meanwhile may have to know a key of this one.
        pending.promised.clear()
        pending.values.clear()
        pending.values.update({**given, **pending.chosen})
        for key in sorted(self._catalog.foreign_keys_of(pending.table), key=lambda key: len(key.columns)):
            self._reference(pending, key)
        for column in self._catalog.columns_of(pending.table):
            if column.name not in pending.values and self._wants_value(pending, column):
                pending.values[column.name] = self._make_value(column, pending.number)
        return self._execute(pending)

    def _execute(self, pending: _PendingRow) -> MadeRow:
        table, values = pending.table, pending.values
        columns = [column.name for column in self._catalog.columns_of(table)]
        returned = ", ".join(f"{quote_identifier(name)}::text" for name in columns)
        target = qualified_name(table.schema, table.name)
        if values:
            names = ", ".join(map(quote_identifier, values))
            literals = ", ".join(map(_write_value, values.values()))
            overriding = " overriding system value" if pending.overrides else ""
            insert = f"insert into {target} ({names}){overriding} values ({literals})"  # noqa: S608
        else:
            insert = f"insert into {target} default values"
        rows = self.run(f"{insert} returning {returned or '1'}")
        if not rows:
            raise RowRefused(RowRefusal("", f"a trigger of {table} discarded the row"))
        return MadeRow(table, dict(zip(columns, rows[0], strict=False)))

    def _change_after(self, pending: _PendingRow, given: Values, refusal: RowRefusal) -> bool:
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

    def _fill(self, pending: _PendingRow, given: Values, refusal: RowRefusal) -> bool:
        """Give a value to a column that did not seem to need one."""
        column = self._catalog.find_column(pending.table, refusal.column)
        if column is None or column.name in given or column.name in pending.chosen:
            return False
        pending.chosen[column.name] = self._make_value(column, pending.number)
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

    def _choose_another(self, pending: _PendingRow, given: Values, refusal: RowRefusal) -> bool:
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

    def _give_own_value(self, pending: _PendingRow, column: Column) -> None:
        if column.identity or (column.default or "").startswith("nextval("):
            pending.chosen[column.name] = self._make_value(column, pending.number)
            pending.overrides = pending.overrides or column.identity is not None

    def _create_default_partition(self, pending: _PendingRow) -> bool:
        if pending.has_default_partition:
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

    def _satisfy_check(self, pending: _PendingRow, given: Values, refusal: RowRefusal) -> bool:
        """Find values with which the CHECK, or the domain's, says nothing; they are `chosen` then."""
        if refusal.constraint in pending.passed_checks:
            return False
        pending.passed_checks.add(refusal.constraint)
        columns, check = self._find_check(pending.table, refusal)
        free = [column for column in columns if column.name not in given and not column.generated]
        values = [list(self._list_candidates(pending, column, check)) for column in free]
        combinations = sorted(islice(product(*map(enumerate, values)), 10 * MAX_COMBINATIONS), key=_rank)
        for combination in combinations[:MAX_COMBINATIONS]:
            tried = {column.name: value for column, (_, value) in zip(free, combination, strict=True)}
            if self._passes(pending, tried, refusal.constraint):
                pending.chosen.update(tried)
                return True
        return False

    def _passes(self, pending: _PendingRow, tried: Values, constraint: str) -> bool:
        """Whether a row with these values is refused by nothing, or by another rule than before."""
        kept = dict(pending.values)
        trial = _PendingRow(pending.table, {**kept, **tried}, pending.number, pending.overrides)
        try:
            with self.scope():
                self._execute(trial)
        except RowRefused as refused:
            is_about_value = refused.refusal.sqlstate.startswith("22")
            failed = {constraint, *pending.passed_checks}
            return not is_about_value and refused.refusal.constraint not in failed
        return True

    def _find_check(self, table: Table, refusal: RowRefusal) -> tuple[list[Column], str]:
        """The columns that a CHECK is about, and its text."""
        columns = self._catalog.columns_of(table)
        for check in self._catalog.constraints_of(table):
            if check.kind == "check" and check.name == refusal.constraint:
                return [column for column in columns if column.name in check.columns], check.definition
        domains = {
            name: item.definition
            for name, item in self._domains.items()
            if refusal.constraint in item.definition
        }
        of_domain = [column for column in columns if column.type.replace('"', "") in domains]
        return of_domain, " ".join(domains.values())

    def _list_candidates(self, pending: _PendingRow, column: Column, check: str) -> Iterator[str | None]:
        """Values that are worth a try, each once: the one that it has, the check's literals, usual ones."""
        current = pending.values.get(column.name)
        literals = list_literals([Constraint(column.schema, column.table, "", "check", check)])
        usual = list_usual_values(column.type, self._named)
        candidates = [current, *literals, *usual, self._make_value(column, pending.number)]
        referenced = any(column.name in key.columns for key in self._catalog.foreign_keys_of(pending.table))
        if referenced:
            candidates = [current, *self._list_keys(pending, column)]
        if column.nullable:
            candidates.append(None)
        elif current is None:
            candidates = candidates[1:]
        yield from dict.fromkeys(candidates)

    def _list_keys(self, pending: _PendingRow, column: Column) -> Iterator[str | None]:
        """A value that a foreign key of the column allows."""
        for key in self._catalog.foreign_keys_of(pending.table):
            if column.name in key.columns:
                row = _PendingRow(pending.table, {}, pending.number, is_full=True)
                try:
                    self._reference(row, key)
                except RowRefused:
                    continue
                yield row.values.get(column.name)

    # Values.

    def _wants_value(self, pending: _PendingRow, column: Column) -> bool:
        if column.generated or column.identity or _has_sequence(column):
            return False
        if column.default is not None or self._has_default_of_domain(column):
            return False
        is_referenced = (column.full_table_name, column.name) in self._referenced
        return not column.nullable or is_referenced or pending.is_full

    def _has_default_of_domain(self, column: Column) -> bool:
        domain = self._domains.get(column.type.replace('"', ""))
        return domain is not None and " DEFAULT " in domain.definition

    def _make_value(self, column: Column, number: int) -> str | None:
        return make_simple_value(column.type, number, self._named)

    def _reference(self, pending: _PendingRow, key: Constraint) -> None:
        """Give the columns of a foreign key the values of a row that it may reference."""
        values = pending.values
        columns = {name: self._catalog.find_column(pending.table, name) for name in key.columns}
        if any(name in values and values[name] is None for name in key.columns):
            return  # MATCH SIMPLE asks nothing of a key with a NULL
        missing = [column for name, column in columns.items() if name not in values and column is not None]
        if not any(self._wants_value(pending, column) for column in missing):
            return
        referenced = self._find_table(key.references)
        if referenced is None:
            return
        names = dict(zip(key.referenced_columns, key.columns, strict=False))
        known = {other: values[name] for other, name in names.items() if name in values}
        if pending.comes_first and key.deferrable:
            row = self._promise_row(pending, referenced, known, names)
        else:
            row = self._find_row(pending, referenced, known, names)
        for other, name in names.items():
            if name not in values:
                values[name] = row.get(other)

    def _find_row(
        self, pending: _PendingRow, table: Table, known: Values, names: Mapping[str, str]
    ) -> Values:
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
        return self._plan_key(waiting, names)

    def _promise_row(
        self, pending: _PendingRow, table: Table, known: Values, names: Mapping[str, str]
    ) -> Values:
        """The key of a row that is made afterwards."""
        columns = self._catalog.columns_of(table)
        number = len(self._made.get(table.oid, ())) + len(pending.promised) + 1
        key = {
            column.name: known.get(column.name, self._make_value(column, number))
            for column in columns
            if column.name in names
        }
        pending.promised.append((table, key))
        return key

    def _has_deferrable_key(self, table: Table) -> bool:
        return any(key.deferrable for key in self._catalog.foreign_keys_of(table))

    def _plan_key(self, waiting: _PendingRow, names: Mapping[str, str]) -> Values:
        """Values for the key of a row that is inserted later: a deferrable key, or one to the row itself."""
        for name in names:
            column = self._catalog.find_column(waiting.table, name)
            if column is not None and name not in waiting.values:
                waiting.chosen[name] = waiting.values[name] = self._make_value(column, waiting.number)
                waiting.overrides = waiting.overrides or column.identity is not None
        return waiting.values

    def _find_table(self, full_name: str | None) -> Table | None:
        schema, _, name = (full_name or "").partition(".")
        return self._catalog.find_table(schema, name)


def _write_value(value: str | None) -> str:
    return "NULL" if value is None else quote_literal(value)


def _has_sequence(column: Column) -> bool:
    return column.default is not None and column.default.startswith("nextval(")


def _rank(combination: Sequence[tuple[int, str | None]]) -> tuple[int, int]:
    """Few changes first, then those that are near the front."""
    places = [place for place, _ in combination]
    return sum(place > 0 for place in places), sum(places)
