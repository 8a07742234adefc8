"""The process between the gate and the Postgres server: whatever happens to the gate, it cleans up.

Run as a script in a session of its own, with the standard library only. It reads messages from standard input
(see `supervisor_protocol`) and starts the commands in them, one at a time. When standard input ends, because
the gate has finished, was interrupted, or was killed, the supervisor stops the command, removes the run's
folders, and runs the final clean-up. A run that succeeds and one that is killed are cleaned up the same way.

    python -I -S supervisor.py PARENT_PID '["/tmp/folder", …]' '[DESCRIPTOR, …]'
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

if not __package__:  # started as a script, with nothing but the standard library on the path
    sys.path.append(str(Path(__file__).parents[2]))

from migration_gate.postgres.cluster_files import copy_cluster
from migration_gate.postgres.starting_thread import IGNORED_SIGNALS, StartingThread
from migration_gate.postgres.supervisor_protocol import CopyCluster, FinalCleanup, StartCommand
from migration_gate.sandbox.child_process import (
    adopt_orphans,
    drop_privileges,
    forbid_reading_memory,
    kill_descendants,
)

IPC_RMID = 0
PID_FILE_BYTES = 4096
"""more than a server writes into its pid file"""
STANDARD_INPUT = 0
STANDARD_OUTPUT = 1
WAKEUP_BYTES = 512
"""read from the pipe that signals write to; how many bytes it holds has no meaning"""
STOP_SECONDS = 8.0
"""for the command to end after its stop signal; a Postgres server gives its own children five"""
CLEANUP_SECONDS = 60.0
PARENT_CHECK_SECONDS = 1.0
REMOVAL_ATTEMPTS = 20
COPY_NICENESS = 10
"""of the process that copies a cluster: the project's interpreter, which starts then, takes longer"""


class SupervisedProcess:
    """The one process that the supervisor runs."""

    def __init__(self) -> None:
        self.pid = 0
        self.exit_status: int | None = None
        """None while it runs; negative: the signal that killed it"""
        self._start: StartCommand | None = None
        self._starter: StartingThread | None = None

    def start(self, message: StartCommand) -> None:
        """Start the command. Raises OSError if there can be no new process."""
        self.pid, self.exit_status, self._start = 0, None, message
        self._starter = StartingThread(message)
        self.pid = self._starter.start()

    def poll_exit(self) -> bool:
        """Whether the process has ended since the last call."""
        if not self.pid or self.exit_status is not None:
            return False
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.exit_status = os.waitstatus_to_exitcode(status)
            if self._starter is not None:
                self._starter.end()
        return bool(pid)

    def stop(self) -> None:
        """End it with its stop signal, after a while with SIGKILL; and all that it started."""
        if not self.pid or self._start is None:
            return
        if self.exit_status is None:
            os.kill(self.pid, self._start.stop_signal)
        deadline = time.monotonic() + STOP_SECONDS
        while self.exit_status is None and not self.poll_exit():
            if time.monotonic() > deadline:
                os.killpg(self.pid, signal.SIGKILL)
            time.sleep(0.001)
        kill_descendants(self.pid)
        if self.exit_status:
            free_shared_memory(self._start)


class Supervisor:
    """Handles the gate's messages."""

    def __init__(self) -> None:
        self.process = SupervisedProcess()
        self.final_cleanup: FinalCleanup | None = None
        self._incomplete_line = b""

    def handle_messages(self, parent: int) -> None:
        """Handle messages until the gate exits or closes standard input."""
        wakeup = open_wakeup_pipe()
        while os.getppid() == parent:  # another child of the gate may still hold the pipe open
            ready, _, _ = select.select([STANDARD_INPUT, wakeup], [], [], PARENT_CHECK_SECONDS)
            if wakeup in ready:
                os.read(wakeup, WAKEUP_BYTES)
            if self.process.poll_exit():
                send_reply("ended", self.process.exit_status)
            if STANDARD_INPUT in ready and not self._read_messages():
                return

    def _read_messages(self) -> bool:
        """Handle the messages that have arrived. False at the end of standard input."""
        data = os.read(STANDARD_INPUT, 1 << 16)
        *lines, self._incomplete_line = (self._incomplete_line + data).split(b"\n")
        for line in lines:
            self.handle_message(line)
        return bool(data)

    def handle_message(self, line: bytes) -> None:
        """Do what one message says, and reply."""
        message = json.loads(line)
        if "final_cleanup" in message:
            cleanup = message["final_cleanup"]
            self.final_cleanup = FinalCleanup(**cleanup) if cleanup else None
        elif "copy" in message:
            send_reply("copied", copy_beside(CopyCluster(**message["copy"])))
        elif "stop" in message:
            self.process.stop()
            send_reply("ended", self.process.exit_status)
        else:
            self._start_process(StartCommand(**message["start"]))

    def _start_process(self, message: StartCommand) -> None:
        try:
            self.process.start(message)
        except OSError as error:
            send_reply("failed", str(error))
        else:
            send_reply("started", self.process.pid)

    def clean_up(self, folders: list[str]) -> None:
        """Stop the process, remove the folders, and run the final clean-up, each even if another fails."""
        try:
            self.process.stop()
        finally:
            remove_folders(folders)
            if self.final_cleanup is not None:
                run_final_cleanup(self.final_cleanup)


def copy_beside(message: CopyCluster) -> int:
    """Copy in a process of lower priority; see `copy_verified_cluster`."""
    child = os.fork()
    if not child:
        status = errno.EIO
        try:
            os.nice(COPY_NICENESS)
            status = copy_verified_cluster(message)
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def copy_verified_cluster(message: CopyCluster) -> int:
    """Copy a cluster; 0, or the number of the error. EINVAL: it is not complete."""
    try:
        copied = copy_cluster(message.source, message.target, message.uid, message.gid)
        status = 0 if copied == (message.files, message.size) else errno.EINVAL
    except OSError as error:
        status = error.errno or errno.EIO
    if status:
        shutil.rmtree(message.target, ignore_errors=True)
    return status


def open_wakeup_pipe() -> int:
    """A descriptor that can be read when a child has ended."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def send_reply(kind: str, value: object) -> None:
    """Send one reply; the gate may have ended."""
    with suppress(OSError):
        os.write(STANDARD_OUTPUT, (json.dumps({kind: value}) + "\n").encode())


def free_shared_memory(start: StartCommand) -> None:
    """Remove the System V segment that a killed server leaves; line 7 of its pid file is `key id`.

    With the rights of the server's account, because whoever ran code in the server may have written the file:
    it can name any segment of this machine.
    """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        drop_privileges(start.uid, start.gid)
        segment = _read_start(start.pid_file).splitlines()[6].split()[1]
        ctypes.CDLL(None).shmctl(int(segment), IPC_RMID, None)
    except (OSError, IndexError, ValueError, AttributeError):
        return
    finally:
        os._exit(0)


def _read_start(path: str) -> bytes:
    """The first bytes of a file; never waits, whatever lies there."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    return os.read(file, PID_FILE_BYTES)


def remove_folders(folders: list[str]) -> None:
    """Remove the folders. If a process still wrote to one, a later attempt succeeds."""
    for folder in folders:
        for _ in range(REMOVAL_ATTEMPTS):
            shutil.rmtree(folder, ignore_errors=True)
            if not Path(folder).exists():
                break
            time.sleep(0.05)


def run_final_cleanup(cleanup: FinalCleanup) -> None:
    """Run the command; it prints to standard error, because standard output is for replies."""
    import subprocess  # noqa: PLC0415 -- only needed here, and slow to import

    subprocess.run(
        list(cleanup.command),
        input=cleanup.standard_input.encode(),
        stdout=2,
        timeout=CLEANUP_SECONDS,
        check=False,
    )


def main(parent: int, folders: list[str], descriptors: list[int]) -> None:
    """Supervise until the gate has ended, then clean up.

    descriptors: locks of folders and pipes of a `folder_remover`, which are held until then.
    """
    for number in IGNORED_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    adopt_orphans()
    forbid_reading_memory()
    supervisor = Supervisor()
    try:
        supervisor.handle_messages(parent)
    finally:
        supervisor.clean_up(folders)


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(json.loads, sys.argv[2:]))
