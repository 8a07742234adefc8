"""Who may be connected to: the server of this run, and what the caged command made itself."""

from __future__ import annotations

import _socket
import _thread
import ctypes
import errno
import os
import platform
import select
import signal
import struct

from migration_gate.sandbox.options import SandboxOptions
from migration_gate.sandbox.seccomp import allow_unix_sockets_only, prctl

AF_UNIX = 1
BIND = {"x86_64": 49, "aarch64": 200}
PR_SET_DUMPABLE = 4
RECEIVE, SEND, CONTINUE = 0xC0502100, 0xC0182101, 1
QUESTION = 256
"""bytes that hold a struct seccomp_notif (80), with room for what kernels add"""
ADDRESS = 110
"""bytes of a struct sockaddr_un"""
SET_IDS = {"x86_64": (119, 117), "aarch64": (149, 147)}
"""numbers of setresgid and setresuid (Linux UAPI headers)"""
USUAL = ("/run/postgresql", "/var/run/postgresql", "/tmp")  # noqa: S108  (looked into, not written)


class Door:
    """Answers the kernel's questions: may this process connect to that Unix socket?"""

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
        self._ours = _file(options.allowed_socket)
        self._made: set[str | bytes] = set()
        """paths and abstract names that caged processes gave to sockets of theirs"""
        self.blind = False
        """we are not let to see what is asked for"""
        self.open = _thread.allocate_lock()
        self.open.acquire()

    def others(self) -> list[str]:
        """Sockets of other Postgres servers in the usual places."""
        names = [(f, os.listdir(f)) for f in USUAL if os.path.isdir(f)]  # noqa: PTH208, PTH112
        seen = [
            f"{folder}/{name}" for folder, found in names for name in found if name.startswith(".s.PGSQL.")
        ]
        return sorted(p for p in seen if not p.endswith(".lock") and _file(p) not in (None, self._server()))

    def keep(self, child: _socket.socket) -> bool:
        """In the parent: whether we are asked, and see what is asked for, from now on."""
        _, handed, _, _ = child.recvmsg(1, _socket.CMSG_SPACE(4))
        if handed:
            _thread.start_new_thread(self.serve, (struct.unpack("i", handed[0][2][:4])[0],))
            self.open.acquire(timeout=1.0)
        child.close()
        return bool(handed) and not self.blind

    def serve(self, listener: int) -> None:
        """Answer until the last caged process has ended; with the command's rights, not ours."""
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        libc = ctypes.CDLL(None, use_errno=True)
        uid, gid = self._options.uid, self._options.gid
        if uid is not None:  # of this thread alone: the C library would change them all
            setresgid, setresuid = SET_IDS[platform.machine()]
            libc.syscall(setresgid, gid, gid, gid)
            libc.syscall(setresuid, uid, uid, uid)
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while not any(event & select.POLLHUP for _, event in poll.poll()):
            question = ctypes.create_string_buffer(QUESTION)
            if libc.ioctl(listener, RECEIVE, question) != 0:
                continue  # the process that asked has gone
            number, pid, _, call = struct.unpack_from("=QIIi", question)
            _, address, length = struct.unpack_from("=QQQ", question, 32)
            wanted = self._read(pid, address, min(length & 0xFFFFFFFF, ADDRESS))
            try:
                error = self._answer(pid, wanted, call == BIND[platform.machine()])
            except (OSError, ValueError):  # no reason to leave the process without an answer
                error = errno.EACCES
            libc.ioctl(listener, SEND, struct.pack("=QqiI", number, 0, -error, 0 if error else CONTINUE))
            if self.open.locked():
                self.open.release()
        os.close(listener)

    def _read(self, pid: int, address: int, length: int) -> bytes | None:
        """The socket address that a process handed over, or None."""
        try:
            memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
            try:
                return os.pread(memory, length, address)
            finally:
                os.close(memory)
        except OSError:
            self.blind = self.blind or self.open.locked()
            return None

    def _answer(self, pid: int, wanted: bytes | None, binds: bool) -> int:
        """0, or the error that the call is to give."""
        if wanted is None:
            return 0 if self.blind else errno.EACCES
        if len(wanted) < 3 or struct.unpack_from("=H", wanted) != (AF_UNIX,):
            return 0
        path = os.fsdecode(wanted[2:].split(b"\0")[0])
        name: str | bytes = wanted[2:]
        if path:
            if path.startswith(("/proc/", "/dev/fd/")):  # may mean another process here
                return errno.EACCES
            folder, file = os.path.split(path if path.startswith("/") else f"/proc/{pid}/cwd/{path}")
            name = os.path.realpath(folder) + "/" + file
        if binds:
            self._made.add(name)
        if name in self._made:
            return 0
        return self._permit(str(name)) if path else errno.EACCES

    def _permit(self, path: str) -> int:
        """0 where it is the server of this run."""
        try:
            return 0 if _stat(path) == self._server() else errno.EACCES
        except OSError as error:
            return error.errno or errno.EACCES

    def _server(self) -> tuple[int, int] | None:
        """The socket of this run; the file that names it is written when the server has started."""
        named = self._options.allowed_socket_file
        if self._ours is None and named:
            try:
                with open(named, encoding="utf-8") as stream:  # noqa: PTH123
                    self._ours = _file(stream.read())
            except OSError:
                return None
        return self._ours


def enter(parent: _socket.socket) -> None:
    """In the child: set the filter, and hand the questions that it asks to the parent. Raises OSError."""
    listener = allow_unix_sockets_only(ask=True)
    if listener >= 0:
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # the parent reads in our memory what we ask for
        parent.sendmsg([b"."], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", listener))])
        os.close(listener)
        _socket.socket(_socket.AF_UNIX).connect_ex("/nowhere")  # the first question, while none matters
    parent.close()


def _stat(path: str) -> tuple[int, int]:
    """What it is, whatever it is called."""
    found = os.stat(path)  # noqa: PTH116
    return found.st_dev, found.st_ino


def _file(path: str) -> tuple[int, int] | None:
    """The same, or None where there is nothing."""
    try:
        return _stat(path)
    except (OSError, ValueError):
        return None
