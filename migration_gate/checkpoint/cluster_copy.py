"""Copies the files of a server that runs and is at rest; a server that is started from the copy recovers.

The server's account owns those files, and the project's code had that account's rights: what is no plain file
or folder is refused, and no link is followed on the way.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from migration_gate.postgres.cluster_files import BLOCK_BYTES, FILE_MODE, FOLDER_MODE

LEFT_OUT = frozenset({"postmaster.pid", "postmaster.opts", "pg_internal.init"})
"""of a server that runs"""
WAL_FOLDER = "pg_wal"
EMPTIED_FOLDERS = frozenset(
    {"pg_stat_tmp", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots"}
)
MAX_BYTES = 1 << 30
"""of a cluster that is kept: 1 GB"""
_ZEROS = bytes(BLOCK_BYTES)


class ClusterRefused(Exception):
    """The cluster cannot be kept; the text is a clause that says why."""


def copy_running_cluster(source: Path, target: Path, wal_files: tuple[str, str]) -> None:
    """Copy the files, without what is zero in them. Raises ClusterRefused or OSError.

    wal_files: names of the first and the last segment of the write-ahead log that a start needs.
    """
    size = 0
    for folder, _, names, descriptor in os.fwalk(source, follow_symlinks=False):
        relative = os.path.relpath(folder, source)
        new_folder = target if relative == "." else target / relative
        new_folder.mkdir(mode=FOLDER_MODE)
        for name in sorted(names):
            if _is_needed(relative, name, wal_files):
                size += _copy_file(descriptor, name, new_folder / name)
                if size > MAX_BYTES:
                    raise ClusterRefused(f"the databases have more than {MAX_BYTES >> 20} MB")


def compute_folder_digest(folder: Path) -> str:
    """Of the names, sizes and contents of all files below. Raises OSError."""
    digest = hashlib.sha256()  # processors have instructions for it: three times as fast as BLAKE2 on them
    top = os.fspath(folder)
    for path, is_folder in _list_files(top):
        digest.update(os.fsencode(path[len(top) :]))
        if is_folder:
            digest.update(b"/\0")
        else:
            _add_file(digest, path)
    return digest.hexdigest()


def _add_file(digest: hashlib._Hash, path: str) -> None:
    """Blocks that are not zero, with their positions: they are the same wherever a copy has its holes."""
    descriptor = open_plain_descriptor(path)
    try:
        digest.update(b"\0%d\0" % os.fstat(descriptor).st_size)
        position = 0
        while block := os.read(descriptor, BLOCK_BYTES):
            if block[0] or block != _ZEROS[: len(block)]:
                digest.update(position.to_bytes(8, "big"))
                digest.update(block)
            position += len(block)
    finally:
        os.close(descriptor)


def open_plain_file(path: Path) -> FileIO:
    """Open a file of a checkpoint. Raises OSError, also of what is none: a pipe would be waited for."""
    return open(open_plain_descriptor(path), "rb", buffering=0)


def open_plain_descriptor(path: str | Path) -> int:
    """The same as a descriptor."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "no plain file", str(path))


def _list_files(folder: str) -> Iterator[tuple[str, bool]]:
    """All files below, and the folders, which are said to be some. pathlib would double the time."""
    with os.scandir(folder) as entries:
        found = sorted((entry.name, entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries)
    for _, path, is_folder in found:
        yield path, is_folder
        if is_folder:
            yield from _list_files(path)


def _is_needed(folder: str, name: str, wal_files: tuple[str, str]) -> bool:
    if folder == WAL_FOLDER:
        return wal_files[0] <= name <= wal_files[1]
    return name not in LEFT_OUT and folder.partition(os.sep)[0] not in EMPTIED_FOLDERS


def _copy_file(folder: int, name: str, target: Path) -> int:
    """Copy a file of an open folder; its size in bytes."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with open(descriptor, "rb", buffering=0) as original:  # noqa: PTH123
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ClusterRefused("there is something else than files and folders in it")
        new_descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with open(new_descriptor, "wb", buffering=0) as copy:  # noqa: PTH123
            while block := original.read(BLOCK_BYTES):
                if len(block) == BLOCK_BYTES and block == _ZEROS:
                    copy.seek(BLOCK_BYTES, os.SEEK_CUR)
                elif copy.write(block) != len(block):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            copy.truncate(status.st_size)
    return status.st_size


def remove_folder(folder: Path) -> None:
    """Remove a folder, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
