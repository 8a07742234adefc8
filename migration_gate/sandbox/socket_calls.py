"""connect() and bind(), carried out for a process of the sandbox, with addresses that were looked at."""

from __future__ import annotations

import _socket
import _thread
import ctypes
import errno
import os
import stat
import struct
from collections.abc import Callable
from contextlib import suppress

from migration_gate.sandbox.calling_process import CallingProcess, encode_path
from migration_gate.sandbox.filter_program import AF_UNIX
from migration_gate.sandbox.own_sockets import FileIdentity, OwnSockets, read_clock

ABSTRACT = b"\0"
"""first byte of the name of a socket that has no file"""
PROCESS_PATHS = ("/proc/", "/dev/fd/")
"""starts of paths that may mean another thing here than in the process that asks"""
FAMILY_SIZE = 2
"""bytes of the family in an address"""


class SocketCalls:
    """The methods return 0 or the number of an error, or raise OSError."""

    def __init__(self, find_allowed_socket: Callable[[], FileIdentity | None]) -> None:
        """find_allowed_socket: the file of the socket that may be connected to besides the own ones."""
        self._find_allowed_socket = find_allowed_socket
        self._own_sockets = OwnSockets()
        self._folder_lock = _thread.allocate_lock()
        """for this process's working directory and umask"""
        self._libc = ctypes.CDLL(None, use_errno=True)

    def connect(self, caller: CallingProcess, opened: _socket.socket, address: bytes) -> int:
        """Connect to the run's server or a socket of the sandbox's own; EACCES for all others."""
        name = _read_name(address)
        if not name:  # of another family: for netlink, or for the kernel to refuse
            return self._call(self._libc.connect, opened, address)
        if name.startswith(ABSTRACT):
            if not self._own_sockets.owns_name(caller.thread, opened.type, name):
                return errno.EACCES
            return self._call(self._libc.connect, opened, address)
        file = caller.open_file(_decode_path(name))
        try:
            error = self._refuse_file(os.fstat(file))
            return error or self._call(self._libc.connect, opened, encode_path(f"/proc/self/fd/{file}"))
        finally:
            os.close(file)

    def _refuse_file(self, status: os.stat_result) -> int:
        if not stat.S_ISSOCK(status.st_mode):
            return errno.ECONNREFUSED  # as the kernel says
        identity = (status.st_dev, status.st_ino)
        if identity == self._find_allowed_socket() or self._own_sockets.owns_file(identity):
            return 0
        return errno.EACCES

    def bind(self, caller: CallingProcess, opened: _socket.socket, address: bytes) -> int:
        """Give the socket its name, as the process would do it, and remember what was made."""
        if _read_family(address) != AF_UNIX:
            return self._call(self._libc.bind, opened, address)
        name = _read_name(address)
        path = None if not name or name.startswith(ABSTRACT) else _decode_path(name)
        if path is not None:
            caller.require_same_root()
            if path.startswith(PROCESS_PATHS):
                return errno.EACCES
        umask = caller.read_umask()
        with self._folder_lock:
            return self._bind_in_folder(caller, opened, address, path, umask)

    def _bind_in_folder(
        self, caller: CallingProcess, opened: _socket.socket, address: bytes, path: str | None, umask: int
    ) -> int:
        """bind() with the working directory and the umask of the process."""
        if path is not None and not path.startswith("/"):
            caller.enter_folder()
        previous = os.umask(umask)
        since = read_clock()
        try:
            error = self._call(self._libc.bind, opened, address)
            if not error:
                with suppress(OSError):  # it is bound; its file may have been removed already
                    self._own_sockets.remember(opened, path, since)
            return error
        finally:
            os.umask(previous)
            os.chdir("/")

    def _call(self, function: Callable[..., int], opened: _socket.socket, address: bytes) -> int:
        return ctypes.get_errno() if function(opened.fileno(), address, len(address)) else 0


def _read_family(address: bytes) -> int:
    return int(struct.unpack_from("=H", address)[0]) if len(address) >= FAMILY_SIZE else 0


def _read_name(address: bytes) -> bytes:
    """What stands after the family in an address of the family Unix; nothing if it is of another."""
    return address[FAMILY_SIZE:] if _read_family(address) == AF_UNIX else b""


def _decode_path(name: bytes) -> str:
    return os.fsdecode(name.split(b"\0")[0])
