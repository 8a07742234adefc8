"""Fills the tables of a database that is nobody's with rows for a rehearsal: about twenty in each.

The first are plain: every column has a value, and each row another one. Then come unusual ones: NULL where
it is allowed, empty and long texts, duplicates where nothing forbids them, rows without their optional
parents; and last the extremes of the types. Nothing is random, so each run makes the same rows. What
Postgres refuses is tried in another way, and a row that it never accepts is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.candidate_values import CandidateValues
from migration_gate.catalog.row_parents import RowParents
from migration_gate.catalog.row_source import FilledTable, RowVariety
from migration_gate.catalog.single_rows import SingleRows
from migration_gate.catalog.table_order import find_referenced, order_tables
from migration_gate.catalog.trial_row import MadeRow, Values
from migration_gate.catalog.trial_statements import RowRefused, TrialStatements
from migration_gate.catalog.unusual_values import UnusualValues
from migration_gate.catalog.varied_texts import VariedText, list_forms
from migration_gate.facts import Column, Constraint, RowRefusal, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal

if TYPE_CHECKING:
    import psycopg

PLAIN_ROWS = 8
UNUSUAL_ROWS = 9
EXTREME_ROWS = 4
MAX_ATTEMPTS = 6
"""for one row that is refused"""
MAX_SINGLE_ROWS = 2
"""of a table whose plain rows are refused together"""
TAKEN = ("23505", "23P01")
"""unique_violation, exclusion_violation"""
FOREIGN_TABLE = "it is a foreign table"


@dataclass
class _TableRows:
    """A table that is being filled."""

    table: Table
    columns: tuple[Column, ...]
    """that get values"""
    unusual: UnusualValues
    refusal: RowRefusal | None = None
    count: int = 0
    pinned: dict[str, str | None] = field(default_factory=dict)
    """values that a CHECK asks for"""
    varied: dict[str, VariedText] = field(default_factory=dict)
    """texts that a CHECK asks for, another one in each row"""
    is_bare: bool = False
    """columns without a value are NULL, where that is allowed"""
    late_keys: list[Constraint] = field(default_factory=list)
    """foreign keys to rows that are made later"""


def fill_database(
    connection: psycopg.Connection[Any],
    catalog: Snapshot,
    varieties: Mapping[str, RowVariety] | None = None,
    *,
    others: RowVariety = RowVariety.EXTREME,
) -> tuple[FilledTable, ...]:
    """Put rows into all tables, in the order of their foreign keys, and commit them.

    `varieties`: what tables get that do not get the rows of `others`, by `schema.name`. A partition gets its
    rows through its parent. The connection does not autocommit. Raises RowRefused if a rule that is deferred
    refuses rows, and does not do so when it is not deferred.
    """
    filled: tuple[FilledTable, ...] = ()
    for mode in ("deferred", "immediate"):
        connection.execute(f"set constraints all {mode}".encode())
        filled = GeneratedRows(connection, catalog).fill_tables(varieties or {}, others)
        try:
            TrialStatements(connection).run("set constraints all immediate")
        except RowRefused:
            connection.rollback()
            if mode == "immediate":
                raise
        else:
            connection.commit()
            break
    return filled


class GeneratedRows:
    """The rows of one database, made in the open transaction."""

    def __init__(self, connection: psycopg.Connection[Any], catalog: Snapshot) -> None:
        self._catalog = catalog
        self._statements = TrialStatements(connection)
        self._values = CandidateValues(catalog)
        self._single_rows = SingleRows(connection, catalog, makes_partitions=False)
        self._parents = RowParents(self._statements, catalog, self._values)
        self._filled: dict[int, _TableRows] = {}
        self._made: dict[int, int] = {}
        """how many rows of tables were made, by their oid, where unusual ones are added"""

    def fill_tables(self, varieties: Mapping[str, RowVariety], others: RowVariety) -> tuple[FilledTable, ...]:
        """As `fill_database` says; nothing is committed."""
        for table in order_tables(self._catalog):
            variety = varieties.get(table.full_name, others)
            self._filled[table.oid] = self._fill(table, variety)
        for rows in self._filled.values():
            for key in rows.late_keys if rows.count else ():
                self._parents.connect(rows.table, key)
        return tuple(_describe(rows) for rows in self._filled.values())

    def add_unusual(self, table: Table, made: int, variety: RowVariety) -> FilledTable:
        """Add unusual rows to a table that has rows already; nothing is committed.

        `made`: how many of its rows are like the plain ones with the first numbers. The tables that it
        references have their rows.
        """
        rows = self._begin(table)
        for key in self._catalog.foreign_keys_of(table):
            referenced = find_referenced(self._catalog, key)
            if referenced is not None and referenced not in self._parents:
                # Not the revision's own: what leads to a row that its downgrade deletes goes with it.
                own = made if referenced.oid == table.oid else None
                self._parents.remember(referenced, self._made.get(referenced.oid, own))
        self._insert_unusual(rows, made, variety)
        if not rows.count:
            known = self._parents.read_rows(table)[:1]
            rows.pinned = dict(self._values.pick_checked(table, known[0])) if known else {}
            rows.unusual.allow_all()
            if rows.pinned:
                self._insert_unusual(rows, made, variety)
        self._parents.forget(table)  # there are more now
        self._made[table.oid] = made + rows.count
        return _describe(rows)

    def _insert_unusual(self, rows: _TableRows, made: int, variety: RowVariety) -> None:
        self._insert_others(rows, made, UNUSUAL_ROWS, is_extreme=False)
        if variety > RowVariety.UNUSUAL and rows.unusual.has_extremes:
            self._insert_others(rows, made + UNUSUAL_ROWS, EXTREME_ROWS, is_extreme=True)

    def sort_tables(self, tables: Iterable[Table]) -> list[Table]:
        """These tables, each after those that it references, as far as that is possible."""
        wanted = {table.oid for table in tables}
        return [table for table in order_tables(self._catalog) if table.oid in wanted]

    # One table.

    def _fill(self, table: Table, variety: RowVariety) -> _TableRows:
        rows = self._begin(table)
        if table.kind == "foreign table":
            rows.refusal = RowRefusal("", FOREIGN_TABLE)
        elif variety > RowVariety.NONE:
            rows.is_bare = variety is RowVariety.BARE
            self._insert_plain(rows)
            if rows.count and variety > RowVariety.PLAIN:
                self._insert_others(rows, PLAIN_ROWS, UNUSUAL_ROWS, is_extreme=False)
            if rows.count and variety > RowVariety.UNUSUAL and rows.unusual.has_extremes:
                self._insert_others(rows, PLAIN_ROWS + UNUSUAL_ROWS, EXTREME_ROWS, is_extreme=True)
        self._parents.remember(table)
        return rows

    def _begin(self, table: Table) -> _TableRows:
        columns = tuple(self._list_filled_columns(table))
        return _TableRows(table, columns, UnusualValues(self._catalog, self._values, table, columns))

    def _list_filled_columns(self, table: Table) -> Iterator[Column]:
        for column in self._catalog.columns_of(table):
            has_sequence = (column.default or "").startswith("nextval(")
            if not (column.generated or column.identity or has_sequence):
                yield column

    def _insert_plain(self, rows: _TableRows) -> None:
        plain = [self._build_row(rows, number) for number in range(1, PLAIN_ROWS + 1)]
        try:
            self._insert(rows.table, plain)
            rows.count = len(plain)
        except RowRefused as refused:
            rows.refusal = refused.refusal
            self._insert_one_by_one(rows, plain)

    def _insert_one_by_one(self, rows: _TableRows, plain: Sequence[Values]) -> None:
        for number, values in enumerate(plain, start=1):
            if self._try_row(rows, number, values):
                continue
            if rows.count == 0 and rows.pinned:
                break  # not even with what was learnt from another row
            if rows.count < MAX_SINGLE_ROWS and not self._make_single_row(rows):
                break

    def _make_single_row(self, rows: _TableRows) -> bool:
        """Have a row made in the way that tries more values, and learn from it what CHECKs ask for."""
        self._single_rows.preferred = [
            MadeRow(self._filled[oid].table, values)
            for oid, values in self._parents.list_first()
            if oid in self._filled
        ]
        try:
            made = self._single_rows.make_row(rows.table, {})
        except RowRefused as refused:
            rows.refusal = refused.refusal
            return False
        rows.count += 1
        rows.pinned = {**self._values.pick_checked(rows.table, made.values), **rows.pinned}
        if not rows.varied:
            rows.varied = dict(self._vary_texts(rows, made.values))
            rows.pinned = {name: value for name, value in rows.pinned.items() if name not in rows.varied}
        return True

    def _vary_texts(self, rows: _TableRows, accepted: Values) -> Iterator[tuple[str, VariedText]]:
        """How texts with rules can be others in each row, as far as Postgres accepts one of them."""
        values = {column.name: accepted.get(column.name) for column in rows.columns}
        for column in self._values.list_ruled_texts(rows.table, rows.columns):
            name, text = column.name, values[column.name]
            if text is None:
                usual = self._values.list_usual(column)
                text = next((item for item in usual if self._fits(rows.table, {**values, name: item})), None)
            for form in list_forms(text or ""):
                if self._fits(rows.table, {**values, name: form.make(2)}):
                    yield name, form
                    break

    def _fits(self, table: Table, values: Values) -> bool:
        """Whether nothing but another row that is like it refuses the row."""
        try:
            with self._statements.savepoint():
                self._insert(table, [values])
        except RowRefused as refused:
            return refused.refusal.sqlstate in TAKEN
        return True

    def _insert_others(self, rows: _TableRows, start: int, count: int, *, is_extreme: bool) -> None:
        made = [self._build_other(rows, start, place, is_extreme=is_extreme) for place in range(count)]
        try:
            self._insert(rows.table, [row for _, row, _ in made])
            rows.count += count
        except RowRefused:
            for place in range(count):
                self._try_row(rows, *self._build_other(rows, start, place, is_extreme=is_extreme))

    def _build_other(
        self, rows: _TableRows, start: int, place: int, *, is_extreme: bool
    ) -> tuple[int, Values, Values]:
        """The number of a row, the row, and its unusual values; without those that were refused before."""
        number = start + place + 1
        unusual = dict(rows.unusual.choose(place, rows.pinned, is_extreme=is_extreme))
        return number, {**self._build_row(rows, number), **unusual}, unusual

    def _try_row(
        self, rows: _TableRows, number: int, values: Values, unusual: Mapping[str, str | None] | None = None
    ) -> bool:
        """Insert the row; where it is refused, with plainer values for what the refusal is about."""
        tried = dict(values)
        left = dict(unusual or {})
        for attempt in range(MAX_ATTEMPTS):
            try:
                self._insert(rows.table, [tried])
            except RowRefused as refused:
                rows.refusal = rows.refusal or refused.refusal
                plain = self._build_row(rows, number + 20 * (refused.refusal.sqlstate in TAKEN))
                blamed = rows.unusual.find_blamed(refused.refusal, left)
                if not blamed and attempt and refused.refusal.sqlstate not in TAKEN:
                    return False
                for name in blamed:
                    rows.unusual.ban(name, left.pop(name))
                tried = {**plain, **left}
                number += 20 * (refused.refusal.sqlstate in TAKEN)
            else:
                rows.count += 1
                return True
        return False

    # Values.

    def _build_row(self, rows: _TableRows, number: int) -> dict[str, str | None]:
        """A plain row. Columns of which no value is known are left to their defaults."""
        varied = {name: text.make(number) for name, text in rows.varied.items()}
        values: dict[str, str | None] = {**rows.pinned, **varied}
        if rows.is_bare:
            values.update({column.name: None for column in rows.columns if column.nullable})
        late = self._parents.choose(rows.table, number, values, may_share=number > PLAIN_ROWS)
        rows.late_keys += [key for key in late if key not in rows.late_keys]
        for column in rows.columns:
            if column.name not in values:
                value = self._values.make_plain(rows.table, column, number)
                if value is not None:
                    values[column.name] = value
        return values

    # Statements.

    def _insert(self, table: Table, rows: Sequence[Values]) -> None:
        """Insert the rows with one statement. Raises RowRefused."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        target = qualified_name(table.schema, table.name)
        if not names:
            for _ in rows:
                self._statements.run(f"insert into {target} default values")
            return
        columns = ", ".join(map(quote_identifier, names))
        tuples = ", ".join(f"({', '.join(_write_value(row, name) for name in names)})" for row in rows)
        self._statements.run(f"insert into {target} ({columns}) values {tuples}")  # noqa: S608


def _write_value(row: Values, name: str) -> str:
    if name not in row:
        return "default"
    value = row[name]
    return "NULL" if value is None else quote_literal(value)


def _describe(rows: _TableRows) -> FilledTable:
    refusal = ""
    if not rows.count and rows.refusal is not None:
        constraint = rows.refusal.constraint
        refusal = rows.refusal.message
        if constraint and constraint not in refusal:
            refusal = f"{refusal} (`{constraint}`)"
    return FilledTable(rows.table.schema, rows.table.name, rows.table.oid, rows.count, refusal)


def count_rows(tables: Iterable[FilledTable]) -> int:
    """How many were made in all."""
    return sum(table.rows for table in tables)
