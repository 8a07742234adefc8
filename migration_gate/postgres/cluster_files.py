"""Copies the files of a cluster, private to one account, and without what need not be stored of them.

Standard library only, because the supervisor copies: in the gate's own process every system call would wait
for the thread that loads the gate's code.
"""

from __future__ import annotations

import errno
import os
import shutil

DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT)
FILE_MODE = 0o600
FOLDER_MODE = 0o700
BLOCK_BYTES = 1 << 16
"""that are left out where all of them are zero: most of the first WAL segment is"""


def copy_cluster(source: str, target: str, uid: int | None = None, gid: int | None = None) -> None:
    """Copy files and folders, private to the account; None: to this process's own. Raises OSError."""
    os.mkdir(target, FOLDER_MODE)  # noqa: PTH102  (pathlib doubles the time of small files)
    _give_away(target, uid, gid)
    with os.scandir(source) as entries:
        for entry in entries:
            path = f"{target}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                copy_cluster(entry.path, path, uid, gid)
            elif _has_holes(entry.stat(follow_symlinks=False)):
                _copy_data(entry.path, path)
                _give_away(path, uid, gid)
            else:
                shutil.copyfile(entry.path, path, follow_symlinks=False)
                os.chmod(path, FILE_MODE)  # noqa: PTH101
                _give_away(path, uid, gid)


def leave_out_zeros(folder: str) -> None:
    """Write the large files of a cluster anew, with holes where they are zero. Raises OSError."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = f"{parent}/{name}"
            if os.lstat(path).st_size > BLOCK_BYTES:
                _leave_out_zeros(path)


def measure_folder(folder: str) -> tuple[int, int]:
    """The number of files in it, and the sum of their sizes in bytes."""
    files = size = 0
    for parent, _, names in os.walk(folder):
        files += len(names)
        size += sum(os.lstat(f"{parent}/{name}").st_size for name in names)
    return files, size


def _give_away(path: str, uid: int | None, gid: int | None) -> None:
    if uid is not None and gid is not None:
        os.chown(path, uid, gid)


def _has_holes(status: os.stat_result) -> bool:
    """Whether much of the file is not stored; `st_blocks` counts 512 bytes each."""
    return hasattr(os, "SEEK_DATA") and status.st_blocks * 512 + BLOCK_BYTES < status.st_size


def _copy_data(source: str, target: str) -> None:
    """Copy a file and leave its holes."""
    with open(source, "rb") as original, open(target, "xb") as copy:  # noqa: PTH123
        os.fchmod(copy.fileno(), FILE_MODE)
        end = os.fstat(original.fileno()).st_size
        position = _seek(original.fileno(), 0, os.SEEK_DATA, end)
        while position < end:
            hole = _seek(original.fileno(), position, os.SEEK_HOLE, end)
            original.seek(position)
            copy.seek(position)
            copy.write(original.read(hole - position))
            position = _seek(original.fileno(), hole, os.SEEK_DATA, end)
        copy.truncate(end)


def _seek(file: int, position: int, kind: int, end: int) -> int:
    """Where the next data or the next hole begins; `end` if there is none."""
    try:
        return os.lseek(file, position, kind)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return end


def _leave_out_zeros(path: str) -> None:
    new_path = f"{path}.new"
    zeros = bytes(BLOCK_BYTES)
    with open(path, "rb") as original, open(new_path, "xb") as copy:  # noqa: PTH123
        os.fchmod(copy.fileno(), FILE_MODE)
        while block := original.read(BLOCK_BYTES):
            if block == zeros:
                copy.seek(len(block), os.SEEK_CUR)
            else:
                copy.write(block)
        copy.truncate(os.fstat(original.fileno()).st_size)
    os.replace(new_path, path)  # noqa: PTH105
