"""Our end of the guard: start it, give it orders, hear what became of the server."""

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

from migration_gate.errors import Broken
from migration_gate.postgres.run_directory import RunDirectory
from migration_gate.sandbox.user import Account

GUARD = Path(__file__).with_name("supervisor.py")


class Lifeline:
    """A guard process and what it said. While it is held, the server lives; let go, everything is removed."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is None or process.stdout is None:
            raise TypeError("a guard is started with pipes")
        self.process = process
        self._orders, self._replies = process.stdin, process.stdout
        self._pending = b""
        self._answers: list[dict[str, object]] = []
        self._ended: str | None = None

    def launch(
        self,
        command: Sequence[str | Path],
        *,
        account: Account | None,
        log: Path,
        stop: signal.Signals,
        data: Path | None = None,
        confined: bool = False,
    ) -> None:
        """Start a command under guard, as the account, its output appended to `log`.

        A confined one reaches no socket but its own.
        """
        self._ended = None
        self._tell(
            {
                "command": [str(word) for word in command],
                "user": [account.uid, account.gid] if account else None,
                "env": environment(),
                "log": str(log),
                "signal": int(stop),
                "pidfile": str(data / "postmaster.pid") if data else None,
                "confined": confined,
            }
        )
        answer = self._hear(10.0)
        if answer is None or "failed" in answer:
            found = answer["failed"] if answer else "no answer within 10 s"
            raise Broken(
                f"starting {command[0]} failed: {found}",
                advice="Look for a limit on processes or memory (ulimit -u), then run again.",
            )

    def run(
        self, command: Sequence[str | Path], *, account: Account | None, log: Path, seconds: float = 60.0
    ) -> str:
        """Run a command to its end: '' where it succeeded, else how it ended."""
        self.launch(command, account=account, log=log, stop=signal.SIGKILL)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if ended := self.ended(left):
                return "" if ended == "exit status 0" else ended
        return f"still running after {seconds:.0f} s"

    def ended(self, seconds: float = 0.0) -> str:
        """How the command ended, or '' while it runs; waits at most `seconds` for the end."""
        if self._ended is None:
            answer = self._hear(seconds)
            if answer is not None and "ended" in answer:
                status = int(str(answer["ended"]))
                self._ended = f"exit status {status}" if status >= 0 else f"killed by signal {-status}"
            elif self.process.poll() is not None:
                self._ended = "its guard was killed"
        return self._ended or ""

    def stop(self) -> None:
        """Stop the command and wait for its end; the guard stays."""
        if not self.ended():
            self._tell({"stop": True})
            self.ended(20.0)

    def farewell(self, command: Sequence[str], text: str) -> None:
        """What to run at the end if we can't; no command takes it back."""
        self._tell({"farewell": list(command) or None, "input": text})

    def close(self) -> None:
        """Have everything stopped and removed. An impatient Ctrl-C does not cut that short."""
        with suppress(OSError):
            self._orders.close()
        while True:
            try:
                self.process.wait(timeout=90)
            except KeyboardInterrupt:
                continue
            except subprocess.TimeoutExpired:
                self.process.kill()
                continue
            break
        self._replies.close()

    def _tell(self, order: dict[str, object]) -> None:
        try:
            self._orders.write((json.dumps(order) + "\n").encode())
        except OSError as error:
            raise Broken(
                f"the process that guards the Postgres server is gone: {error}",
                advice="Something killed it (out of memory?). Run again.",
            ) from error

    def _hear(self, seconds: float) -> dict[str, object] | None:
        output = self._replies.fileno()
        deadline = time.monotonic() + seconds
        while not self._answers:
            ready, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(output, 1 << 16) if ready else b""
            if not data:
                return None
            *lines, self._pending = (self._pending + data).split(b"\n")
            self._answers += [json.loads(line) for line in lines]
        return self._answers.pop(0)


def environment() -> dict[str, str]:
    """What a server needs of our environment: none of its PG* variables, nor its language."""
    kept: tuple[str, ...] = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
    kept += ("SSL_CERT_FILE", "SSL_CERT_DIR")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {"PATH": os.defpath, **found, "LC_ALL": "C", "TZ": "UTC"}


@contextmanager
def guarded(*places: RunDirectory) -> Iterator[Lifeline]:
    """A guard over these places. It removes them when the block ends or this process does."""
    locks = [place.lock for place in places]
    words = [os.getpid(), json.dumps([str(place.path) for place in places]), json.dumps(locks)]
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD), *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd="/",
        start_new_session=True,  # Ctrl-C at the terminal reaches us, who then stop the server in order
        pass_fds=locks,
    )
    lifeline = Lifeline(process)
    try:
        yield lifeline
    finally:
        lifeline.close()
