"""What the kernel knows about a process that waits for our answer: its memory, descriptors and folders.

All of it is read once. What is read may be out of date a moment later, because other threads of the process
run on: so the caller acts on its own copy, and never has the kernel read it again.
"""

from __future__ import annotations

import _socket
import ctypes
import errno
import os
import struct

from migration_gate.sandbox.filter_program import AF_NETLINK, AF_UNIX
from migration_gate.sandbox.system_calls import SYSTEM_CALLS

ADDRESS_SIZE = 128
"""bytes of the longest address that the kernel takes (struct sockaddr_storage)"""
PIDFD_THREAD = os.O_EXCL
"""for pidfd_open(): the thread, which may have descriptors of its own (since 6.9)"""
NETLINK_ROUTE = 0
CONNECTED = "03"
"""state of a Unix socket in /proc/net/unix"""
DESCRIPTOR_FOLDERS = ("/proc/self/", "/proc/thread-self/", "/dev/fd/")
"""starts of paths that mean another thing in each process"""


def can_copy_descriptors() -> bool:
    """Whether pidfd_getfd() works here. Not before Linux 5.6, nor with Docker's filter of system calls."""
    try:
        os.close(_copy_descriptor(_open_process(os.getpid(), 0), 0))
    except OSError as error:
        return error.errno == errno.EBADF  # no standard input
    return True


class CallingProcess:
    """A thread of a sandboxed process; `thread` is its id. The methods raise OSError."""

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self._folder = f"/proc/{thread}"

    def read_address(self, pointer: int, size: int) -> bytes:
        """The struct sockaddr at this place of its memory."""
        if not 0 <= size <= ADDRESS_SIZE:
            raise OSError(errno.EINVAL, "no size of an address")
        memory = os.open(f"{self._folder}/mem", os.O_RDONLY)
        try:
            data = os.pread(memory, size, pointer)
        finally:
            os.close(memory)
        if len(data) < size:
            raise OSError(errno.EFAULT, "the address ends outside of the memory")
        return data

    def read_status(self) -> dict[str, str]:
        """The lines of its status file, by name."""
        with open(f"{self._folder}/status", encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
            return dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)

    def read_umask(self) -> int:
        """Which permissions its new files do not get."""
        return int(self.read_status()["Umask"], 8)

    def require_same_root(self) -> None:
        """Refuse a process that has changed its root: the paths that it names are others for us."""
        own, its = os.stat("/"), os.stat(f"{self._folder}/root")  # noqa: PTH116
        if (own.st_dev, own.st_ino) != (its.st_dev, its.st_ino):
            raise OSError(errno.EACCES, "another root folder")

    def enter_folder(self) -> None:
        """Make its working directory ours."""
        os.chdir(f"{self._folder}/cwd")

    def open_file(self, path: str) -> int:
        """A descriptor (O_PATH) of the file that the path means for this process. Links are followed."""
        self.require_same_root()
        folder = os.open(f"{self._folder}/cwd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return os.open(self._translate_path(path), os.O_PATH | os.O_CLOEXEC, dir_fd=folder)
        finally:
            os.close(folder)

    def _translate_path(self, path: str) -> str:
        if path.startswith("/dev/fd/"):
            return f"{self._folder}/fd/{path.removeprefix('/dev/fd/')}"
        for start in DESCRIPTOR_FOLDERS:
            if path.startswith(start):
                return f"{self._folder}/{path.removeprefix(start)}"
        return path

    def copy_socket(self, descriptor: int) -> _socket.socket:
        """A second descriptor of its socket: what is done to one is done to both."""
        try:
            process = _open_process(self.thread, PIDFD_THREAD)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            process = _open_process(int(self.read_status()["Tgid"]), 0)
        copy = _copy_descriptor(process, descriptor)
        try:
            return _socket.socket(fileno=copy)
        except OSError:  # no socket
            os.close(copy)
            raise

    def make_equal_socket(self, descriptor: int) -> _socket.socket:
        """A new socket of the same type as its unused socket. Options of the socket are not taken over."""
        inode = self._read_socket_inode(descriptor)
        entry = find_unix_socket(self.thread, inode)
        if entry is None:
            return _socket.socket(AF_NETLINK, _socket.SOCK_RAW, NETLINK_ROUTE)
        if entry.state == CONNECTED:
            raise OSError(errno.EISCONN, "connected")
        if entry.is_named:
            raise OSError(errno.EINVAL, "bound")
        copy = _socket.socket(AF_UNIX, entry.socket_type)
        os.set_blocking(copy.fileno(), not self.read_descriptor_flags(descriptor) & os.O_NONBLOCK)
        return copy

    def _read_socket_inode(self, descriptor: int) -> str:
        try:
            link = os.readlink(f"{self._folder}/fd/{descriptor}")  # noqa: PTH115
        except FileNotFoundError:
            raise OSError(errno.EBADF, "no such descriptor") from None
        if not link.startswith("socket:["):
            raise OSError(errno.ENOTSOCK, "no socket")
        return link[len("socket:[") : -1]

    def read_descriptor_flags(self, descriptor: int) -> int:
        """O_NONBLOCK and O_CLOEXEC, where the descriptor has them."""
        with open(f"{self._folder}/fdinfo/{descriptor}", encoding="utf-8") as stream:  # noqa: PTH123
            lines = dict(line.split(":", 1) for line in stream if ":" in line)
        return int(lines["flags"], 8)


class UnixSocketEntry:
    """A line of /proc/net/unix."""

    def __init__(self, fields: list[str]) -> None:
        self.socket_type = int(fields[4], 16)
        self.state = fields[5]
        self.is_named = len(fields) > 7


def find_unix_socket(thread: int, inode: str) -> UnixSocketEntry | None:
    """The Unix socket of this inode (of the socket, not of its file), None if there is none."""
    with open(f"/proc/{thread}/net/unix", encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
        for line in stream:
            fields = line.split()
            if len(fields) > 6 and fields[6] == inode:
                return UnixSocketEntry(fields)
    return None


def _open_process(process: int, flags: int) -> int:
    return _call("pidfd_open", process, flags)


def _copy_descriptor(process: int, descriptor: int) -> int:
    """pidfd_getfd(2); closes the descriptor `process`, too."""
    try:
        return _call("pidfd_getfd", process, descriptor, 0)
    finally:
        os.close(process)


def _call(name: str, *arguments: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(SYSTEM_CALLS[os.uname().machine][name], *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def encode_path(path: str) -> bytes:
    """The struct sockaddr_un of a path."""
    return struct.pack("=H", AF_UNIX) + os.fsencode(path) + b"\0"
