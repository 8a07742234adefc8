"""The program of the filter: Unix sockets only, a question about each address, no way around the guards.

In the instructions of BPF, as an array of struct sock_filter.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Mapping

from migration_gate.sandbox.system_calls import AUDIT_ARCHITECTURES, SYSTEM_CALLS

SECCOMP_RET_ALLOW = 0x7FFF0000
SECCOMP_RET_ERRNO = 0x00050000
SECCOMP_RET_USER_NOTIF = 0x7FC00000
LOAD_WORD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, JUMP_IF_ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
"""instructions of a BPF program"""
CALL_NUMBER, ARCHITECTURE, FIRST_ARGUMENT, SECOND_ARGUMENT, THIRD_ARGUMENT = 0, 4, 16, 24, 32
"""offsets in struct seccomp_data, in bytes"""
INSTRUCTION_SIZE = 8
"""bytes of one instruction of a BPF program"""
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCK_STREAM, SOCK_SEQPACKET, SOCKET_TYPE_MASK = 1, 5, 0xF
NEW_NAMESPACE = 0x7E020000
"""flags of clone() and unshare() for namespaces: of mounts, users, the network ..."""
X32_CALLS = 0x40000000
"""from here on call numbers are those of x86-64's 32-bit variant (x32)"""
F_SETFL = 4
"""command of fcntl() that sets the flags of a file"""
O_ASYNC = 0x2000
FILE_SIGNALS = (8, 10, 15)
"""commands of fcntl() about signals of a file: F_SETOWN, F_SETSIG, F_SETOWN_EX"""
DEVICE_SIGNALS = (0x8901, 0x8902, 0x5452)
"""the same for ioctl(): FIOSETOWN, SIOCSPGRP, FIOASYNC"""
ALL_PROCESSES = 0xFFFFFFFF
"""-1, for kill()"""
THIS_PROCESS = 0
"""for prlimit64()"""


def build_program(actions: Mapping[str, int], network: bool = False) -> bytes:
    """The filter for this machine. The named calls get their actions.

    io_uring, which opens sockets without socket(), fails with EACCES, and so does socket() but for streams
    (and packets) of the family Unix, and netlink, which name look-up uses. Datagrams are left out because
    each may carry an address of its own, which no filter can read.

    network: there is the internet instead, and no Unix socket but in a pair, which reaches nobody else.

    There are no new namespaces: in one of them a path or an abstract name means another socket than here.
    No file or socket has its events told by a signal: that signal would reach any process of the account.
    """
    machine = os.uname().machine
    calls = SYSTEM_CALLS[machine]
    refuse, deny = SECCOMP_RET_ERRNO | errno.EACCES, SECCOMP_RET_ERRNO | errno.EPERM
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
            _return_if(JUMP_IF_EQUAL, calls["setns"], deny),
            _run_if_equal(calls["fcntl"], _refuse_signals_of_files(deny)),
            _run_if_equal(calls["ioctl"], _judge_argument(SECOND_ARGUMENT, _equals(DEVICE_SIGNALS, deny))),
            _run_if_equal(
                calls["kill"],
                _judge_argument(
                    FIRST_ARGUMENT, _equals((ALL_PROCESSES,), deny), actions.get("kill", SECCOMP_RET_ALLOW)
                ),
            ),
            _run_if_equal(
                calls["prlimit64"],
                _judge_argument(
                    FIRST_ARGUMENT,
                    _equals((THIS_PROCESS,), SECCOMP_RET_ALLOW),
                    actions.get("prlimit64", deny),
                ),
            ),
            *(_return_if(JUMP_IF_EQUAL, calls[name], action) for name, action in actions.items()),
            *(_run_if_equal(calls[name], _refuse_new_namespaces(deny)) for name in ("clone", "unshare")),
            _run_if_equal(
                calls["socket"], _allow_network(refuse) if network else _allow_unix_streams(refuse)
            ),
            _run_if_equal(calls["socketpair"], _allow_unix_streams(refuse)),
            _instruction(RETURN, SECCOMP_RET_ALLOW),
        ]
    )


def _refuse_signals_of_files(deny: int) -> bytes:
    """For fcntl(): a file may not be told to send signals, by a command or by a flag of F_SETFL."""
    flags = _judge_argument(THIRD_ARGUMENT, _return_if(JUMP_IF_ANY_BIT, O_ASYNC, deny))
    return _judge_argument(SECOND_ARGUMENT, _equals(FILE_SIGNALS, deny) + _run_if_equal(F_SETFL, flags))


def _refuse_new_namespaces(deny: int) -> bytes:
    return _judge_argument(FIRST_ARGUMENT, _return_if(JUMP_IF_ANY_BIT, NEW_NAMESPACE, deny))


def _allow_unix_streams(refuse: int) -> bytes:
    """For socket() and socketpair(): by the family, and for AF_UNIX by the type without its flags."""
    types = _equals((SOCK_STREAM, SOCK_SEQPACKET), SECCOMP_RET_ALLOW)
    streams = _judge_argument(SECOND_ARGUMENT, _instruction(AND, SOCKET_TYPE_MASK) + types, refuse)
    families = _equals((AF_NETLINK,), SECCOMP_RET_ALLOW) + _run_if_equal(AF_UNIX, streams)
    return _judge_argument(FIRST_ARGUMENT, families, refuse)


def _allow_network(refuse: int) -> bytes:
    """For socket(), by the family."""
    families = _equals((AF_INET, AF_INET6, AF_NETLINK), SECCOMP_RET_ALLOW)
    return _judge_argument(FIRST_ARGUMENT, families, refuse)


def _judge_argument(argument: int, program: bytes, otherwise: int = SECCOMP_RET_ALLOW) -> bytes:
    """Load an argument of the call and run the program; return `otherwise` if that returns nothing."""
    return _instruction(LOAD_WORD, argument) + program + _instruction(RETURN, otherwise)


def _run_if_equal(value: int, program: bytes) -> bytes:
    """Run the program, which has to return, where the loaded word is the value."""
    return _instruction(JUMP_IF_EQUAL, value, if_false=len(program) // INSTRUCTION_SIZE) + program


def _equals(values: tuple[int, ...], action: int) -> bytes:
    """Return the action where the loaded word is one of the values."""
    return b"".join(_return_if(JUMP_IF_EQUAL, value, action) for value in values)


def _return_if(comparison: int, value: int, action: int) -> bytes:
    """Two instructions: return the action where the comparison of the loaded word with the value is true."""
    return _instruction(comparison, value, if_false=1) + _instruction(RETURN, action)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One struct sock_filter; a jump skips `if_true` or `if_false` instructions."""
    return struct.pack("<HBBI", code, if_true, if_false, value)
