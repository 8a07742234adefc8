"""Downgrades a revision with rows that only the schema after it allows."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from typing import NamedTuple

from migration_gate.facts import Failure
from migration_gate.replay.history_prefix import HistoryPrefix
from migration_gate.replay.initial_state import limit_statements
from migration_gate.replay.null_rows import find_row_with_null
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.rollback_state import StateReader
from migration_gate.replay.round_trip import RoundTrips
from migration_gate.replay.runs_channel import RunsChannel, RunsSession
from migration_gate.worker.protocol.order import RevisionRun
from migration_gate.worker.protocol.rollback_lines import RunsFinished


class NewerRowsTrial(NamedTuple):
    """What came of one downgrade."""

    problem: str = ""
    """why the revision could not be reached"""
    failure: Failure | None = None
    """an error of Postgres'"""
    row: str = ""
    """that the downgrade failed over, if it is known"""


class NewerRows:
    """The trials of one history."""

    def __init__(
        self,
        setup: ReplaySetup,
        channel: RunsChannel,
        prefix: HistoryPrefix,
        states: StateReader,
        trips: RoundTrips,
    ) -> None:
        self._setup = setup
        self._channel = channel
        self._prefix = prefix
        self._states = states
        self._trips = trips

    def downgrade(self, revision: str, above: Sequence[str] | None, *, is_last: bool) -> NewerRowsTrial:
        """Put such rows where the revision is the newest, and downgrade it.

        `above`: the newer revisions, the newest first, if each of their downgrades is known to lead where it
        should. `is_last`: no other revision is going to be tried.
        """
        if above is not None and self._prefix.holds_all:
            self._prefix.give_away()
            limit_statements(self._setup, self._setup.prefix_database)
            trial = self._try(self._setup.prefix_database, above, revision)
            if not trial.problem:
                return trial
        problem = self._prefix.reach(revision)
        if problem:
            return NewerRowsTrial(problem)
        (self._prefix.move if is_last else self._prefix.copy)()
        return self._try(self._setup.rollback_database, (), revision)

    def _try(self, database: str, above: Sequence[str], revision: str) -> NewerRowsTrial:
        with (
            contextlib.closing(self._setup.server.connect(database)) as connection,
            RunsSession(self._channel, database) as session,
        ):
            session.begin()
            if above:
                self._states.read_catalog(connection)  # its plan is kept; env.py runs meanwhile
                finished = session.run([RevisionRun(name, "downgrade") for name in above])
                if finished.problem or finished.error is not None:
                    return NewerRowsTrial(finished.problem or f"`{finished.failed}` failed above it")
            self._states.fill(connection, [revision], fits_old=False)
            failure = self._trips.downgrade(functools.partial(self._run, session, database), revision)
            if failure is None or failure.sqlstate is None:
                return NewerRowsTrial()
            return NewerRowsTrial("", failure, find_row_with_null(connection, failure.message))

    def _run(self, session: RunsSession, database: str, runs: Sequence[RevisionRun]) -> RunsFinished:
        """Run them in the session; in a process of their own where env.py sets what a session loses."""
        finished = session.run(runs)
        return self._channel.run(database, runs) if finished.problem else finished
