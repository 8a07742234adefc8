"""Fills the tables of a database that is nobody's with rows for a rehearsal: about twenty in each.

The first are plain: every column has a value, and each row another one. Then come unusual ones: NULL where
it is allowed, empty and long texts, duplicates where nothing forbids them, rows without their optional
parents; and last the extremes of the types. Nothing is random, so each run makes the same rows. What
Postgres refuses is tried in another way, and a row that it never accepts is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.candidate_values import CandidateValues
from migration_gate.catalog.row_source import NEWEST, FilledTable, RowVariety
from migration_gate.catalog.single_rows import MadeRow, SingleRows, Values
from migration_gate.catalog.trial_statements import RowRefused, TrialStatements
from migration_gate.facts import Column, Constraint, RowRefusal, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal

if TYPE_CHECKING:
    import psycopg

PLAIN_ROWS = 8
UNUSUAL_ROWS = 9
EXTREME_ROWS = 4
READ_ROWS = 100
"""of a table, as parents"""
MAX_ATTEMPTS = 6
"""for one row that is refused"""
CONNECTED_ROWS = 3
"""that get a parent which is made after them"""
MAX_SINGLE_ROWS = 2
"""of a table whose plain rows are refused together"""
ROWS_PER_SAME_PARENT = 4
"""one of so many has the same row at the end of two keys to one table: a sender is seldom the receiver"""
ROWS_PER_SHARED_PARENT = 3
"""one of so many unusual rows has the parent of the first row, where no rule forbids that"""
TAKEN = ("23505", "23P01")
"""unique_violation, exclusion_violation"""
FOREIGN_TABLE = "it is a foreign table"


@dataclass
class _TableRows:
    """A table that is being filled."""

    table: Table
    columns: tuple[Column, ...]
    """that get values"""
    refusal: RowRefusal | None = None
    count: int = 0
    pinned: dict[str, str | None] = field(default_factory=dict)
    """values that a CHECK asks for"""
    banned: set[tuple[str, str | None]] = field(default_factory=set)
    """unusual values of columns, which were refused"""
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
        self._single_rows = SingleRows(connection, catalog)
        self._parents: dict[int, list[Values]] = {}
        """rows that foreign keys may lead to, by the oid of their table"""
        self._filled: dict[int, _TableRows] = {}
        self._made: dict[int, int] = {}
        """how many rows of tables were made, by their oid, where unusual ones are added"""
        self._referenced = {key.references for key in catalog.constraints if key.kind == "foreign key"}

    def fill_tables(self, varieties: Mapping[str, RowVariety], others: RowVariety) -> tuple[FilledTable, ...]:
        """As `fill_database` says; nothing is committed."""
        for table in self._order_tables():
            variety = varieties.get(table.full_name, others)
            self._filled[table.oid] = self._fill(table, variety)
        self._connect_late_keys()
        return tuple(_describe(rows) for rows in self._filled.values())

    def add_unusual(self, table: Table, made: int, variety: RowVariety) -> FilledTable:
        """Add unusual rows to a table that has rows already; nothing is committed.

        `made`: how many of its rows are like the plain ones with the first numbers. The tables that it
        references have their rows.
        """
        rows = _TableRows(table, tuple(self._list_filled_columns(table)))
        for key in self._catalog.foreign_keys_of(table):
            referenced = self._find_referenced(key)
            if referenced is not None and referenced.oid not in self._parents:
                # Not the revision's own: what leads to a row that its downgrade deletes goes with it.
                self._parents[referenced.oid] = self._read_rows(referenced, self._made.get(referenced.oid))
        self._insert_unusual(rows, made, variety)
        if not rows.count:
            known = self._read_rows(table)[:1]
            rows.pinned = dict(self._values.pick_checked(table, known[0])) if known else {}
            rows.banned.clear()
            if rows.pinned:
                self._insert_unusual(rows, made, variety)
        self._parents.pop(table.oid, None)  # there are more now
        self._made[table.oid] = made + rows.count
        return _describe(rows)

    def _insert_unusual(self, rows: _TableRows, made: int, variety: RowVariety) -> None:
        self._insert_others(rows, made, UNUSUAL_ROWS, is_extreme=False)
        if variety > RowVariety.UNUSUAL and self._has_extremes(rows):
            self._insert_others(rows, made + UNUSUAL_ROWS, EXTREME_ROWS, is_extreme=True)

    def sort_tables(self, tables: Iterable[Table]) -> list[Table]:
        """These tables, each after those that it references, as far as that is possible."""
        wanted = {table.oid for table in tables}
        return [table for table in self._order_tables() if table.oid in wanted]

    def _order_tables(self) -> Iterator[Table]:
        """Each table after those that it references, as far as that is possible."""
        done: set[int] = set()
        for table in self._catalog.tables:
            yield from self._order_below(table, done)

    def _order_below(self, table: Table, done: set[int]) -> Iterator[Table]:
        if table.oid in done or table.partition_bound is not None:
            return
        done.add(table.oid)
        for key in self._catalog.foreign_keys_of(table):
            referenced = self._find_referenced(key)
            if referenced is not None:
                yield from self._order_below(referenced, done)
        yield table

    def _find_referenced(self, key: Constraint) -> Table | None:
        schema, _, name = (key.references or "").partition(".")
        return self._catalog.find_table(schema, name)

    # One table.

    def _fill(self, table: Table, variety: RowVariety) -> _TableRows:
        rows = _TableRows(table, tuple(self._list_filled_columns(table)))
        if table.kind == "foreign table":
            rows.refusal = RowRefusal("", FOREIGN_TABLE)
        elif variety > RowVariety.NONE:
            rows.is_bare = variety is RowVariety.BARE
            self._insert_plain(rows)
            if rows.count and variety > RowVariety.PLAIN:
                self._insert_others(rows, PLAIN_ROWS, UNUSUAL_ROWS, is_extreme=False)
            if rows.count and variety > RowVariety.UNUSUAL and self._has_extremes(rows):
                self._insert_others(rows, PLAIN_ROWS + UNUSUAL_ROWS, EXTREME_ROWS, is_extreme=True)
        if table.full_name in self._referenced:
            self._parents[table.oid] = self._read_rows(table)
        return rows

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
            for oid, parents in self._parents.items()
            if oid in self._filled
            for values in parents[:1]
        ]
        try:
            made = self._single_rows.make_row(rows.table, {})
        except RowRefused as refused:
            rows.refusal = refused.refusal
            return False
        rows.count += 1
        rows.pinned = {**self._values.pick_checked(rows.table, made.values), **rows.pinned}
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
        unusual = dict(self._choose_unusual(rows, place, is_extreme=is_extreme))
        return number, {**self._build_row(rows, number), **unusual}, unusual

    def _has_extremes(self, rows: _TableRows) -> bool:
        return any(self._values.list_extreme(rows.table, column) for column in rows.columns)

    def _choose_unusual(
        self, rows: _TableRows, place: int, *, is_extreme: bool
    ) -> Iterator[tuple[str, str | None]]:
        """Values of columns; another one in each row, and in some rows a plain one."""
        for index, column in enumerate(rows.columns):
            if column.name in rows.pinned:
                continue
            extremes = self._values.list_extreme(rows.table, column) if is_extreme else None
            values = extremes or self._values.list_unusual(rows.table, column)
            choices = [value for value in values if (column.name, value) not in rows.banned]
            if place == 0 and None in choices:
                yield column.name, None  # one row has nothing that is optional
                continue
            turn = (place - 1 + index) % (len(choices) + 1)
            if turn < len(choices):
                yield column.name, choices[turn]

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
                blamed = self._find_blamed(rows.table, refused.refusal, left)
                if not blamed and attempt and refused.refusal.sqlstate not in TAKEN:
                    return False
                for name in blamed:
                    rows.banned.add((name, left.pop(name)))
                tried = {**plain, **left}
                number += 20 * (refused.refusal.sqlstate in TAKEN)
            else:
                rows.count += 1
                return True
        return False

    def _find_blamed(self, table: Table, refusal: RowRefusal, unusual: Collection[str]) -> list[str]:
        """The columns with unusual values that a refusal is about; all of them if it does not say so."""
        named = {refusal.column} & set(unusual)
        constraints = [(rule.name, rule.columns) for rule in self._catalog.constraints_of(table)]
        indexes = [(index.name, index.columns) for index in self._catalog.indexes_of(table)]
        for name, columns in (*constraints, *indexes):
            if refusal.constraint and name == refusal.constraint:
                named.update(column for column in columns if column is not None and column in unusual)
        return sorted(named or unusual)

    # Values.

    def _build_row(self, rows: _TableRows, number: int) -> dict[str, str | None]:
        """A plain row. Columns of which no value is known are left to their defaults."""
        values: dict[str, str | None] = dict(rows.pinned)
        if rows.is_bare:
            values.update({column.name: None for column in rows.columns if column.nullable})
        keys = sorted(self._catalog.foreign_keys_of(rows.table), key=lambda key: -len(key.columns))
        for place, key in enumerate(keys):
            earlier = sum(other.references == key.references for other in keys[:place])
            self._choose_parent(rows, key, self._number_parent(rows.table, key, number, earlier), values)
        for column in rows.columns:
            if column.name not in values:
                value = self._values.make_plain(rows.table, column, number)
                if value is not None:
                    values[column.name] = value
        return values

    def _number_parent(self, table: Table, key: Constraint, number: int, earlier: int) -> int:
        """Which parent the row of that number has, from 1. `earlier`: keys of the row to the same table."""
        is_shared = number > PLAIN_ROWS and number % ROWS_PER_SHARED_PARENT == 0
        if is_shared and not self._values.is_unique_key(table, key):
            return 1
        return number + earlier * (number % ROWS_PER_SAME_PARENT != 0)

    def _choose_parent(
        self, rows: _TableRows, key: Constraint, number: int, values: dict[str, str | None]
    ) -> None:
        """Give the key's columns the values of a row that it may lead to; NULL if there is none yet."""
        referenced = self._find_referenced(key)
        parents = self._parents.get(referenced.oid, []) if referenced is not None else []
        pairs = list(zip(key.columns, key.referenced_columns, strict=False))
        fitting = [
            parent
            for parent in parents
            if all(name not in values or values[name] == parent.get(other) for name, other in pairs)
        ]
        if fitting:
            parent = fitting[(number - 1) % len(fitting)]
            for name, other in pairs:
                values.setdefault(name, parent.get(other))
            return
        if not parents and key not in rows.late_keys:
            rows.late_keys.append(key)
        nullable = [name for name in key.columns if self._is_nullable(rows.table, name)]
        for name in nullable:
            values[name] = None

    def _is_nullable(self, table: Table, name: str) -> bool:
        column = self._catalog.find_column(table, name)
        return column is not None and column.nullable

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

    def _read_rows(self, table: Table, newest: int | None = None) -> list[Values]:
        """Rows of the table, as text: the newest ones, or all, those that the migrations have made, too."""
        names = [column.name for column in self._catalog.columns_of(table)]
        columns = ", ".join(f"{quote_identifier(name)}::text" for name in names)
        target = qualified_name(table.schema, table.name)
        choice = f"order by {NEWEST} limit {newest}" if newest else f"limit {READ_ROWS}"
        rows = self._statements.run(f"select {columns or '1'} from {target} {choice}")  # noqa: S608
        return [dict(zip(names, row, strict=False)) for row in rows]

    def _connect_late_keys(self) -> None:
        """Let some rows lead to those made after them: of the same table, or of a circle of keys."""
        for rows in self._filled.values():
            for key in rows.late_keys if rows.count else ():
                referenced = self._find_referenced(key)
                if referenced is not None:
                    self._connect_rows(rows.table, key, referenced)

    def _connect_rows(self, table: Table, key: Constraint, referenced: Table) -> None:
        target = qualified_name(table.schema, table.name)
        source = qualified_name(referenced.schema, referenced.name)
        columns = ", ".join(map(quote_identifier, key.columns))
        others = ", ".join(map(quote_identifier, key.referenced_columns))
        is_optional = any(self._is_nullable(table, name) for name in key.columns)
        for number in range(CONNECTED_ROWS):
            # Each has another parent; where all need one, the last parent has the others.
            is_last = number == CONNECTED_ROWS - 1 and not is_optional
            limit = "all" if is_last else 1
            row = f"select ctid from {target} offset {number + 1 if is_optional else number} limit {limit}"  # noqa: S608
            parent = f"select {others} from {source} offset {number} limit 1"  # noqa: S608
            try:
                self._statements.run(
                    f"update {target} set ({columns}) = ({parent}) where ctid = any(array({row}))"  # noqa: S608
                )
            except RowRefused:
                return  # the rows stay without a parent, which they may be


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
