"""Examines a project on a server that has started: replays its history, and reads what came of it."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from migration_gate.change.base_examination import BaseExamination
from migration_gate.change.base_messages import SharedServer
from migration_gate.checkpoint.checkpoint_run import CheckpointRun
from migration_gate.ci.base_revision import Comparison, absolute_paths
from migration_gate.config.settings import Settings
from migration_gate.facts import Facts
from migration_gate.git.git_command import find_repository_root
from migration_gate.postgres.server import Server, detach_server
from migration_gate.progress import Progress
from migration_gate.project import Project
from migration_gate.replay.base_database import copy_restored_database
from migration_gate.replay.history_run import run_history
from migration_gate.replay.initial_state import prepare_database
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.restored_state import RestoredState
from migration_gate.replay.worker_process import WorkerProcess


def prepare_databases(
    settings: Settings,
    project: Project,
    server: Server,
    run_directory: Path,
    change: Comparison,
    *,
    base: BaseExamination | None,
    checkpoint: CheckpointRun | None = None,
    restored: Future[RestoredState | None] | None = None,
    sends_ahead: bool = False,
    later_modules: tuple[str, ...] = (),
) -> ReplaySetup:
    """Create the databases that the project's code is going to use; a checkpoint has them already.

    `restored`: what is read of the checkpoint; of use if the server was started from it.
    """
    state = None
    if checkpoint is not None and restored is not None and server.is_restored:
        state = restored.result()
        checkpoint.is_restored = True
    database = state.state.record.database if state is not None else server.create_database()
    return ReplaySetup(
        settings=settings,
        project=project,
        server=server,
        run_directory=run_directory,
        repository=find_repository_root(settings.root),
        database=database,
        models_database=f"{database}_models",
        changed_files=absolute_paths(settings.root, change.edited_paths()),
        pending_files=absolute_paths(settings.root, change.pending_paths()),
        changed_lines=change.lines,
        new_files=tuple(sorted(change.changed_paths("A"))),
        base=base,
        base_commit=change.base.commit,
        other_databases=tuple((address, server.create_database()) for address in settings.other_databases),
        checkpoint=checkpoint,
        restored=state,
        sends_ahead=sends_ahead,
        later_modules=later_modules,
    )


def examine_on_server(
    setup: ReplaySetup, worker: WorkerProcess, background: ThreadPoolExecutor, notes: tuple[str, ...]
) -> Generator[Progress, None, Facts]:
    """Replay a project on a server that has started; the facts, with `notes` first. Raises GateError."""
    if setup.base is not None:
        setup.base.share(SharedServer(detach_server(setup.server), setup.database, setup.base_database))
    preparation_notes = yield from prepare_database(setup)
    if setup.restored is not None:
        copy_restored_database(setup)
    history_run = yield from run_history(setup, worker, background)

    yield Progress("compare")
    from migration_gate.replay.replay_reading import read_facts  # noqa: PLC0415 - loaded while the history ran

    return read_facts(setup, history_run, notes, preparation_notes, worker.notes)
