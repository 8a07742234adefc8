"""One project, from its settings to its facts: find, start, replay, compare, read."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from migration_gate import git
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.ci import base_revision, untrusted_code
from migration_gate.config.settings import Settings
from migration_gate.drift.model_comparison import compare_with_models
from migration_gate.facts import (
    DdlCommand,
    Facts,
    Replay,
    Snapshot,
    SoftwareVersion,
    StageTime,
    Tree,
    Unchecked,
)
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.server import Server
from migration_gate.progress import Progress, StageClock
from migration_gate.project import Project, find_project
from migration_gate.replay import initial_state, verification
from migration_gate.replay.ddl_log import install_ddl_log, read_ddl_log
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.replay.worker_order import WorkerTask
from migration_gate.replay.worker_process import WorkerProcess
from migration_gate.sandbox.user import protect_command_files
from migration_gate.scan import repository
from migration_gate.scan.revision_files import RevisionSource, read_revision_files_below
from migration_gate.worker.protocol import (
    DatabaseCopied,
    Line,
    RevisionsPlanned,
    ScriptsFound,
    StageStarted,
    StepStarted,
    TaskKind,
)


def examine_project(settings: Settings) -> Generator[Progress, None, Facts]:
    """Replay the project of `settings`: yields its progress, returns the facts. Raises GateError."""
    clock = StageClock()
    clock.start("find")
    yield Progress("find", settings.name)
    for place_of_code in dict.fromkeys(
        (settings.root, settings.project_folder or settings.root, settings.working_directory)
    ):
        untrusted_code.refuse_untrusted_code(place_of_code, os.environ)
    protect_command_files(os.environ)
    settings, notes = yield from _installed(settings, clock)
    project = find_project(settings)
    project = replace(project, notes=(*project.notes, *notes))
    with temporary_run_directory() as folder, ThreadPoolExecutor(2) as beside:
        compared = beside.submit(base_revision.compare_with_base, settings.root, settings.base, os.environ)
        clock.start("postgres")
        yield Progress("postgres", settings.postgres)
        # The interpreter imports Alembic and SQLAlchemy while the server starts.
        with (
            WorkerProcess(project, settings, folder) as worker,
            start_server(settings.postgres, folder=folder) as server,
        ):
            changes = compared.result()
            run = _Run(settings, project, server, folder, clock, note=changes.base.note)
            run.changed = base_revision.absolute_paths(settings.root, changes.changed_paths("AMT"))
            yield from run.prepare()
            yield from run.replay(worker, beside)
            yield Progress("compare")
            clock.start("compare")
            replay = run.compared()
            clock.start("repository")
            yield Progress("repository")
            tree = run.tree()
            clock.start("postgres")
        clock.start("")
    replay = replace(replay, stage_times=tuple(StageTime(*item) for item in clock.seconds.items()))
    return Facts(settings.name, replay, tree, settings.owners)


def _read_revision_sources(reader: AnswerReader, top: Path) -> tuple[RevisionSource, ...]:
    """The revision files as text; takes a while for a long history."""
    scripts = reader.scripts()
    if scripts is None:
        return ()
    locations = [Path(folder) for folder in scripts.locations]
    return read_revision_files_below(locations, Path(scripts.folder), top.resolve())


def _installed(
    settings: Settings, clock: StageClock
) -> Generator[Progress, None, tuple[Settings, tuple[str, ...]]]:
    """The settings with an interpreter that has the project's packages, and what to say of it."""
    if settings.install == "off" or settings.python is not None:
        return settings, ()
    from migration_gate import install  # noqa: PLC0415 - not needed where an interpreter is at hand

    if not install.wanted(settings):
        return settings, ()
    clock.start("install")
    done = yield from install.install(settings)
    clock.start("find")
    return done.applied(settings), done.notes


class _Run:
    """One replay on one server."""

    def __init__(
        self,
        settings: Settings,
        project: Project,
        server: Server,
        folder: Path,
        clock: StageClock,
        *,
        note: str,
    ) -> None:
        self._settings = settings
        self._project = project
        self._server = server
        self._folder = folder
        self._clock = clock
        self.changed: tuple[str, ...] = ()
        """real paths of the files that the change adds or edits"""
        self._lines: list[Line] = []
        self._texts: Future[tuple[tuple[RevisionSource, ...], Tree]] | None = None
        self._replayed: Future[tuple[tuple[str, ...], Snapshot, tuple[DdlCommand, ...]]] | None = None
        self._notes: list[str] = [*project.notes, *server.notes, *filter(None, [note])]
        self._output = ""
        self._database = server.create_database()
        self._models = f"{self._database}_models"

    def prepare(self) -> Iterator[Progress]:
        """The diary, and what has to be in the database before the first revision."""
        with self._server.connect(self._database) as connection:
            install_ddl_log(connection, self._server)
            initial_state.set_statement_timeout(connection, self._settings.statement_seconds)
            initial_state.run_prepare_sql(connection, self._settings)
        if self._settings.start_from is not None:
            yield Progress("prepare", "start_from")
            self._notes += initial_state.restore_initial_state(
                self._settings, self._server, self._database, self._bootstrap
            )

    def _bootstrap(self, project: Project, settings: Settings, stamp: str) -> None:
        """Run a worker that creates an older checkout's models and stamps them."""
        with WorkerProcess(project, settings, self._folder) as worker:
            lines = list(self._work(worker, "bootstrap", stamp))
        verification.verify_bootstrap(project, AnswerReader(settings.root, lines), self._output)

    def _work(self, worker: WorkerProcess, kind: TaskKind, stamp: str = "heads") -> Iterator[Line]:
        task = WorkerTask(kind, self._database, self._models, self.changed, stamp)
        worker.send_order(self._server, task)
        yield from worker
        self._output = worker.output
        self._notes += worker.notes

    def replay(self, worker: WorkerProcess, beside: ThreadPoolExecutor) -> Iterator[Progress]:
        """Run the worker. What can be read already is read beside it: files, and the replayed catalog."""
        self._clock.start("import")
        yield Progress("import")
        total = 0
        for line in self._work(worker, "replay"):
            self._lines.append(line)
            if isinstance(line, StageStarted):
                self._clock.start(line.name)
                yield Progress(line.name, total=total)
            elif isinstance(line, ScriptsFound):
                self._texts = beside.submit(self._read_files)
            elif isinstance(line, DatabaseCopied):
                self._replayed = beside.submit(self._read_replayed)
            elif isinstance(line, RevisionsPlanned):
                total += len(line.revisions)
            elif isinstance(line, StepStarted):
                yield Progress("replay", line.revision, line.number, total)

    def _reader(self) -> AnswerReader:
        return AnswerReader(git.find_repository_root(self._settings.root), self._lines)

    def _read_files(self) -> tuple[tuple[RevisionSource, ...], Tree]:
        """The revision files as text, and the rest of the repository."""
        top = git.find_repository_root(self._settings.root)
        sources = _read_revision_sources(self._reader(), top)
        return sources, repository.read_repository(
            self._settings, [str(top / source.file.path) for source in sources]
        )

    def _read_replayed(self) -> tuple[tuple[str, ...], Snapshot, tuple[DdlCommand, ...]]:
        """The heads that arrived, the catalog, and the diary."""
        tables = self._reader().version_tables()
        with self._server.connect(self._database) as connection:
            return (
                verification.read_arrived_heads(connection, tables),
                read_snapshot(connection, tables),
                read_ddl_log(connection),
            )

    def tree(self) -> Tree:
        """The repository as text."""
        return self._texts.result()[1] if self._texts else repository.read_repository(self._settings, [])

    def compared(self) -> Replay:
        """Lines, catalogs and their differences, as facts. Raises GateError where nothing was replayed."""
        reader = self._reader()
        told = reader.failure()
        history = reader.history(self._settings.target, self._texts.result()[0] if self._texts else ())
        verification.verify_replay_started(self._project, self._settings, reader, self._output)
        heads, seen, diary = self._replayed.result() if self._replayed else self._read_replayed()
        replay = Replay(
            history=history,
            steps=reader.steps(),
            failure=told[1] if told and told[0] != "models" else None,
            ddl_commands=diary,
            arrived_heads=heads,
            version_tables=reader.version_tables(),
            connections=reader.connections(),
            catalog=seen,
            models=reader.models(),
            versions=(*reader.versions(), SoftwareVersion("postgres", self._server.description)),
            notes=tuple(
                dict.fromkeys((*self._notes, *verification.describe_adjustments(reader), *reader.notes()))
            ),
            output=self._output,
        )
        if replay.failure is not None or history.error is not None:
            return replay
        verification.verify_arrival(self._project, replay)
        return self._with_models(replay, reader)

    def _with_models(self, replay: Replay, reader: AnswerReader) -> Replay:
        """Add the models' side and the differences, or why there is none."""
        told = reader.failure()
        if told is not None:
            return replace(
                replay, unchecked=(Unchecked("models", f"could not be created: {told[1].message}"),)
            )
        if not replay.models.tables:
            return replay
        with self._server.connect(self._models) as connection:
            models = replace(replay.models, snapshot=read_snapshot(connection, replay.version_tables))
        replay = replace(replay, models=models)
        found = compare_with_models(replay)
        if found:
            from migration_gate.autofix.fixes import add_fixes  # noqa: PLC0415  (Alembic's renderer, for a drift alone)

            found = add_fixes(found, replay)
        return replace(replay, differences=found)
