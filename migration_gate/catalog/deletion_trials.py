"""Deletes an owner on trial: what refuses that, and which of the owner's rows are left.

Rows are made that reference a row of the owner: first rows of the same owner, then of others. What refuses
the deletion is left out of the next attempt, so that it shows what else refuses it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace

from migration_gate.catalog.owned_rows import OwnedRows, TriedColumn
from migration_gate.catalog.single_rows import SingleRows
from migration_gate.catalog.trial_row import MadeRow, Values
from migration_gate.catalog.trial_statements import RowRefused
from migration_gate.facts import (
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

CHECK_CONSTRAINTS = "set constraints all immediate"
REFUSING = ("no action", "restrict")
"""actions that ask only when all that goes with the owner is gone, below the owner's own key"""
MAX_BLOCKERS = 8
"""of one owner column"""
MAX_REFERENCING_ROWS = 40
"""that are made for one deletion"""


@dataclass
class DeletionAttempt:
    """A deletion: the rows that were made for it, and what came of it."""

    with_other_owners: bool
    used_keys: set[int] = field(default_factory=set)
    owned_keys: set[int] = field(default_factory=set)
    """those of `used_keys` whose rows have an owner of their own, and that refuse a deletion"""
    unmade: list[RowRefusal] = field(default_factory=list)
    refusal: RowRefusal | None = None
    keeps_owner: bool = False
    rows_left: int = 0
    left_owner: LeftOwner = ""


class DeletionTrials:
    """Deletes the owners of one database; each deletion is rolled back."""

    def __init__(
        self, rows: SingleRows, owned_rows: OwnedRows, catalog: Snapshot, columns: Sequence[TriedColumn]
    ) -> None:
        self._rows = rows
        self._owned_rows = owned_rows
        self._catalog = catalog
        self._references: Mapping[str, list[Constraint]] = _group_references(catalog)
        self._owned: dict[int, list[TriedColumn]] = defaultdict(list)
        for tried in columns:
            self._owned[tried.table.oid].append(tried)

    def delete_alone(self, tried: TriedColumn, owner: MadeRow) -> DeletionAttempt:
        """Delete an owner who has no rows. Raises RowRefused if the table cannot be read."""
        attempt = DeletionAttempt(with_other_owners=False)
        with self._rows.scope():
            self._delete(attempt, tried, owner)
        return attempt

    def delete_with_rows(
        self, trial: OwnershipTrial, tried: TriedColumn, owner: MadeRow, row: MadeRow
    ) -> OwnershipTrial:
        """Delete the owner: again without what refused it, then with others' rows that reference the row.

        Returns the trial with what came of that.
        """
        blockers: list[DeletionBlocker] = []
        skipped: set[int] = set()
        result = DeletionAttempt(with_other_owners=False)
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
    ) -> DeletionAttempt:
        attempt = DeletionAttempt(with_other_owners)
        with self._rows.scope():
            # Rows that belong together: what one of them references is as a rule of the same owner.
            self._rows.preferred = [row]
            if tried.deletes_rows:
                self._add_referencing_rows(attempt, row, owner, skipped)
            self._rows.preferred = []
            try:
                self._owned_rows.check_deferred()
            except RowRefused as refused:
                attempt.unmade.append(refused.refusal)
                return attempt
            self._delete(attempt, tried, owner)
        return attempt

    def _add_referencing_rows(
        self, attempt: DeletionAttempt, row: MadeRow, owner: MadeRow, skipped: set[int]
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
            if may_be_of_others and key.on_delete in REFUSING:
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

    def _delete(self, attempt: DeletionAttempt, tried: TriedColumn, owner: MadeRow) -> None:
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
