"""The settings with which the project is examined at the base of a change."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from migration_gate.config.loading import load_settings
from migration_gate.config.relocation import Relocation
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError, Misconfigured, ProjectNotFound
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tree_export import read_exported_paths

ENVIRONMENT_FILES = ("env.py", "alembic.ini", "script.py.mako")
"""a repository without any of these has no Alembic environment"""


def build_base_settings(settings: Settings, python: Path, tree: Path) -> Settings:
    """The settings of the change, for the tree of its base.

    Where a place that they name is not in that tree, the base's own configuration says where the project is.
    Raises ProjectNotFound if it has none.
    """
    relocation = Relocation(find_repository_root(settings.root), tree)
    relocated = relocation.relocate_settings(settings, python)
    relocated = replace(relocated, further_postgres=(), base=None, examines_base=False, checkpoint="off")
    if all(place.exists() for place in _list_places(relocated)):
        return relocated
    own = _load_own_settings(relocated, tree)
    if own is None:
        raise ProjectNotFound("The project is not at its place in the base, and no configuration names one.")
    return replace(
        relocated,
        root=own.root,
        working_directory=own.working_directory,
        project_folder=own.project_folder,
        config_file=own.config_file,
        alembic=own.alembic,
        section=own.section,
        flask_app=own.flask_app,
        hook=own.hook,
        prepare=own.prepare,
        start_from=own.start_from,
    )


def has_environment(tree: Path) -> bool:
    """Whether an exported tree has an Alembic environment anywhere."""
    paths = read_exported_paths(tree) or ()
    return any(path.rpartition("/")[2] in ENVIRONMENT_FILES for path in paths)


def _list_places(settings: Settings) -> list[Path]:
    places = (
        settings.root,
        settings.working_directory,
        settings.project_folder,
        settings.alembic,
        settings.hook,
        settings.start_from.dump if settings.start_from is not None else None,
    )
    return [place for place in places if place is not None]


def _load_own_settings(settings: Settings, tree: Path) -> Settings | None:
    """The base's own settings for the project, from the nearest folder that is there; None without any."""
    folder = settings.root
    while not folder.is_dir():
        folder = folder.parent
    try:
        projects = load_settings(folder, {}, os.environ)
    except Misconfigured as error:
        raise GateError(f"Its configuration cannot be read: {error.message}") from error
    named = [project for project in projects if project.name == settings.name]
    if named:
        return named[0]
    return projects[0] if len(projects) == 1 and folder.is_relative_to(tree) else None
