"""Turns a package source into the commands that install it with uv."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from migration_gate.install.environment_cache import EnvironmentFolder
from migration_gate.install.lock_export import (
    ExportedLock,
    Selection,
    list_private_indexes,
    select_from_uv_lock,
)
from migration_gate.install.package_source import PackageSource, list_local_packages
from migration_gate.install.postgres_driver import DriverReplacement, find_replacements
from migration_gate.install.project_metadata import (
    find_metadata_file,
    get_table,
    is_package,
    read_pyproject,
)
from migration_gate.install.requirement_files import (
    find_group_files,
    read_requirement_files,
    separate_local_packages,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.search import read_text_file

EXPORTED_KINDS = ("uv", "poetry", "pdm", "pipenv")
"""the kinds of lock files that are exported before they are installed"""
REQUIREMENT_KEYS = {"dependencies", "optional-dependencies"}
NO_USE_FOR_BUILDS = {"node_modules", "__pycache__", "venv", "build", "dist"}


@dataclass(frozen=True, slots=True)
class InstallOrder:
    """What to install, and into which environment."""

    source: PackageSource
    environment: EnvironmentFolder
    selection: Selection
    uv: str
    without: tuple[str, ...] = ()
    """packages to leave out, by their normalized names"""


@dataclass(frozen=True, slots=True)
class InstallStep:
    """One command, and the folder to run it in."""

    command: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InstallSteps:
    """The commands in order, and what goes with them."""

    steps: tuple[InstallStep, ...]
    linked_folders: tuple[Path, ...]
    """the packages of the repository, to be made importable afterwards"""
    replacements: Sequence[DriverReplacement] = ()
    """the drivers that the commands replace"""


def list_steps(order: InstallOrder, exported: ExportedLock | None, scratch: Path) -> InstallSteps:
    """The commands for this kind of source.

    exported: the lock file as requirements; None for a source that is not exported.
    scratch: a folder for files that the commands read.
    """
    if exported is not None and order.source.kind == "uv":
        return _sync_uv_lock(order, exported)
    if exported is not None:
        return _install_exported(order, exported, scratch)
    if order.source.kind == "pylock":
        step = _pip_install(order, "-r", str(order.source.file), *_select_options(order.selection))
        return InstallSteps((step,), _list_own_folder(order.source))
    if order.source.kind == "requirements":
        return _install_requirements(order, scratch)
    return _install_project(order, scratch)


def _sync_uv_lock(order: InstallOrder, exported: ExportedLock) -> InstallSteps:
    """`uv sync` without the packages of the repository, which are linked, and without drivers to be built."""
    source = order.source
    selection = select_from_uv_lock(source, order.selection)
    requirements = separate_local_packages(exported.text, [source.folder])
    replacements = find_replacements([exported.text])
    left_out = [*(replacement.name for replacement in replacements), *order.without]
    python = str(order.environment.python)
    command = [order.uv, "sync", "--frozen", "--no-install-local", "--python", python, *selection]
    command += [word for name in left_out for word in ("--no-install-package", name)]
    variables = {"UV_PROJECT_ENVIRONMENT": str(order.environment.folder)}
    steps = [InstallStep(tuple(command), source.folder, variables)]
    archives = [line for line in requirements.text.splitlines() if line.startswith(("./", "../", "/"))]
    more = [*(replacement.requirement for replacement in replacements), *archives]
    if more:
        steps.append(_pip_install(order, "--no-deps", *more))
    folders = [*_list_own_folder(source), *requirements.folders]
    if "--all-packages" in selection:
        folders += list_local_packages(source)
    return InstallSteps(tuple(steps), tuple(dict.fromkeys(folders)), replacements)


def _install_exported(order: InstallOrder, exported: ExportedLock, scratch: Path) -> InstallSteps:
    """The exported packages by version and hash, and nothing that they require beside."""
    source = order.source
    requirements = separate_local_packages(exported.text, [source.folder])
    file = scratch / "locked.txt"
    file.write_text(requirements.text, encoding="utf-8")
    replacements = find_replacements([requirements.text])
    arguments = [
        *_replace_options(order, replacements, scratch),
        *_index_options(source, exported, requirements.text),
    ]
    own = (source.folder,) if is_package(source.folder) else _list_own_folder(source)
    return InstallSteps(
        (_pip_install(order, "--no-deps", "-r", str(file), *arguments),),
        tuple(dict.fromkeys((*own, *requirements.folders))),
        replacements,
    )


def _index_options(source: PackageSource, exported: ExportedLock, requirements: str) -> list[str]:
    """The lock file's own indexes. uv looks through all of them only if hashes decide what is right."""
    indexes = list_private_indexes(source, exported.index_urls)
    if not indexes:
        return []
    options = [word for index in indexes for word in ("--index", f"{index.name}={index.url}")]
    from_index = [line for line in requirements.splitlines() if "==" in line.partition(";")[0]]
    if all("--hash=" in line for line in from_index):
        options += ["--index-strategy", "unsafe-best-match"]
    return options


def _install_requirements(order: InstallOrder, scratch: Path) -> InstallSteps:
    """The files of requirements as they are; what they list of the repository is linked, not installed."""
    source = order.source
    files = [source.file, *find_group_files(source.file, order.selection.groups)]
    requirements = read_requirement_files(files, order.without)
    if requirements.folders or order.without:
        copy = scratch / source.file.name
        copy.write_text(requirements.text, encoding="utf-8")
        files = [copy]
    files += [_prepare_metadata_file(folder, scratch) for folder in requirements.folders]
    arguments = [word for file in files for word in ("-r", str(file))]
    replacements = find_replacements([requirements.text])
    arguments += _replace_options(order, replacements, scratch)
    if requirements.folders:
        arguments += _select_options(Selection(extras=order.selection.extras))
    folders = dict.fromkeys((*_list_own_folder(source), *requirements.folders))
    return InstallSteps((_pip_install(order, *arguments),), tuple(folders), replacements)


def _install_project(order: InstallOrder, scratch: Path) -> InstallSteps:
    """What a package without a lock file requires."""
    folder = order.source.folder
    file = _prepare_metadata_file(folder, scratch)
    replacements = find_replacements([read_text_file(order.source.file)])
    arguments = ["-r", str(file), *_replace_options(order, replacements, scratch)]
    arguments += _select_options(Selection(extras=order.selection.extras))
    known_groups = get_table(read_pyproject(folder), "dependency-groups")
    for group in order.selection.groups:
        if group in known_groups:
            arguments += ["--group", f"{file}:{group}"]
    return InstallSteps((_pip_install(order, *arguments),), (folder,), replacements)


def _pip_install(order: InstallOrder, *arguments: str) -> InstallStep:
    """`uv pip install` into the environment, in the folder of the source: relative paths start there."""
    command = (order.uv, "pip", "install", "--python", str(order.environment.python), *arguments)
    return InstallStep(command, order.source.folder)


def _select_options(selection: Selection) -> list[str]:
    """The options of `uv pip install` for the groups and extras of a pyproject.toml or pylock.toml."""
    options = [word for extra in selection.extras for word in ("--extra", extra)]
    return options + [word for group in selection.groups for word in ("--group", group)]


def _replace_options(
    order: InstallOrder, replacements: Sequence[DriverReplacement], scratch: Path
) -> list[str]:
    """The options of `uv pip install` that leave packages out, and put wheels in the place of drivers."""
    excluded = [*(replacement.name for replacement in replacements), *order.without]
    if not excluded:
        return []
    file = scratch / "excluded.txt"
    file.write_text("\n".join(excluded) + "\n", encoding="utf-8")
    return ["--excludes", str(file), *(replacement.requirement for replacement in replacements)]


def _list_own_folder(source: PackageSource) -> tuple[Path, ...]:
    """The folder of the project itself; none if it has no metadata."""
    return (source.project,) if source.project else ()


def _prepare_metadata_file(folder: Path, scratch: Path) -> Path:
    """The file to read a package's requirements from; that of a copy where a build backend has to tell them.

    Some build backends write beside the sources, where they may not, and should not.
    """
    project = get_table(read_pyproject(folder), "project")
    if project and not REQUIREMENT_KEYS.intersection(project.get("dynamic", ())):
        return folder / "pyproject.toml"
    copy = scratch / "built" / folder.name
    if not copy.exists():
        shutil.copytree(folder, copy, symlinks=True, ignore=_list_unneeded_for_builds)
    return copy / find_metadata_file(folder).name


def _list_unneeded_for_builds(folder: str, names: list[str]) -> set[str]:
    """The names among these that are environments, caches, or packages of other languages."""
    return {
        name
        for name in names
        if name in NO_USE_FOR_BUILDS or name.startswith(".") or (Path(folder) / name / "pyvenv.cfg").exists()
    }
