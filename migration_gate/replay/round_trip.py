"""Downgrades one revision and upgrades it again, and says what came of both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from migration_gate.analysis.catalog_round_trip import find_round_trip_differences, may_all_stay
from migration_gate.analysis.refusals import describe_refusal, is_about_shared_role
from migration_gate.catalog.comparable_catalog import CatalogSet, RevisionChanges
from migration_gate.catalog.row_survival import RowFate, find_row_fate, find_unusual_fate
from migration_gate.catalog.stored_rows import StoredRows, read_rows_again, select_same_rows
from migration_gate.facts import DowngradeText, Failure, RevisionRollback
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.failure_facts import FailureBuilder
from migration_gate.replay.rollback_state import DatabaseState, RolledBackHistory, StateReader
from migration_gate.replay.runs_channel import QUERY_CANCELED
from migration_gate.worker.protocol.order import Direction, RevisionRun
from migration_gate.worker.protocol.rollback_lines import RunsFinished

if TYPE_CHECKING:
    import psycopg

_DROPS_TABLE = re.compile(r"\bDROP\s+TABLE\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")
RunFunctions: TypeAlias = Callable[[Sequence[RevisionRun]], RunsFinished]
"""runs functions of revisions in the copy"""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What came of one revision, and the state after its downgrade."""

    rollback: RevisionRollback
    down: DatabaseState

    @property
    def is_clean(self) -> bool:
        """Whether the downgrade led to what there was before the revision, and the upgrade back."""
        rollback = self.rollback
        return rollback.is_complete and not rollback.leftovers and not rollback.reupgrade_differences


class RoundTrips:
    """Makes the round trips of one history."""

    def __init__(
        self,
        history: RolledBackHistory,
        failures: FailureBuilder,
        states: StateReader,
        texts: Mapping[str, DowngradeText],
    ) -> None:
        """`texts`: the downgrades as they are written, by revision."""
        self._history = history
        self._failures = failures
        self._states = states
        self._texts = texts

    def find_text(self, revision: str) -> DowngradeText:
        """Its downgrade as it is written."""
        return self._texts.get(revision) or DowngradeText(line=1)

    def begin(self, revision: str) -> RevisionRollback:
        """What is known before its downgrade runs."""
        changes = self._history.changes[revision]
        return RevisionRollback(
            revision,
            has_changed_catalog=any(change.removed or change.added for change in changes),
            may_stay=any(change.added for change in changes)
            and all(
                not (change.added or change.removed) or may_all_stay(change.removed, change.added)
                for change in changes
            ),
        )

    def downgrade(self, run: RunFunctions, revision: str) -> Failure | None:
        """Downgrade a revision alone; the error that ended it."""
        finished = run([RevisionRun(revision, "downgrade")])
        if finished.problem or finished.error is None or finished.failed != revision:
            return None
        return self._build_failure(finished, "downgrade")

    def make(
        self,
        connection: psycopg.Connection[Any],
        run: RunFunctions,
        revision: str,
        before: DatabaseState,
        above: Sequence[str] = (),
    ) -> RoundTrip:
        """Downgrade a revision and upgrade it again. `above`: those above it that have to go down first.

        Raises psycopg's error if something ended the connection.
        """
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        try:
            return self._make(connection, run, revision, before, above)
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as error:
            unproven = f"{QUERY_CANCELED} ({error.diag.message_primary})"
            return RoundTrip(replace(self.begin(revision), unproven=unproven), before)

    def _make(
        self,
        connection: psycopg.Connection[Any],
        run: RunFunctions,
        revision: str,
        before: DatabaseState,
        above: Sequence[str],
    ) -> RoundTrip:
        rollback = self.begin(revision)
        finished = run([RevisionRun(name, "downgrade") for name in (*above, revision)])
        if finished.problem:
            return RoundTrip(replace(rollback, unproven=finished.problem), before)
        if finished.error is not None:
            return RoundTrip(self._describe_failed_downgrade(rollback, finished), before)
        down = self._states.read_state(connection, before)
        expected = expect_catalog(before.catalog, self._history.changes[revision])
        rollback = replace(rollback, leftovers=find_round_trip_differences(expected, down.catalog))
        if self.find_text(revision).is_empty and rollback.has_changed_catalog:
            return RoundTrip(rollback, down)  # what its upgrade would meet is known
        finished = run([RevisionRun(revision, "upgrade")])
        if finished.problem:
            return RoundTrip(replace(rollback, unproven=finished.problem), down)
        remade = list_dropped_tables(before.rows, self._history.statements.get(revision, ()))
        if finished.error is not None:
            failure = self._build_failure(finished, "upgrade")
            fate = find_row_fate(before.rows, down.rows, None, replaced=down.replaced, remade=remade)
            return RoundTrip(replace(add_fate(rollback, fate), reupgrade_failure=failure), down)
        after_rows = read_rows_again(connection, before.rows)
        after_catalog = self._states.read_catalog(connection)
        fate = find_row_fate(
            before.rows,
            down.rows,
            _select_again(after_rows, before.rows),
            before.convertible,
            replaced=down.replaced,
            remade=remade,
        )
        unusual = find_unusual_fate(before.unusual, down.unusual, after_rows, fate.altered)
        fate = replace(fate, altered=(*fate.altered, *unusual))
        differences = find_round_trip_differences(before.catalog, after_catalog)
        rollback = replace(add_fate(rollback, fate), reupgrade_differences=differences, is_complete=True)
        # What becomes of altered rows further down would be said of other revisions.
        followed = {} if unusual else down.unusual
        return RoundTrip(rollback, replace(down, unusual=followed))

    def _describe_failed_downgrade(
        self, rollback: RevisionRollback, finished: RunsFinished
    ) -> RevisionRollback:
        failure = self._build_failure(finished, "downgrade")
        if finished.failed is None:
            return replace(rollback, unproven=f"env.py failed when it ran again: {failure.message}")
        if finished.failed != rollback.revision:
            return replace(rollback, unproven=f"`{finished.failed}` failed above it: {failure.message}")
        if is_about_shared_role(failure):
            unproven = f"a role is used in other databases of the run: {failure.message}"
            return replace(rollback, unproven=unproven, is_limit=True)
        refusal = describe_refusal(failure)
        return replace(rollback, refusal=refusal) if refusal else replace(rollback, failure=failure)

    def _build_failure(self, finished: RunsFinished, direction: Direction) -> Failure:
        assert finished.error is not None  # noqa: S101 - the callers have looked
        failure = self._failures.build_failure(finished.error, finished.failed, finished.line)
        if failure.statement is None and failure.sqlstate and finished.statements:
            failure = replace(failure, statement=finished.statements[-1].sql)
        if finished.first_error is not None:
            first = self._failures.build_failure(finished.first_error, finished.failed)
            failure = replace(failure, first_error=replace(first, direction=direction))
        return replace(failure, direction=direction)


def expect_catalog(before: CatalogSet, changes: Iterable[RevisionChanges]) -> CatalogSet:
    """The catalog without what a revision made of it, in every context that ran it."""
    expected = before
    for change in changes:
        expected = (expected - change.added) | change.removed
    return expected


def _select_again(
    rows: Mapping[int, StoredRows], tracked: Mapping[int, StoredRows]
) -> Mapping[int, StoredRows]:
    """Of the tables that stayed, the tracked rows; of one that was made anew, all."""
    stayed = {oid: table for oid, table in rows.items() if table.oid == oid}
    return {**rows, **select_same_rows(stayed, tracked)}


def list_dropped_tables(rows: Mapping[int, StoredRows], statements: Iterable[str]) -> frozenset[int]:
    """The oids of the tables whose names a DROP TABLE of these statements has."""
    words = {word for sql in statements if _DROPS_TABLE.search(sql) for word in _WORD.findall(sql)}
    return frozenset(oid for oid, table in rows.items() if table.name in words)


def add_fate(rollback: RevisionRollback, fate: RowFate) -> RevisionRollback:
    """The rollback with what became of rows and values."""
    return replace(rollback, lost_values=fate.lost_values, altered_rows=fate.altered)
