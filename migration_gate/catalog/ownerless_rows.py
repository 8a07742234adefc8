"""Asks Postgres whether it accepts a row without an owner, where a CHECK or a domain may decide that.

The rows go into a temporary copy of the table, which has its CHECKs and types, but no rows, triggers or
foreign keys; the transaction is rolled back. What the expressions mean is never read from their text, with
one exception: whether the values that were tried are all that can make a difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.check_expressions import (
    compares_with_literal,
    list_literals,
    only_compares_with_literals,
)
from migration_gate.catalog.table_copy import ColumnType, Row, TableCopy, read_column_types
from migration_gate.facts import Column, Constraint, NullTrial, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import psycopg

MAX_ROWS = 512
"""rows that are tried for one column; more combinations prove nothing either way"""
SAMPLE_VALUES = ("1", "00000000-0000-0000-0000-000000000001", "x", "2020-01-01", "t", "{}", "127.0.0.1", "")
"""tried in turn until the type accepts one"""
MAX_SAMPLES = 2
"""how many of them are tried beside the literals of the CHECKs"""
REFERENCE_NAME = re.compile(r"(?:_id|Id|ID|_uuid|_by)$")


@dataclass(frozen=True, slots=True)
class OwnerRules:
    """An owner column, and what decides about NULL in it."""

    table: Table
    column: Column
    checks: tuple[Constraint, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The owner column, and those that the CHECKs name."""
        named = (name for check in self.checks for name in check.columns)
        return tuple(dict.fromkeys((self.column.name, *named)))


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """A column, and the values that are tried in it."""

    name: str
    values: tuple[str | None, ...]
    is_complete: bool
    """no other value can make a difference"""


def try_ownerless_rows(
    connection: psycopg.Connection[Any], snapshot: Snapshot, columns: Sequence[tuple[Table, Column]]
) -> tuple[NullTrial, ...]:
    """One trial for each column that a CHECK or a domain may keep from being NULL; the others are left out.

    A column of which Postgres allows no trial (no right to create temporary tables) is left out, too.
    """
    trials = [_try_column(connection, snapshot, table, column) for table, column in columns]
    return tuple(trial for trial in trials if trial is not None)


def _try_column(
    connection: psycopg.Connection[Any], snapshot: Snapshot, table: Table, column: Column
) -> NullTrial | None:
    """The first trial that proves that each row has an owner; else the last one, which had more rules."""
    trial = None
    for checks in _choose_checks(snapshot, table, column):
        trial = _try_checks(connection, snapshot, OwnerRules(table, column, checks)) or trial
        if trial is not None and trial.is_refused:
            break
    return trial


def _choose_checks(snapshot: Snapshot, table: Table, column: Column) -> Iterator[tuple[Constraint, ...]]:
    """The validated CHECKs that decide about the column: first few of them, then all where that differs.

    Fewer CHECKs leave fewer values to try, more of them rule out more rows: either may be what proves it.
    """
    checks = [item for item in snapshot.constraints_of(table) if item.kind == "check" and item.validated]
    beside = _add_columns_of_checks({column.name}, checks)
    near = tuple(check for check in checks if check.columns and beside.issuperset(check.columns))
    yield near
    linked_columns = _find_linked_columns(beside, checks)
    linked = tuple(check for check in checks if linked_columns.intersection(check.columns))
    if linked != near:
        yield linked


def _find_linked_columns(columns: set[str], checks: Sequence[Constraint]) -> set[str]:
    """The columns, and all that a chain of CHECKs links with them."""
    while (grown := _add_columns_of_checks(columns, checks)) != columns:
        columns = grown
    return columns


def _add_columns_of_checks(columns: set[str], checks: Iterable[Constraint]) -> set[str]:
    """The columns, and all that share a CHECK with one of them."""
    sharing = (check.columns for check in checks if columns.intersection(check.columns))
    return columns.union(*sharing)


def _try_checks(
    connection: psycopg.Connection[Any], snapshot: Snapshot, rules: OwnerRules
) -> NullTrial | None:
    """None if neither a CHECK nor a domain has a say, and where Postgres allows no trial."""
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    try:
        with connection.transaction(force_rollback=True):
            connection.execute("set local search_path = ''")
            types = read_column_types(connection, rules.table)
            owner_type = types.get(rules.column.name)
            if owner_type is None or not (rules.checks or owner_type.is_domain):
                return None
            copy = TableCopy(connection, types)
            copy.create(snapshot, rules.table, rules.columns, rules.checks)
            return OwnerTrial(copy, snapshot, rules, types).run()
    except psycopg.Error:
        return None


class OwnerTrial:
    """Tries rows with and without an owner in a copy of the table."""

    def __init__(
        self, copy: TableCopy, snapshot: Snapshot, rules: OwnerRules, types: Mapping[str, ColumnType]
    ) -> None:
        """`types` are those of the table's columns."""
        self._copy = copy
        self._checks = rules.checks
        self._column = rules.column
        self._columns = rules.columns
        self._types = types
        self._foreign_key_columns = {
            name for key in snapshot.foreign_keys_of(rules.table) for name in key.columns
        }
        self._nullable = {column.name for column in snapshot.columns_of(rules.table) if column.nullable}
        self._other_owners = tuple(name for name in self._columns if self._is_other_owner(name))

    def _is_other_owner(self, name: str) -> bool:
        """Whether the column can own a row in the owner's place: a reference, of which only NULL matters."""
        if name == self._column.name or name not in self._nullable:
            return False
        has_same_type = self._types[name].name == self._types[self._column.name].name
        is_named_as_reference = has_same_type and REFERENCE_NAME.search(name) is not None
        if name not in self._foreign_key_columns and not is_named_as_reference:
            return False
        return not any(compares_with_literal(name, check) for check in self._checks)

    def run(self) -> NullTrial:
        """What Postgres does with every combination of values."""
        owner = self._column.name
        tried = [self._choose_values(name) for name in self._columns if name != owner]
        rows = list(islice(_combine_values(tried), MAX_ROWS + 1))
        accepted = [row for row in rows[:MAX_ROWS] if not self._copy.insert({**row, owner: None})]
        unowned = next((row for row in accepted if self._has_no_other_owner(row)), None)
        are_all_tried = len(rows) <= MAX_ROWS and all(values.is_complete for values in tried)
        demanding, refusal = self._find_row_that_must_have_no_owner(accepted)
        return NullTrial(
            schema=self._column.schema,
            table=self._column.table,
            column=owner,
            is_refused=unowned is None and are_all_tried,
            other_owners=self._other_owners,
            accepted_row=_describe_row(unowned),
            demanding_row=_describe_row(demanding),
            demanded_by=self._describe_check(refusal),
        )

    def _has_no_other_owner(self, row: Row) -> bool:
        return all(row[name] is None for name in self._other_owners)

    def _find_row_that_must_have_no_owner(self, accepted: Iterable[Row]) -> tuple[Row | None, str]:
        """The first of the rows, accepted without an owner, that is refused with one; and what refuses it."""
        values = self._choose_values(self._column.name).values
        owner = next((value for value in values if value is not None), None)
        if owner is None:
            return None, ""
        for row in accepted:
            refusal = self._copy.insert({**row, self._column.name: owner})
            if refusal:
                return row, refusal
        return None, ""

    def _choose_values(self, name: str) -> ColumnValues:
        """What is tried in a column: NULL if it may be, then the values."""
        column_type = self._types[name]
        if column_type.is_generated:  # Postgres computes it from the others
            return ColumnValues(name, (None,), is_complete=True)
        values: Sequence[str]
        if name == self._column.name or name in self._other_owners:
            # One value is enough: only whether it is NULL counts.
            values, is_complete = self._copy.select_accepted(name, SAMPLE_VALUES)[:1], True
        elif column_type.labels:
            values, is_complete = column_type.labels, True
        else:
            values, is_complete = self._choose_by_literals(name)
        nulls = (None,) if name in self._nullable else ()
        return ColumnValues(name, (*nulls, *values), is_complete)

    def _choose_by_literals(self, name: str) -> tuple[tuple[str, ...], bool]:
        """The literals of the CHECKs and two other values; and whether these are all that matter."""
        literals = self._copy.select_accepted(name, list_literals(self._checks))
        accepted = self._copy.select_accepted(name, SAMPLE_VALUES)
        samples = [value for value in accepted if value not in literals]
        is_complete = bool(samples) and all(
            only_compares_with_literals(name, check) for check in self._checks
        )
        return (*literals, *samples[:MAX_SAMPLES]), is_complete

    def _describe_check(self, refusal: str) -> str:
        """The CHECK of that name, as Postgres prints it, or what Postgres said."""
        named = (check for check in self._checks if check.name == refusal)
        return next((f"{check.name}: {check.definition}" for check in named), refusal)


def _combine_values(columns: Sequence[ColumnValues]) -> Iterator[Row]:
    """Every row of these values, those with NULL first."""
    names = [column.name for column in columns]
    for values in product(*(column.values for column in columns)):
        yield dict(zip(names, values, strict=True))


def _describe_row(row: Row | None) -> str:
    """`kind = 'system' and group_id IS NULL`; `any row` where no other column takes part."""
    if row is None:
        return ""
    values = [f"{name} = '{value}'" for name, value in row.items() if value is not None]
    nulls = [f"{name} IS NULL" for name, value in row.items() if value is None]
    return " and ".join((*values, *nulls)) or "any row"
