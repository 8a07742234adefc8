"""The packages of a repository that a project depends on by their folder, or as members of its workspace."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

from migration_gate.git.tracked_files import list_tracked_files
from migration_gate.project.search import read_text_file

_PATH_IN_PYPROJECT = re.compile(r"file:(?://)?(?:/?\$\{PROJECT_ROOT\}/)?(\.{1,2}(?:/[\w.@+-]+)*)$")
"""a path inside a PEP 508 requirement: `shared @ file:///${PROJECT_ROOT}/../shared`"""
_PATH_IN_REQUIREMENTS = re.compile(
    r"^\s*(?:-e\s+|--editable[ =])?[\"']?(?:[\w.-]+\s*@\s*)?(?:file:(?://)?)?(\.{1,2}(?:/[\w.@+-]+)*)(?=[\"'\[\s;#]|$)",
    re.MULTILINE,
)
"""a folder in requirements.txt: `../shared`, `-e ../shared[extra]`"""


def find_path_dependencies(project_folder: Path, repository_root: Path) -> Iterator[Path]:
    """Folders of the repository that a project depends on, and those that they depend on in turn.

    A folder that holds the project itself is left out.
    """
    waiting, seen = [project_folder], {project_folder}
    while waiting:
        for dependency in _declared_dependencies(waiting.pop(), repository_root):
            package = Path(os.path.realpath(dependency))
            if package in seen or project_folder.is_relative_to(package):
                continue
            if package.is_relative_to(repository_root) and package.is_dir():
                seen.add(package)
                waiting.append(package)
                yield package


def _declared_dependencies(folder: Path, repository_root: Path) -> Iterator[Path]:
    """Folders that pyproject.toml and the requirements files in `folder` name; some may not exist."""
    pyproject = _read_toml(folder / "pyproject.toml")
    for path in (*_paths_in_requirements(folder), *_paths_in_pyproject(pyproject)):
        yield folder / path
        yield repository_root / path
    workspace_names = set(_workspace_dependencies(pyproject))
    if workspace_names:
        for name, package in _workspace_packages(repository_root):
            if name in workspace_names:
                yield package


def _paths_in_requirements(folder: Path) -> Iterator[str]:
    for requirements in sorted(folder.glob("*requirements*.txt")):
        yield from _PATH_IN_REQUIREMENTS.findall(read_text_file(requirements))


def _read_toml(file: Path) -> dict[str, object]:
    """The file's contents; empty if it is missing or is no TOML, which the gate reports elsewhere."""
    try:
        return tomllib.loads(read_text_file(file)) if file.is_file() else {}
    except tomllib.TOMLDecodeError:
        return {}


def _tables_in(value: object) -> Iterator[dict[str, object]]:
    """Every table below a value, itself too."""
    if isinstance(value, dict):
        yield value
        for nested_value in value.values():
            yield from _tables_in(nested_value)
    elif isinstance(value, list):
        for item in value:
            yield from _tables_in(item)


def _texts_in(value: object) -> Iterator[str]:
    """Every text in the lists of all tables: requirements are written there."""
    for table in _tables_in(value):
        for nested_value in table.values():
            if isinstance(nested_value, list):
                yield from (item for item in nested_value if isinstance(item, str))


def _paths_in_pyproject(pyproject: dict[str, object]) -> Iterator[str]:
    """Relative paths of dependencies: `{path = "../shared"}`, and `file:` in a requirement."""
    for table in _tables_in(pyproject.get("tool")):
        path = table.get("path")
        if isinstance(path, str) and path.startswith("."):
            yield path
    for text in _texts_in(pyproject):
        requirement = text.partition(";")[0].strip()
        if match := _PATH_IN_PYPROJECT.search(requirement):
            yield match[1]


def _workspace_dependencies(pyproject: dict[str, object]) -> Iterator[NormalizedName]:
    """Names of dependencies that uv takes from the workspace: `shared = {workspace = true}`."""
    for table in _tables_in(pyproject.get("tool")):
        for name, source in table.items():
            if isinstance(source, dict) and source.get("workspace") is True:
                yield canonicalize_name(name)


def _workspace_packages(repository_root: Path) -> Iterator[tuple[NormalizedName, Path]]:
    """The packages of the repository: name and folder of each tracked pyproject.toml."""
    for path in list_tracked_files(repository_root).paths:
        if path.rpartition("/")[2] == "pyproject.toml":
            file = repository_root / path
            for name in _package_names(_read_toml(file)):
                yield canonicalize_name(name), file.parent


def _package_names(pyproject: dict[str, object]) -> Iterator[str]:
    """The package's name, as PEP 621 or Poetry writes it."""
    tool = pyproject.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    for table in (pyproject.get("project"), poetry):
        name = table.get("name") if isinstance(table, dict) else None
        if isinstance(name, str):
            yield name
