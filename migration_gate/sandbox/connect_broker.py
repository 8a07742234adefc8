"""Carries out the connections of the sandboxed command: to the run's server, and to sockets of its own.

Where that is wanted it answers about signals too; see `signal_guard`.

The filter has the kernel ask about each connect() and bind(), and the kernel does not carry out any of them.
The broker, a thread of the sandbox with no more rights than the command, does: it reads the address once, in
the memory of the process that asks, opens the file at that path (O_PATH), and connects a copy of the
process's descriptor (pidfd_getfd) to the opened file, if that is the socket of the run's server or one that a
sandboxed process has bound. So there is no moment between the look and the call in which the address, a link
or the file could be exchanged. Where pidfd_getfd() is refused (Docker's own filter does), the broker connects
a new socket of the same type and puts it in the place of the process's.

Without either (before Linux 5.9) the command could connect to all Unix sockets: it does not run where another
Postgres has a socket, and a note says so elsewhere. Where the kernel keeps the memory of the command from the
broker it may connect to none.

What this does NOT stop: a process of the same account outside of the sandbox can be talked into connecting
for the command, by other means than sockets (its files, or its memory in /proc where the kernel allows that).
Where the gate is root, the command's account has no such processes.
"""

from __future__ import annotations

import _socket  # `socket` takes 8 ms to import
import _thread
import ctypes
import errno
import json
import os
import signal
import struct
from contextlib import suppress

from migration_gate.sandbox.calling_process import CallingProcess, can_copy_descriptors
from migration_gate.sandbox.capabilities import drop_capabilities
from migration_gate.sandbox.child_process import allow_reading_memory
from migration_gate.sandbox.options import SandboxOptions
from migration_gate.sandbox.own_sockets import FileIdentity, find_file, keep_file
from migration_gate.sandbox.seccomp import install_socket_filter
from migration_gate.sandbox.seccomp_listener import Notification, SeccompListener
from migration_gate.sandbox.signal_guard import decide_signal, is_signal_call
from migration_gate.sandbox.socket_calls import SocketCalls
from migration_gate.sandbox.system_calls import SYSTEM_CALLS

SERVER_FOLDERS = ("/run/postgresql", "/var/run/postgresql", "/tmp")  # noqa: S108  (read, not written)
"""where Postgres servers usually have their sockets"""
FIRST_QUESTION_SECONDS = 1.0
ADD_DESCRIPTOR_SINCE = (5, 9)
"""the version of Linux that can replace a descriptor of the process that asks"""
ALLOWED_SOCKET_SIZE = 1000
"""more than the bytes of what `identify_socket` returns"""
MSG_CMSG_CLOEXEC = 0x40000000
FAILURES = (OSError, ValueError, LookupError, ArithmeticError)
"""what a process can make fail by the numbers and the files that it gives us"""


class ConnectBroker:
    """Reads, decides and acts; and the channel over which the child sends its listener to the parent."""

    def __init__(self, options: SandboxOptions, guards_signals: bool = False) -> None:
        """To be made before the fork. `guards_signals`: answer about signals, too."""
        self._options = options
        self._guards_signals = guards_signals
        self._command = 0
        """the process of the command"""
        self._allowed_socket_lock = _thread.allocate_lock()
        """what says which socket this is can be read once, and several threads may ask"""
        self._allowed_socket = keep_file(options.allowed_socket, find_file(options.allowed_socket))
        if options.allowed_socket_descriptor is not None:
            os.set_inheritable(options.allowed_socket_descriptor, False)
            os.set_blocking(options.allowed_socket_descriptor, False)
        self._socket_calls = SocketCalls(self._find_allowed_socket)
        self._memory_unreadable = False
        """the kernel denies access to the memory of the processes that ask"""
        self._waiting_for_first_question = _thread.allocate_lock()
        self._waiting_for_first_question.acquire()
        self._copies_descriptors = can_copy_descriptors()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._parent_end, self._child_end = _socket.socketpair()

    def install_filter(self) -> None:
        """In the child: set the filter, and send the listener to the parent. Raises OSError."""
        self._parent_end.close()
        listener = install_socket_filter(
            ask_about_addresses=self._copies_descriptors or _can_replace_descriptors(),
            ask_about_signals=self._guards_signals,
        )
        if listener >= 0:
            allow_reading_memory()
            rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", listener))
            self._child_end.sendmsg([b"."], [rights])
            os.close(listener)
            _ask_first_question()
        else:
            self._child_end.send(b".")
            self._child_end.recv(1)  # `allow_unchecked`
        self._child_end.close()

    def start_answering(self, command: int = 0) -> bool:
        """In the parent: receive the listener and answer, in a thread, until the last process has ended.

        Returns False if the kernel cannot ask, or lets the broker act for no other process: then no address
        is checked, and the child waits until it is allowed to go on (`allow_unchecked`). There is nothing to
        answer where the child set no filter, or has ended.
        """
        self._command = command
        self._child_end.close()
        message, ancillary, _, _ = self._parent_end.recvmsg(1, _socket.CMSG_SPACE(4), MSG_CMSG_CLOEXEC)
        if ancillary:
            (descriptor,) = struct.unpack("i", ancillary[0][2][:4])
            _thread.start_new_thread(self._answer_questions, (SeccompListener(descriptor),))
            self._waiting_for_first_question.acquire(timeout=FIRST_QUESTION_SECONDS)
        elif message:
            return False
        self._parent_end.close()
        return True

    def allow_unchecked(self) -> None:
        """In the parent, where addresses are not checked: let the child become its command."""
        with suppress(OSError):  # it has ended
            self._parent_end.send(b".")
        self._parent_end.close()

    @property
    def refuses_all(self) -> bool:
        """Whether no connection can be made, because no address can be read."""
        return self._memory_unreadable

    def find_other_servers(self) -> list[str]:
        """Sockets of other Postgres servers in the usual folders."""
        return [
            path
            for path in list_server_sockets()
            if find_file(path) not in (None, self._find_allowed_socket())
        ]

    def _answer_questions(self, listener: SeccompListener) -> None:
        """Answer until the last sandboxed process has ended."""
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._drop_privileges_of_thread()
        while listener.wait_for_question():
            question = listener.receive()
            if question is None:
                continue
            if is_signal_call(question.call.number):
                self._answer_signal(listener, question)
            else:
                self._answer_address(listener, question)
            if self._waiting_for_first_question.locked():
                self._waiting_for_first_question.release()
        listener.close()

    def _drop_privileges_of_thread(self) -> None:
        """Have no more rights than the command: what it may not do, the broker does not do for it.

        By system calls, because the functions of the C library change all threads of the process.
        """
        uid, gid = self._options.uid, self._options.gid
        if uid is not None:
            calls = SYSTEM_CALLS[os.uname().machine]
            self._libc.syscall(calls["setgroups"], 0, None)
            self._libc.syscall(calls["setresgid"], gid, gid, gid)
            self._libc.syscall(calls["setresuid"], uid, uid, uid)
        drop_capabilities()

    def _answer_signal(self, listener: SeccompListener, question: Notification) -> None:
        """Answer about a signal, or about another process's limits."""
        try:
            error = decide_signal(question.pid, question.call.read_integer(0), self._command)
        except FAILURES:
            error = errno.EPERM
        if error:
            listener.answer(question, error)
        else:
            listener.let_kernel_decide(question)

    def _answer_address(self, listener: SeccompListener, question: Notification) -> None:
        """Carry out a connect() or bind(). No error here may leave the process without an answer."""
        caller = CallingProcess(question.pid)
        try:
            address = self._read_address(caller, question)
            opened = self._open_socket(caller, question.call.read_integer(0))
        except FAILURES as error:
            listener.answer(question, get_error_number(error))
            return
        arguments = (listener, question, caller, opened, address)
        if is_bind(question) or not os.get_blocking(opened.fileno()):
            self._carry_out(*arguments)
            return
        try:
            _thread.start_new_thread(self._carry_out, arguments)  # it may have to wait for the server
        except RuntimeError:  # no more threads
            listener.answer(question, errno.EAGAIN)

    def _read_address(self, caller: CallingProcess, question: Notification) -> bytes:
        try:
            return caller.read_address(question.call.arguments[1], question.call.read_integer(2))
        except PermissionError:
            if self._waiting_for_first_question.locked():
                self._memory_unreadable = True
            raise

    def _open_socket(self, caller: CallingProcess, descriptor: int) -> _socket.socket:
        """A copy of the process's descriptor, or a new socket like its own."""
        if self._copies_descriptors:
            return caller.copy_socket(descriptor)
        return caller.make_equal_socket(descriptor)

    def _carry_out(
        self,
        listener: SeccompListener,
        question: Notification,
        caller: CallingProcess,
        opened: _socket.socket,
        address: bytes,
    ) -> None:
        """Make the call, and have it return in the process as it has returned here."""
        function = self._socket_calls.bind if is_bind(question) else self._socket_calls.connect
        error = errno.ESRCH  # seen by nobody
        try:
            if listener.is_waiting(question):  # what was read above was read in this process
                error = function(caller, opened, address)
            if not error and not self._copies_descriptors:
                error = self._replace_descriptor(listener, question, caller, opened)
        except FAILURES as problem:
            error = get_error_number(problem)
        finally:
            opened.close()
            listener.answer(question, error)

    def _replace_descriptor(
        self,
        listener: SeccompListener,
        question: Notification,
        caller: CallingProcess,
        opened: _socket.socket,
    ) -> int:
        descriptor = question.call.read_integer(0)
        flags = caller.read_descriptor_flags(descriptor) & os.O_CLOEXEC
        return listener.replace_descriptor(question, opened.fileno(), descriptor, flags)

    def _find_allowed_socket(self) -> FileIdentity | None:
        """The socket of the run's server; the gate sends it when the server has started."""
        descriptor = self._options.allowed_socket_descriptor
        with self._allowed_socket_lock:
            if self._allowed_socket is None and descriptor is not None:
                try:
                    path, device, inode = json.loads(os.read(descriptor, ALLOWED_SOCKET_SIZE))
                except (BlockingIOError, ValueError):  # nothing has been sent
                    return None
                self._allowed_socket = keep_file(path, (device, inode))
            return self._allowed_socket


def list_server_sockets() -> list[str]:
    """Sockets of Postgres servers in the usual folders."""
    sockets = []
    for folder in SERVER_FOLDERS:
        for name in os.listdir(folder) if os.path.isdir(folder) else ():  # noqa: PTH112, PTH208
            if name.startswith(".s.PGSQL.") and not name.endswith(".lock"):
                sockets.append(f"{folder}/{name}")
    return sorted(sockets)


def _can_replace_descriptors() -> bool:
    version = os.uname().release.split(".")[:2]
    numbers = tuple(int("".join(filter(str.isdigit, part)) or 0) for part in version)
    return numbers >= ADD_DESCRIPTOR_SINCE


def _ask_first_question() -> None:
    """A connect() that reaches nothing: it shows the parent whether it can read this process's memory."""
    _socket.socket(_socket.AF_UNIX).connect_ex("/nowhere")


def is_bind(question: Notification) -> bool:
    """Whether this is a bind(), and not a connect()."""
    return bool(question.call.number == SYSTEM_CALLS[os.uname().machine]["bind"])


def get_error_number(error: Exception) -> int:
    """What a call returns that could not be carried out because of this error."""
    return getattr(error, "errno", None) or errno.EACCES
