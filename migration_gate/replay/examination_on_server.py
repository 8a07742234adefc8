"""Examines a project on a server that has started: replays its history, and reads what came of it."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from migration_gate.analysis.coverage_proof import measure_coverage
from migration_gate.change.base_examination import BaseExamination
from migration_gate.change.base_messages import SharedServer
from migration_gate.change.earlier_replay import share_replay
from migration_gate.checkpoint.checkpoint_run import CheckpointRun
from migration_gate.ci.base_revision import Comparison, absolute_paths
from migration_gate.config.settings import Settings
from migration_gate.facts import Checkpoint, Facts, Replay
from migration_gate.git.git_command import find_repository_root
from migration_gate.postgres.server import Server, detach_server
from migration_gate.progress import Progress
from migration_gate.project import Project
from migration_gate.replay.base_database import copy_restored_database
from migration_gate.replay.dropped_name_uses import add_name_uses
from migration_gate.replay.history_run import (
    HistoryRun,
    RepositoryText,
    list_revision_paths,
    read_replayed_database,
    run_history,
)
from migration_gate.replay.initial_state import prepare_database
from migration_gate.replay.replay_facts import add_model_comparison, collect_replay_facts
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.restored_state import read_restored_state
from migration_gate.replay.verification import verify_arrival, verify_replay_started
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.replay.worker_process import WorkerProcess
from migration_gate.scan.repository import read_repository
from migration_gate.worker.protocol.run_lines import RunFailed


def prepare_databases(
    settings: Settings,
    project: Project,
    server: Server,
    run_directory: Path,
    change: Comparison,
    *,
    base: BaseExamination | None,
    checkpoint: CheckpointRun | None = None,
) -> ReplaySetup:
    """Create the databases that the project's code is going to use; a checkpoint has them already."""
    restored = None
    if checkpoint is not None and checkpoint.state is not None and server.is_restored:
        restored = read_restored_state(checkpoint.state)
        checkpoint.is_restored = True
    database = restored.state.record.database if restored is not None else server.create_database()
    return ReplaySetup(
        settings=settings,
        project=project,
        server=server,
        run_directory=run_directory,
        repository=find_repository_root(settings.root),
        database=database,
        models_database=f"{database}_models",
        changed_files=absolute_paths(settings.root, change.edited_paths()),
        changed_lines=change.lines,
        new_files=tuple(sorted(change.changed_paths("A"))),
        base=base,
        base_commit=change.base.commit,
        other_databases=tuple((address, server.create_database()) for address in settings.other_databases),
        checkpoint=checkpoint,
        restored=restored,
    )


def examine_on_server(
    setup: ReplaySetup, worker: WorkerProcess, background: ThreadPoolExecutor, notes: tuple[str, ...]
) -> Generator[Progress, None, Facts]:
    """Replay a project on a server that has started; the facts, with `notes` first. Raises GateError."""
    settings = setup.settings
    if setup.base is not None:
        setup.base.share(SharedServer(detach_server(setup.server), setup.database, setup.base_database))
    preparation_notes = yield from prepare_database(setup)
    if setup.restored is not None:
        copy_restored_database(setup)
    history_run = yield from run_history(setup, worker, background)

    yield Progress("compare")
    repository_text = _wait_for_repository_text(setup, history_run)
    answer = AnswerReader(setup.repository, history_run.lines)
    replay = _read_replay(
        setup, history_run, answer, repository_text, (*notes, *preparation_notes, *worker.notes)
    )
    if replay.failure is None and replay.history.error is None:
        verify_arrival(replay)
        if setup.base is not None:
            setup.base.share(share_replay(replay, setup.new_files))
        replay = add_model_comparison(
            setup,
            replay,
            answer,
            history_run.models_database,
            tree=repository_text.tree,
            unchecked=history_run.unchecked,
        )
    tree = add_name_uses(
        repository_text.tree,
        replay,
        settings.root,
        list_revision_paths(setup, repository_text.revision_files),
    )
    # Not beside what is above, which parses the repository, too: see `revision_dependencies`.
    _finish_checkpoint(setup, history_run, preparation_notes)
    replay = replace(
        replay,
        coverage=measure_coverage(replay),
        checkpoint=_describe_checkpoint(setup),
        notes=(*replay.notes, *([setup.checkpoint.describe()] if setup.checkpoint is not None else [])),
    )
    return Facts(settings.name, replay, tree, settings.owners, sizes=settings.sizes)


def _finish_checkpoint(setup: ReplaySetup, history_run: HistoryRun, notes: tuple[str, ...]) -> None:
    """Complete the checkpoint that was begun while the history ran, if nothing failed."""
    if setup.checkpoint is not None:
        has_failed = any(isinstance(line, RunFailed) for line in history_run.lines)
        setup.checkpoint.finish_copy(() if has_failed else history_run.lines, setup.repository, notes)


def _describe_checkpoint(setup: ReplaySetup) -> Checkpoint:
    """Where the replay began."""
    if setup.restored is None:
        return Checkpoint()
    state = setup.restored.state
    return Checkpoint(state.newest_revision, len(state.record.revisions))


def _wait_for_repository_text(setup: ReplaySetup, history_run: HistoryRun) -> RepositoryText:
    """What was read beside the replay; without revisions, if it ended before their folders were known."""
    if history_run.repository_text is not None:
        return history_run.repository_text.result()
    return RepositoryText((), read_repository(setup.settings, []))


def _read_replay(
    setup: ReplaySetup,
    history_run: HistoryRun,
    answer: AnswerReader,
    repository_text: RepositoryText,
    notes: tuple[str, ...],
) -> Replay:
    """What the worker did and what the database holds. Raises GateError if nothing was replayed."""
    verify_replay_started(setup.project, answer, history_run.output)
    history = answer.history(setup.settings.target, repository_text.revision_files)
    if history_run.replayed_database is not None:
        replayed_database = history_run.replayed_database.result()
    else:
        replayed_database = read_replayed_database(setup, history_run.lines)
    return collect_replay_facts(
        setup,
        history,
        answer,
        replayed_database,
        rollback=history_run.rollback,
        rehearsal=history_run.rehearsal,
        output=history_run.output,
        notes=notes,
    )
