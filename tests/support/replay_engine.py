"""The gate's engine on a project of a test's: one server for many runs, a fresh database for each."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from migration_gate.checkpoint.checkpoint_run import CheckpointRun
from migration_gate.config.settings import Settings
from migration_gate.facts import Replay, Table
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.server import Server
from migration_gate.progress import Progress
from migration_gate.project import find_project
from migration_gate.replay.history_end import read_replayed_database
from migration_gate.replay.history_run import HistoryRun, run_history
from migration_gate.replay.initial_state import prepare_database
from migration_gate.replay.replay_facts import collect_replay_facts
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.repository_text import read_revision_sources
from migration_gate.replay.verification import verify_arrival, verify_replay_started
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.replay.worker_process import start_worker
from migration_gate.worker.protocol import Line


@dataclass
class Ran:
    """What one run told."""

    folder: Path
    replay: Replay
    lines: list[Line]
    output: str

    @property
    def tables(self) -> list[str]:
        """Qualified names, schema `public` left out."""
        return sorted(
            t.name if t.schema == "public" else f"{t.schema}.{t.name}" for t in self.replay.catalog.tables
        )

    def table(self, name: str) -> Table:
        """The table of that name in the replayed catalog."""
        return next(t for t in self.replay.catalog.tables if t.name == name)


@dataclass
class Engine:
    """Runs projects on one server."""

    server: Server
    runs: Path
    folders: list[Path] = field(default_factory=list)

    def folder(self) -> Path:
        """A new folder that every user may read, as a checkout is."""
        made = Path(tempfile.mkdtemp(prefix="project-"))
        made.chmod(0o755)
        self.folders.append(made)
        return made

    def run(
        self,
        folder: Path,
        python: Path | None = None,
        *,
        look: Callable[[str], None] | None = None,
        changed: tuple[str, ...] = (),
        checkpoint: CheckpointRun | None = None,
        new_files: tuple[str, ...] = (),
        base_commit: str | None = None,
        sends_ahead: bool = False,
        **settings: Any,
    ) -> Ran:
        """Replay the project in `folder`; `look` is called with the database before it is dropped.

        The models are not compared, and a failure while their tables are created is the replay's.
        """
        values: dict[str, Any] = {"name": folder.name, "root": folder, "working_directory": folder}
        values["python"] = python or Path(sys.executable)
        chosen = Settings(**{**values, **settings})
        database = self.server.create_database()
        setup = ReplaySetup(
            settings=chosen,
            project=find_project(chosen),
            server=self.server,
            run_directory=self.runs,
            repository=folder.resolve(),
            database=database,
            models_database=f"{database}_models",
            changed_files=changed,
            pending_files=changed,
            checkpoint=checkpoint,
            new_files=new_files,
            base_commit=base_commit,
            sends_ahead=sends_ahead,
        )
        try:
            list(prepare_database(setup))
            with (
                start_worker(setup.project, chosen, self.runs, with_models=True) as worker,
                ThreadPoolExecutor(1) as background,
            ):
                run = _finish(run_history(setup, worker, background))
            lines = list(run.lines)
            replay = self._read_replay(setup, run, lines, worker.notes)
            replay = dataclasses.replace(replay, unchecked=(*replay.unchecked, *run.unchecked))
            if look is not None:
                look(database)
        finally:
            self.drop(*setup.databases)
        return Ran(folder, replay, lines, run.output)

    def _read_replay(
        self, setup: ReplaySetup, run: HistoryRun, lines: list[Line], notes: tuple[str, ...]
    ) -> Replay:
        """What the gate reads, and whether it proves that the replay took place here."""
        answer, output = AnswerReader(setup.repository, lines), run.output
        verify_replay_started(setup.project, answer, output, setup.settings.x_arguments)
        scripts = answer.scripts()
        sources = read_revision_sources(setup, scripts) if scripts is not None else ()
        history = answer.history(setup.settings.target, sources)
        reading = run.replayed_database
        databases = reading.result() if reading is not None else read_replayed_database(setup, lines)
        replay = collect_replay_facts(
            setup,
            history,
            answer,
            databases,
            rollback=run.rollback,
            rehearsal=run.rehearsal,
            output=output,
            notes=notes,
        )
        failed = answer.failure()
        if failed is not None:
            return dataclasses.replace(replay, failure=failed.failure)
        if history.error is None:
            verify_arrival(replay)
        return replay

    def drop(self, *names: str) -> None:
        """Drop databases, where they are there."""
        with self.server.connect() as connection:
            for name in names:
                command = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
                connection.execute(command)

    def tidy(self) -> None:
        """Remove the projects of a test."""
        for made in self.folders:
            shutil.rmtree(made, ignore_errors=True)
        self.folders.clear()


def _finish(run: Generator[Progress, None, HistoryRun]) -> HistoryRun:
    """The run when it has ended."""
    while True:
        try:
            next(run)
        except StopIteration as end:
            value: HistoryRun = end.value
            return value


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[Engine]:
    """One server for all tests of a process."""
    with temporary_run_directory() as folder, start_server("auto", folder=folder) as server:
        yield Engine(server, folder)


@pytest.fixture
def engine(shared_engine: Engine) -> Iterator[Engine]:
    """The server, and folders that are gone after the test."""
    yield shared_engine
    shared_engine.tidy()
