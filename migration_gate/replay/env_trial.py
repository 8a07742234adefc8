"""Runs env.py once against the ephemeral server, up to its first revision: `doctor --try`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace

from migration_gate.config.settings import Settings
from migration_gate.errors import GateError, SeveralDatabases
from migration_gate.facts import Connection, History, SoftwareVersion
from migration_gate.git.git_command import find_repository_root
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.choice import start_planned_server
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.progress import Progress
from migration_gate.project import find_project
from migration_gate.replay.database_choice import choose_databases, merge_addresses
from migration_gate.replay.examination import install_missing_packages, refuse_strangers_code
from migration_gate.replay.initial_state import prepare_database, restore_database
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.server_preparation import prepare_server
from migration_gate.replay.setting_advice import describe_supplied
from migration_gate.replay.verification import verify_replay_started
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.replay.worker_answer_stream import AnswerStream, send_order
from migration_gate.replay.worker_process import start_worker
from migration_gate.wording import join_words
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import ContextConfigured, RevisionsPlanned
from migration_gate.worker.protocol.run_lines import DatabaseUsed


@dataclass(frozen=True, slots=True)
class EnvTrial:
    """What one run of env.py showed. No revision has run."""

    connections: tuple[Connection, ...]
    contexts: tuple[str, ...]
    """one for each `context.run_migrations()`: the driver and the version table"""
    history: History
    planned_revisions: tuple[str, ...]
    """that a replay would run"""
    versions: tuple[SoftwareVersion, ...]
    notes: tuple[str, ...]
    """dummy settings, a swapped dialect, installed packages..."""
    error: GateError | None
    """why env.py did not come to its first revision"""


def try_environment(settings: Settings) -> Generator[Progress, None, EnvTrial]:
    """Install what has to be installed, start a server, and run env.py. Raises GateError.

    What the project's own code did wrong is `EnvTrial.error`. Yields the progress. Of an env.py that migrates
    several databases, the last run knows all of them, as the runs of a check do.
    """
    trial = yield from _run_environment(settings)
    addresses: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()
    while isinstance(trial.error, SeveralDatabases):  # each time there is one more
        addresses = merge_addresses(addresses, trial.error.addresses)
        judged = merge_addresses(judged, trial.error.judged)
        run = choose_databases(settings, addresses, judged)[0]
        trial = yield from _run_environment(run)
        names = join_words(addresses)
        note = f"env.py migrates several databases: {names}; a check replays each that has models of its own"
        trial = replace(trial, notes=(note, *trial.notes))
    return trial


def _run_environment(settings: Settings) -> Generator[Progress, None, EnvTrial]:
    refuse_strangers_code(settings)
    plan = yield from prepare_server(settings)
    installation = yield from install_missing_packages(settings)
    settings = installation.settings
    project = find_project(settings)
    with (
        temporary_run_directory() as folder,
        start_worker(project, settings, folder) as worker,
        start_planned_server(plan, folder=folder) as server,
    ):
        database = server.create_database()
        setup = ReplaySetup(
            settings=settings,
            project=project,
            server=server,
            run_directory=folder,
            repository=find_repository_root(settings.root),
            database=database,
            models_database=f"{database}_models",
            changed_files=(),
            pending_files=(),
            other_databases=tuple(
                (address, server.create_database()) for address in settings.other_databases
            ),
        )
        preparation_notes = yield from prepare_database(setup)
        yield Progress("import")
        stream = send_order(worker, project, settings, server, setup.build_task("trial"))
        lines = tuple(_receive_lines(setup, stream))
    answer = AnswerReader(setup.repository, lines)
    supplied = describe_supplied(answer.supplied_settings())
    notes = (*installation.notes, *preparation_notes, *worker.notes, *supplied)
    return EnvTrial(
        connections=answer.connections(),
        contexts=tuple(
            f"{line.driver}, version table {line.version_table_schema or line.default_schema}"
            f".{line.version_table}"
            for line in lines
            if isinstance(line, ContextConfigured)
        ),
        history=answer.history(settings.target, ()),
        planned_revisions=tuple(
            revision for line in lines if isinstance(line, RevisionsPlanned) for revision in line.revisions
        ),
        versions=answer.versions(),
        notes=tuple(dict.fromkeys((*notes, *answer.notes()))),
        error=_find_error(setup, answer, stream.output),
    )


def _receive_lines(setup: ReplaySetup, stream: AnswerStream) -> Iterator[Line]:
    for line in stream:
        if isinstance(line, DatabaseUsed):
            restore_database(setup)
            stream.confirm_restored_database()
        yield line


def _find_error(setup: ReplaySetup, answer: AnswerReader, output: str) -> GateError | None:
    try:
        verify_replay_started(setup.project, answer, output, setup.settings.x_arguments)
    except GateError as error:
        return error
    return None
