"""The whole gate on a project, in this process and on a server that runs already."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.facts import Facts
from migration_gate.postgres.server import Server
from migration_gate.project import find_project
from migration_gate.replay.examination_on_server import examine_on_server
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.worker_process import start_worker


def examine_whole(
    server: Server, run_directory: Path, settings: Settings, changed_files: tuple[str, ...] = ()
) -> Facts:
    """The facts of the project in a database of its own, which is dropped. Raises GateError."""
    database = server.create_database()
    setup = ReplaySetup(
        settings=settings,
        project=find_project(settings),
        server=server,
        run_directory=run_directory,
        repository=settings.root.resolve(),
        database=database,
        models_database=f"{database}_models",
        changed_files=changed_files,
        pending_files=changed_files,
    )
    try:
        with (
            ThreadPoolExecutor(2) as background,
            start_worker(setup.project, settings, run_directory, with_models=True) as worker,
        ):
            examination = examine_on_server(setup, worker, background, ())
            while True:
                try:
                    next(examination)
                except StopIteration as end:
                    facts: Facts = end.value
                    return facts
    finally:
        with server.connect() as connection:
            for name in setup.databases:
                connection.execute(f'drop database if exists "{name}" with (force)'.encode())
