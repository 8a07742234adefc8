"""Deletes owners on trial, to see what becomes of their rows; all of it is rolled back.

For each owner column an owner is made, a row of that owner, and rows that reference it; then the owner is
deleted, and deferred constraints are checked. Sequences may have advanced afterwards: nothing that is
compared or copied later depends on their last value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.row_source import RowSource
from migration_gate.catalog.simple_rows import SimpleRows
from migration_gate.catalog.single_rows import MadeRow, SingleRows, Values
from migration_gate.catalog.trial_statements import RowRefused, TrialsEnded
from migration_gate.facts import (
    Column,
    Constraint,
    DeletionBlocker,
    LeftOwner,
    OwnershipTrial,
    RowRefusal,
    Snapshot,
    Table,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.sql.literals import quote_literal

if TYPE_CHECKING:
    import psycopg

# A trigger may sleep or loop, and somebody may hold a lock: all trials end then, and say so. A row takes some
# milliseconds.
BEGIN = "set local lock_timeout = '4s'; set local statement_timeout = '4s'; set constraints all deferred"
CHECK_CONSTRAINTS = "set constraints all immediate"
CHECK_AND_DEFER = "set constraints all immediate; set constraints all deferred"
MAX_BLOCKERS = 8
"""of one owner column"""
MAX_REFERENCING_ROWS = 40
"""that are made for one deletion"""
RAISED = "P0001"
FILLED_IN = RowRefusal("", "it was given an owner by a trigger")


@dataclass(frozen=True, slots=True)
class TriedColumn:
    """An owner column, and the key in which an owner is found."""

    table: Table
    column: Column
    owners_table: Table
    owners_columns: tuple[str, ...]
    columns: tuple[str, ...]
    """of the table; they hold the values of the owners' columns"""
    key: Constraint | None
    """the foreign key, if there is one"""

    @property
    def deletes_rows(self) -> bool:
        """Whether the key deletes a row with its owner."""
        return self.key is not None and self.key.on_delete == "cascade"

    def values_for(self, owner: MadeRow) -> dict[str, str | None]:
        """The columns of a row that belongs to the owner."""
        return {
            name: owner.values.get(key) for name, key in zip(self.columns, self.owners_columns, strict=True)
        }


def try_owned_rows(
    connection: psycopg.Connection[Any],
    catalog: Snapshot,
    columns: Sequence[TriedColumn],
    row_source: RowSource | None = None,
) -> tuple[OwnershipTrial, ...]:
    """One trial for each of the columns; those that a slow statement left out have `ended_by`."""
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    if not columns:
        return ()
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(BEGIN.encode())
            rows = (row_source or SimpleRows()).start_rows(connection, catalog)
            rows.end_when_slow()
            done: list[OwnershipTrial] = []
            try:
                for trial in _OwnedRows(rows, catalog, columns).try_all():
                    done.append(trial)
            except TrialsEnded as ended:
                known = {(trial.schema, trial.table, trial.column) for trial in done}
                left = (_make_trial(tried) for tried in columns)
                done += (
                    replace(trial, ended_by=ended.refusal)
                    for trial in left
                    if (trial.schema, trial.table, trial.column) not in known
                )
            return tuple(done)
    except psycopg.Error as error:
        obstacle = RowRefusal(error.sqlstate or "", error.diag.message_primary or str(error))
        return tuple(replace(_make_trial(tried), obstacle=obstacle) for tried in columns)


def _make_trial(tried: TriedColumn) -> OwnershipTrial:
    column = tried.column
    return OwnershipTrial(column.schema, column.table, column.name, tried.owners_table.full_name)


@dataclass
class _Attempt:
    """A deletion: the rows that were made for it, and what came of it."""

    with_other_owners: bool
    used_keys: set[int] = field(default_factory=set)
    owned_keys: set[int] = field(default_factory=set)
    """those of `used_keys` whose rows have an owner of their own, and that ask for nothing until the end"""
    unmade: list[RowRefusal] = field(default_factory=list)
    refusal: RowRefusal | None = None
    keeps_owner: bool = False
    rows_left: int = 0
    left_owner: LeftOwner = ""


class _OwnedRows:
    """The trials of one database."""

    def __init__(self, rows: SingleRows, catalog: Snapshot, columns: Sequence[TriedColumn]) -> None:
        self._rows = rows
        self._catalog = catalog
        self._columns = columns
        self._references: Mapping[str, list[Constraint]] = _group_references(catalog)
        self._owned: dict[int, list[TriedColumn]] = defaultdict(list)
        for tried in columns:
            self._owned[tried.table.oid].append(tried)

        self._has_deferrable = any(key.deferrable for key in catalog.constraints) or any(
            "CONSTRAINT TRIGGER" in trigger.definition for trigger in catalog.triggers
        )

    def try_all(self) -> Iterator[OwnershipTrial]:
        groups: dict[int, list[TriedColumn]] = defaultdict(list)
        for tried in self._columns:
            groups[tried.owners_table.oid].append(tried)
        for group in groups.values():
            with self._rows.scope():
                yield from self._try_group(group)

    def _try_group(self, group: Sequence[TriedColumn]) -> Iterator[OwnershipTrial]:
        """The columns whose owners are in one table."""
        table = group[0].owners_table
        try:
            self._rows.make_row(table, {})  # owns what is needed beside the rows on trial
            owner = self._rows.make_row(table, {})
            stranger = self._find_absent_owner(table)
            alone = self._delete_alone(group[0], owner)
        except RowRefused as refused:
            for tried in group:
                yield replace(_make_trial(tried), obstacle=refused.refusal)
            return
        for tried in group:
            trial = replace(_make_trial(tried), owner_refusal=alone.refusal, keeps_owner=alone.keeps_owner)
            with self._rows.scope():
                yield self._try_column(trial, tried, owner, stranger)

    def _find_absent_owner(self, table: Table) -> MadeRow:
        """An owner who is there no more."""
        with self._rows.scope():
            return self._rows.make_row(table, {})

    def _delete_alone(self, tried: TriedColumn, owner: MadeRow) -> _Attempt:
        attempt = _Attempt(with_other_owners=False)
        with self._rows.scope():
            self._delete(attempt, tried, owner)
        return attempt

    def _try_column(
        self, trial: OwnershipTrial, tried: TriedColumn, owner: MadeRow, stranger: MadeRow
    ) -> OwnershipTrial:
        self._set_search_path(tried.table)
        try:
            row = self._make_checked_row(tried.table, tried.values_for(owner))
        except RowRefused as refused:
            return replace(trial, obstacle=refused.refusal)
        if trial.owner_refusal is None and not trial.keeps_owner:
            trial = self._try_deletion(trial, tried, owner, row)
        trial = self._try_null(trial, tried)
        is_accepted = tried.key is not None and self._accepts(tried, stranger)
        return replace(trial, stranger_is_accepted=is_accepted)

    def _set_search_path(self, table: Table) -> None:
        """Functions of triggers may name the tables beside theirs without a schema."""
        if table.schema != "public":
            schema = quote_literal(quote_identifier(table.schema) + ", ")
            setting = "current_setting('search_path')"
            self._rows.run(f"select set_config('search_path', {schema} || {setting}, true)")

    def _make_checked_row(self, table: Table, given: Values) -> MadeRow:
        """A row that is complete: deferred constraints were checked as well."""
        row = self._rows.make_row(table, given, is_referable=False)
        self._check_deferred()
        return row

    def _check_deferred(self) -> None:
        if self._has_deferrable:
            self._rows.run(CHECK_AND_DEFER)

    # The deletion.

    def _try_deletion(
        self, trial: OwnershipTrial, tried: TriedColumn, owner: MadeRow, row: MadeRow
    ) -> OwnershipTrial:
        """Delete the owner: again without what refused it, then with others' rows that reference the row."""
        blockers: list[DeletionBlocker] = []
        skipped: set[int] = set()
        result = _Attempt(with_other_owners=False)
        for with_other_owners in (False, True):
            attempt = self._attempt(tried, owner, row, skipped, with_other_owners=with_other_owners)
            while attempt.refusal is not None and len(blockers) < MAX_BLOCKERS:
                blockers.append(DeletionBlocker(attempt.refusal, with_other_owners))
                key = self._find_key(attempt.refusal)
                if key is None or key.oid not in attempt.used_keys:
                    return replace(trial, blockers=tuple(blockers))
                skipped.add(key.oid)
                attempt = self._attempt(tried, owner, row, skipped, with_other_owners=with_other_owners)
            if not with_other_owners:
                result = attempt
            if not attempt.owned_keys:
                break
        return replace(
            trial,
            blockers=tuple(blockers),
            keeps_owner=result.keeps_owner,
            rows_left=result.rows_left,
            left_owner=result.left_owner,
            unmade=tuple(dict.fromkeys(result.unmade)),
        )

    def _attempt(
        self,
        tried: TriedColumn,
        owner: MadeRow,
        row: MadeRow,
        skipped: set[int],
        *,
        with_other_owners: bool,
    ) -> _Attempt:
        attempt = _Attempt(with_other_owners)
        with self._rows.scope():
            # Rows that belong together: what one of them references is as a rule of the same owner.
            self._rows.preferred = [row]
            if tried.deletes_rows:
                self._add_referencing_rows(attempt, row, owner, skipped)
            self._rows.preferred = []
            try:
                self._check_deferred()
            except RowRefused as refused:
                attempt.unmade.append(refused.refusal)
                return attempt
            self._delete(attempt, tried, owner)
        return attempt

    def _add_referencing_rows(
        self, attempt: _Attempt, row: MadeRow, owner: MadeRow, skipped: set[int]
    ) -> None:
        """Rows that reference the row, and those that reference them if they go with it."""
        for key in self._references.get(row.table.full_name, ()):
            table = self._catalog.find_table(key.schema, key.table)
            is_left_out = key.oid in skipped or key.oid in attempt.used_keys
            if table is None or is_left_out or table.oid == owner.table.oid:
                continue
            if len(attempt.used_keys) >= MAX_REFERENCING_ROWS:
                return
            attempt.used_keys.add(key.oid)
            given = {
                name: row.values.get(other)
                for name, other in zip(key.columns, key.referenced_columns, strict=False)
            }
            own = self._own_values(table, owner)
            # A tree is as a rule all of one owner.
            may_be_of_others = table.oid != row.table.oid and bool(own) and not set(own) & set(given)
            if may_be_of_others and key.on_delete == "no action":
                attempt.owned_keys.add(key.oid)
            is_of_others = may_be_of_others and attempt.with_other_owners
            try:
                made = self._make_referencing_row(table, given, {} if is_of_others else own)
            except RowRefused as refused:
                attempt.unmade.append(refused.refusal)
                continue
            self._rows.preferred.append(made)
            if key.on_delete == "cascade":
                self._add_referencing_rows(attempt, made, owner, skipped)

    def _make_referencing_row(self, table: Table, given: Values, own: Values) -> MadeRow:
        """A row of the owner if that is possible, beside the other rows of the attempt if that is."""
        preferred = self._rows.preferred
        for values in ({**own, **given}, given) if own else (given,):
            with suppress(RowRefused):
                return self._rows.make_row(table, values, is_referable=False)
        self._rows.preferred = []
        try:
            return self._rows.make_row(table, given, is_referable=False)
        finally:
            self._rows.preferred = preferred

    def _own_values(self, table: Table, owner: MadeRow) -> dict[str, str | None]:
        """What makes a row of the table one of the owner's, and go with the owner; nothing if none does."""
        values: dict[str, str | None] = {}
        for tried in self._owned.get(table.oid, ()):
            if tried.deletes_rows and tried.owners_table.oid == owner.table.oid:
                values.update(tried.values_for(owner))
        return values

    def _delete(self, attempt: _Attempt, tried: TriedColumn, owner: MadeRow) -> None:
        """Delete the owner, and look at what is left."""
        counts = self._write_counts(tried, owner)
        [before] = self._rows.run(f"select {counts}")
        owners = qualified_name(owner.table.schema, owner.table.name)
        condition = self._identify(owner)
        try:
            [(kept, *after)] = self._rows.run(
                f"delete from {owners} where {condition}; {CHECK_CONSTRAINTS}; "  # noqa: S608
                f"select (select count(*) from {owners} where {condition}), {counts}"
            )
        except RowRefused as refused:
            attempt.refusal = refused.refusal
            return
        attempt.keeps_owner = kept > 0
        attempt.rows_left, attempt.left_owner = _find_left_rows(before, after)

    def _write_counts(self, tried: TriedColumn, owner: MadeRow) -> str:
        """Rows of the table: all, those of the owner, those without an owner."""
        column = quote_identifier(tried.column.name)
        owned = f"{column}::text = {quote_literal(str(tried.values_for(owner)[tried.column.name]))}"
        counts = f"count(*), count(*) filter (where {owned}), count(*) filter (where {column} is null)"
        return f"{counts} from {qualified_name(tried.table.schema, tried.table.name)}"

    def _identify(self, row: MadeRow) -> str:
        """A condition that is true of this row alone."""
        key = self._catalog.primary_key_of(row.table)
        names = key.columns if key is not None else tuple(row.values)
        pairs = [(quote_identifier(name), row.values.get(name)) for name in names]
        return " and ".join(
            f"{name} is null" if value is None else f"{name}::text = {quote_literal(value)}"
            for name, value in pairs
        )

    def _find_key(self, refusal: RowRefusal) -> Constraint | None:
        """The foreign key that refused, as far as rows were made for it."""
        keys = [
            key
            for key in self._catalog.constraints_in(refusal.schema, refusal.table)
            if key.kind == "foreign key"
        ]
        named = [key for key in keys if key.name == refusal.constraint]
        nulled = [key for key in keys if refusal.column and refusal.column in key.columns]
        return next(iter(named or nulled), None)

    # Rows without an owner.

    def _try_null(self, trial: OwnershipTrial, tried: TriedColumn) -> OwnershipTrial:
        """The trial, with what a trigger does about a row without an owner.

        If it accepts one, also about a row that references nothing that it need not: a trigger may want one
        of several owners.
        """
        if not tried.column.nullable:
            return trial
        references = self._list_optional_references(tried)
        for beside in ((), references) if references else ((),):
            refusal = self._try_unowned(tried, dict.fromkeys((tried.column.name, *beside)))
            if refusal is not None:
                return replace(trial, null_refusal=refusal, null_beside=beside)
        return trial

    def _list_optional_references(self, tried: TriedColumn) -> tuple[str, ...]:
        """The other columns of foreign keys that may be NULL."""
        columns = {column.name for column in self._catalog.columns_of(tried.table) if column.nullable}
        named = (name for key in self._catalog.foreign_keys_of(tried.table) for name in key.columns)
        return tuple(dict.fromkeys(name for name in named if name in columns - {tried.column.name}))

    def _try_unowned(self, tried: TriedColumn, given: Values) -> RowRefusal | None:
        """What a trigger does about a row with these values; None if it accepts it, or nothing is known."""
        with self._rows.scope():
            try:
                row = self._make_checked_row(tried.table, given)
            except RowRefused as refused:
                is_raised = refused.refusal.sqlstate == RAISED or bool(refused.refusal.context)
                return refused.refusal if is_raised else None
            return FILLED_IN if row.values.get(tried.column.name) is not None else None

    def _accepts(self, tried: TriedColumn, owner: MadeRow) -> bool:
        """Whether a row of an owner who is not there is accepted; it is not taken back here."""
        try:
            row = self._make_checked_row(tried.table, tried.values_for(owner))
        except RowRefused:
            return False
        return row.values.get(tried.column.name) == tried.values_for(owner)[tried.column.name]


def _group_references(catalog: Snapshot) -> dict[str, list[Constraint]]:
    """The foreign keys by the table that they reference; those of partitions come with their parent."""
    groups: dict[str, list[Constraint]] = defaultdict(list)
    partitions = {(table.schema, table.name) for table in catalog.tables if table.partition_bound is not None}
    for key in catalog.constraints:
        if key.kind == "foreign key" and key.references and (key.schema, key.table) not in partitions:
            groups[key.references].append(key)
    return groups


def _find_left_rows(before: Sequence[int], after: Sequence[int]) -> tuple[int, LeftOwner]:
    """How many of the owner's rows are there afterwards, and whose they are."""
    total, own, unowned = before
    total_after, own_after, unowned_after = after
    left = total_after - (total - own)
    if own_after:
        return own_after, "gone"
    if left <= 0:
        return 0, ""
    return left, "null" if unowned_after > unowned else "other"
