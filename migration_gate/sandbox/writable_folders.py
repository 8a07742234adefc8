"""Where the project's code may write: its checkout, folders for temporary files, and the run's own folder.

Not there: what later runs take from the gate's cache folders; and on a CI what later steps trust in `.git`.
The kernel knows no exceptions: a folder with a cache in it is named by its other entries, so that nothing new
can be made at its top.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

REPOSITORY_FOLDER = ".migration-gate-cache"
"""a cache folder of the gate at the top of a checkout"""
TEMPORARY_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 -- for programs that name them


def list_writable_folders(
    checkout: Path, folder: Path, caches: Sequence[Path], temporary_caches: Sequence[Path] = ()
) -> list[str]:
    """The files and folders that may be written to, as real paths.

    checkout: the top folder of the repository. folder: the run's own. caches: the gate's cache folders.
    temporary_caches: those of them that have to be left out of the folders for temporary files.

    Where a part of the checkout, or of a folder for temporary files, is left out, nothing new can be made at
    its top.
    """
    top = checkout.resolve()
    protected = {cache.resolve() for cache in caches}
    if os.environ.get("CI") or _is_any_below(protected, top):
        protected.add(top / ".git")
    return [
        *list_temporary_folders(temporary_caches),
        str(folder.resolve()),
        *map(str, _leave_out(protected, top)),
    ]


def list_temporary_folders(caches: Collection[Path] = ()) -> list[str]:
    """Those of this process, and the usual ones, as real paths; without these cache folders."""
    protected = {cache.resolve() for cache in caches}
    return [str(path) for folder in _find_temporary_folders() for path in _leave_out(protected, folder)]


def make_temporary_caches(caches: Collection[Path]) -> list[Path]:
    """The cache folders that lie in folders for temporary files; they are made if they do not exist.

    Who is kept out of a folder could else make it first, and put into it what a later run takes.
    """
    folders = _find_temporary_folders()
    temporary = [cache for cache in caches if any(cache.resolve().is_relative_to(path) for path in folders)]
    for cache in temporary:
        with suppress(OSError):  # where this user can make none, the project's code cannot either
            cache.mkdir(parents=True, exist_ok=True)
    return [cache for cache in temporary if cache.is_dir()]


def name_temporary_cache() -> Path:
    """The cache folder of a user who has no other."""
    return Path(tempfile.gettempdir()) / f"migration-gate-{os.geteuid()}"


def _find_temporary_folders() -> list[Path]:
    names = dict.fromkeys(map(os.path.realpath, (tempfile.gettempdir(), *TEMPORARY_FOLDERS)))
    return [Path(name) for name in names if Path(name).is_dir()]


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
