"""One project, from its settings to its facts: find, start, replay, compare, read."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from migration_gate import (
    arrival,
    catalog,
    comparison,
    git,
    postgres,
    privileges,
    repository,
    start_state,
    trust,
)
from migration_gate.bridge import Line, Order, Worker
from migration_gate.drift import drift
from migration_gate.errors import DiskFull, Misconfigured
from migration_gate.facts import Facts, Replay, Snapshot, Tree
from migration_gate.postgres import place
from migration_gate.postgres.server import Server
from migration_gate.progress import Progress
from migration_gate.project import Project, find
from migration_gate.replay import Reader, arrived, touches
from migration_gate.settings import Settings


class Clock:
    """Wall time of each stage, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stage, self._since = "", 0.0

    def start(self, stage: str) -> None:
        """End the stage before, if there is one, and begin this."""
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = round(self.seconds.get(self._stage, 0.0) + now - self._since, 4)
        self._stage, self._since = stage, now


def examine(settings: Settings) -> Generator[Progress, None, Facts]:
    """Replay the project of `settings`: yields its progress, returns the facts. Raises GateError."""
    clock = Clock()
    clock.start("find")
    yield Progress("find", settings.name)
    for place_of_code in dict.fromkeys((settings.root, settings.folder or settings.root, settings.directory)):
        trust.demand(place_of_code, os.environ)
    privileges.close(os.environ)
    settings, notes = yield from _installed(settings, clock)
    project = find(settings)
    project = replace(project, notes=(*project.notes, *notes))
    with _folder() as folder, ThreadPoolExecutor(1) as beside:
        compared = beside.submit(comparison.of, settings.root, settings.base, os.environ)
        clock.start("postgres")
        yield Progress("postgres", settings.postgres)
        with postgres.start(settings.postgres, folder=folder) as server:
            changes = compared.result()
            new = comparison.absolute(settings.root, changes.paths("AMT"))
            run = _Run(replace(settings, changed=new), project, server, folder, clock, note=changes.base.note)
            yield from run.prepare()
            tree = yield from run.replay(beside)
            yield Progress("compare")
            clock.start("compare")
            replay = run.compared()
            clock.start("repository")
            yield Progress("repository")
            read = tree.result()
        clock.start("")
    replay = replace(replay, seconds=tuple(clock.seconds.items()))
    return Facts(settings.name, replay, read, settings.owners)


def _installed(
    settings: Settings, clock: Clock
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


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of this run, which an unprivileged worker can pass through; what killed runs left is swept."""
    try:
        temporary = Path(tempfile.gettempdir())
        place.sweep(temporary)
        made = place.make(temporary)
    except OSError as error:
        raise (DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else Misconfigured)(
            f"The run needs a folder for temporary files, and none could be made: {error}.",
            where="TMPDIR",
            advice="Set TMPDIR to a folder that exists, has room, and may be written to.",
        ) from error
    try:
        yield made.path
    finally:
        shutil.rmtree(made.path, ignore_errors=True)
        made.release()


class _Run:
    """One replay on one server."""

    def __init__(
        self,
        settings: Settings,
        project: Project,
        server: Server,
        folder: Path,
        clock: Clock,
        *,
        note: str,
    ) -> None:
        self._settings = settings
        self._project = project
        self._server = server
        self._folder = folder
        self._clock = clock
        self._lines: list[Line] = []
        self._notes: list[str] = [*project.notes, *server.notes, *filter(None, [note])]
        self._output = ""
        self._database = server.create_database()
        self._models = f"{self._database}_models"

    def prepare(self) -> Iterator[Progress]:
        """The diary, and what has to be in the database before the first revision."""
        with self._server.connect(self._database) as connection:
            start_state.install_diary(connection, self._server, self._settings.statement_seconds)
            start_state.run_sql(connection, self._settings)
        if self._settings.start_from is not None:
            yield Progress("prepare", "start_from")
            self._notes += start_state.restore(self._settings, self._server, self._database, self._bootstrap)

    def _bootstrap(self, project: Project, settings: Settings, stamp: str) -> None:
        """Run a worker that creates an older checkout's models and stamps them."""
        lines = list(self._work(project, settings, "bootstrap", stamp))
        arrival.demand_success(project, Reader(settings.root, lines, self._snapshot), self._output)

    def _work(self, project: Project, settings: Settings, task: str, stamp: str = "heads") -> Iterator[Line]:
        order = Order(task, self._database, self._models, catalog.QUERY, self._folder, stamp)
        with Worker(project, settings, self._server, order) as worker:
            yield from worker
            self._output = worker.output
            self._notes += worker.notes

    def replay(self, beside: ThreadPoolExecutor) -> Generator[Progress, None, Future[Tree]]:
        """Run the worker; as soon as the revision files are known, the repository is read beside it."""
        self._clock.start("import")
        yield Progress("import")
        tree: Future[Tree] | None = None
        total = 0
        for line in self._work(self._project, self._settings, "replay"):
            self._lines.append(line)
            if line["kind"] == "stage":
                self._clock.start(line["name"])
                yield Progress(line["name"], total=total)
            elif line["kind"] == "files":
                tree = beside.submit(repository.read, self._settings, line["paths"])
            elif line["kind"] == "order":
                total += len(line["revisions"])
            elif line["kind"] == "start":
                yield Progress("replay", line["revision"], line["number"], total)
        return tree or beside.submit(repository.read, self._settings, [])

    def _snapshot(self, text: str) -> Snapshot:
        return catalog.parse(text)

    def compared(self) -> Replay:
        """Lines, catalogs and their differences, as facts. Raises GateError where nothing was replayed."""
        reader = Reader(git.top(self._settings.root), self._lines, self._snapshot)
        told = reader.failure()
        history = reader.history(self._settings.target)
        arrival.demand_replay(self._project, self._settings, reader, self._output)
        tables = reader.version_tables()
        with self._server.connect(self._database) as connection:
            heads = arrived(connection, tables)
            catalog_ = catalog.read(connection, tables)
            diary = touches(connection)
        replay = Replay(
            history=history,
            steps=reader.steps(),
            failure=told[1] if told and told[0] != "models" else None,
            touches=diary,
            arrived=heads,
            version_tables=tables,
            connections=reader.connections(),
            catalog=catalog_,
            models=reader.models(),
            versions=(*reader.versions(), ("postgres", self._server.origin)),
            notes=tuple(dict.fromkeys((*self._notes, *arrival.notes(reader), *reader.notes()))),
            output=self._output,
        )
        if replay.failure is not None or history.error is not None:
            return replay
        arrival.demand_arrival(self._project, replay)
        return self._with_models(replay, reader)

    def _with_models(self, replay: Replay, reader: Reader) -> Replay:
        """Add the models' side and the differences, or why there is none."""
        told = reader.failure()
        if told is not None:
            return replace(replay, unchecked=(("models", f"could not be created: {told[1].says}"),))
        if not replay.models.tables:
            return replay
        with self._server.connect(self._models) as connection:
            models = replace(replay.models, snapshot=catalog.read(connection, replay.version_tables))
        replay = replace(replay, models=models)
        found = drift(replay)
        if found:
            from migration_gate.mend import mend  # noqa: PLC0415  (Alembic's renderer, for a drift alone)

            found = mend(found, replay)
        return replace(replay, differences=found)
