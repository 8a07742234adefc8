"""Where the project's code may write: its checkout, folders for temporary files, and the run's own folder.

Not there: what later runs take from the gate's cache folders; and on a CI what later steps trust in `.git`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

REPOSITORY_FOLDER = ".migration-gate-cache"
"""a cache folder of the gate at the top of a checkout"""
TEMPORARY_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 -- for programs that name them


def list_writable_folders(checkout: Path, folder: Path, caches: Sequence[Path]) -> list[str]:
    """The files and folders that may be written to, as real paths.

    checkout: the top folder of the repository. folder: the run's own. caches: the gate's cache folders.

    Where a part of the checkout is left out, nothing new can be made at its top.
    """
    top = checkout.resolve()
    protected = {cache.resolve() for cache in caches}
    if os.environ.get("CI") or _is_any_below(protected, top):
        protected.add(top / ".git")
    return [*list_temporary_folders(), str(folder.resolve()), *map(str, _leave_out(protected, top))]


def list_temporary_folders() -> list[str]:
    """Those of this process, and the usual ones, as real paths."""
    return [os.path.realpath(folder) for folder in (tempfile.gettempdir(), *TEMPORARY_FOLDERS)]


def _is_any_below(paths: Collection[Path], folder: Path) -> bool:
    return any(path.is_relative_to(folder) and path.exists() for path in paths)


def _leave_out(protected: Collection[Path], folder: Path) -> Iterator[Path]:
    """The folder; what lies in it where something in there is protected. Links are left out."""
    if folder in protected or folder.is_symlink():
        return
    if not _is_any_below(protected, folder):
        yield folder
        return
    for path in folder.iterdir():
        yield from _leave_out(protected, path)
