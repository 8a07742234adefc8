"""Proves the downgrades of revisions when the history has run, in copies of its database.

From the top, one by one: the downgrade, a look at the catalog and the rows, and the upgrade again; in one run
of env.py, as long as each leads to where it should. The first that does not is judged in another copy, where
each function has a process of its own, so that nothing that an earlier one did is to blame. Where that
does not lead further (a revision that is one-way, that fails, or that leaves something behind) and where
other revisions stand above, the history is run once more up to the revision, from the base of the change if
that was copied, and a copy of that is used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from migration_gate.catalog.row_source import RowSource, RowVariety
from migration_gate.catalog.snapshot_reader import CatalogRows
from migration_gate.facts import DowngradeText, FailingRows, Failure, RevisionRollback
from migration_gate.progress import Progress
from migration_gate.replay.failure_facts import FailureBuilder
from migration_gate.replay.history_prefix import HistoryPrefix
from migration_gate.replay.newer_rows import NewerRows
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.rollback_proof import RollbackProof
from migration_gate.replay.rollback_state import RolledBackHistory, StateReader
from migration_gate.replay.round_trip import RoundTrips
from migration_gate.replay.runs_channel import RunsChannel, RunsSession
from migration_gate.replay.trial_errors import describe_trial_error
from migration_gate.worker.protocol.order import RevisionRun
from migration_gate.worker.protocol.rollback_lines import RunsFinished

if TYPE_CHECKING:
    import psycopg


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
        copy_again: Callable[[], None],
        copied: Sequence[str] = (),
        catalog_rows: CatalogRows | None = None,
        row_source: RowSource | None = None,
    ) -> None:
        """`texts`: the downgrades as they are written, by revision. `copy_again` makes the copy anew.

        `copied`: the revisions that `setup.earlier_database` holds. `catalog_rows`: of the copy, if they were
        read already.
        """
        self._setup = setup
        self._channel = channel
        self._history = history
        self._copy_again = copy_again
        self._catalog_rows = catalog_rows
        self._prefix = HistoryPrefix(setup, channel, history.order, copied)
        self._states = StateReader(history, version_tables, row_source)
        self._trips = RoundTrips(history, failures, self._states, texts)
        self._results: dict[str, RevisionRollback] = {}

    def prove(self) -> Generator[Progress, None, RollbackProof]:
        """Downgrade and upgrade each revision; the copy of the database for it is there already."""
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        for revision in self._history.changes:
            refusal = self._trips.find_text(revision).refusal
            if refusal:
                self._results[revision] = replace(self._trips.begin(revision), refusal=refusal)
        try:
            yield from self._go_down()
            yield from self._go_up()
            yield from self._repeat_with_fewer_rows()
            yield from self._try_newer_rows()
        except psycopg.Error as error:
            self._leave_out(describe_trial_error(self._setup.server, self._setup.rollback_database, error))
        order = [revision for revision in self._history.order if revision in self._results]
        rollbacks = tuple(self._results[revision] for revision in order)
        return RollbackProof(
            rollbacks,
            tuple(self._states.refused.values()),
            tuple(self._states.without_unusual.values()),
        )

    def _leave_out(self, problem: str) -> None:
        """Say of the revisions that are not proven yet why they are not."""
        for revision in self._history.changes:
            begun = self._trips.begin(revision)
            if self._can_run(revision) and self._results.get(revision, begun) == begun:
                self._results[revision] = replace(begun, unproven=problem)

    def _can_run(self, revision: str) -> bool:
        """Whether its downgrade is written to do something."""
        text = self._trips.find_text(revision)
        return not text.refusal and text.line is not None

    # From the top.

    def _go_down(self) -> Generator[Progress, None, None]:
        """Prove the newest revisions, as far as each leaves the database as it was before it."""
        newest = []
        for revision in reversed(self._history.order):
            if revision not in self._history.changes or not self._can_run(revision):
                break
            newest.append(revision)
        if newest and self._history.contexts == 1:
            yield from self._go_down_in_one_session(newest)
        proven = [revision for revision in newest if revision in self._results]
        if len(proven) == len(newest):
            return
        if self._history.contexts == 1:
            self._copy_again()
        yield from self._go_down_one_by_one(newest, proven)

    def _go_down_in_one_session(self, newest: Sequence[str]) -> Generator[Progress, None, None]:
        """Prove them until one of them has a fault, which is judged by itself."""
        database = self._setup.rollback_database
        with (
            contextlib.closing(self._open_session(database)) as connection,
            RunsSession(self._channel, database) as session,
        ):
            session.begin()
            state = self._states.fill(connection, newest, catalog_rows=self._catalog_rows)
            above: list[str] = []
            for revision in newest:
                yield self._describe_progress(revision)
                trip = self._trips.make(connection, session.run, revision, state, above)
                if not trip.is_clean or _has_altered_rows(trip.rollback):
                    return
                self._results[revision] = trip.rollback
                state, above = trip.down, [revision]

    def _open_session(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """That which has read the copy's catalog, or a new one."""
        return self._setup.server.kept_session.take(database) or self._setup.server.connect(database)

    def _go_down_one_by_one(
        self, newest: Sequence[str], proven: Sequence[str]
    ) -> Generator[Progress, None, None]:
        """Prove those below the proven ones, as far as each leaves the database as it was before it."""
        with self._setup.server.connect(self._setup.rollback_database) as connection:
            state = self._states.fill(connection, newest)
            above = list(proven)
            if above:
                finished = self._run([RevisionRun(revision, "downgrade") for revision in above])
                if finished.problem or finished.error is not None:
                    return
                state, above = self._states.read_state(connection, state), []
            for revision in newest[len(proven) :]:
                yield self._describe_progress(revision)
                trip = self._trips.make(connection, self._run, revision, state, above)
                self._results[revision] = trip.rollback
                if not trip.is_clean or _has_altered_rows(trip.rollback):
                    return  # its functions run again on the way down, and what they do to rows is theirs
                state, above = trip.down, [revision]

    def _describe_progress(self, revision: str) -> Progress:
        return Progress("rollback", revision, len(self._results), len(self._history.changes))

    # Up to a revision.

    def _go_up(self) -> Generator[Progress, None, None]:
        """Prove the others, each in a copy of the history up to it."""
        remaining = [revision for revision in self._history.changes if revision not in self._results]
        runnable = [revision for revision in remaining if self._can_run(revision)]
        for revision in remaining:
            self._results[revision] = self._trips.begin(revision)
        for number, revision in enumerate(runnable):
            done = len(self._results) - len(runnable) + number
            yield Progress("rollback", revision, done, len(self._results))
            problem = self._prefix.reach(revision)
            if problem:
                self._results[revision] = replace(self._results[revision], unproven=problem)
                continue
            self._prefix.copy()
            with self._setup.server.connect(self._setup.rollback_database) as connection:
                state = self._states.fill(connection, [revision])
                self._results[revision] = self._trips.make(connection, self._run, revision, state).rollback

    # With other rows.

    def _repeat_with_fewer_rows(self) -> Generator[Progress, None, None]:
        """Prove those again, with plainer rows or none, that failed over what is in a row, perhaps."""
        doubtful = [name for name, rollback in self._results.items() if find_row_error(rollback)]
        for revision in doubtful:
            yield Progress("rollback", revision, len(self._results) - len(doubtful), len(self._results))
            first = self._results[revision]
            for variety in (RowVariety.PLAIN, RowVariety.NONE):
                if variety is RowVariety.NONE and find_own_failure(first) is None:
                    break
                if self._reach(revision):
                    break
                rollback = self._repeat(revision, variety)
                if find_row_error(rollback) is None:
                    rollback = self._blame_rows(rollback, first, variety)
                self._results[revision] = rollback
                if find_row_error(rollback) is None:
                    break

    def _repeat(self, revision: str, variety: RowVariety) -> RevisionRollback:
        """The rollback with these rows, in the copy that was made for it."""
        with self._setup.server.connect(self._setup.rollback_database) as connection:
            if variety is RowVariety.NONE:
                state = self._states.read_without_rows(connection)
            else:
                state = self._states.fill(connection, [revision], variety)
            return self._trips.make(connection, self._run, revision, state).rollback

    def _blame_rows(
        self, rollback: RevisionRollback, first: RevisionRollback, variety: RowVariety
    ) -> RevisionRollback:
        """The rollback that succeeded with fewer rows, with the error of the first one."""
        rows: FailingRows = "plain"
        if variety is RowVariety.PLAIN:
            rows = "extreme"
            if not self._reach(rollback.revision):
                unusual = self._repeat(rollback.revision, RowVariety.UNUSUAL)
                rows = "extreme" if find_row_error(unusual) is None else "unusual"
        return replace(rollback, row_failure=find_row_error(first), failing_rows=rows)

    def _try_newer_rows(self) -> Generator[Progress, None, None]:
        """Downgrade with rows that only the newer schema allows, those that have loosened something."""
        newer_rows = NewerRows(self._setup, self._channel, self._prefix, self._states, self._trips)
        loosened = [name for name in self._results if self._states.has_loosened(name)]
        for revision in loosened:
            rollback = self._results[revision]
            if not rollback.is_complete or rollback.row_failure is not None:
                continue
            yield Progress("rollback", revision, len(self._results) - 1, len(self._results))
            is_last = revision == loosened[-1]
            trial = newer_rows.downgrade(revision, self._list_proven_above(revision), is_last=is_last)
            if trial.failure is not None:
                self._results[revision] = replace(
                    rollback, newer_row_failure=trial.failure, newer_row=trial.row
                )

    def _list_proven_above(self, revision: str) -> Sequence[str] | None:
        """The newer revisions, the newest first, if all of them were proven; else None."""
        order = self._history.order
        above = order[::-1][: len(order) - 1 - order.index(revision)]
        found = [self._results.get(name) for name in above]
        is_proven = self._history.contexts == 1 and all(
            item is not None and item.is_complete and not item.leftovers and not item.reupgrade_differences
            for item in found
        )
        return above if is_proven else None

    def _reach(self, revision: str) -> str:
        """Make the copy anew, with the history up to the revision; why that failed, or ''."""
        problem = self._prefix.reach(revision)
        if not problem:
            self._prefix.copy()
        return problem

    def _run(self, runs: Sequence[RevisionRun]) -> RunsFinished:
        """Run them in a process of their own."""
        return self._channel.run(self._setup.rollback_database, runs)


_ROWLESS = ("25", "2B", "42", "55")
"""classes of SQLSTATEs that no content of rows brings about"""


def find_row_error(rollback: RevisionRollback) -> Failure | None:
    """The error of a function that may be about the content of rows."""
    failure = rollback.failure or rollback.reupgrade_failure
    if failure is None:
        return None
    error = failure.first_error or failure
    return None if (error.sqlstate or "").startswith(_ROWLESS) else failure


def find_own_failure(rollback: RevisionRollback) -> Failure | None:
    """The error of a function that the project's own code raised: Postgres' errors have a code."""
    failures = filter(None, (rollback.failure, rollback.reupgrade_failure))
    return next((item for item in failures if item.sqlstate is None and item.first_error is None), None)


def _has_altered_rows(rollback: RevisionRollback) -> bool:
    """Whether rows were altered that are followed further down."""
    return any(not altered.is_unusual for altered in rollback.altered_rows)
