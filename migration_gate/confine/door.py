"""Who may be connected to: the server of this run, and what the caged command made itself."""

from __future__ import annotations

import _thread
import ctypes
import errno
import os
import platform
import signal
import stat
import struct
import time

AF_UNIX = 1
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

    def __init__(self, wanted: dict[str, object]) -> None:
        self._wanted = wanted
        self._since = time.time()
        self._ours = _file(str(wanted.get("socket", "")))
        self.paths, self._names = _bound()
        self._others = {_file(path) for path in self.paths} - {self._ours}
        self.blind = False  # not let to see what is asked for
        self.open = _thread.allocate_lock()
        self.open.acquire()

    def others(self) -> list[str]:
        """Sockets of other Postgres servers, as far as we can see."""
        seen = set(self.paths)
        for folder in USUAL:
            names = os.listdir(folder) if os.path.isdir(folder) else []  # noqa: PTH208, PTH112
            seen.update(f"{folder}/{name}" for name in names)
        found = {_file(path): path for path in seen if "/.s.PGSQL." in path}
        return sorted(path for file, path in found.items() if file not in (None, self._ours))

    def serve(self, listener: int) -> None:
        """Answer until the last caged process has ended; with the command's rights, not ours."""
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        libc = ctypes.CDLL(None, use_errno=True)
        if self._wanted.get("uid") is not None:  # of this thread alone: the C library would change them all
            uid, gid = int(str(self._wanted["uid"])), int(str(self._wanted["gid"]))
            setresgid, setresuid = SET_IDS[platform.machine()]
            libc.syscall(setresgid, gid, gid, gid)
            libc.syscall(setresuid, uid, uid, uid)
        while True:
            question = ctypes.create_string_buffer(QUESTION)
            if libc.ioctl(listener, RECEIVE, question) != 0:
                if ctypes.get_errno() in (errno.EINTR, errno.ENOENT):
                    continue  # the process that asked has gone
                return
            number, pid = struct.unpack_from("=QI", question)
            _, address, length = struct.unpack_from("=QQQ", question, 32)
            error = self._answer(pid, address, min(length & 0xFFFFFFFF, ADDRESS))
            libc.ioctl(listener, SEND, struct.pack("=QqiI", number, 0, -error, 0 if error else CONTINUE))
            if self.open.locked():
                self.open.release()

    def _answer(self, pid: int, address: int, length: int) -> int:
        """0, or the error that connect() is to give."""
        try:
            memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
            try:
                wanted = os.pread(memory, length, address)
            finally:
                os.close(memory)
        except OSError:
            self.blind = self.blind or self.open.locked()
            return 0 if self.blind else errno.EACCES
        if len(wanted) < 3 or struct.unpack_from("=H", wanted) != (AF_UNIX,):
            return 0
        name = wanted[2:]
        if name[:1] == b"\0":
            return errno.EACCES if name.replace(b"\0", b"@") in self._names else 0
        return self._permit(pid, name.split(b"\0")[0].decode(errors="surrogateescape"))

    def _permit(self, pid: int, path: str) -> int:
        if path.startswith(("/proc/", "/dev/fd/")):  # may mean another process here
            return errno.EACCES
        try:
            found = os.stat(path if path.startswith("/") else f"/proc/{pid}/cwd/{path}")  # noqa: PTH116
        except OSError as error:
            return error.errno or errno.EACCES
        file = (found.st_dev, found.st_ino)
        # Older than the command: not its own. (The time alone would not do: Postgres touches its socket.)
        older = file in self._others or found.st_mtime < self._since - 0.1
        return errno.EACCES if older and file != self._ours and stat.S_ISSOCK(found.st_mode) else 0


def _file(path: str) -> tuple[int, int] | None:
    """What it is, whatever it is called."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _bound() -> tuple[list[str], set[bytes]]:
    """The paths and the abstract names that sockets of this machine have now."""
    paths, names = [], set()
    try:
        with open("/proc/net/unix", "rb") as stream:  # noqa: PTH123
            rows = [line.rstrip(b"\n").split(None, 7) for line in stream][1:]
    except OSError:
        return [], set()
    for row in rows:
        name = row[7] if len(row) > 7 else b""
        if name.startswith(b"@"):
            names.add(name)
        elif name.startswith(b"/"):
            paths.append(name.decode(errors="surrogateescape"))
    return paths, names
