"""Works out the folders that must be on the project's import path, from what its files import."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from migration_gate.project.model import ImportPath
from migration_gate.project.python_source import parse_source
from migration_gate.project.search import list_subfolders


def list_imported_names(file: Path) -> set[str]:
    """The top names that a file imports absolutely, without the standard library's; none from broken code."""
    tree = parse_source(file)
    names: set[str] = set()
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Import():
                names.update(alias.name.partition(".")[0] for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module.partition(".")[0])
    return names - sys.stdlib_module_names - {"alembic", "sqlalchemy"}


def contains_module(folder: Path, name: str) -> bool:
    """Whether a folder holds a module or package of that name."""
    package = folder / name
    if (folder / f"{name}.py").is_file() or (package / "__init__.py").is_file():
        return True
    return package.is_dir() and any(package.glob("*.py"))


def find_package_parent(folder: Path, top: Path) -> Path:
    """The folder itself, or the nearest one above that is not inside a package."""
    while (folder / "__init__.py").is_file() and folder not in (top, folder.parent):
        folder = folder.parent
    return folder


def build_import_path(
    directory: Path, prepend_sys_path: Sequence[str], entry_file: Path | None, top: Path
) -> ImportPath:
    """The folders with the modules that env.py imports.

    `prepend_sys_path` is the configuration's, `entry_file` is env.py or the hook, `top` the repository's
    folder.
    """
    folders = [(directory / entry).resolve() for entry in prepend_sys_path]
    folders.append(find_package_parent(directory, top))
    if (directory / "src").is_dir():
        folders.append(directory / "src")
    packages: list[Path] = []
    if entry_file is not None:
        for name in sorted(list_imported_names(entry_file)):
            if not any(contains_module(folder, name) for folder in (*folders, *packages)):
                for folder in _find_module_folder(name, entry_file, top):
                    (packages if (folder / "__init__.py").is_file() else folders).append(folder)
    front = dict.fromkeys(map(str, folders))
    return ImportPath(
        tuple(front), tuple(name for name in dict.fromkeys(map(str, packages)) if name not in front)
    )


def _find_module_folder(name: str, entry_file: Path, top: Path) -> list[Path]:
    """The nearest folder that holds the module; none if it is not in the repository."""
    for folder in _list_folders_around(entry_file, top):
        if contains_module(folder, name):
            return [folder]
    return []


def _list_folders_around(file: Path, top: Path) -> Iterator[Path]:
    """The folders above a file, upwards, each with its src; then those beside them."""
    parents = list(file.parents)
    parents = parents[: parents.index(top) + 1] if top in parents else parents[:3]
    for folder in parents:
        yield folder
        yield folder / "src"
    for folder in parents[1:]:
        for sibling in list_subfolders(folder):
            yield sibling
            yield sibling / "src"
