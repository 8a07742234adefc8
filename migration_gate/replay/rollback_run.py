"""Proves the downgrades of revisions when the history has run, in copies of its database.

From the top, one by one: the downgrade, a look at the catalog and the rows, and the upgrade again. Where that
does not lead further (a revision that is one-way, that fails, or that leaves something behind) and where
other revisions stand above, the history is run once more up to the revision, and a copy of that is used.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from migration_gate.analysis.catalog_round_trip import find_round_trip_differences, only_adds_labels
from migration_gate.analysis.refusals import describe_refusal, is_about_shared_role
from migration_gate.catalog.comparable_catalog import (
    CatalogSet,
    RevisionChanges,
    parse_changes,
    read_catalog_set,
)
from migration_gate.catalog.old_shape import describe_old_shape
from migration_gate.catalog.row_source import FilledTable, RowSource, SimpleRows
from migration_gate.catalog.row_survival import (
    RowFate,
    StoredRows,
    find_row_fate,
    read_rows_again,
    read_stored_rows,
    select_new_rows,
    select_same_rows,
)
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.facts import DowngradeText, Failure, RevisionRollback, Snapshot, Table
from migration_gate.progress import Progress
from migration_gate.replay.failure_facts import FailureBuilder
from migration_gate.replay.initial_state import prepare_copy
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.rollback_tables import list_reached_tables, list_touched_tables
from migration_gate.replay.runs_channel import RunsChannel
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.order import Direction, RevisionRun
from migration_gate.worker.protocol.rollback_lines import RunsFinished
from migration_gate.worker.protocol.step_lines import StepFinished

if TYPE_CHECKING:
    import psycopg

NOT_REPEATED = "the history could not be run a second time, up to it"


@dataclass(frozen=True, slots=True)
class RollbackProof:
    """What came of all rollbacks."""

    rollbacks: tuple[RevisionRollback, ...] = ()
    refused_tables: tuple[FilledTable, ...] = ()
    """tables that took no row"""


@dataclass(frozen=True)
class RolledBackHistory:
    """What is known of the history before the first downgrade."""

    order: tuple[str, ...]
    """all revisions that ran"""
    changes: Mapping[str, tuple[RevisionChanges, ...]]
    """what each revision to prove made of the catalog, in each context that ran it"""
    statements: Mapping[str, tuple[str, ...]]
    """SQL of these revisions"""


@dataclass
class DatabaseState:
    """A database between two runs of env.py."""

    catalog: CatalogSet
    rows: dict[int, StoredRows] = field(default_factory=dict)
    """those that the gate made, by the oid of the table"""
    convertible: frozenset[int] = frozenset()
    """tables whose values fit the earlier types of their columns"""


def read_rolled_back_history(lines: Iterable[Line], version_tables: Sequence[str]) -> RolledBackHistory:
    """From the lines of the first run."""
    steps = [line for line in lines if isinstance(line, StepFinished)]
    changes: dict[str, tuple[RevisionChanges, ...]] = {}
    statements: dict[str, tuple[str, ...]] = {}
    for step in steps:
        if step.changes is not None:
            change = parse_changes(step.changes, version_tables)
            changes[step.revision] = (*changes.get(step.revision, ()), change)
            sql = tuple(statement.sql for statement in step.statements)
            statements[step.revision] = (*statements.get(step.revision, ()), *sql)
    return RolledBackHistory(tuple(dict.fromkeys(step.revision for step in steps)), changes, statements)


class RollbackRun:
    """The rollbacks of one history."""

    def __init__(
        self,
        setup: ReplaySetup,
        channel: RunsChannel,
        history: RolledBackHistory,
        failures: FailureBuilder,
        *,
        texts: Mapping[str, DowngradeText],
        version_tables: Sequence[str],
        row_source: RowSource | None = None,
    ) -> None:
        """`texts`: the downgrades as they are written, by revision."""
        self._setup = setup
        self._channel = channel
        self._history = history
        self._failures = failures
        self._texts = texts
        self._version_tables = version_tables
        self._row_source = row_source or SimpleRows()
        self._results: dict[str, RevisionRollback] = {}
        self._refused: dict[str, FilledTable] = {}

    def prove(self) -> Generator[Progress, None, RollbackProof]:
        """Downgrade and upgrade each revision; the copy of the database for it is there already."""
        for revision in self._history.changes:
            refusal = self._text(revision).refusal
            if refusal:
                self._results[revision] = replace(self._begin(revision), refusal=refusal)
        yield from self._go_down()
        yield from self._go_up()
        order = [revision for revision in self._history.order if revision in self._results]
        rollbacks = tuple(self._results[revision] for revision in order)
        return RollbackProof(rollbacks, tuple(self._refused.values()))

    def _text(self, revision: str) -> DowngradeText:
        return self._texts.get(revision) or DowngradeText(line=1)

    def _begin(self, revision: str) -> RevisionRollback:
        changes = self._history.changes[revision]
        return RevisionRollback(
            revision,
            has_changed_catalog=any(change.removed or change.added for change in changes),
            only_added_labels=any(change.added for change in changes)
            and all(
                not (change.added or change.removed) or only_adds_labels(change.removed, change.added)
                for change in changes
            ),
        )

    def _can_run(self, revision: str) -> bool:
        """Whether its downgrade is written to do something."""
        text = self._text(revision)
        return not text.refusal and text.line is not None

    # From the top.

    def _go_down(self) -> Generator[Progress, None, None]:
        """Prove the newest revisions, as far as each leaves the database as it was before it."""
        newest = []
        for revision in reversed(self._history.order):
            if revision not in self._history.changes or not self._can_run(revision):
                break
            newest.append(revision)
        if not newest:
            return
        with self._setup.server.connect(self._setup.rollback_database) as connection:
            state = self._fill(connection, newest)
            done: str | None = None
            for revision in newest:
                yield Progress("rollback", revision, len(self._results), len(self._history.changes))
                trip = self._make_round_trip(connection, revision, state, again=done)
                self._results[revision] = trip.rollback
                if not trip.is_clean:
                    return
                state, done = trip.down, revision

    # Up to a revision.

    def _go_up(self) -> Generator[Progress, None, None]:
        """Prove the others, each in a copy of the history up to it."""
        remaining = [revision for revision in self._history.changes if revision not in self._results]
        runnable = [revision for revision in remaining if self._can_run(revision)]
        for revision in remaining:
            self._results[revision] = self._begin(revision)
        if not runnable:
            return
        prepare_copy(self._setup, self._setup.prefix_database)
        position = 0
        for number, revision in enumerate(runnable):
            done = len(self._results) - len(runnable) + number
            yield Progress("rollback", revision, done, len(self._results))
            end = self._history.order.index(revision) + 1
            problem = self._extend_prefix(position, end)
            if problem:
                self._results[revision] = replace(self._results[revision], unproven=problem)
                prepare_copy(self._setup, self._setup.prefix_database)
                position = 0
                continue
            position = end
            self._setup.server.copy_used_database(self._setup.prefix_database, self._setup.rollback_database)
            self._prove_in_copy(revision)

    def _extend_prefix(self, start: int, end: int) -> str:
        """Run the history on, in the database that is kept for it; why that did not succeed."""
        problem = self._run_prefix(start, end)
        if problem and start > 0:
            # Alembic remembers within one run of env.py which types it has made: some histories need that.
            prepare_copy(self._setup, self._setup.prefix_database)
            problem = self._run_prefix(0, end)
        return problem

    def _run_prefix(self, start: int, end: int) -> str:
        finished = self._channel.run(
            self._setup.prefix_database,
            [RevisionRun(revision, "upgrade") for revision in self._history.order[start:end]],
            prepares=start == 0,
        )
        if finished.error is not None:
            return f"{NOT_REPEATED}: `{finished.failed}`: {finished.error.message}"
        return f"{NOT_REPEATED}: {finished.problem}" if finished.problem else ""

    def _prove_in_copy(self, revision: str) -> None:
        with self._setup.server.connect(self._setup.rollback_database) as connection:
            state = self._fill(connection, [revision])
            self._results[revision] = self._make_round_trip(connection, revision, state).rollback

    # One revision.

    def _make_round_trip(
        self,
        connection: psycopg.Connection[Any],
        revision: str,
        before: DatabaseState,
        again: str | None = None,
    ) -> RoundTrip:
        """Downgrade a revision and upgrade it again. `again`: one above it that has to go down first."""
        rollback = self._begin(revision)
        runs: list[tuple[str, Direction]] = [(revision, "downgrade")]
        if again is not None:
            runs.insert(0, (again, "downgrade"))
        finished = self._run(runs)
        if finished.problem:
            return RoundTrip(replace(rollback, unproven=finished.problem), before)
        if finished.error is not None:
            return RoundTrip(self._describe_failed_downgrade(rollback, finished), before)
        down = self._read_state(connection, before)
        expected = expect_catalog(before.catalog, self._history.changes[revision])
        rollback = replace(rollback, leftovers=find_round_trip_differences(expected, down.catalog))
        if self._text(revision).is_empty and rollback.has_changed_catalog:
            return RoundTrip(rollback, down)  # what its upgrade would meet is known
        finished = self._run([(revision, "upgrade")])
        if finished.problem:
            return RoundTrip(replace(rollback, unproven=finished.problem), down)
        if finished.error is not None:
            failure = self._build_failure(finished, "upgrade")
            fate = find_row_fate(before.rows, down.rows, None)
            return RoundTrip(replace(add_fate(rollback, fate), reupgrade_failure=failure), down)
        after_rows = read_rows_again(connection, before.rows)
        after_catalog = read_catalog_set(connection, self._version_tables)
        fate = find_row_fate(before.rows, down.rows, after_rows, before.convertible)
        differences = find_round_trip_differences(before.catalog, after_catalog)
        rollback = replace(add_fate(rollback, fate), reupgrade_differences=differences, is_complete=True)
        return RoundTrip(rollback, down)

    def _run(self, runs: Iterable[tuple[str, Direction]]) -> RunsFinished:
        return self._channel.run(
            self._setup.rollback_database, [RevisionRun(revision, direction) for revision, direction in runs]
        )

    def _describe_failed_downgrade(
        self, rollback: RevisionRollback, finished: RunsFinished
    ) -> RevisionRollback:
        failure = self._build_failure(finished, "downgrade")
        if finished.failed is None:
            return replace(rollback, unproven=f"env.py failed when it ran again: {failure.message}")
        if finished.failed != rollback.revision:
            return replace(rollback, unproven=f"`{finished.failed}` failed above it: {failure.message}")
        if is_about_shared_role(failure):
            return replace(
                rollback, unproven=f"a role is used in other databases of the run: {failure.message}"
            )
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

    # The database.

    def _fill(self, connection: psycopg.Connection[Any], revisions: Sequence[str]) -> DatabaseState:
        """Put rows into the tables that the revisions are about; the state of the database then."""
        snapshot = read_snapshot(connection, self._version_tables)
        in_order = [revision for revision in self._history.order if revision in revisions]
        changes = [change for revision in in_order for change in self._history.changes[revision]]
        old = describe_old_shape(changes)
        sql = [text for revision in in_order for text in self._history.statements[revision]]
        tables = list_touched_tables(snapshot, old.touched, sql)
        reached = list_reached_tables(snapshot, tables, old)
        known = read_stored_rows(connection, [table.oid for table in reached])
        filled = self._row_source.fill_tables(connection, snapshot, tables, old)
        self._remember_refused(snapshot, tables, filled)
        rows = read_stored_rows(connection, [table.oid for table in filled if table.is_filled])
        return DatabaseState(
            read_catalog_set(connection, self._version_tables),
            select_new_rows(rows, known),
            frozenset(table.oid for table in filled if table.fits_old_types),
        )

    def _remember_refused(
        self, snapshot: Snapshot, tables: Sequence[Table], filled: Iterable[FilledTable]
    ) -> None:
        wanted = {table.oid for table in tables}
        for table in filled:
            if not table.is_filled and table.oid in wanted:
                self._refused.setdefault(f"{table.schema}.{table.name}", table)

    def _read_state(self, connection: psycopg.Connection[Any], before: DatabaseState) -> DatabaseState:
        rows = read_stored_rows(connection, list(before.rows))
        return DatabaseState(
            read_catalog_set(connection, self._version_tables),
            select_same_rows(rows, before.rows),
            before.convertible,
        )


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


def expect_catalog(before: CatalogSet, changes: Iterable[RevisionChanges]) -> CatalogSet:
    """The catalog without what a revision made of it, in every context that ran it."""
    expected = before
    for change in changes:
        expected = (expected - change.added) | change.removed
    return expected


def add_fate(rollback: RevisionRollback, fate: RowFate) -> RevisionRollback:
    """The rollback with what became of rows and values."""
    return replace(rollback, lost_values=fate.lost_values, altered_rows=fate.altered)


def find_refused_notes(proof: RollbackProof) -> Iterator[str]:
    """What is to be said of tables without rows, and of revisions that are one-way."""
    for table in proof.refused_tables:
        name = table.name if table.schema == "public" else f"{table.schema}.{table.name}"
        yield (
            f"no row could be made for `{name}` before the downgrades ({table.refusal}): "
            "whether its rows survive them is not known"
        )
    one_way = [rollback for rollback in proof.rollbacks if rollback.refusal]
    if one_way:
        names = ", ".join(f"`{rollback.revision}` ({rollback.refusal})" for rollback in one_way)
        noun = "revision is" if len(one_way) == 1 else "revisions are"
        yield f"{len(one_way)} {noun} declared one-way, and not rolled back: {names}"
