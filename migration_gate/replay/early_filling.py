"""Fills a copy of the base's database for the rehearsal while the new revisions run, not after them.

Only in a run that begins from a checkpoint: the base's database is there from the beginning.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.worker.protocol import Line

if TYPE_CHECKING:
    from migration_gate.replay.filled_copy import FilledCopy


class EarlyFilling:
    """The copy of one run; it has to be closed."""

    def __init__(self, setup: ReplaySetup, background: ThreadPoolExecutor) -> None:
        self._setup = setup
        self._background = background
        self._copy: Future[FilledCopy] | None = None
        self._version_tables: tuple[str, ...] = ()
        self._is_begun = False

    def begin(self, lines: Sequence[Line]) -> None:
        """Begin to fill it in the background, if it can be wanted. `lines`: what the worker has sent."""
        setup = self._setup
        adds_own_rows = setup.settings.rehearsal_sql is not None or setup.settings.rehearsal_function
        if setup.restored is None or not setup.wants_rehearsal or setup.other_databases or adds_own_rows:
            return
        if self._is_begun:
            return  # the plan of another context
        self._is_begun = True
        self._version_tables = AnswerReader(setup.repository, lines).version_tables()
        self._copy = self._background.submit(self._fill)

    def take(self, version_tables: Sequence[str], revisions: Collection[str]) -> Future[FilledCopy] | None:
        """The copy, which the caller closes then; None if there is none without exactly these tables.

        `revisions`: those that ran in the database of which a copy is wanted. Where it is None, none is made
        any more.
        """
        if tuple(version_tables) != self._version_tables or set(revisions) != self._list_revisions():
            self.close()
        copy, self._copy = self._copy, None
        return copy

    def _list_revisions(self) -> set[str]:
        restored = self._setup.restored
        return set(restored.state.record.revisions) if restored is not None else set()

    def close(self) -> None:
        """End the session of a copy that nobody took, when it has been filled.

        To be called before another is made, or that of which it is one.
        """
        copy, self._copy = self._copy, None
        if copy is not None and copy.exception() is None:
            copy.result().connection.close()

    def _fill(self) -> FilledCopy:
        from migration_gate.catalog.row_source import RowVariety  # noqa: PLC0415 - loaded beside the replay
        from migration_gate.replay.filled_copy import open_filled_copy  # noqa: PLC0415

        return open_filled_copy(self._setup, self._version_tables, None, {}, RowVariety.EXTREME)
