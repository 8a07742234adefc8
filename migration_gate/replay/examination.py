"""Examines one project: from its settings to its facts. Read this first, from top to bottom."""

from __future__ import annotations

import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from migration_gate import git
from migration_gate.analysis.coverage_proof import measure_coverage
from migration_gate.ci.base_revision import absolute_paths, compare_with_base
from migration_gate.ci.untrusted_code import refuse_untrusted_code
from migration_gate.config.settings import Settings
from migration_gate.facts import Facts, Replay
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.progress import Progress, measure_stages
from migration_gate.project import find_project
from migration_gate.replay.history_run import (
    HistoryRun,
    RepositoryText,
    list_revision_paths,
    read_replayed_database,
    run_history,
)
from migration_gate.replay.initial_state import prepare_database
from migration_gate.replay.leftover_names import add_name_uses
from migration_gate.replay.replay_facts import add_model_comparison, collect_replay_facts
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.verification import verify_arrival, verify_replay_started
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.replay.worker_process import WorkerProcess, start_worker
from migration_gate.sandbox.user import protect_command_files
from migration_gate.scan.repository import read_repository


@dataclass(frozen=True, slots=True)
class PackageInstallation:
    """Settings with an interpreter that has the project's packages, as far as that is known."""

    settings: Settings
    notes: tuple[str, ...] = ()
    """what was installed, for the report"""


def examine_project(settings: Settings) -> Generator[Progress, None, Facts]:
    """Replay the project of these settings. Yields its progress, returns the facts. Raises GateError."""
    facts, stage_times = yield from measure_stages(_examine_project(settings))
    return replace(facts, replay=replace(facts.replay, stage_times=stage_times))


def _examine_project(settings: Settings) -> Generator[Progress, None, Facts]:
    yield Progress("find", settings.name)
    refuse_strangers_code(settings)
    protect_command_files(os.environ)
    installation = yield from install_missing_packages(settings)
    settings = installation.settings
    project = find_project(settings)

    with temporary_run_directory() as run_directory, ThreadPoolExecutor(2) as background:
        comparison_with_base = background.submit(compare_with_base, settings.root, settings.base, os.environ)
        yield Progress("postgres", settings.postgres)
        with (
            # The interpreter imports Alembic and SQLAlchemy while the server starts.
            start_worker(project, settings, run_directory, with_models=True) as worker,
            start_server(settings.postgres, folder=run_directory) as server,
        ):
            change = comparison_with_base.result()
            database = server.create_database()
            setup = ReplaySetup(
                settings=settings,
                project=project,
                server=server,
                run_directory=run_directory,
                repository=git.find_repository_root(settings.root),
                database=database,
                models_database=f"{database}_models",
                changed_files=absolute_paths(settings.root, change.changed_paths("AMT")),
                other_databases=tuple(
                    (address, server.create_database()) for address in settings.other_databases
                ),
            )
            notes = (
                *project.notes,
                *installation.notes,
                *server.notes,
                *filter(None, [change.base.note]),
            )
            facts = yield from examine_on_server(setup, worker, background, notes)
            yield Progress("postgres", title="Stopping Postgres")
    return facts


def examine_on_server(
    setup: ReplaySetup, worker: WorkerProcess, background: ThreadPoolExecutor, notes: tuple[str, ...]
) -> Generator[Progress, None, Facts]:
    """Replay a project on a server that has started; the facts, with `notes` first. Raises GateError."""
    settings = setup.settings
    preparation_notes = yield from prepare_database(setup)
    history_run = yield from run_history(setup, worker, background)

    yield Progress("compare")
    repository_text = _wait_for_repository_text(setup, history_run)
    replay = _read_replay(setup, history_run, repository_text, (*notes, *preparation_notes, *worker.notes))
    tree = add_name_uses(
        repository_text.tree,
        replay,
        settings.root,
        list_revision_paths(setup, repository_text.revision_files),
    )
    replay = replace(replay, coverage=measure_coverage(replay))
    return Facts(settings.name, replay, tree, settings.owners)


def _wait_for_repository_text(setup: ReplaySetup, history_run: HistoryRun) -> RepositoryText:
    """What was read beside the replay; without revisions, where it ended before their folders were known."""
    if history_run.repository_text is not None:
        return history_run.repository_text.result()
    return RepositoryText((), read_repository(setup.settings, []))


def refuse_strangers_code(settings: Settings) -> None:
    """Raise UntrustedCode where a stranger's code would run with rights that it must not have."""
    folders = (settings.root, settings.project_folder or settings.root, settings.working_directory)
    for folder in dict.fromkeys(folders):
        refuse_untrusted_code(folder, os.environ)


def install_missing_packages(settings: Settings) -> Generator[Progress, None, PackageInstallation]:
    """Install the project's packages where that is wanted, and no interpreter has them."""
    if settings.install == "off" or settings.python is not None:
        return PackageInstallation(settings)
    from migration_gate import install  # noqa: PLC0415 - not needed where an interpreter is at hand

    if not install.needs_installation(settings):
        return PackageInstallation(settings)
    installed = yield from install.install_packages(settings)
    yield Progress("find", settings.name)
    return PackageInstallation(installed.apply_to(settings), installed.notes)


def _read_replay(
    setup: ReplaySetup, history_run: HistoryRun, repository_text: RepositoryText, notes: tuple[str, ...]
) -> Replay:
    """What the worker did and what the databases hold. Raises GateError where nothing was replayed."""
    answer = AnswerReader(setup.repository, history_run.lines)
    verify_replay_started(setup.project, answer, history_run.output)
    history = answer.history(setup.settings.target, repository_text.revision_files)
    if history_run.replayed_database is not None:
        replayed_database = history_run.replayed_database.result()
    else:
        replayed_database = read_replayed_database(setup, history_run.lines)
    replay = collect_replay_facts(
        setup, history, answer, replayed_database, output=history_run.output, notes=notes
    )
    if replay.failure is not None or history.error is not None:
        return replay
    verify_arrival(replay)
    return add_model_comparison(setup, replay, answer, repository_text.tree, history_run.unchecked)
