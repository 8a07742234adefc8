"""Starts a command in a cage: Unix sockets only, an unprivileged user, and nothing of it survives us.

    python -I -S confine.py '{"uid": 65534, "gid": 65534, "sockets": true}' COMMAND ...

Standard library only, because it runs before anything else and has to start in milliseconds. It stays as the
command's parent: it dies with the gate, it adopts whatever the command leaves behind, and ends that too.
The filter (seccomp) is set before the command's interpreter starts, needs no privileges, and is inherited by
every child; where the kernel has none, `layers()` says so.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import signal
import struct
import sys
import time

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
SECCOMP_MODE_FILTER = 2
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
AF_UNIX, AF_NETLINK = 1, 16
X32 = 0x40000000
MACHINES = {"x86_64": (0xC000003E, 41, 425), "aarch64": (0xC00000B7, 198, 425)}
"""audit architecture, and the numbers of socket and io_uring_setup (Linux UAPI headers)"""
USAGE = 64


def supported() -> bool:
    """Whether this machine can confine a process to Unix sockets."""
    return sys.platform == "linux" and platform.machine() in MACHINES


def _program() -> bytes:
    """socket() of another family than Unix (or netlink, which name look-up uses), and io_uring: EACCES."""
    architecture, socket, uring = MACHINES[platform.machine()]
    refuse = REFUSE | errno.EACCES

    def line(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("<HBBI", code, yes, no, value)

    return b"".join(
        [
            line(LOAD, 4),  # the architecture
            line(EQUAL, architecture, 1, 0),
            line(RETURN, REFUSE | errno.ENOSYS),  # a foreign one (32 bit) knows other numbers
            line(LOAD, 0),  # the call's number
            line(AT_LEAST, X32, 6, 0),
            line(EQUAL, uring, 5, 0),  # it opens sockets without socket()
            line(EQUAL, socket, 0, 3),
            line(LOAD, 16),  # the family
            line(EQUAL, AF_UNIX, 1, 0),
            line(EQUAL, AF_NETLINK, 0, 1),
            line(RETURN, ALLOW),
            line(RETURN, refuse),
        ]
    )


def _prctl(option: int, *values: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, *values) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def allow_unix_sockets_only() -> None:
    """Set the filter for this process and all its children, for good."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    text = _program()
    buffer = ctypes.create_string_buffer(text)
    program = Program(len(text) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)


def _become(wanted: dict[str, object], command: list[str]) -> None:
    """In the child: give up what the command must not have, then be it."""
    os.setsid()
    if wanted.get("uid") is not None:
        os.setgroups([])
        os.setgid(int(str(wanted["gid"])))
        os.setuid(int(str(wanted["uid"])))
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after setuid, which clears it
        _prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if wanted.get("sockets"):
        allow_unix_sockets_only()
    os.execv(command[0], command)  # noqa: S606  (the interpreter that the gate chose)


def _children() -> list[int]:
    """The processes whose parent we are: ours, and orphans that the command left."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:  # noqa: PTH208, PTH112
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stream:  # noqa: PTH123
                    fields = stream.read().rsplit(b")", 1)[1].split()
            except OSError:
                continue  # it has just ended
            if int(fields[1]) == os.getpid():
                found.append(int(name))
    return found


def _end_all(child: int) -> None:
    """Kill the command's session and every descendant, however it hid."""
    for _ in range(200):
        for pid in {*_children(), child}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
        time.sleep(0.001)


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status (128 + signal when it was killed)."""
    if len(arguments) < 2:
        return USAGE
    wanted, command = json.loads(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        _become(wanted, command)
    for descriptor in wanted.get("close", []):
        os.close(descriptor)

    def stop(number: int, frame: object) -> None:
        _end_all(child)
        os._exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, lambda number, frame: os.kill(child, number))
    status = _wait(child)
    _end_all(child)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _wait(child: int) -> int:
    """Wait for the command itself, reaping orphans on the way."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
