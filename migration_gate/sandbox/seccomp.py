"""The filter for system calls (seccomp): Unix sockets only, and a question about each address."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS = 38
SET_FILTER, NEW_LISTENER = 1, 8
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE, ASK = 0x7FFF0000, 0x00050000, 0x7FC00000
AF_UNIX, AF_NETLINK = 1, 16
X32 = 0x40000000
MACHINES = {
    "x86_64": (0xC000003E, 41, 425, 42, 49, 317),
    "aarch64": (0xC00000B7, 198, 425, 203, 200, 277),
}
"""audit architecture, and the numbers of socket, io_uring_setup, connect, bind and seccomp (Linux UAPI)"""


def supports_seccomp() -> bool:
    """Whether this machine can confine a process to Unix sockets."""
    return sys.platform == "linux" and platform.machine() in MACHINES


def _program(address_is: int) -> bytes:
    """socket() of another family than Unix (or netlink, which name look-up uses), and io_uring: EACCES."""
    architecture, socket, uring, connect, bind, _ = MACHINES[platform.machine()]
    refuse = REFUSE | errno.EACCES

    def line(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("<HBBI", code, yes, no, value)

    return b"".join(
        [
            line(LOAD, 4),  # the architecture
            line(EQUAL, architecture, 1, 0),
            line(RETURN, REFUSE | errno.ENOSYS),  # a foreign one (32 bit) knows other numbers
            line(LOAD, 0),  # the call's number
            line(AT_LEAST, X32, 9, 0),
            line(EQUAL, uring, 8, 0),  # it opens sockets without socket()
            line(EQUAL, connect, 1, 0),
            line(EQUAL, bind, 0, 1),
            line(RETURN, address_is),
            line(EQUAL, socket, 0, 3),
            line(LOAD, 16),  # the family
            line(EQUAL, AF_UNIX, 1, 0),
            line(EQUAL, AF_NETLINK, 0, 1),
            line(RETURN, ALLOW),
            line(RETURN, refuse),
        ]
    )


def prctl(option: int, *values: object) -> None:
    """prctl(2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, *values) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def allow_unix_sockets_only(ask: bool = False) -> int:
    """Set the filter for this process and all its children, for good.

    Where `ask` is set and the kernel can: the descriptor on which it asks about addresses, else -1.
    """

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    for address_is, flag in ((ASK, NEW_LISTENER), (ALLOW, 0))[not ask :]:
        text = _program(address_is)
        program = Program(len(text) // 8, ctypes.cast(ctypes.create_string_buffer(text), ctypes.c_void_p))
        number = MACHINES[platform.machine()][-1]
        done: int = libc.syscall(number, SET_FILTER, flag, ctypes.byref(program))
        if done >= 0:
            return done if flag else -1
    raise OSError(ctypes.get_errno(), "no filter for system calls can be set")
