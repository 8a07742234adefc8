"""What one replay works with: a project, a server, and two databases of its own on it."""

from __future__ import annotations

import os
from pathlib import Path

from migration_gate.change.base_examination import BaseExamination
from migration_gate.checkpoint.checkpoint_run import CheckpointRun
from migration_gate.config.settings import Settings
from migration_gate.facts import ChangedFile
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.server import Server
from migration_gate.project import Project
from migration_gate.replay.restored_state import RestoredState
from migration_gate.replay.worker_order import WorkerTask
from migration_gate.worker.protocol.order import TaskKind


@dataclass(frozen=True, slots=True)
class ReplaySetup:
    """A started server with an empty database, and what is to be replayed there."""

    settings: Settings
    project: Project
    server: Server
    run_directory: Path
    repository: Path
    """the top of the git repository; the project's folder outside of one"""
    database: str
    """the migrations run here"""
    models_database: str
    """the worker makes it, a copy in which the models create their tables"""
    changed_files: tuple[str, ...]
    """real paths of the files that the change adds or edits"""
    pending_files: tuple[str, ...]
    """of these, all but revisions that stand at the base: what production has yet to run"""
    changed_lines: tuple[ChangedFile, ...] = ()
    """their lines; paths are relative to the repository"""
    new_files: tuple[str, ...] = ()
    """paths, relative to the repository, of the files that the change adds"""
    base: BaseExamination | None = None
    """runs beside, if the base of the change is examined"""
    other_databases: tuple[tuple[str, str], ...] = ()
    """the addresses that env.py also migrates, and a database of the server for each"""
    checkpoint: CheckpointRun | None = None
    """None if no checkpoint is read or written"""
    base_commit: str | None = None
    """of the change"""
    restored: RestoredState | None = None
    """what the server was started from; None if the databases are empty"""
    sends_ahead: bool = False
    """the worker need not wait for the answer to each statement of older revisions"""
    later_modules: tuple[str, ...] = ()
    """to be loaded while the history runs"""

    @property
    def base_database(self) -> str:
        """The copy of `database` in which the base's models create their tables."""
        return f"{self.database}_base"

    @property
    def initial_database(self) -> str:
        """A copy of `database` before the project's code has run; only if it is not empty then."""
        return f"{self.database}_initial"

    @property
    def rollback_database(self) -> str:
        """A copy in which revisions are downgraded when the history has run."""
        return f"{self.database}_rollback"

    @property
    def prefix_database(self) -> str:
        """The history up to a revision that cannot be downgraded from the top; before that, all of it."""
        return f"{self.database}_prefix"

    @property
    def earlier_database(self) -> str:
        """The database as it is before the first new revision, for rollbacks and the rehearsal with rows."""
        return f"{self.database}_earlier"

    @property
    def rehearsal_database(self) -> str:
        """A copy of that, with rows, in which the new revisions run."""
        return f"{self.database}_rows"

    @property
    def wants_rehearsal(self) -> bool:
        """Whether there may be new revisions to rehearse."""
        return self.settings.observe != "off" and bool(self.pending_files)

    @property
    def wants_earlier_database(self) -> bool:
        """Whether the database is to be copied before the first new revision."""
        is_rolled_back = bool(self.changed_files) and self.settings.rollback != "off"
        return self.wants_rehearsal or is_rolled_back or self._shares_restored

    @property
    def _shares_restored(self) -> bool:
        """Whether the copy is wanted for the base: what is found in one of the base alone can be kept."""
        return self.restored is not None and self.base is not None and bool(self.changed_files)

    @property
    def databases(self) -> tuple[str, ...]:
        """All that a run may make, but for those of other addresses."""
        return (
            self.database,
            self.models_database,
            self.initial_database,
            self.rollback_database,
            self.prefix_database,
            self.earlier_database,
            self.rehearsal_database,
        )

    def build_task(self, kind: TaskKind, stamp: str = "heads") -> WorkerTask:
        """A worker's task on these databases. `stamp` is for a bootstrap alone."""
        return WorkerTask(
            kind,
            self.database,
            self.models_database,
            self.changed_files,
            self.pending_files,
            stamp,
            self.other_databases,
            tuple(os.path.realpath(self.repository / path) for path in self.new_files),
            keeps_state=kind == "replay" and self.checkpoint is not None and self.checkpoint.wants_state,
            keeps_facts=kind == "replay" and self.checkpoint is not None and self.checkpoint.wants_inputs,
            copies_base=kind == "replay" and self.wants_earlier_database and not self.other_databases,
            earlier_run=self.restored.earlier_run if kind == "replay" and self.restored is not None else None,
            sends_ahead=kind == "replay" and self.sends_ahead and self.server.log is not None,
        )
