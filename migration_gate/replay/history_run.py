"""Runs the worker over the project's history. What needs more of the gate's code is loaded meanwhile."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.catalog.catalog_rows import read_catalog_rows
from migration_gate.catalog.comparable_catalog import CatalogReader
from migration_gate.change.base_messages import SharedFolders
from migration_gate.facts import Rehearsal, Snapshot, Unchecked
from migration_gate.lazy_dataclass import dataclass
from migration_gate.progress import Progress
from migration_gate.replay.base_database import copy_paused_database
from migration_gate.replay.early_filling import EarlyFilling
from migration_gate.replay.initial_state import restore_database
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.restored_state import CheckpointUnfit
from migration_gate.replay.runs_channel import AnswerInProgress
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.replay.worker_answer_stream import AnswerStream, send_order
from migration_gate.replay.worker_process import WorkerProcess
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import (
    ContextConfigured,
    EarlierRevisionsRan,
    HistoryFinished,
    HistoryRead,
    RevisionsPlanned,
    ScriptsFound,
)
from migration_gate.worker.protocol.run_lines import DatabaseUsed, StageStarted
from migration_gate.worker.protocol.step_lines import StepStarted

if TYPE_CHECKING:
    from migration_gate.replay.history_end import HistoryEnd, ReplayedDatabase
    from migration_gate.replay.repository_text import RepositoryText
    from migration_gate.replay.rollback_proof import RollbackProof

LATER_MODULES = ("migration_gate.replay.history_end", "migration_gate.replay.replay_reading")
"""what is needed when the history has run"""
CHANGE_MODULES = (
    "migration_gate.replay.rehearsal_run",
    "migration_gate.replay.rollback_run",
    "migration_gate.replay.second_observation",
)
"""and what else is, if there may be revisions to roll back or to rehearse"""


@dataclass(frozen=True, slots=True)
class HistoryRun:
    """A worker that has finished: its answer, and the readings that were begun beside it."""

    lines: tuple[Line, ...]
    output: str
    """the end of what the project's code printed"""
    repository_text: Future[RepositoryText] | None
    """None if the worker ended before it knew the folders of the revisions"""
    replayed_database: Future[ReplayedDatabase] | None
    """None if the worker ended before the last revision"""
    models_database: Future[Snapshot]
    """with the tables of the models; empty if there are none"""
    rollback: RollbackProof
    rehearsal: Rehearsal
    unchecked: tuple[Unchecked, ...]
    """that the models are those of the process which ran the revisions"""


def run_history(
    setup: ReplaySetup, worker: WorkerProcess, background: ThreadPoolExecutor
) -> Generator[Progress, None, HistoryRun]:
    """Have the worker replay the history. Yields the progress; raises what an `AnswerStream` raises."""
    yield Progress("import")
    stream = send_order(worker, setup.project, setup.settings, setup.server, setup.build_task("replay"))
    with contextlib.closing(stream), contextlib.closing(EarlyFilling(setup, background)) as early_filling:
        return (yield from _follow_history(setup, worker, background, stream, early_filling))


def _follow_history(
    setup: ReplaySetup,
    worker: WorkerProcess,
    background: ThreadPoolExecutor,
    stream: AnswerStream,
    early_filling: EarlyFilling,
) -> Generator[Progress, None, HistoryRun]:
    """Do what each line of the worker's asks for."""
    planned = 0
    scripts: ScriptsFound | None = None
    repository_text: Future[RepositoryText] | None = None
    copied = list_restored_revisions(setup)
    end: HistoryEnd | None = None
    answer = AnswerInProgress(stream)
    lines = answer.lines
    for line in answer.iterator:
        lines += restore_lines(setup, line)
        match line:
            case StageStarted():
                yield Progress(line.name, total=planned)
            case ScriptsFound():
                scripts = line
                _share_folders(setup, line)
            case EarlierRevisionsRan():
                early_filling.close()  # it is of a database without these revisions
                copied = _keep_earlier(setup, stream, lines) or copied
            case DatabaseUsed():
                restore_database(setup)
                stream.confirm_restored_database()
            case HistoryFinished():
                from migration_gate.replay.history_end import finish_history  # noqa: PLC0415 - see `_load_later`

                end = yield from finish_history(
                    setup, worker, background, answer, copied=copied, early_filling=early_filling
                )
            case RevisionsPlanned():
                planned += len(line.revisions)
                # Not while the project is imported, which is when both processors are busy.
                if repository_text is None:
                    repository_text = _begin_reading(setup, background, scripts)
                    _get_ready(setup, background, lines, early_filling)
            case StepStarted():
                yield Progress("replay", line.revision, line.number, planned)
    repository_text = repository_text or _begin_reading(setup, background, scripts)
    return _collect_run(setup, background, answer, repository_text, end)


def _collect_run(
    setup: ReplaySetup,
    background: ThreadPoolExecutor,
    answer: AnswerInProgress,
    repository_text: Future[RepositoryText] | None,
    end: HistoryEnd | None,
) -> HistoryRun:
    """What came of the run. `end` is None if the last revision has not run."""
    from migration_gate.replay.history_end import (  # noqa: PLC0415 - see `_load_later`
        HistoryEnd,
        read_models_database,
    )

    end = end or HistoryEnd()
    lines = tuple(answer.lines)
    return HistoryRun(
        lines=lines,
        output=answer.stream.output,
        repository_text=repository_text,
        replayed_database=end.replayed_database,
        models_database=end.models_database or background.submit(read_models_database, setup, lines),
        rollback=end.rollback,
        rehearsal=end.rehearsal,
        unchecked=end.unchecked,
    )


def restore_lines(setup: ReplaySetup, line: Line) -> Iterable[Line]:
    """The line; in a run from a checkpoint, after the plan, those of the steps that ran before it.

    Raises CheckpointUnfit if the run is not the one that the checkpoint is of.
    """
    if setup.restored is None:
        return (line,)
    match line:
        case ContextConfigured():
            return (setup.restored.replace_context(line),)
        case RevisionsPlanned():
            return (line, *setup.restored.lines)
        case DatabaseUsed():
            raise CheckpointUnfit("the project was tried more than once")
        case _:
            return (line,)


def list_restored_revisions(setup: ReplaySetup) -> tuple[str, ...]:
    """The revisions of the checkpoint, where a copy of its database was made."""
    if setup.restored is None or not setup.wants_earlier_database:
        return ()
    return setup.restored.state.record.revisions


def _keep_earlier(setup: ReplaySetup, stream: AnswerStream, lines: Sequence[Line]) -> tuple[str, ...]:
    """Keep what the old revisions left; those that were copied for the rehearsal."""
    line = lines[-1]
    assert isinstance(line, EarlierRevisionsRan)  # noqa: S101 - the caller has matched it
    take_state(setup, lines)
    copied = copy_paused_database(setup, line)
    if line.is_committed:
        stream.confirm_kept_state()
    return copied


def take_state(setup: ReplaySetup, lines: Sequence[Line]) -> None:
    """Keep what the old revisions left, or compare it with what is kept. Raises Broken if it differs."""
    line = lines[-1]
    assert isinstance(line, EarlierRevisionsRan)  # noqa: S101 - the caller has matched it
    if setup.checkpoint is None or not setup.checkpoint.wants_state:
        return
    if line.obstacle:
        setup.checkpoint.notes.append(line.obstacle)
        return
    with setup.server.connect(setup.database) as connection:
        reader = CatalogReader(AnswerReader(setup.repository, lines).version_tables())
        catalog = reader.make_set(read_catalog_rows(connection))
        setup.checkpoint.take_state(connection, setup.server, lines, catalog)


def _begin_reading(
    setup: ReplaySetup, background: ThreadPoolExecutor, scripts: ScriptsFound | None
) -> Future[RepositoryText] | None:
    """The reading of the repository; None if the folders of the revisions are not known."""
    return background.submit(_read_repository_text, setup, scripts) if scripts is not None else None


def _read_repository_text(setup: ReplaySetup, scripts: ScriptsFound) -> RepositoryText:
    from migration_gate.replay.repository_text import read_repository_text  # noqa: PLC0415 - see `_load_later`

    return read_repository_text(setup, scripts)


def _get_ready(
    setup: ReplaySetup, background: ThreadPoolExecutor, lines: Sequence[Line], early_filling: EarlyFilling
) -> None:
    """Begin with what is going to be needed when the revisions have run."""
    has_change = plans_changed_revisions(setup, lines)
    background.submit(_load_later, setup, has_change=has_change)
    if has_change:
        early_filling.begin(lines)


def plans_changed_revisions(setup: ReplaySetup, lines: Iterable[Line]) -> bool:
    """Whether revisions are going to run that are looked at, rolled back or rehearsed.

    As far as the plans tell that have come: a later context of env.py may have others.
    """
    if "all" in (setup.settings.rollback, setup.settings.observe):
        return True
    planned: set[str] = set()
    files: dict[str, str] = {}
    for line in lines:
        if isinstance(line, RevisionsPlanned):
            planned.update(line.revisions)
        elif isinstance(line, HistoryRead):
            files.update((script.id, script.file) for script in line.revisions)
    return not {files.get(revision, "") for revision in planned}.isdisjoint(setup.changed_files)


def _load_later(setup: ReplaySetup, *, has_change: bool) -> None:
    """Import what is needed later. Before the first revision that would keep the worker's imports waiting."""
    for name in (*LATER_MODULES, *(CHANGE_MODULES if has_change else ()), *setup.later_modules):
        importlib.import_module(name)


def _share_folders(setup: ReplaySetup, scripts: ScriptsFound) -> None:
    if setup.base is not None:
        folders = tuple(Path(folder) for folder in scripts.locations)
        setup.base.share(SharedFolders(folders, Path(scripts.folder)))
