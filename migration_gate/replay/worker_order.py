"""What a worker is told to do, as its docstring describes it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from migration_gate.config.settings import Settings
from migration_gate.postgres.server import Server, database_marker
from migration_gate.project import Project


@dataclass(frozen=True, slots=True)
class Order:
    """What one worker is to do, beside what the project and the settings say."""

    task: str
    database: str
    models_database: str
    catalog: str
    changed: tuple[str, ...] = ()
    """real paths of the files that the change adds or edits"""
    stamp: str = "heads"


def variables(settings: Settings, server: Server, order: Order) -> dict[str, str]:
    """For libpq's own programs, and the project's settings with the placeholders filled in."""
    return {
        "PGHOST": server.socket_directory, "PGPORT": str(server.port), "PGUSER": server.user,
        "PGPASSWORD": server.password, "PGDATABASE": order.database, "PGSSLMODE": "disable",
        "PGGSSENCMODE": "disable", "PGPASSFILE": os.devnull, "PGSERVICEFILE": os.devnull,
        **{name: fill(value, server, order.database) for name, value in settings.env},
    }  # fmt: skip


def text(project: Project, settings: Settings, server: Server, order: Order) -> dict[str, object]:
    """The order as the worker reads it."""
    return {
        "task": order.task,
        "environment": variables(settings, server, order),
        "server": {
            "directory": server.socket_directory, "port": server.port, "user": server.user,
            "password": server.password, "token": server.token, "database": server.database,
            "version": server.version, "marker": database_marker(""),
        },
        "database": order.database,
        "models_database": order.models_database,
        "config": {
            "kind": project.kind, "file": str(project.config) if project.config else None,
            "section": project.section, "flask_app": project.flask_app,
            "hook": str(project.hook or "") or None, "scripts": str(project.script_location or ""),
        },
        "sys_path": list(project.sys_path),
        "target": list(settings.target),
        "x": list(settings.x),
        "prepare": [[p.kind, p.text] for p in settings.prepare if p.kind in ("python", "run")],
        "catalog": order.catalog,
        "snapshots": settings.snapshots,
        "changed": list(order.changed),
        "mark": not server.superuser,
        "stamp": order.stamp,
    }  # fmt: skip


def fill(text: str, server: Server, database: str) -> str:
    """The placeholders of `env` values; the address does not matter, since every connection is redirected."""
    places = {
        "host": "localhost", "port": "5432", "user": server.user, "password": server.password, "db": database,
    }  # fmt: skip
    for name, value in places.items():
        text = text.replace("{" + name + "}", value)
    return text
