"""The folders that must be on the project's import path, from what its files import."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from migration_gate.project.search import list_subfolders


def list_imported_names(file: Path) -> set[str]:
    """The top names that a file imports absolutely, without the standard library's; none from broken code."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
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
    directory: Path, prepend: Sequence[str], importer: Path | None, top: Path
) -> tuple[str, ...]:
    """The folders to put before the interpreter's own, nearest first.

    `prepend` is the ini's prepend_sys_path, `importer` is env.py or the hook, `top` the repository's folder.
    """
    found = [(directory / entry).resolve() for entry in prepend]
    found.append(find_package_parent(directory, top))
    if (directory / "src").is_dir():
        found.append(directory / "src")
    for name in sorted(list_imported_names(importer)) if importer else ():
        if not any(contains_module(folder, name) for folder in found):
            found += [folder for folder in _around(importer, top) if contains_module(folder, name)][:1]
    return tuple(dict.fromkeys(str(folder) for folder in found))


def _around(importer: Path | None, top: Path) -> Iterator[Path]:
    """The folders around env.py, upwards, each with its src; then those beside the way up."""
    parents = list(importer.parents) if importer else []
    parents = parents[: parents.index(top) + 1] if top in parents else parents[:3]
    for folder in parents:
        yield from (folder, folder / "src")
    for folder in parents[1:]:
        for beside in list_subfolders(folder):
            yield from (beside, beside / "src")
