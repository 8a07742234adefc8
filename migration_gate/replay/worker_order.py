"""Builds the order that a worker gets: one frozen value, from the project, the settings and the server."""

from __future__ import annotations

import os

from migration_gate.catalog.snapshot_reader import SNAPSHOT_QUERY
from migration_gate.config.settings import Settings
from migration_gate.git.git_command import find_repository_root
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.server import Server, database_marker
from migration_gate.project import Project
from migration_gate.worker.protocol.order import (
    CommandKind,
    ConfigSource,
    EarlierRun,
    Order,
    PrepareCommand,
    ServerAddress,
    TaskKind,
)

WORKER_COMMANDS: dict[str, CommandKind] = {"python": "python", "run": "run"}
"""the entries of `prepare:` that run in the worker; the others are SQL"""


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What differs between the workers of one run."""

    kind: TaskKind
    database: str
    """the database to replay into"""
    models_database: str
    """the name that the copy for the models gets"""
    changed_files: tuple[str, ...] = ()
    """real paths of the files that the change adds or edits"""
    pending_files: tuple[str, ...] = ()
    """of these, all but revisions that stand at the base"""
    stamp: str = "heads"
    """the revision that a bootstrap writes into the version table"""
    other_databases: tuple[tuple[str, str], ...] = ()
    """addresses of databases that this run does not judge, and the database of the server for each"""
    new_files: tuple[str, ...] = ()
    """real paths of the files that the change adds"""
    keeps_state: bool = False
    """the gate copies the server when the revisions that are not new have run"""
    keeps_facts: bool = False
    """the gate may keep what comes of the run, and wants to know which files that depends on"""
    copies_base: bool = False
    """the gate copies the database then"""
    earlier_run: EarlierRun | None = None
    """what the database holds already"""
    sends_ahead: bool = False
    """statements may be sent before the one before is answered"""


def build_order(project: Project, settings: Settings, server: Server, task: WorkerTask) -> Order:
    """All that the worker is told."""
    return Order(
        task=task.kind,
        environment=_build_environment(settings, server, task.database),
        server=ServerAddress(
            directory=server.socket_directory,
            port=server.port,
            user=server.user,
            password=server.password,
            token=server.token,
            database=server.database,
            version=server.version,
            comment_prefix=database_marker(""),
        ),
        database=task.database,
        models_database=task.models_database,
        config=_build_config_source(project),
        sys_path=project.import_path.front,
        later_sys_path=project.import_path.back,
        target=settings.target,
        x_arguments=settings.x_arguments,
        prepare=_select_worker_commands(settings),
        catalog_query=SNAPSHOT_QUERY,
        snapshots=settings.snapshots,
        rollback=settings.rollback,
        observe=settings.observe if can_observe(server) else "off",
        changed_files=task.changed_files,
        pending_files=task.pending_files,
        new_files=task.new_files,
        log_after_step=not server.superuser,
        stamp=task.stamp,
        relocation=_name_checkouts(settings),
        judged_address=settings.judged_database,
        other_databases=dict(task.other_databases),
        keeps_state=task.keeps_state,
        keeps_facts=task.keeps_facts,
        copies_base=task.copies_base,
        earlier_run=task.earlier_run,
        sends_ahead=task.sends_ahead,
    )


def can_observe(server: Server) -> bool:
    """Whether the gate may have the server log what its sessions do, and can read that log."""
    return server.superuser and (bool(server.token) or server.session_log is not None)


def _name_checkouts(settings: Settings) -> tuple[str, ...]:
    if settings.import_path_from is None:
        return ()
    return (str(settings.import_path_from), str(find_repository_root(settings.root)))


def _build_environment(settings: Settings, server: Server, database: str) -> dict[str, str]:
    """For libpq's own programs, and the project's settings with the placeholders filled in."""
    libpq = {
        "PGHOST": server.socket_directory,
        "PGPORT": str(server.port),
        "PGUSER": server.user,
        "PGPASSWORD": server.password,
        "PGDATABASE": database,
        "PGSSLMODE": "disable",
        "PGGSSENCMODE": "disable",
        "PGPASSFILE": os.devnull,
        "PGSERVICEFILE": os.devnull,
    }
    variables = settings.env_by_name()
    return libpq | {name: fill_placeholders(value, server, database) for name, value in variables.items()}


def fill_placeholders(text: str, server: Server, database: str) -> str:
    """A value of `env:` with `{host}`, `{port}`, `{user}`, `{password}` and `{db}` replaced.

    Host and port are any that parse: every connection is redirected.
    """
    values = {
        "host": "localhost",
        "port": "5432",
        "user": server.user,
        "password": server.password,
        "db": database,
    }
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _build_config_source(project: Project) -> ConfigSource:
    return ConfigSource(
        kind=project.kind,
        section=project.section,
        file=str(project.config) if project.config is not None else None,
        flask_app=project.flask_app,
        hook=str(project.hook) if project.hook is not None else None,
        script_location=str(project.script_location or ""),
    )


def _select_worker_commands(settings: Settings) -> tuple[PrepareCommand, ...]:
    """Those that run in the worker; the gate has run the SQL itself."""
    commands = ((WORKER_COMMANDS.get(prepare.kind), prepare.text) for prepare in settings.prepare)
    return tuple(PrepareCommand(kind, text) for kind, text in commands if kind is not None)
