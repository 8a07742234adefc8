"""The filter of system calls (seccomp): Unix sockets only, and a question about each address of a socket."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Mapping

from migration_gate.sandbox.child_process import forbid_new_privileges

SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_NEW_LISTENER = 8
SECCOMP_RET_ALLOW = 0x7FFF0000
SECCOMP_RET_ERRNO = 0x00050000
SECCOMP_RET_USER_NOTIF = 0x7FC00000
SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 32
"""a signal does not interrupt a call that is being answered (since 5.19)"""
LOAD_WORD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, JUMP_IF_ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
"""instructions of a BPF program"""
CALL_NUMBER, ARCHITECTURE, FIRST_ARGUMENT, SECOND_ARGUMENT = 0, 4, 16, 24
"""offsets in struct seccomp_data, in bytes"""
AF_UNIX, AF_NETLINK = 1, 16
SOCK_STREAM, SOCK_SEQPACKET, SOCKET_TYPE_MASK = 1, 5, 0xF
NEW_NAMESPACE = 0x7E020000
"""flags of clone() and unshare() for namespaces: of mounts, users, the network ..."""
X32_CALLS = 0x40000000
"""from here on call numbers are those of x86-64's 32-bit variant (x32)"""
AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SYSTEM_CALLS = {
    "x86_64": {
        "socket": 41, "connect": 42, "bind": 49, "setresuid": 117, "setresgid": 119, "seccomp": 317,
        "io_uring_setup": 425, "kill": 62, "tkill": 200, "tgkill": 234, "rt_sigqueueinfo": 129,
        "rt_tgsigqueueinfo": 297, "pidfd_send_signal": 424, "pidfd_getfd": 438, "ptrace": 101,
        "process_vm_readv": 310, "process_vm_writev": 311, "socketpair": 53, "setgroups": 116, "clone": 56,
        "clone3": 435, "unshare": 272, "setns": 308, "statx": 332, "pidfd_open": 434,
    },
    "aarch64": {
        "socket": 198, "connect": 203, "bind": 200, "setresuid": 147, "setresgid": 149, "seccomp": 277,
        "io_uring_setup": 425, "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138,
        "rt_tgsigqueueinfo": 240, "pidfd_send_signal": 424, "pidfd_getfd": 438, "ptrace": 117,
        "process_vm_readv": 270, "process_vm_writev": 271, "socketpair": 199, "setgroups": 159, "clone": 220,
        "clone3": 435, "unshare": 97, "setns": 268, "statx": 291, "pidfd_open": 434,
    },
}  # fmt: skip
"""numbers of system calls (Linux UAPI headers)"""
SIGNAL_CALLS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
INSTRUCTION_SIZE = 8
"""bytes of one instruction of a BPF program"""
FOREIGN_PROCESS_CALLS = ("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd")
"""read or change other processes"""


class FilterProgram(ctypes.Structure):
    """struct sock_fprog: a BPF program and its length in instructions."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def supports_seccomp() -> bool:
    """Whether this machine can restrict a process to Unix sockets."""
    return sys.platform == "linux" and platform.machine() in SYSTEM_CALLS


def install_socket_filter(ask_about_addresses: bool = False, ask_about_signals: bool = False) -> int:
    """Restrict this process and all its children to Unix sockets, irrevocably.

    Returns the descriptor on which the kernel asks about each connect() and bind(), and if that is wanted
    about each signal, until it is answered; -1 where `ask_about_addresses` is not set or the kernel cannot
    ask (then these calls are allowed). No process may trace another.
    Raises OSError if the kernel has no filters.
    """
    forbid_new_privileges()
    refuse = SECCOMP_RET_ERRNO | errno.EPERM
    actions = dict.fromkeys(FOREIGN_PROCESS_CALLS, refuse)
    if ask_about_addresses:
        asked = ("connect", "bind", *(SIGNAL_CALLS if ask_about_signals else ()))
        pidfd_signal = {"pidfd_send_signal": refuse} if ask_about_signals else {}
        program = _build_program({**actions, **pidfd_signal, **dict.fromkeys(asked, SECCOMP_RET_USER_NOTIF)})
        for flags in (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0):
            listener = _install_program(program, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags)
            if listener >= 0:
                return listener
    if _install_program(_build_program(actions), 0) < 0:
        raise OSError(ctypes.get_errno(), "no filter for system calls can be set")
    return -1


def _install_program(program: bytes, flags: int) -> int:
    """seccomp(2): the listener's descriptor or 0, negative where the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    instructions = ctypes.cast(ctypes.create_string_buffer(program), ctypes.c_void_p)
    description = FilterProgram(len(program) // INSTRUCTION_SIZE, instructions)
    call_number = SYSTEM_CALLS[platform.machine()]["seccomp"]
    result: int = libc.syscall(call_number, SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(description))
    return result


def _build_program(actions: Mapping[str, int]) -> bytes:
    """The filter, as an array of struct sock_filter.

    The named calls get their actions. io_uring, which opens sockets without socket(), fails with EACCES, and
    so does socket() but for streams (and packets) of the family Unix, and netlink, which name look-up uses.
    Datagrams are left out because each may carry an address of its own, which no filter can read.

    There are no new namespaces: in one of them a path or an abstract name means another socket than here.
    """
    machine = platform.machine()
    calls = SYSTEM_CALLS[machine]
    refuse = SECCOMP_RET_ERRNO | errno.EACCES
    return b"".join(
        [
            _instruction(LOAD_WORD, ARCHITECTURE),
            # A program for another architecture (32 bit) has other call numbers.
            _instruction(JUMP_IF_EQUAL, AUDIT_ARCHITECTURES[machine], if_true=1),
            _instruction(RETURN, SECCOMP_RET_ERRNO | errno.ENOSYS),
            _instruction(LOAD_WORD, CALL_NUMBER),
            _return_if(JUMP_IF_AT_LEAST, X32_CALLS, refuse),
            _return_if(JUMP_IF_EQUAL, calls["io_uring_setup"], refuse),
            # Its flags are in memory. The C library then calls clone().
            _return_if(JUMP_IF_EQUAL, calls["clone3"], SECCOMP_RET_ERRNO | errno.ENOSYS),
            _return_if(JUMP_IF_EQUAL, calls["setns"], SECCOMP_RET_ERRNO | errno.EPERM),
            *(_return_if(JUMP_IF_EQUAL, calls[name], action) for name, action in actions.items()),
            *(_for_call(calls[name], _refuse_new_namespaces()) for name in ("clone", "unshare")),
            *(_for_call(calls[name], _allow_unix_streams(refuse)) for name in ("socket", "socketpair")),
            _instruction(RETURN, SECCOMP_RET_ALLOW),
        ]
    )


def _for_call(number: int, program: bytes) -> bytes:
    """Run the program, which has to return, where this is the number of the call."""
    return _instruction(JUMP_IF_EQUAL, number, if_false=len(program) // INSTRUCTION_SIZE) + program


def _refuse_new_namespaces() -> bytes:
    return b"".join(
        [
            _instruction(LOAD_WORD, FIRST_ARGUMENT),
            _return_if(JUMP_IF_ANY_BIT, NEW_NAMESPACE, SECCOMP_RET_ERRNO | errno.EPERM),
            _instruction(RETURN, SECCOMP_RET_ALLOW),
        ]
    )


def _allow_unix_streams(refuse: int) -> bytes:
    return b"".join(
        [
            _instruction(LOAD_WORD, FIRST_ARGUMENT),
            _return_if(JUMP_IF_EQUAL, AF_NETLINK, SECCOMP_RET_ALLOW),
            _instruction(JUMP_IF_EQUAL, AF_UNIX, if_true=1),
            _instruction(RETURN, refuse),
            _instruction(LOAD_WORD, SECOND_ARGUMENT),
            _instruction(AND, SOCKET_TYPE_MASK),
            _return_if(JUMP_IF_EQUAL, SOCK_STREAM, SECCOMP_RET_ALLOW),
            _return_if(JUMP_IF_EQUAL, SOCK_SEQPACKET, SECCOMP_RET_ALLOW),
            _instruction(RETURN, refuse),
        ]
    )


def _return_if(comparison: int, value: int, action: int) -> bytes:
    """Two instructions: return the action where the comparison of the loaded word with the value is true."""
    return _instruction(comparison, value, if_false=1) + _instruction(RETURN, action)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One struct sock_filter; a jump skips `if_true` or `if_false` instructions."""
    return struct.pack("<HBBI", code, if_true, if_false, value)
