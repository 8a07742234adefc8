"""The gate's side of the supervisor: starts it, sends it messages, learns how the command ended."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from migration_gate.errors import Broken, PostgresDied
from migration_gate.postgres.folder_remover import list_descriptors
from migration_gate.postgres.run_directory import RunDirectory
from migration_gate.postgres.supervisor_protocol import CopyCluster, FinalCleanup, StartCommand
from migration_gate.process.interruption import without_interruption
from migration_gate.sandbox.process_end import wait_for_process
from migration_gate.sandbox.user import Account

SUPERVISOR_SCRIPT = Path(__file__).with_name("supervisor.py")
START_SECONDS = 60.0
"""for the supervisor to have started a command"""
STOP_SECONDS = 20.0
CLOSE_SECONDS = 90.0
"""for the supervisor to stop the command, remove the folders, and run the final clean-up"""
SUPERVISOR_KILLED = "its supervisor was killed"
LOG_CHARACTERS = 2000
"""of a command's output that are shown where its supervisor ended: the last ones"""
PASSED_VARIABLES = (
    "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)  # fmt: skip


class SupervisorClient:
    """A running supervisor. It stops the command and removes the folders when its input pipe is closed."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is None or process.stdout is None:
            raise TypeError("a supervisor is started with pipes")
        self.process = process
        self._messages, self._replies = process.stdin, process.stdout
        self._incomplete = b""
        self._unread: list[dict[str, object]] = []
        self._exit_reason: str | None = None
        self._log: Path | None = None

    def start_command(
        self,
        command: Sequence[str | Path],
        *,
        account: Account | None,
        log: Path,
        stop_signal: signal.Signals,
        pid_file: Path | None = None,
        unix_sockets_only: bool = False,
        writable_folders: Sequence[str] | None = None,
    ) -> None:
        """Have the supervisor start a command. Raises Broken if it could not, PostgresDied if it has ended.

        account: whose rights it has; None for those of this process.
        log: its output is appended there.
        stop_signal: what ends it.
        pid_file: of a Postgres server.
        unix_sockets_only: it opens no sockets but Unix sockets, and connects to none but its own.
        writable_folders: where it may write, if the kernel can limit that; None for no limit.
        """
        self._exit_reason = None
        self._log = log
        message = StartCommand(
            command=[str(word) for word in command],
            uid=account.uid if account else None,
            gid=account.gid if account else None,
            environment=server_environment(),
            log_file=str(log),
            stop_signal=int(stop_signal),
            pid_file=str(pid_file) if pid_file else "",
            unix_sockets_only=unix_sockets_only,
            writable_folders=writable_folders,
        )
        self._send({"start": vars(message)})
        reply = self._receive(START_SECONDS)
        if reply is None:
            self.verify_running()
        if reply is None or "failed" in reply:
            reason = reply["failed"] if reply else f"no answer within {START_SECONDS:.0f} s"
            raise Broken(
                f"starting {command[0]} failed: {reason}",
                advice="Look for a limit on processes or memory (ulimit -u), then run again.",
            )

    def begin_copy(self, copy: CopyCluster) -> None:
        """Have the supervisor copy a cluster, and go on. Raises PostgresDied if it has ended."""
        self._send({"copy": vars(copy)})

    def finish_copy(self) -> int:
        """Wait for the copy; 0, or the number of the error. Raises PostgresDied where nobody copies."""
        while (reply := self._receive(START_SECONDS)) is None:
            self.verify_running()
        return int(str(reply["copied"]))

    def run_command(
        self, command: Sequence[str | Path], *, account: Account | None, log: Path, seconds: float = 60.0
    ) -> str:
        """Run a command to its end. Returns '' where it succeeded, else how it ended.

        Raises PostgresDied if the supervisor has ended.
        """
        self.start_command(command, account=account, log=log, stop_signal=signal.SIGKILL)
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            if reason := self.exit_reason(remaining):
                if reason == SUPERVISOR_KILLED:
                    raise self._death_of_supervisor(reason)
                return "" if reason == "exit status 0" else reason
        return f"still running after {seconds:.0f} s"

    def exit_reason(self, wait_seconds: float = 0.0) -> str:
        """How the command ended; '' while it runs. Waits for its end, at most `wait_seconds`."""
        if self._exit_reason is None:
            reply = self._receive(wait_seconds)
            if reply is not None and "ended" in reply:
                status = int(str(reply["ended"]))
                self._exit_reason = f"exit status {status}" if status >= 0 else f"killed by signal {-status}"
            elif self.process.poll() is not None:
                self._exit_reason = SUPERVISOR_KILLED
        return self._exit_reason or ""

    def verify_running(self) -> None:
        """Raise PostgresDied if the supervisor has ended."""
        if self.process.poll() is not None:
            raise self._death_of_supervisor(SUPERVISOR_KILLED)

    def stop_command(self) -> None:
        """Stop the command and wait for its end. The supervisor goes on."""
        if not self.exit_reason():
            self._send({"stop": True})
            self.exit_reason(STOP_SECONDS)

    def set_final_cleanup(self, cleanup: FinalCleanup | None) -> None:
        """What the supervisor runs at its end; None when that is no longer needed."""
        self._send({"final_cleanup": vars(cleanup) if cleanup else None})

    def close(self) -> None:
        """Have everything stopped and removed, and wait for it, also when Ctrl-C is pressed again."""
        with suppress(OSError):
            self._messages.close()
        with without_interruption():
            while not wait_for_process(self.process, CLOSE_SECONDS):
                self.process.kill()
        self._replies.close()

    def _send(self, message: dict[str, object]) -> None:
        """Send one message. Raises PostgresDied if the supervisor has ended."""
        try:
            self._messages.write((json.dumps(message) + "\n").encode())
        except OSError as error:
            raise self._death_of_supervisor(str(error)) from error

    def _death_of_supervisor(self, reason: str) -> PostgresDied:
        return PostgresDied(
            f"the process that supervises the Postgres server has ended: {reason}",
            advice="Something killed it (out of memory?). Run again.",
            evidence=self._read_log(),
        )

    def _read_log(self) -> str:
        """The end of what the command printed; '' if none was started."""
        try:
            return self._log.read_text(errors="replace")[-LOG_CHARACTERS:] if self._log else ""
        except OSError:
            return ""

    def _receive(self, seconds: float) -> dict[str, object] | None:
        """The next reply; None if there is none within this time, or the supervisor has ended."""
        output = self._replies.fileno()
        deadline = time.monotonic() + seconds
        while not self._unread:
            ready, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(output, 1 << 16) if ready else b""
            if not data:
                return None
            *lines, self._incomplete = (self._incomplete + data).split(b"\n")
            self._unread += [json.loads(line) for line in lines]
        return self._unread.pop(0)


def server_environment() -> dict[str, str]:
    """The environment of a server: without the PG* variables and the language of the gate's own."""
    passed = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
    return {"PATH": os.defpath, **passed, "LC_ALL": "C", "TZ": "UTC"}


@contextmanager
def start_supervisor(*directories: RunDirectory) -> Iterator[SupervisorClient]:
    """A supervisor that removes these folders when the block ends or this process does.

    The folders of `temporary_run_directory` are not removed before it has ended.
    """
    descriptors = [*(directory.lock for directory in directories), *list_descriptors()]
    paths = [str(directory.path) for directory in directories]
    process = subprocess.Popen(
        [
            sys.executable, "-I", "-S", str(SUPERVISOR_SCRIPT), str(os.getpid()), json.dumps(paths),
            json.dumps(descriptors),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd="/",
        start_new_session=True,  # Ctrl-C at the terminal is for the gate, which stops the server in order
        pass_fds=descriptors,
    )  # fmt: skip
    client = SupervisorClient(process)
    try:
        yield client
    finally:
        client.close()
