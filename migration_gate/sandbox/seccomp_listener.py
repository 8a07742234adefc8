"""The kernel's questions about system calls (seccomp_unotify(2)), and the answers to them."""

from __future__ import annotations

import ctypes
import os
import select

SECCOMP_IOCTL_NOTIF_RECV = 0xC0502100
SECCOMP_IOCTL_NOTIF_SEND = 0xC0182101
SECCOMP_IOCTL_NOTIF_ID_VALID = 0x40082102
SECCOMP_IOCTL_NOTIF_ADDFD = 0x40182103
SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1
SECCOMP_ADDFD_FLAG_SETFD = 1
NOTIFICATION_SPACE = 256
"""bytes for a Notification, with room for fields that later kernels add"""


class SystemCall(ctypes.Structure):
    """struct seccomp_data: the system call that the kernel asks about."""

    _fields_ = (
        ("number", ctypes.c_int32),
        ("architecture", ctypes.c_uint32),
        ("instruction_pointer", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    )

    def read_integer(self, index: int) -> int:
        """An argument of C type int."""
        return ctypes.c_int32(self.arguments[index] & 0xFFFFFFFF).value


class Notification(ctypes.Structure):
    """struct seccomp_notif: a question of the kernel's. `pid` is the id of the thread."""

    _fields_ = (
        ("id", ctypes.c_uint64),
        ("pid", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("call", SystemCall),
    )


class Response(ctypes.Structure):
    """struct seccomp_notif_resp: the answer to it."""

    _fields_ = (
        ("id", ctypes.c_uint64),
        ("return_value", ctypes.c_int64),
        ("error", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
    )


class AddedDescriptor(ctypes.Structure):
    """struct seccomp_notif_addfd: a descriptor of ours that the process gets."""

    _fields_ = (
        ("id", ctypes.c_uint64),
        ("flags", ctypes.c_uint32),
        ("source", ctypes.c_uint32),
        ("target", ctypes.c_uint32),
        ("target_flags", ctypes.c_uint32),
    )


class SeccompListener:
    """The descriptor on which the kernel asks."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def wait_for_question(self) -> bool:
        """Wait; False when the last process of the filter has ended."""
        return not any(event & select.POLLHUP for _, event in self._poll.poll())

    def receive(self) -> Notification | None:
        """The question; None if the process that asked has ended."""
        space = ctypes.create_string_buffer(NOTIFICATION_SPACE)
        if self._control(SECCOMP_IOCTL_NOTIF_RECV, space) != 0:
            return None
        return Notification.from_buffer(space)

    def is_waiting(self, question: Notification) -> bool:
        """Whether the thread still waits for the answer: its id has not passed to another process."""
        return self._control(SECCOMP_IOCTL_NOTIF_ID_VALID, ctypes.byref(ctypes.c_uint64(question.id))) == 0

    def answer(self, question: Notification, error: int) -> None:
        """The call returns 0, or fails with this error; the kernel does not carry it out."""
        response = Response(id=question.id, error=-error)
        self._control(SECCOMP_IOCTL_NOTIF_SEND, ctypes.byref(response))

    def let_kernel_decide(self, question: Notification) -> None:
        """The kernel carries the call out. Only for calls whose arguments are numbers.

        What an argument points to could be changed by another thread before the kernel reads it again; the
        numbers themselves are in the registers of a thread that waits, and nothing can change these (ptrace
        is refused).
        """
        response = Response(id=question.id, flags=SECCOMP_USER_NOTIF_FLAG_CONTINUE)
        self._control(SECCOMP_IOCTL_NOTIF_SEND, ctypes.byref(response))

    def replace_descriptor(self, question: Notification, source: int, target: int, flags: int) -> int:
        """Put our descriptor `source` in the place of the process's `target`. Returns 0 or an error."""
        added = AddedDescriptor(question.id, SECCOMP_ADDFD_FLAG_SETFD, source, target, flags)
        if self._control(SECCOMP_IOCTL_NOTIF_ADDFD, ctypes.byref(added)) >= 0:
            return 0
        return ctypes.get_errno()

    def close(self) -> None:
        """To be called when the last process has ended."""
        os.close(self._descriptor)

    def _control(self, request: int, argument: object) -> int:
        result: int = self._libc.ioctl(self._descriptor, ctypes.c_ulong(request), argument)
        return result
