"""Says what would be installed, from which file or by which command, without running anything."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from migration_gate.config.repository_root import find_repository_root
from migration_gate.config.settings import Settings
from migration_gate.errors import ProjectNotImported
from migration_gate.install.environment_cache import name_environment
from migration_gate.install.package_source import (
    PackageSource,
    find_package_source,
    is_independent_of_folders,
    list_deciding_files,
)
from migration_gate.install.postgres_driver import can_build_drivers, find_named_driver
from migration_gate.install.python_version import PythonRequest, request_python
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.interpreter_choice import find_ready_environment
from migration_gate.project.locate import AlembicEnvironment, locate_environment

ENVIRONMENT_FORMAT = "2"
"""part of each environment's name: with a higher number, all are built again"""


@dataclass(frozen=True, slots=True)
class InstallationPlan:
    """What is to be installed."""

    settings: Settings
    alembic: AlembicEnvironment
    top: Path
    """of the repository"""
    source: PackageSource | None
    """None only if there is a command"""
    command: str
    """the user's own; empty if the source is installed"""
    python: PythonRequest

    @property
    def title(self) -> str:
        """The file or the command, in backticks."""
        if self.command or self.source is None:
            return f"`{self.command}`"
        file = self.source.file
        return f"`{file.relative_to(self.top) if file.is_relative_to(self.top) else file.name}`"

    @property
    def scripts(self) -> list[Path]:
        """The files that say how env.py connects."""
        files = (self.alembic.entry_file, self.alembic.config)
        return [file for file in files if file and file.is_file()]

    def name_environment(self, cache_folder: Path) -> str:
        """A name that changes with everything that decides what is in the environment.

        After the last hyphen it is the same for two projects whose environments would be the same. Raises
        Misconfigured if a group of the settings has no file of requirements.
        """
        settings = self.settings
        driver = None if self.command else find_named_driver(self.scripts)
        choices = (
            ENVIRONMENT_FORMAT, self.command, self.python.specifier, *settings.groups, "+", *settings.extras,
            "-", *settings.without, sys.platform, platform.machine(), str(platform.libc_ver()),
            str(cache_folder), str(self.top), str(can_build_drivers()), repr(driver), *self._list_folders(),
        )  # fmt: skip
        files = list_deciding_files(self.source, settings.groups) if self.source else []
        return name_environment(settings.name, choices, files)

    def _list_folders(self) -> list[str]:
        """The folders that decide what is in the environment, beside the contents of the files.

        None for files of requirements that name nothing in the repository.
        """
        folders = [self.settings.working_directory] if self.command else []
        if self.source and not is_independent_of_folders(self.source, self.settings.groups):
            folders += [self.source.file, *filter(None, [self.source.project])]
        return [str(folder) for folder in folders]


def needs_installation(settings: Settings, environ: Mapping[str, str] | None = None) -> bool:
    """Whether it is switched on, and no interpreter has the packages. Raises ProjectNotFound."""
    if settings.install == "off" or settings.python is not None:
        return False
    if settings.install != "auto":
        return True
    environ = os.environ if environ is None else environ
    directory = locate_environment(settings, environ).directory
    top = find_repository_root(settings.root)
    return find_ready_environment(directory, top, environ) is None


def plan_installation(settings: Settings, environ: Mapping[str, str] | None = None) -> InstallationPlan:
    """What would be installed. Raises ProjectNotImported if no file lists the packages."""
    environ = os.environ if environ is None else environ
    top = find_repository_root(settings.root)
    alembic = locate_environment(settings, environ)
    starts = _list_starting_folders(settings, alembic)
    source = find_package_source(starts, top)
    command = "" if settings.install == "auto" else settings.install
    if source is None and not command:
        raise ProjectNotImported(
            "No file lists the packages that the project needs: there is no lock file, no file of "
            f"requirements and no pyproject.toml with dependencies from `{alembic.directory}` up to `{top}`.",
            where=str(alembic.directory),
            advice="Give the command that installs them, `install: pip install alembic …`, or an interpreter "
            "that has them, `python: path/to/python`.",
        )
    folders = [folder for start in starts for folder in (start, *start.parents) if folder.is_relative_to(top)]
    python = request_python(settings, source, folders)
    return InstallationPlan(settings, alembic, top, source, command, python)


def _list_starting_folders(settings: Settings, alembic: AlembicEnvironment) -> list[Path]:
    """The folders from which files are looked for upwards, the nearest to the migrations first."""
    folders = [
        alembic.directory,
        settings.project_folder or settings.working_directory,
        settings.working_directory,
    ]
    if alembic.config is not None:
        folders.insert(0, alembic.config.parent if alembic.config.is_file() else alembic.config)
    return list(dict.fromkeys(folders))
