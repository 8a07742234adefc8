"""Decides which Unix sockets the sandboxed command may connect to: that of the run's server, and its own.

Where that is wanted it answers about signals too; see `signal_guard`.

The filter has the kernel ask about each connect() and bind(). The broker, a thread of the sandbox, reads the
address in the memory of the process that asks, and lets the kernel carry the call out, or fail with EACCES.

What this does NOT stop, because the broker decides and the kernel acts at two moments:

- The kernel reads the address again when it carries the call out (SECCOMP_USER_NOTIF_FLAG_CONTINUE). Another
  thread of the process can change the address in between, and so connect to any Unix socket that the
  command's account may open. seccomp_unotify(2) says that the flag is therefore no security boundary.
- A link in the path can be changed in between in the same way.
- Datagrams that carry their own address (sendto, sendmsg) are not asked about. Postgres uses streams only.

So the broker stops code that connects to another server by mistake or openly. It does not stop code that was
written to get past it; against that there are only the command's lack of privileges, the permissions of the
other server's socket, and its password.
"""

from __future__ import annotations

import _socket  # `socket` takes 8 ms to import
import _thread
import ctypes
import errno
import os
import platform
import select
import signal
import struct

from migration_gate.sandbox.child_process import allow_reading_memory
from migration_gate.sandbox.options import SandboxOptions
from migration_gate.sandbox.seccomp import AF_UNIX, SYSTEM_CALLS, install_socket_filter
from migration_gate.sandbox.signal_guard import decide_signal, is_signal_call

SECCOMP_IOCTL_NOTIF_RECV = 0xC0502100
SECCOMP_IOCTL_NOTIF_SEND = 0xC0182101
SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1
NOTIFICATION_SPACE = 256
"""bytes for a Notification, with room for fields that later kernels add"""
ADDRESS_SIZE = 110
"""bytes of a struct sockaddr_un"""
ABSTRACT = b"\0"
"""first byte of the name of a socket that has no file"""
SERVER_FOLDERS = ("/run/postgresql", "/var/run/postgresql", "/tmp")  # noqa: S108  (read, not written)
"""where Postgres servers usually have their sockets"""
FIRST_QUESTION_SECONDS = 1.0


class SystemCall(ctypes.Structure):
    """struct seccomp_data: the system call that the kernel asks about."""

    _fields_ = (
        ("number", ctypes.c_int32),
        ("architecture", ctypes.c_uint32),
        ("instruction_pointer", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    )


class Notification(ctypes.Structure):
    """struct seccomp_notif: a question of the kernel's."""

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


class ConnectBroker:
    """The decisions, and the channel over which the child sends its listener to the parent."""

    def __init__(self, options: SandboxOptions, guards_signals: bool = False) -> None:
        """To be made before the fork. `guards_signals`: answer about signals, too."""
        self._options = options
        self._guards_signals = guards_signals
        self._command = 0
        """the process of the command"""
        self._allowed_socket = find_file(options.allowed_socket)
        self._own_sockets: set[str | bytes] = set()
        """paths and abstract names that sandboxed processes gave to sockets of theirs"""
        self._memory_unreadable = False
        """the kernel denies access to the memory of the processes that ask"""
        self._waiting_for_first_question = _thread.allocate_lock()
        self._waiting_for_first_question.acquire()
        self._parent_end, self._child_end = _socket.socketpair()

    def install_filter(self) -> None:
        """In the child: set the filter, and send the listener to the parent. Raises OSError."""
        self._parent_end.close()
        listener = install_socket_filter(ask_about_addresses=True, ask_about_signals=self._guards_signals)
        if listener >= 0:
            allow_reading_memory()
            rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", listener))
            self._child_end.sendmsg([b"."], [rights])
            os.close(listener)
            _ask_first_question()
        self._child_end.close()

    def start_answering(self, command: int = 0) -> bool:
        """In the parent: receive the listener and answer, in a thread, until the last process has ended.

        Returns whether addresses are checked from now on. Not so where the child set no filter, where the
        kernel cannot ask, or where it denies access to the memory in which the addresses are.
        """
        self._command = command
        self._child_end.close()
        _, ancillary, _, _ = self._parent_end.recvmsg(1, _socket.CMSG_SPACE(4))
        if ancillary:
            (listener,) = struct.unpack("i", ancillary[0][2][:4])
            _thread.start_new_thread(self._answer_questions, (listener,))
            self._waiting_for_first_question.acquire(timeout=FIRST_QUESTION_SECONDS)
        self._parent_end.close()
        return bool(ancillary) and not self._memory_unreadable

    def find_other_servers(self) -> list[str]:
        """Sockets of other Postgres servers in the usual folders."""
        sockets = []
        for folder in SERVER_FOLDERS:
            for name in os.listdir(folder) if os.path.isdir(folder) else ():  # noqa: PTH112, PTH208
                if name.startswith(".s.PGSQL.") and not name.endswith(".lock"):
                    sockets.append(f"{folder}/{name}")
        return sorted(path for path in sockets if find_file(path) not in (None, self._find_allowed_socket()))

    def _answer_questions(self, listener: int) -> None:
        """Answer until the last sandboxed process has ended."""
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        libc = ctypes.CDLL(None, use_errno=True)
        self._drop_privileges_of_thread(libc)
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while not any(event & select.POLLHUP for _, event in poll.poll()):
            space = ctypes.create_string_buffer(NOTIFICATION_SPACE)
            if libc.ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, space) != 0:
                continue  # the process that asked has ended
            notification = Notification.from_buffer(space)
            error = self._decide_safely(notification)
            response = Response(id=notification.id, error=-error)
            if not error:
                response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE
            libc.ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, ctypes.byref(response))
            if self._waiting_for_first_question.locked():
                self._waiting_for_first_question.release()
        os.close(listener)

    def _drop_privileges_of_thread(self, libc: ctypes.CDLL) -> None:
        """Have no more rights than the command: what it may not see, the broker does not look up for it.

        By system calls, because the functions of the C library change all threads of the process.
        """
        uid, gid = self._options.uid, self._options.gid
        if uid is not None:
            calls = SYSTEM_CALLS[platform.machine()]
            libc.syscall(calls["setresgid"], gid, gid, gid)
            libc.syscall(calls["setresuid"], uid, uid, uid)

    def _decide_safely(self, notification: Notification) -> int:
        """As `_decide`; no error here may leave the process without an answer."""
        call = notification.call
        if is_signal_call(call.number):
            return decide_signal(notification.pid, _read_process_argument(call), self._command)
        address = self._read_address(notification.pid, call.arguments[1], call.arguments[2])
        is_bind = call.number == SYSTEM_CALLS[platform.machine()]["bind"]
        try:
            return self._decide(notification.pid, address, is_bind)
        except (OSError, ValueError):
            return errno.EACCES

    def _read_address(self, pid: int, pointer: int, size: int) -> bytes | None:
        """The struct sockaddr in the memory of the process that asks, None where it cannot be read."""
        try:
            memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
            try:
                return os.pread(memory, min(size & 0xFFFFFFFF, ADDRESS_SIZE), pointer)
            finally:
                os.close(memory)
        except OSError:
            if self._waiting_for_first_question.locked():
                self._memory_unreadable = True
            return None

    def _decide(self, pid: int, address: bytes | None, is_bind: bool) -> int:
        """0 where the call may be carried out, else the number of the error that it returns."""
        if address is None:
            return 0 if self._memory_unreadable else errno.EACCES
        if len(address) < 3 or struct.unpack_from("=H", address) != (AF_UNIX,):
            return 0
        name = _name_socket(pid, address[2:])
        if name is None:
            return errno.EACCES
        if is_bind:
            self._own_sockets.add(name)
        if name in self._own_sockets:
            return 0
        if isinstance(name, bytes):
            return errno.EACCES
        return self._decide_path(name)

    def _decide_path(self, path: str) -> int:
        """0 where this is the socket of the run's server; "no such file" where there is nothing."""
        try:
            return 0 if identify_file(path) == self._find_allowed_socket() else errno.EACCES
        except OSError as error:
            return error.errno or errno.EACCES

    def _find_allowed_socket(self) -> tuple[int, int] | None:
        """The socket of the run's server; the file that names it is written when the server has started."""
        if self._allowed_socket is None and self._options.allowed_socket_file:
            try:
                with open(self._options.allowed_socket_file, encoding="utf-8") as stream:  # noqa: PTH123
                    self._allowed_socket = find_file(stream.read())
            except OSError:
                return None
        return self._allowed_socket


def _read_process_argument(call: SystemCall) -> int:
    """The first argument, as a signed number of 32 bits."""
    return ctypes.c_int32(call.arguments[0] & 0xFFFFFFFF).value


def _ask_first_question() -> None:
    """A connect() that reaches nothing: it shows the parent whether it can read this process's memory."""
    _socket.socket(_socket.AF_UNIX).connect_ex("/nowhere")


def _name_socket(pid: int, name: bytes) -> str | bytes | None:
    """The name under which a socket is remembered, from what stands after the family in its address.

    A path with its folder's links resolved; the bytes of an abstract name; None for paths that may mean
    another process here than in the process that asks.
    """
    if name.startswith(ABSTRACT):
        return name
    path = os.fsdecode(name.split(b"\0")[0])
    if path.startswith(("/proc/", "/dev/fd/")):
        return None
    absolute = path if path.startswith("/") else f"/proc/{pid}/cwd/{path}"
    folder, file = os.path.split(absolute)
    return f"{os.path.realpath(folder)}/{file}"


def identify_file(path: str) -> tuple[int, int]:
    """Device and inode: the same for every name of the file. Raises OSError."""
    status = os.stat(path)  # noqa: PTH116
    return status.st_dev, status.st_ino


def find_file(path: str) -> tuple[int, int] | None:
    """As `identify_file`; None where there is no file."""
    try:
        return identify_file(path)
    except (OSError, ValueError):
        return None
