"""A database that holds the history up to a revision: made for one, and run on to the next.

It begins as production is before the deployment, where that was copied: what the application makes when it
starts, and no revision does, is there then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migration_gate.replay.initial_state import prepare_copy, prepare_trials
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.runs_channel import RunsChannel
from migration_gate.worker.protocol.order import RevisionRun

NOT_REPEATED = "the history could not be run a second time, up to it"


class HistoryPrefix:
    """`setup.prefix_database`, in one run of the gate."""

    def __init__(
        self, setup: ReplaySetup, channel: RunsChannel, order: Sequence[str], copied: Sequence[str]
    ) -> None:
        """`order`: all revisions that ran. `copied`: those that `setup.earlier_database` holds."""
        self._setup = setup
        self._channel = channel
        self._order = tuple(order)
        begins_with_copied = set(copied) == set(order[: len(copied)])
        self._copied = len(copied) if begins_with_copied else 0
        self._reached = len(self._order)
        """how many revisions the database holds: first a copy of all that ran; 0 if it is to be made"""

    @property
    def holds_all(self) -> bool:
        """Whether it is the copy of all that ran, in which nothing has run since."""
        return self._reached == len(self._order)

    def give_away(self) -> None:
        """Have it made anew if a revision is to be reached: somebody else uses it."""
        self._reached = 0

    def reach(self, revision: str) -> str:
        """Have the database hold the history up to the revision, and that one; why that failed, or ''."""
        end = self._order.index(revision) + 1
        problems = []
        for start in self._list_starts(end):
            if start != self._reached or not start:
                self._begin(start)
            self._reached = 0
            problem = self._run(start, end) if start < end else ""
            if not problem:
                self._reached = end
                return ""
            problems.append(problem)
        return problems[0]

    def copy(self) -> None:
        """Copy it to where functions are tried, `setup.rollback_database`."""
        self._setup.server.copy_used_database(self._setup.prefix_database, self._setup.rollback_database)
        prepare_trials(self._setup, self._setup.rollback_database)

    def move(self) -> None:
        """Have it there, and make it anew if another revision is to be reached: a copy takes longer."""
        self._setup.server.rename_database(self._setup.prefix_database, self._setup.rollback_database)
        self._reached = 0

    def _list_starts(self, end: int) -> Iterator[int]:
        """From where it may be run: where it is, then the base of the change, and then the beginning.

        Alembic remembers within one run of env.py which types it has made: some histories need that.
        """
        starts = (self._reached, self._copied)
        yield from dict.fromkeys(start for start in starts if 0 < start <= end)
        yield 0

    def _begin(self, start: int) -> None:
        """Make the database with the first `start` revisions: none, or those that were copied."""
        if not start:
            prepare_copy(self._setup, self._setup.prefix_database)
            return
        self._setup.server.copy_used_database(self._setup.earlier_database, self._setup.prefix_database)
        prepare_trials(self._setup, self._setup.prefix_database)

    def _run(self, start: int, end: int) -> str:
        runs = [RevisionRun(revision, "upgrade") for revision in self._order[start:end]]
        finished = self._channel.run(self._setup.prefix_database, runs, prepares=start == 0)
        if finished.error is not None:
            return f"{NOT_REPEATED}: `{finished.failed}`: {finished.error.message}"
        return f"{NOT_REPEATED}: {finished.problem}" if finished.problem else ""
