"""What is to be installed, from which file or by which command: known without running anything."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.errors import ProjectNotImported
from migration_gate.install import driver, place, plan, python, source
from migration_gate.install.python import Wish
from migration_gate.install.source import Source
from migration_gate.project import interpreter_choice, locate, search
from migration_gate.project.locate import AlembicEnvironment

FORMAT = "1"
"""of an environment: a higher number makes every one again"""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be installed, known without running anything."""

    settings: Settings
    located: AlembicEnvironment
    top: Path
    source: Source | None
    command: str
    """the user's own, or nothing"""
    wish: Wish

    @property
    def title(self) -> str:
        """The file or the command, for people."""
        if self.command or self.source is None:
            return f"`{self.command}`"
        file = self.source.file
        return f"`{file.relative_to(self.top) if file.is_relative_to(self.top) else file.name}`"

    @property
    def scripts(self) -> list[Path]:
        """The files that say how env.py connects."""
        return [each for each in (self.located.entry_file, self.located.config) if each and each.is_file()]

    def name(self, folder: Path) -> str:
        """The environment's name in the cache folder."""
        settings, files = self.settings, []
        if self.source is not None:
            files = plan.files(self.source, settings.groups)
        files += [each for each in self.scripts if not self.command]  # they choose the driver
        parts = (
            FORMAT, self.command, self.wish.request, *settings.groups, "+", *settings.extras, "-",
            *settings.without, sys.platform,
            platform.machine(), str(platform.libc_ver()), str(folder), str(self.top), str(driver.can_build()),
        )  # fmt: skip
        return f"{place.slug(settings.name)}-{place.key(parts, files)}"


def wanted(settings: Settings, environ: Mapping[str, str] | None = None) -> bool:
    """Whether to install: it is switched on, and the project has no interpreter. Raises ProjectNotFound."""
    if settings.install == "off" or settings.python is not None:
        return False
    if settings.install != "auto":
        return True
    environ = os.environ if environ is None else environ
    located = locate.locate_environment(settings, environ)
    return (
        interpreter_choice.find_ready_environment(
            located.directory, search.find_repository_root(settings.root), environ
        )
        is None
    )


def job(settings: Settings, environ: Mapping[str, str] | None = None) -> Job:
    """What would be installed. Raises ProjectNotImported where nothing says which packages to."""
    environ = os.environ if environ is None else environ
    top = search.find_repository_root(settings.root)
    located = locate.locate_environment(settings, environ)
    command = "" if settings.install == "auto" else settings.install
    starts = [
        located.directory,
        settings.project_folder or settings.working_directory,
        settings.working_directory,
    ]
    if located.config is not None:
        starts.insert(0, located.config.parent if located.config.is_file() else located.config)
    found = source.find(list(dict.fromkeys(starts)), top)
    if found is None and not command:
        raise ProjectNotImported(
            "Nothing says which packages the project needs: there is no lock file, no file of requirements "
            f"and no pyproject.toml with dependencies from `{located.directory}` up to `{top}`.",
            where=str(located.directory),
            advice="Give the command that installs them, `install: pip install alembic …`, or an interpreter "
            "that has them, `python: path/to/python`.",
        )
    folders = [each for start in starts for each in (start, *start.parents) if each.is_relative_to(top)]
    return Job(settings, located, top, found, command, python.wish(settings, found, folders))
