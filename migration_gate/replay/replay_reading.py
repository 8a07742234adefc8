"""Reads the facts of a replay that has ended: what it did, and whether it took place in our database.

Loaded while the history runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from migration_gate.analysis.coverage_proof import measure_coverage
from migration_gate.change.earlier_replay import share_replay
from migration_gate.checkpoint.checkpoint_run import FactsRun
from migration_gate.facts import Checkpoint, Facts, Replay
from migration_gate.replay.dropped_name_uses import add_name_uses
from migration_gate.replay.history_end import read_replayed_database
from migration_gate.replay.history_run import HistoryRun
from migration_gate.replay.lock_table import verify_lock_table
from migration_gate.replay.replay_facts import add_model_comparison, collect_replay_facts
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.repository_text import RepositoryText, list_revision_paths
from migration_gate.replay.verification import verify_arrival, verify_replay_started
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.scan.repository import read_repository
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import HistoryFinished, ScriptsFound
from migration_gate.worker.protocol.model_lines import ModelsCreated
from migration_gate.worker.protocol.run_lines import RunFailed

INTERPRETERS = 2
"""one runs the history, and one creates the models"""


def read_facts(
    setup: ReplaySetup,
    history_run: HistoryRun,
    notes: Sequence[str] = (),
    preparation_notes: tuple[str, ...] = (),
    worker_notes: Sequence[str] = (),
) -> Facts:
    """The facts, with all these notes in this order. Raises GateError.

    `preparation_notes` are those of the database's preparation, which a checkpoint keeps, too.
    """
    settings = setup.settings
    repository_text = _wait_for_repository_text(setup, history_run)
    answer = AnswerReader(setup.repository, history_run.lines)
    replay = _read_replay(
        setup, history_run, answer, repository_text, (*notes, *preparation_notes, *worker_notes)
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
    if setup.checkpoint is not None and setup.checkpoint.wants_inputs:
        setup.checkpoint.facts_run = _find_facts_run(setup, history_run.lines, repository_text)
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


def _find_facts_run(
    setup: ReplaySetup, lines: Sequence[Line], repository_text: RepositoryText
) -> FactsRun | None:
    """What the facts depend on; None if one of the interpreters has not said so."""
    said = [line for line in lines if isinstance(line, HistoryFinished | ModelsCreated)]
    scripts = next((line for line in lines if isinstance(line, ScriptsFound)), None)
    if scripts is None or len(said) != INTERPRETERS or not all(line.modules for line in said):
        return None  # it ran programs
    used = {path for line in said for path in (*line.files_read, *line.modules)}
    return FactsRun(
        (*used, *scripts.locations),
        tuple({folder for line in said for folder in line.module_folders}),
        tuple(list_revision_paths(setup, repository_text.revision_files)),
    )


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
    verify_lock_table(setup.server, answer)
    verify_replay_started(setup.project, answer, history_run.output, setup.settings.x_arguments)
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
