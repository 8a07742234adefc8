"""The filter of system calls (seccomp), set for a process and all that it starts; see `filter_program`."""

from __future__ import annotations

import ctypes
import errno
import os
import sys

from migration_gate.sandbox.child_process import forbid_new_privileges
from migration_gate.sandbox.filter_program import (
    INSTRUCTION_SIZE,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_USER_NOTIF,
    build_program,
)
from migration_gate.sandbox.system_calls import GUARDED_CALLS, REFUSED_CALLS, SYSTEM_CALLS

SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_NEW_LISTENER = 8
SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 32
"""a signal does not interrupt a call that is being answered (since 5.19)"""


class FilterProgram(ctypes.Structure):
    """struct sock_fprog: a BPF program and its length in instructions."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def supports_seccomp() -> bool:
    """Whether this machine can restrict a process to Unix sockets."""
    return sys.platform == "linux" and os.uname().machine in SYSTEM_CALLS


def install_socket_filter(ask_about_addresses: bool = False, ask_about_signals: bool = False) -> int:
    """Restrict this process and all its children to Unix sockets, irrevocably.

    Returns the descriptor on which the kernel asks about each connect() and bind(), and if that is wanted
    about each signal, until it is answered; -1 where `ask_about_addresses` is not set or the kernel cannot
    ask (then these calls are allowed). No process may trace another.
    Raises OSError if the kernel has no filters.
    """
    forbid_new_privileges()
    actions = _refuse_calls()
    if ask_about_addresses:
        asked = ("connect", "bind", *(GUARDED_CALLS if ask_about_signals else ()))
        program = build_program({**actions, **dict.fromkeys(asked, SECCOMP_RET_USER_NOTIF)})
        for flags in (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0):
            listener = _install_program(program, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags)
            if listener >= 0:
                return listener
    if _install_program(build_program(actions), 0) < 0:
        raise OSError(ctypes.get_errno(), "no filter for system calls can be set")
    return -1


def install_network_filter() -> None:
    """Keep this process and all its children from Unix sockets, but leave them the network.

    Irrevocably. Nobody has to be asked about addresses, so it works where the kernel cannot ask. Raises
    OSError if the kernel has no filters.
    """
    forbid_new_privileges()
    if _install_program(build_program(_refuse_calls(), network=True), 0) < 0:
        raise OSError(ctypes.get_errno(), "no filter for system calls can be set")


def _refuse_calls() -> dict[str, int]:
    return dict.fromkeys(REFUSED_CALLS, SECCOMP_RET_ERRNO | errno.EPERM)


def _install_program(program: bytes, flags: int) -> int:
    """seccomp(2): the listener's descriptor or 0, negative where the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    instructions = ctypes.cast(ctypes.create_string_buffer(program), ctypes.c_void_p)
    description = FilterProgram(len(program) // INSTRUCTION_SIZE, instructions)
    call_number = SYSTEM_CALLS[os.uname().machine]["seccomp"]
    result: int = libc.syscall(call_number, SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(description))
    return result
