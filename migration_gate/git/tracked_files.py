"""Which files a repository tracks."""

from __future__ import annotations

import os
from pathlib import Path

from migration_gate.git.git_command import find_repository_root, run_git
from migration_gate.git.tree_export import read_exported_paths
from migration_gate.lazy_dataclass import dataclass

_NOT_SOURCES = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", "site-packages", ".tox", ".nox", ".venv", "venv"}
    | {".mypy_cache", ".ruff_cache", ".pytest_cache", ".eggs", ".terraform", ".idea", ".cache"}
)
"""folders of tools, which are not read where git cannot say what is tracked"""

_LINK_MODE = "120000 "


@dataclass(frozen=True, slots=True)
class TrackedFiles:
    """The tracked files under a folder."""

    top: Path
    """the repository's top folder; the folder itself if there is no repository"""
    paths: tuple[str, ...]
    """relative to the folder that was listed, sorted"""
    notes: tuple[str, ...] = ()
    failure: str | None = None
    """why git could not tell, and all files of the folder are listed"""


def list_tracked_files(folder: Path) -> TrackedFiles:
    """The tracked files under `folder`; all its files, with a note, where git cannot tell."""
    repository_root = find_repository_root(folder)
    exported = read_exported_paths(repository_root)
    if exported is not None:
        prefix = "".join(f"{part}/" for part in folder.resolve().relative_to(repository_root).parts)
        inside = (path.removeprefix(prefix) for path in exported if path.startswith(prefix))
        return TrackedFiles(repository_root, tuple(inside))
    top = run_git(folder, "rev-parse", "--show-toplevel")
    failure = top.failure
    if failure is None:
        names = run_git(folder, "ls-files", "-z")
        paths = tuple(sorted({name for name in names.text.split("\0") if name}))
        if paths:
            return TrackedFiles(Path(top.text.removesuffix("\n")), paths)
        failure = names.failure or "git tracks no file here"
    note = f"{failure}: every file under {folder} was read as if tracked"
    return TrackedFiles(folder, _walk_folder(folder), (note,), failure)


def list_tracked_links(folder: Path) -> tuple[Path, ...]:
    """The symbolic links that git tracks in the repository of `folder`; none where git cannot tell."""
    top = find_repository_root(folder)
    entries = run_git(top, "ls-files", "--stage", "-z")
    if entries.failure is not None:
        return ()
    links = (entry.partition("\t")[2] for entry in entries.text.split("\0") if entry.startswith(_LINK_MODE))
    return tuple(top / name for name in links)


def _walk_folder(folder: Path) -> tuple[str, ...]:
    """Every file below `folder` but those of caches, virtual environments and packages."""
    paths: list[str] = []
    for current, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name not in _NOT_SOURCES)
        prefix = os.path.relpath(current, folder)
        paths += files if prefix == "." else [os.path.join(prefix, name) for name in files]  # noqa: PTH118
    return tuple(sorted(paths))
