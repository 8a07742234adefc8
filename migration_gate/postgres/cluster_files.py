"""Copies the files of a cluster, private to one account, and without what need not be stored of them.

Standard library only, because the supervisor copies: in the gate's own process every system call would wait
for the thread that loads the gate's code.
"""

from __future__ import annotations

import errno
import os
import stat

DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT)
FILE_MODE = 0o600
FOLDER_MODE = 0o700
BLOCK_BYTES = 1 << 16
"""that are left out where all of them are zero: most of the first WAL segment is"""
READ_BYTES = 1 << 20
"""at a time"""


def copy_cluster(source: str, target: str, uid: int | None = None, gid: int | None = None) -> tuple[int, int]:
    """Copy files and folders, private to the account; None: to this process's own. Raises OSError.

    The number of files, and the sum of their sizes in bytes, as `measure_folder` would find them.
    """
    os.mkdir(target, FOLDER_MODE)  # noqa: PTH102  (pathlib doubles the time of small files)
    if uid is not None and gid is not None:
        os.chown(target, uid, gid)
    files = size = 0
    with os.scandir(source) as entries:
        for entry in entries:
            path = f"{target}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                more_files, more_bytes = copy_cluster(entry.path, path, uid, gid)
                files += more_files
                size += more_bytes
            else:
                files += 1
                size += _copy_file(entry.path, path, uid, gid)
    return files, size


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


def _copy_file(source: str, target: str, uid: int | None, gid: int | None) -> int:
    """Copy one file, with as few calls of the system as there can be: a cluster has a thousand. Its size.

    What is no plain file is refused, and not waited for.
    """
    original = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(original)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is no plain file", source)
        copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        try:
            if uid is not None and gid is not None:
                os.fchown(copy, uid, gid)
            if _has_holes(status):
                _copy_data(original, copy, status.st_size)
            elif status.st_size:
                _copy_range(original, copy, status.st_size)
        finally:
            os.close(copy)
    finally:
        os.close(original)
    return status.st_size


def _copy_range(original: int, copy: int, length: int) -> None:
    """Copy so much from where both files stand, or up to the end."""
    while length and (data := os.read(original, min(length, READ_BYTES))):
        length -= len(data)
        while data:
            data = data[os.write(copy, data) :]


def _has_holes(status: os.stat_result) -> bool:
    """Whether much of the file is not stored; `st_blocks` counts 512 bytes each."""
    return hasattr(os, "SEEK_DATA") and status.st_blocks * 512 + BLOCK_BYTES < status.st_size


def _copy_data(original: int, copy: int, end: int) -> None:
    """Copy a file and leave its holes."""
    position = _seek(original, 0, os.SEEK_DATA, end)
    while position < end:
        hole = _seek(original, position, os.SEEK_HOLE, end)
        os.lseek(original, position, os.SEEK_SET)
        os.lseek(copy, position, os.SEEK_SET)
        _copy_range(original, copy, hole - position)
        position = _seek(original, hole, os.SEEK_DATA, end)
    os.ftruncate(copy, end)


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
