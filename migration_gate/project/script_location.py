"""Finds the folder of env.py that a configuration means, and the folder to run it in.

`CASES` is the table of the ways in which a `script_location` can be written; each has a function.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from migration_gate.config.repository_root import find_repository_root
from migration_gate.config.settings import DEFAULT_ORIGIN, Settings
from migration_gate.errors import ProjectNotFound
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.alembic_config import AlembicConfig

PLACEHOLDER = re.compile(r"\$?\{[\w.]*\}|\$\w+|%\(\w+\)s|<\w+>|@\w+@")
"""in a template: `{folder}`, `${folder}`, `$folder`, `%(folder)s`, `<folder>`, `@folder@`"""
PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", "manage.py")
"""files that make a folder one to run a project in"""


@dataclass(frozen=True, slots=True)
class ScriptPlacement:
    """Where an Alembic environment is, and where it runs."""

    directory: Path
    """the folder to run in"""
    scripts: Path | None
    """the folder of env.py; None if it is a package that is not in the repository"""
    override: Path | None = None
    """that folder again, where what the configuration says does not lead there from `directory`"""


def find_script_location(config: AlembicConfig, settings: Settings) -> ScriptPlacement:
    """Where the environment of a configuration is. Raises ProjectNotFound if there is no such folder."""
    for find_placement in CASES:
        placement = find_placement(config, settings)
        if placement is not None:
            return placement
    if config.script_location:
        message = (
            f"`{config.file.name}` says `script_location = {config.script_location}`, "
            "and no such folder exists."
        )
    else:
        message = f"`{config.file.name}` names no `script_location` in [{config.section}]."
    tried = ", ".join(f"`{folder}`" for folder in _list_base_folders(config, settings))
    raise ProjectNotFound(
        message,
        where=str(config.file),
        advice=f"We looked from {tried}. Fix it, or name the right configuration with `alembic:`.",
    )


def is_working_directory_set(settings: Settings) -> bool:
    """Whether the user chose the folder to run in."""
    return settings.find_origin("working_directory") != DEFAULT_ORIGIN


def _find_in_package(config: AlembicConfig, settings: Settings) -> ScriptPlacement | None:
    """`package:folder`. If it is not in the repository, the interpreter may have it installed."""
    location = config.script_location
    if not location or ":" not in location or Path(location).is_absolute():
        return None
    package = Path(*location.split(":"))
    for base in _list_base_folders(config, settings):
        for folder in (base, base / "src"):
            if (folder / package).is_dir():
                return ScriptPlacement(_choose_directory(config, settings, folder), folder / package)
    return ScriptPlacement(_choose_directory(config, settings), scripts=None)


def _find_at_absolute_path(config: AlembicConfig, settings: Settings) -> ScriptPlacement | None:
    location = config.script_location
    if not location or not Path(location).is_absolute() or not Path(location).is_dir():
        return None
    return ScriptPlacement(_choose_directory(config, settings), Path(location))


def _find_at_relative_path(config: AlembicConfig, settings: Settings) -> ScriptPlacement | None:
    """The first folder that holds it, preferring those with an env.py, is the one to run in."""
    location = config.script_location
    if not location or Path(location).is_absolute():
        return None
    bases = _list_base_folders(config, settings)
    holding = [base for base in bases if (base / location / "env.py").is_file()]
    holding += [base for base in bases if (base / location).is_dir()]
    if not holding:
        return None
    scripts = (holding[0] / location).resolve()
    if is_working_directory_set(settings) and holding[0] != settings.working_directory:
        return ScriptPlacement(settings.working_directory, scripts, override=scripts)
    return ScriptPlacement(holding[0], scripts)


def _find_beside_config(config: AlembicConfig, settings: Settings) -> ScriptPlacement | None:
    """Whatever the configuration says, perhaps about another machine: there is an env.py beside it."""
    if not (config.folder / "env.py").is_file():
        return None
    return ScriptPlacement(_choose_directory(config, settings), config.folder, override=config.folder)


def _find_below_template(config: AlembicConfig, settings: Settings) -> ScriptPlacement | None:
    """A location that the project's own code fills in, as it copies the file: the only env.py below it."""
    location = config.script_location
    if not location or not PLACEHOLDER.search(location):
        return None
    pattern = re.sub(r"\*+", "*", PLACEHOLDER.sub("*", location)).lstrip("/")
    files = sorted({*config.folder.glob("*/env.py"), *config.folder.glob(f"{pattern}/env.py")})
    folders = [file.parent for file in files]
    environments = [folder for folder in folders if (folder / "script.py.mako").is_file()] or folders
    if len(environments) != 1:
        return None
    return ScriptPlacement(
        _choose_directory(config, settings), environments[0], override=environments[0].resolve()
    )


CASES: tuple[Callable[[AlembicConfig, Settings], ScriptPlacement | None], ...] = (
    _find_in_package,
    _find_at_absolute_path,
    _find_at_relative_path,
    _find_beside_config,
    _find_below_template,
)
"""in this order: the first that finds a placement decides"""


def _list_base_folders(config: AlembicConfig, settings: Settings) -> list[Path]:
    """The folders from which a relative location may count, likeliest first."""
    root = find_repository_root(settings.root)
    above = [folder for folder in config.folder.parents if folder.is_relative_to(root)]
    return list(dict.fromkeys((config.folder, settings.working_directory, settings.root, *above)))


def _choose_directory(config: AlembicConfig, settings: Settings, package_base: Path | None = None) -> Path:
    """The folder to run in, where the configuration works from any.

    `package_base` is the folder that holds the package of env.py.
    """
    folder = config.folder
    if is_working_directory_set(settings):
        return settings.working_directory
    if folder in (settings.working_directory, settings.root):
        return folder
    if package_base is not None:
        return package_base.parent if package_base.name == "src" else package_base
    if (folder / "env.py").is_file() and not (folder.parent / "__init__.py").is_file():
        return folder.parent
    is_package = (folder / "__init__.py").is_file()
    is_project = any((folder / name).exists() for name in PROJECT_FILES)
    return folder if is_project and not is_package else settings.working_directory
