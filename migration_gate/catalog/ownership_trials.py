"""Tries each owner column, to see what becomes of rows without their owner; all of it is rolled back.

An owner is made, a row of that owner, and rows that reference it; then the owner is deleted, and deferred
constraints are checked. Then rows are made that have no owner, or one who is not there. Sequences may have
advanced afterwards: nothing that is compared or copied later depends on their last value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.deletion_trials import DeletionTrials
from migration_gate.catalog.owned_rows import OwnedRows, TriedColumn
from migration_gate.catalog.row_source import RowSource
from migration_gate.catalog.simple_rows import SimpleRows
from migration_gate.catalog.single_rows import SingleRows
from migration_gate.catalog.trial_row import MadeRow, Values
from migration_gate.catalog.trial_statements import RowRefused, TrialsEnded
from migration_gate.facts import OwnershipTrial, RowRefusal, Snapshot, Table
from migration_gate.sql.identifiers import quote_identifier
from migration_gate.sql.literals import quote_literal

if TYPE_CHECKING:
    import psycopg

# A trigger may sleep or loop, and somebody may hold a lock: all trials end then, and say so. A row takes some
# milliseconds.
BEGIN = "set local lock_timeout = '4s'; set local statement_timeout = '4s'; set constraints all deferred"
RAISED = "P0001"
FILLED_IN = RowRefusal("", "it was given an owner by a trigger")


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
                for trial in _OwnershipTrials(rows, catalog, columns).try_all():
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


class _OwnershipTrials:
    """The trials of one database."""

    def __init__(self, rows: SingleRows, catalog: Snapshot, columns: Sequence[TriedColumn]) -> None:
        self._rows = rows
        self._catalog = catalog
        self._columns = columns
        self._owned_rows = OwnedRows(rows, catalog)
        self._deletions = DeletionTrials(rows, self._owned_rows, catalog, columns)

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
            alone = self._deletions.delete_alone(group[0], owner)
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

    def _try_column(
        self, trial: OwnershipTrial, tried: TriedColumn, owner: MadeRow, stranger: MadeRow
    ) -> OwnershipTrial:
        self._set_search_path(tried.table)
        try:
            row = self._owned_rows.make_row(tried.table, tried.values_for(owner))
        except RowRefused as refused:
            return replace(trial, obstacle=refused.refusal)
        if trial.owner_refusal is None and not trial.keeps_owner:
            trial = self._deletions.delete_with_rows(trial, tried, owner, row)
        trial = self._try_null(trial, tried)
        is_accepted = tried.key is not None and self._accepts(tried, stranger)
        return replace(trial, stranger_is_accepted=is_accepted)

    def _set_search_path(self, table: Table) -> None:
        """Functions of triggers may name the tables beside theirs without a schema."""
        if table.schema != "public":
            schema = quote_literal(quote_identifier(table.schema) + ", ")
            setting = "current_setting('search_path')"
            self._rows.run(f"select set_config('search_path', {schema} || {setting}, true)")

    # Rows without an owner, and rows of one who is not there.

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
                row = self._owned_rows.make_row(tried.table, given)
            except RowRefused as refused:
                is_raised = refused.refusal.sqlstate == RAISED or bool(refused.refusal.context)
                return refused.refusal if is_raised else None
            return FILLED_IN if row.values.get(tried.column.name) is not None else None

    def _accepts(self, tried: TriedColumn, owner: MadeRow) -> bool:
        """Whether a row of an owner who is not there is accepted; it is not taken back here."""
        try:
            row = self._owned_rows.make_row(tried.table, tried.values_for(owner))
        except RowRefused:
            return False
        return row.values.get(tried.column.name) == tried.values_for(owner)[tried.column.name]
