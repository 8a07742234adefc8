"""Asks Postgres whether it takes a row without an owner, where a CHECK or a domain may have a say in it.

The rows go into a temporary copy of the table, which has its CHECKs and types, but no rows, triggers or
foreign keys; the transaction is rolled back. What the expressions say is never read from their text, with one
exception: whether the values that were tried are all that can make a difference (see `_is_discriminator`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from migration_gate.facts import Column, Constraint, NullTrial, Snapshot, Table
from migration_gate.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    import psycopg

Row: TypeAlias = Mapping[str, str | None]
"""the values of the columns that take part, as Postgres reads them; None is NULL"""

MAX_ROWS = 512
"""rows that are tried for one column; more combinations prove nothing either way"""
SAMPLE_VALUES = ("1", "00000000-0000-0000-0000-000000000001", "x", "2020-01-01", "t", "{}", "127.0.0.1", "")
"""tried in turn until the type takes one"""
LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.])(-?\d+(?:\.\d+)?)(?![\w.])")
"""a text or a number in an expression, as Postgres prints it"""
_CAST = r"(?:::[\w ]+)?"
_LITERAL = rf"(?:'(?:[^']|'')*'|-?\d+(?:\.\d+)?|\(-?\d+(?:\.\d+)?\)){_CAST}"
_COMPARISON = rf"(?:=|<>) (?:{_LITERAL}|(?:ANY|ALL) \(\(?ARRAY\[[^\]]*\]\)?(?:::[\w ]+(?:\[\])?)?\))"
"""of a column with literals, as Postgres prints it"""
REFERENCE_NAME = re.compile(r"(?:_id|Id|ID|_uuid|_by)$")
COPY = "pg_temp.migration_gate_copy"
CREATE_COPY = "create temporary table migration_gate_copy (like {} including constraints including generated)"
IS_SUPERUSER = "select rolsuper from pg_catalog.pg_roles where rolname = current_user"
COLUMN_TYPES = """
select a.attname, t.typtype, format_type(a.atttypid, a.atttypmod),
       case t.typtype when 'e' then array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid
                                          order by e.enumsortorder)
            else case a.atttypid when 'bool'::regtype then array['t', 'f'] end end,
       a.attgenerated <> ''
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = %s and a.attnum > 0 and not a.attisdropped
"""


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """A column of the copy, and the values that are tried in it."""

    name: str
    values: tuple[str | None, ...]
    is_complete: bool
    """no other value can make a difference"""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """What the catalog says of a column's type."""

    kind: str
    """as in pg_type.typtype: d for a domain, e for an enum"""
    name: str
    labels: tuple[str, ...]
    """every value that the type has, where they can be listed"""
    is_generated: bool


@dataclass(frozen=True, slots=True)
class TriedColumn:
    """An owner column, and what decides about NULL in it."""

    table: Table
    column: Column
    checks: Sequence[Constraint]


def try_ownerless_rows(
    connection: psycopg.Connection[Any], snapshot: Snapshot, columns: Sequence[tuple[Table, Column]]
) -> tuple[NullTrial, ...]:
    """One trial for each column that a CHECK or a domain may keep from being NULL; the others are left out.

    A column of which Postgres allows no trial (no right to create temporary tables) is left out, too.
    """
    trials = []
    for table, column in columns:
        trial = _try_column(connection, snapshot, table, column)
        if trial is not None:
            trials.append(trial)
    return tuple(trials)


def _try_column(
    connection: psycopg.Connection[Any], snapshot: Snapshot, table: Table, column: Column
) -> NullTrial | None:
    """The first trial that proves that each row has an owner; else the last one, which had more rules."""
    trial = None
    for checks in _choose_checks(snapshot, table, column):
        trial = _try_checks(connection, snapshot, TriedColumn(table, column, checks)) or trial
        if trial is not None and trial.is_refused:
            break
    return trial


def _try_checks(
    connection: psycopg.Connection[Any], snapshot: Snapshot, tried: TriedColumn
) -> NullTrial | None:
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    try:
        with connection.transaction(force_rollback=True):
            connection.execute("set local search_path = ''")
            types = {
                name: ColumnType(kind, type_name, tuple(labels or ()), is_generated)
                for name, kind, type_name, labels, is_generated in connection.execute(
                    COLUMN_TYPES, [tried.table.oid]
                )
            }
            name = tried.column.name
            if name not in types or (not tried.checks and types[name].kind != "d"):
                return None
            return TableCopy(connection, snapshot, tried, types).try_rows()
    except psycopg.Error:
        return None


def _choose_checks(snapshot: Snapshot, table: Table, column: Column) -> Iterator[tuple[Constraint, ...]]:
    """The validated CHECKs over the column and over columns of these; then those that share a column, too.

    Fewer CHECKs leave fewer values to try, more of them rule out more rows: either may be what proves it.
    """
    checks = [item for item in snapshot.constraints_of(table) if item.kind == "check" and item.validated]
    involved = {name for check in checks if column.name in check.columns for name in check.columns}
    near = tuple(check for check in checks if check.columns and involved.issuperset(check.columns))
    yield near
    grown: set[str] = set()
    while grown != involved:
        grown = set(involved)
        involved |= {name for check in checks if grown.intersection(check.columns) for name in check.columns}
    far = tuple(check for check in checks if involved.intersection(check.columns))
    if far != near:
        yield far


class TableCopy:
    """An empty temporary table with the columns, types and CHECKs that decide about the owner."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        snapshot: Snapshot,
        tried: TriedColumn,
        types: Mapping[str, ColumnType],
    ) -> None:
        """Create it, in the transaction that is open. Raises psycopg.Error."""
        table, column, checks = tried.table, tried.column, tried.checks
        self._connection = connection
        self._column = column
        self._checks = checks
        self._types = types
        self._involved = tuple(dict.fromkeys((column.name, *(name for c in checks for name in c.columns))))
        self._keys = {name for key in snapshot.foreign_keys_of(table) for name in key.columns}
        self._nullable = {item.name for item in snapshot.columns_of(table) if item.nullable}
        self._other_owners = tuple(filter(self._is_other_owner, self._involved))
        self._create(snapshot, table)

    def try_rows(self) -> NullTrial:
        """What Postgres does with every combination of values."""
        sets = [self._list_values(name) for name in self._involved if name != self._column.name]
        owners = self._list_values(self._column.name)
        owner_value = next((value for value in owners.values if value is not None), None)
        is_complete = all(item.is_complete for item in sets if item.name not in self._other_owners)
        accepted_row: Row | None = None
        demanding: tuple[Row, str] | None = None
        rows = list(self._combine(sets))
        for row in rows[:MAX_ROWS]:
            if self._insert({**row, self._column.name: None}):
                continue
            if accepted_row is None and all(row[name] is None for name in self._other_owners):
                accepted_row = row
            if demanding is None and owner_value is not None:
                refusal = self._insert({**row, self._column.name: owner_value})
                demanding = (row, refusal) if refusal else None
        return NullTrial(
            schema=self._column.schema,
            table=self._column.table,
            column=self._column.name,
            is_refused=accepted_row is None and is_complete and len(rows) <= MAX_ROWS,
            other_owners=self._other_owners,
            accepted_row=_describe_row(accepted_row),
            demanding_row=_describe_row(demanding[0]) if demanding else "",
            demanded_by=self._describe_check(demanding[1]) if demanding else "",
        )

    def _create(self, snapshot: Snapshot, table: Table) -> None:
        from psycopg import sql  # noqa: PLC0415 - loaded while the server starts

        connection = self._connection
        if connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() == (
            True,
        ):
            # Event triggers of the project's are none of the table's own rules.
            connection.execute("set local session_replication_role = replica")
        original = sql.Identifier(table.schema, table.name)
        create = (
            "create temporary table migration_gate_copy (like {} including constraints including generated)"
        )
        connection.execute(sql.SQL(create).format(original))
        alter = sql.SQL(f"alter table {COPY} ")
        for item in snapshot.columns_of(table):
            if item.name not in self._involved and not item.nullable:
                drop = sql.SQL("alter column {} drop not null").format(sql.Identifier(item.name))
                connection.execute(alter + drop)
        kept = {check.name for check in self._checks}
        for constraint in snapshot.constraints_of(table):
            if constraint.kind == "check" and constraint.name not in kept:
                drop = sql.SQL("drop constraint {}").format(sql.Identifier(constraint.name))
                connection.execute(alter + drop)

    def _is_other_owner(self, name: str) -> bool:
        """Whether the column can own a row in the owner's place: a reference, of which only NULL matters."""
        has_same_type = self._types[name].name == self._types[self._column.name].name
        is_reference = name in self._keys or (has_same_type and REFERENCE_NAME.search(name) is not None)
        if name == self._column.name or name not in self._nullable or not is_reference:
            return False
        return not any(_compares(name, check) for check in self._checks)

    def _list_values(self, name: str) -> ColumnValues:
        """What is tried in a column. One value of an owner is enough: only whether it is NULL counts."""
        column_type = self._types[name]
        nulls = (None,) if name in self._nullable else ()
        if column_type.is_generated:
            return ColumnValues(name, (None,), is_complete=True)  # Postgres computes it from the others
        if name == self._column.name or name in self._other_owners:
            samples = self._accepted_by_type(name, SAMPLE_VALUES)[:1]
            return ColumnValues(name, (*nulls, *samples), is_complete=True)
        if column_type.labels:
            return ColumnValues(name, (*nulls, *column_type.labels), is_complete=True)
        literals = dict.fromkeys(
            (text or "").replace("''", "'") or number
            for check in self._checks
            for text, number in LITERAL.findall(check.definition)
        )
        values = self._accepted_by_type(name, tuple(literals))
        samples = tuple(value for value in self._accepted_by_type(name, SAMPLE_VALUES) if value not in values)
        is_complete = bool(samples) and all(_is_discriminator(name, check) for check in self._checks)
        return ColumnValues(name, (*nulls, *values, *samples[:2]), is_complete)

    def _accepted_by_type(self, name: str, values: Sequence[str]) -> tuple[str, ...]:
        """Those of the values that the column's type takes, with the rules of a domain."""
        query = f"select cast(%s as {self._types[name].name})"  # the type's name comes from format_type
        return tuple(value for value in values if not self._refusal(query, [value]))

    def _combine(self, sets: Sequence[ColumnValues]) -> Iterator[Row]:
        """Rows without the owner column, NULL first; one more than may be tried, at most."""
        combinations = product(*(item.values for item in sets))
        for number, values in enumerate(combinations):
            if number > MAX_ROWS:
                return
            yield {item.name: value for item, value in zip(sets, values, strict=True)}

    def _insert(self, row: Row) -> str:
        """What refuses the row: the name of a constraint, or the message; empty where it is accepted."""
        from psycopg import sql  # noqa: PLC0415 - loaded while the server starts

        names = [name for name in row if not self._types[name].is_generated]
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        values = sql.SQL(", ").join(
            sql.SQL("NULL") if row[name] is None else sql.Literal(row[name]) for name in names
        )
        query = sql.SQL(f"insert into {COPY} ({{}}) values ({{}})").format(columns, values)  # noqa: S608
        return self._refusal(query)

    def _refusal(self, query: Any, parameters: Sequence[str] | None = None) -> str:
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        try:
            with self._connection.transaction():
                self._connection.execute(query, parameters)
        except psycopg.Error as error:
            return error.diag.constraint_name or error.diag.message_primary or str(error)
        return ""

    def _describe_check(self, refusal: str) -> str:
        """The CHECK of that name, as Postgres prints it, or what Postgres said."""
        named = (check for check in self._checks if check.name == refusal)
        return next((f"{check.name}: {check.definition}" for check in named), refusal)


def _is_discriminator(name: str, check: Constraint) -> bool:
    """Whether the CHECK only compares the column with literals, or asks whether it is NULL.

    Then the literals, one other value and NULL are all the values that can make a difference. Postgres prints
    these comparisons in few forms: `(kind = 'a'::text)`, `((kind)::text = ANY ((ARRAY['a'::…])::text[]))`.
    """
    column = _column_pattern(name)
    harmless = rf"{column} (?:{_COMPARISON}|IS (?:NOT )?NULL)"
    if not re.search(rf"\bWHEN (?!{_LITERAL} )", check.definition):
        harmless += rf"|CASE {column}\s"
    rest = re.sub(harmless, "", check.definition)
    return re.search(column, rest) is None


def _compares(name: str, check: Constraint) -> bool:
    """Whether the CHECK compares the column with a literal."""
    return re.search(rf"{_column_pattern(name)} {_COMPARISON}", check.definition) is not None


def _column_pattern(name: str) -> str:
    """The column in an expression of Postgres's, with the cast that a comparison may need."""
    is_plain = re.fullmatch("[a-z_][a-z0-9_$]*", name) is not None
    column = rf"(?<![\w\".']){name}(?![\w\"'])" if is_plain else re.escape(quote_identifier(name))
    return rf"(?:\({column}\){_CAST}|{column})"


def _describe_row(row: Row | None) -> str:
    """The values that are not NULL: `kind = 'system'`; `every other column NULL` where none is left."""
    if row is None:
        return ""
    values = [f"{name} = '{value}'" for name, value in row.items() if value is not None]
    nulls = [f"{name} IS NULL" for name, value in row.items() if value is None]
    return " and ".join((*values, *nulls)) or "any row"
