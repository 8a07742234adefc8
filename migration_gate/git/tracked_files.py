"""Which files a repository tracks, and the tree of a revision."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from migration_gate.errors import RepositoryUnreadable
from migration_gate.git.git_command import archive_revision, find_repository_root, run_git

_NOT_SOURCES = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", "site-packages", ".tox", ".nox", ".venv", "venv"}
    | {".mypy_cache", ".ruff_cache", ".pytest_cache", ".eggs", ".terraform", ".idea", ".cache"}
)
"""folders of tools, which are not read where git cannot say what is tracked"""


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


def export_revision(folder: Path, revision: str, target: Path) -> None:
    """Write the tree of a git revision into an existing empty folder. Raises RepositoryUnreadable."""
    import io  # noqa: PLC0415 - only for `start_from.create_all`
    import tarfile  # noqa: PLC0415

    top = find_repository_root(folder)
    archive, failure = archive_revision(top, revision)
    if failure is not None and not failure.is_git_error:
        raise RepositoryUnreadable(f"git could not be run: {failure.failure}", advice="Install git.")
    if failure is not None:
        raise RepositoryUnreadable(
            f"git has no revision {revision} here: {failure.failure}",
            advice="In a shallow clone it may be missing: fetch the whole history (`fetch-depth: 0`).",
        )
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(target, filter="data")


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
