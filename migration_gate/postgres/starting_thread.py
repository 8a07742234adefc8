"""Starts the command of the supervisor, in a thread that may write where the command may, and nowhere else.

Standard library only: the supervisor has to start in milliseconds.
"""

from __future__ import annotations

import _thread
import errno
import os
import signal
from contextlib import suppress

from migration_gate.postgres.supervisor_protocol import StartCommand
from migration_gate.sandbox.child_process import (
    die_with_parent,
    drop_privileges,
    forbid_new_privileges,
    fork_child,
)
from migration_gate.sandbox.connect_broker import ConnectBroker
from migration_gate.sandbox.landlock import restrict_writing
from migration_gate.sandbox.options import SandboxOptions
from migration_gate.sandbox.seccomp import supports_seccomp

IGNORED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)
"""of the supervisor, and not of the command"""


class StartingThread:
    """Starts the command, and lives as long as it.

    The broker makes the files of the sockets that the command binds: so it may write where the command may,
    and nowhere else. Landlock limits a thread and what that starts, and opens the memory of a process only to
    who is limited as it is, or less. So a thread limits itself, forks the command, and starts the broker. It
    has to stay, because the kernel takes the end of the thread that forked for the end of the parent.
    """

    def __init__(self, message: StartCommand) -> None:
        self._message = message
        self._started, self._ended = _thread.allocate_lock(), _thread.allocate_lock()
        self._pid = 0
        self._error: OSError | None = None

    def start(self) -> int:
        """Start the command and return its pid. Raises OSError if there can be no new process."""
        self._started.acquire()
        self._ended.acquire()
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError as error:
            raise OSError(errno.EAGAIN, str(error)) from None
        self._started.acquire()
        if self._error is not None or not self._pid:
            raise self._error or OSError(errno.EIO, "the thread that starts it has ended")
        return self._pid

    def end(self) -> None:
        """To be called when the command has ended."""
        self._ended.release()

    def _run(self) -> None:
        try:
            self._start_command()
        except OSError as error:
            self._error = error
        finally:
            self._started.release()
        if self._error is None:
            self._ended.acquire()

    def _start_command(self) -> None:
        message = self._message
        broker = ConnectBroker(SandboxOptions(uid=message.uid, gid=message.gid))
        log = os.open(message.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            limit_writing(message)
            self._pid = fork_child(lambda: exec_command(message, broker, log))
        finally:
            os.close(log)
        if not broker.start_answering():
            broker.allow_unchecked()


def limit_writing(message: StartCommand) -> None:
    """Limit this thread, and what it starts, to the folders of the command."""
    if message.writable_folders is not None:
        forbid_new_privileges()
        restrict_writing(message.writable_folders)


def exec_command(message: StartCommand, broker: ConnectBroker, log: int) -> None:
    """In the child: become the command, in a session of its own, with its output in the log."""
    os.setsid()
    for number in IGNORED_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.umask(0o077)
    drop_privileges(message.uid, message.gid)
    os.chdir("/")
    die_with_parent(message.stop_signal)  # after setuid(), which clears it
    limit_writing(message)  # a second time: the command cannot reach the broker's thread
    if message.unix_sockets_only and supports_seccomp():
        with suppress(OSError):  # a kernel without filters
            broker.install_filter()
    os.execve(message.command[0], list(message.command), message.environment)  # noqa: S606
