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
    digest = hashlib.blake2b(digest_size=32)
    for path in _list_files(folder):
        digest.update(
            f"{path.relative_to(folder)}\0{path.lstat().st_size}\0".encode("utf-8", "surrogateescape")
        )
        for position, block in _read_data(path):
            digest.update(position.to_bytes(8, "big"))
            digest.update(block)
    return digest.hexdigest()


def open_plain_file(path: Path) -> FileIO:
    """Open a file of a checkpoint. Raises OSError, also of what is none: a pipe would be waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    file = open(descriptor, "rb", buffering=0)  # noqa: PTH123, SIM115 - the caller closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "no plain file", str(path))


def _list_files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in folders:
            yield Path(parent, name)
        for name in sorted(names):
            yield Path(parent, name)


def _read_data(path: Path) -> Iterator[tuple[int, bytes]]:
    """The blocks that are not zero, with their positions; nothing of a folder."""
    if path.is_dir() and not path.is_symlink():
        return
    with open_plain_file(path) as file:
        position = 0
        while block := file.read(BLOCK_BYTES):
            if block != _ZEROS[: len(block)]:
                yield position, block
            position += len(block)


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
