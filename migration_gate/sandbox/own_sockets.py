"""Which sockets the sandboxed processes have made themselves, and may therefore connect to.

A socket is known by its file's device and inode, whatever its names.
"""

from __future__ import annotations

import _socket
import ctypes
import os
import stat
import struct
import time

from migration_gate.sandbox.calling_process import find_unix_socket
from migration_gate.sandbox.system_calls import SYSTEM_CALLS

COARSE_CLOCK = 5
"""CLOCK_REALTIME_COARSE: the clock of the times in a file system"""
STATX_BASIC_AND_BIRTH = 0xFFF
STATX_BIRTH = 0x800
AT_EMPTY_PATH = 0x1000
STATX_SIZE = 256
BIRTH_OFFSET = 80
"""of the field stx_btime in struct statx"""
KEPT_FILES = 64
"""files of sockets that are kept open before those that have no name any more are looked for"""
NANOSECONDS = 1_000_000_000

FileIdentity = tuple[int, int]
"""device and inode: the same for every name of a file"""


class OwnSockets:
    """The files and the abstract names that were bound."""

    def __init__(self) -> None:
        self._files: dict[FileIdentity, int] = {}
        """a descriptor of each: while it is open, no other file can get its inode"""
        self._names: dict[tuple[int, bytes], str] = {}
        """by type and abstract name: the inode of the socket (which is no inode of a file)"""

    def owns_file(self, identity: FileIdentity) -> bool:
        """Whether the file is that of a socket which was bound."""
        return identity in self._files

    def owns_name(self, thread: int, socket_type: int, name: bytes) -> bool:
        """Whether the socket that bound the abstract name still exists: then nobody else has the name."""
        inode = self._names.get((socket_type, name))
        return inode is not None and find_unix_socket(thread, inode) is not None

    def remember(self, bound: _socket.socket, path: str | None, since: int) -> None:
        """Remember a socket that has just been bound.

        path: that of its file, which has come into being at `since` (nanoseconds, `read_clock()`) or later.
            Somebody may have put another file in its place already: a link to the socket of another server,
            or that socket itself under a new name. Such a file is older than the call, whatever its names,
            and the time of its birth cannot be set. So only a younger file is remembered. If the file
            system does not know the birth, the last change counts, of a file with a single name.
            None for an abstract name.
        """
        if path is None:
            name = bound.getsockname()
            if isinstance(name, bytes):
                self._names[bound.type, name] = str(os.fstat(bound.fileno()).st_ino)
            return
        self._forget_removed_files()
        file = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        status = os.fstat(file)
        identity = (status.st_dev, status.st_ino)
        if identity in self._files or not _is_new_socket(file, status, since):
            os.close(file)
            return
        self._files[identity] = file

    def _forget_removed_files(self) -> None:
        if len(self._files) < KEPT_FILES:
            return
        for identity, file in list(self._files.items()):
            if os.fstat(file).st_nlink == 0:
                os.close(self._files.pop(identity))


def read_clock() -> int:
    """The time that a file gets which is made now, in nanoseconds."""
    return time.clock_gettime_ns(COARSE_CLOCK)


def _is_new_socket(file: int, status: os.stat_result, since: int) -> bool:
    """Whether it is a socket of our account, made at `since` or later."""
    if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid():
        return False
    birth = read_birth(file)
    if birth is None:
        return status.st_nlink == 1 and status.st_ctime_ns >= since
    return birth >= since


def read_birth(file: int) -> int | None:
    """When the file was made, in nanoseconds; None if its file system does not know."""
    libc = ctypes.CDLL(None, use_errno=True)
    space = ctypes.create_string_buffer(STATX_SIZE)
    number = SYSTEM_CALLS[os.uname().machine]["statx"]
    if libc.syscall(number, file, b"", AT_EMPTY_PATH, STATX_BASIC_AND_BIRTH, space) != 0:
        return None
    (mask,) = struct.unpack_from("=I", space)
    if not mask & STATX_BIRTH:
        return None
    seconds, nanoseconds = struct.unpack_from("=qI", space, BIRTH_OFFSET)
    birth: int = seconds * NANOSECONDS + nanoseconds
    return birth


def identify_file(path: str) -> FileIdentity:
    """Device and inode of the file at this path. Raises OSError."""
    status = os.stat(path)  # noqa: PTH116
    return status.st_dev, status.st_ino


def find_file(path: str) -> FileIdentity | None:
    """As `identify_file`; None if there is no file."""
    try:
        return identify_file(path)
    except (OSError, ValueError):
        return None


def keep_file(path: str, identity: FileIdentity | None) -> FileIdentity | None:
    """The identity, if it is that of the file at the path; None otherwise.

    The file stays open from then on: should somebody remove it, no other file can get its inode, and be taken
    for it.
    """
    try:
        file = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    status = os.fstat(file)
    if (status.st_dev, status.st_ino) == identity:
        return identity
    os.close(file)
    return None
