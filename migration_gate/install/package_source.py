"""Finds the file that lists the project's packages: a lock file first, then requirements, then metadata."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from migration_gate.install.project_metadata import find_metadata_file, is_package, read_toml
from migration_gate.install.requirement_files import (
    find_group_files,
    find_requirement_file,
    list_included_files,
    read_requirement_files,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.search import list_subfolders

SourceKind = Literal["uv", "poetry", "pdm", "pylock", "pipenv", "requirements", "project"]
"""`project` is the metadata of a package without a lock file"""
LOCK_FILES: dict[str, SourceKind] = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "pdm.lock": "pdm",
    "pylock.toml": "pylock",
    "Pipfile.lock": "pipenv",
}
"""in the order in which they are preferred where a folder has several"""
LOCAL_REQUIREMENT = re.compile(r"(^|[\s@=])(\.{0,2}/|file:)|^[\w.-]+/", re.MULTILINE)
"""a line that may name a file or a folder; addresses (`https://...`) are none"""
LOCAL_KINDS = ("editable", "virtual", "directory")
"""the kinds of sources in uv.lock that are folders of the repository"""


@dataclass(frozen=True, slots=True)
class PackageSource:
    """What lists the packages that the project needs."""

    kind: SourceKind
    file: Path
    project: Path | None
    """the nearest folder with the metadata of a package; that package is made importable"""

    @property
    def folder(self) -> Path:
        """The folder of the file."""
        return self.file.parent


def find_package_source(starts: Sequence[Path], top: Path) -> PackageSource | None:
    """The nearest source in one of the folders or above it, up to `top`.

    Where there is none, the only one a folder below `top`.
    """
    for start in starts:
        source = _find_upwards(start, top)
        if source is not None:
            return source
    below = [source for folder in list_subfolders(top) if (source := _find_in_folder(folder))]
    return below[0] if len(below) == 1 else None


def list_deciding_files(source: PackageSource, groups: Sequence[str]) -> list[Path]:
    """The files that decide what is installed. Raises Misconfigured if there is none for a group."""
    files = [source.file]
    if source.kind == "requirements":
        listed = [source.file, *find_group_files(source.file, groups)]
        files = [included for file in listed for included in list_included_files(file)]
    for folder in filter(None, (source.folder, source.project)):
        files += [folder / name for name in ("pyproject.toml", "setup.py", "setup.cfg", "uv.toml", "Pipfile")]
    if source.kind == "uv":
        files += [folder / "pyproject.toml" for folder in list_local_packages(source)]
    return [file for file in dict.fromkeys(files) if file.is_file()]


def is_independent_of_folders(source: PackageSource, groups: Sequence[str]) -> bool:
    """Whether the contents of the files alone decide what is installed, wherever they lie.

    So it is with requirements that name no file and no folder, for a project that is no package.
    """
    if source.kind != "requirements" or source.project:
        return False
    requirements = read_requirement_files([source.file, *find_group_files(source.file, groups)])
    return not requirements.folders and not LOCAL_REQUIREMENT.search(requirements.text)


def list_local_packages(source: PackageSource) -> list[Path]:
    """The folders of all packages of the repository that a uv.lock has."""
    rows = read_toml(source.file).get("package", ())
    sources = [row.get("source", {}) for row in rows]
    folders = [str(origin[kind]) for origin in sources for kind in LOCAL_KINDS if kind in origin]
    return [(source.folder / folder).resolve() for folder in folders]


def _find_upwards(start: Path, top: Path) -> PackageSource | None:
    """The nearest source in the folder or above it; the package's metadata if there is only that."""
    folders = _list_ancestors(start, top)
    project = next((folder for folder in folders if is_package(folder)), None)
    for folder in folders:
        # Requirements above a package are for something else: often for the documentation.
        belongs_to_package = project is None or folder.is_relative_to(project)
        source = _find_lock(folder, project)
        if source is None and belongs_to_package:
            source = _find_requirements(folder, project)
        if source is not None:
            return source
    return PackageSource("project", find_metadata_file(project), project) if project else None


def _list_ancestors(start: Path, top: Path) -> list[Path]:
    """The folder and those above it, up to `top`; only the folder if it is not below `top`."""
    folders = [start, *start.parents]
    return folders[: folders.index(top) + 1] if top in folders else [start]


def _find_in_folder(folder: Path) -> PackageSource | None:
    """The source in this folder alone."""
    project = folder if is_package(folder) else None
    source = _find_lock(folder, project) or _find_requirements(folder, project)
    if source is None and project is not None:
        return PackageSource("project", find_metadata_file(folder), folder)
    return source


def _find_lock(folder: Path, project: Path | None) -> PackageSource | None:
    for name, kind in LOCK_FILES.items():
        if (folder / name).is_file():
            return PackageSource(kind, folder / name, project)
    return None


def _find_requirements(folder: Path, project: Path | None) -> PackageSource | None:
    file = find_requirement_file(folder)
    return PackageSource("requirements", file, project) if file else None
