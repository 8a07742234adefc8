"""The gate's engine on a project of a test's: one server for many runs, a fresh database for each."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.config.settings import Settings
from migration_gate.facts import Replay, Table
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.server import Server
from migration_gate.project import Project, find_project
from migration_gate.replay import examination, initial_state, verification
from migration_gate.replay.ddl_log import install_ddl_log, read_ddl_log
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.replay.worker_order import WorkerTask
from migration_gate.replay.worker_process import WorkerProcess
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
        **settings: Any,
    ) -> Ran:
        """Replay the project in `folder`; `look` is called with the database before it is dropped."""
        wanted: dict[str, Any] = {"name": folder.name, "root": folder, "working_directory": folder}
        wanted["python"] = python or Path(sys.executable)
        wanted.update(settings)
        given = Settings(**wanted)
        project = find_project(given)
        database = self.server.create_database()
        models = f"{database}_models"
        try:
            with self.server.connect(database) as connection:
                install_ddl_log(connection, self.server)
                initial_state.set_statement_timeout(connection, given.statement_seconds)
                initial_state.run_prepare_sql(connection, given)
            with WorkerProcess(project, given, self.runs) as worker:
                worker.send_order(self.server, WorkerTask("replay", database, models, changed))
                lines = list(worker)
            reader = AnswerReader(folder, lines)
            verification.verify_replay_started(project, given, reader, worker.output)
            replay = self._read(reader, project, given, database)
            replay = dataclasses.replace(replay, notes=(*worker.notes, *replay.notes))
            if look is not None:
                look(database)
        finally:
            self._drop(database, models)
        return Ran(folder, replay, lines, worker.output)

    def _read(self, reader: AnswerReader, project: Project, given: Settings, database: str) -> Replay:
        """What the gate reads: the lines, the catalog, the DDL log, and whether it is proven."""
        told, tables = reader.failure(), reader.version_tables()
        sources = examination._read_revision_sources(reader, given.root)
        with self.server.connect(database) as connection:
            replay = Replay(
                history=reader.history(given.target, sources),
                steps=reader.steps(),
                failure=told[1] if told else None,
                ddl_commands=read_ddl_log(connection),
                arrived_heads=verification.read_arrived_heads(connection, tables),
                version_tables=tables,
                connections=reader.connections(),
                catalog=read_snapshot(connection, tables),
                models=reader.models(),
                versions=reader.versions(),
                notes=(*verification.describe_adjustments(reader), *reader.notes()),
            )
        if told is None and replay.history.error is None:
            verification.verify_arrival(project, replay)
        return replay

    def _drop(self, *names: str) -> None:
        with self.server.connect() as connection:
            for name in names:
                command = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
                connection.execute(command)

    def tidy(self) -> None:
        """Remove the projects of a test."""
        for made in self.folders:
            shutil.rmtree(made, ignore_errors=True)
        self.folders.clear()


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[Engine]:
    """One server for all tests of a process."""
    with tempfile.TemporaryDirectory(prefix="migration-gate-tests-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        with start_server("auto", folder=folder) as server:
            yield Engine(server, folder)


@pytest.fixture
def engine(shared_engine: Engine) -> Iterator[Engine]:
    """The server, and folders that are gone after the test."""
    yield shared_engine
    shared_engine.tidy()
