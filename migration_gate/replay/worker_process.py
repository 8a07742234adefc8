"""Our end of the wire: starts the worker in its cage, and hands on its lines as they come."""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from migration_gate.config.settings import Settings
from migration_gate.errors import TimedOut, WorkerDied
from migration_gate.postgres.server import Server
from migration_gate.project import Project
from migration_gate.replay import crash_report, server_log
from migration_gate.replay.worker_answer import corrupted_answer, parse_line
from migration_gate.replay.worker_order import WorkerTask, build_order
from migration_gate.sandbox.command import sandbox_command
from migration_gate.sandbox.seccomp import supports_seccomp
from migration_gate.sandbox.user import (
    WITHHELD_PREFIXES,
    Account,
    choose_account,
    is_readable,
    runs_in_container,
)
from migration_gate.worker.protocol import (
    ContextConfigured,
    Done,
    FailedStage,
    Line,
    StageStarted,
    StepFinished,
    StepStarted,
    encode_order,
)

KEPT_OUTPUT = 64 * 1024
"""bytes of what the project prints that are kept: the end of it"""
WORKER_FOLDER = Path(__file__).parents[1] / "worker"
GRACE = 0.5
"""seconds for the interpreter to say where it hangs"""


class WorkerProcess:
    """The project's interpreter. It starts at once, while the server does: `hand` it an order; iterate."""

    def __init__(self, project: Project, settings: Settings, folder: Path) -> None:
        self._project = project
        self._settings = settings
        self._folder = folder
        """of this run; the worker's home where it has no other"""
        self._door = folder / f"socket-{secrets.token_hex(4)}"
        """names the one socket that may be connected to, once there is one"""
        self._output = bytearray()
        self._stage: FailedStage | None = None
        self._revision: str | None = None
        self._finished = False
        self._started = self._began = time.monotonic()
        self.notes: list[str] = []
        self._process, self._mouth, self._answer, self._printed = self._start()

    def send_order(self, server: Server, task: WorkerTask) -> None:
        """Say what to do, and where: time counts from here."""
        self._server, self._task = server, task
        self._started = self._began = time.monotonic()
        self._door.write_text(f"{server.socket_directory}/.s.PGSQL.{server.port}")
        with contextlib.suppress(BrokenPipeError), os.fdopen(self._mouth, "wb") as stream:
            # A worker that is gone already is reported later.
            stream.write(encode_order(build_order(self._project, self._settings, server, task)))

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._end()

    @property
    def output(self) -> str:
        """The end of what the project's code printed."""
        return crash_report.remove_foreign_frames(self._output.decode("utf-8", "replace"))

    def _start(self) -> tuple[subprocess.Popen[bytes], int, int, int]:
        order_read, order_write = os.pipe()
        answer_read, answer_write = os.pipe()
        printed_read, printed_write = os.pipe()
        account = self._account()
        code = self._reachable_code(account)
        command = sandbox_command(
            [str(self._project.python), "-u", str(code), str(order_read), str(answer_write)],
            account=account,
            unix_sockets_only=self._confined(),
            allowed_socket_file=str(self._door),
            notes_descriptor=answer_write,
            descriptors_to_close=[order_read, answer_write],
        )
        try:
            process = subprocess.Popen(
                command,
                cwd=self._project.directory,
                env=self._environment(account),
                stdin=subprocess.DEVNULL,
                stdout=printed_write,
                stderr=printed_write,
                pass_fds=(order_read, answer_write),
                start_new_session=True,
            )
        finally:
            for descriptor in (order_read, answer_write, printed_write):
                os.close(descriptor)
        return process, order_write, answer_read, printed_read

    def _confined(self) -> bool:
        if self._settings.network:
            self.notes.append("`network: true`: the project's code could reach other machines")
            return False
        if not supports_seccomp():
            self.notes.append(
                f"no network filter on {sys.platform}: connections through SQLAlchemy and the usual drivers "
                "are redirected, but a program that the project starts could reach another database"
            )
            return False
        return True

    def _account(self) -> Account | None:
        """Root's privileges are dropped where another user can read the project."""
        project = self._project
        needed = [path for path in (project.python, project.directory, project.hook) if path is not None]
        choice = choose_account(project.directory, needed)
        if choice.unreadable is not None and runs_in_container(os.environ):
            owner = "as the owner of its folder, who may write to the runner's files"
            self.notes.append(
                f"the project's code ran {owner if choice.account else 'as root'}, "
                f"because other users may not read `{choice.unreadable}`: put it where they may"
            )
        return choice.account

    def _reachable_code(self, account: Account | None) -> Path:
        """The worker's own files, copied where the unprivileged user can read them if it cannot already."""
        if account is None or is_readable(WORKER_FOLDER / "__main__.py"):
            return WORKER_FOLDER / "__main__.py"
        copy = self._folder / "worker"
        if not copy.exists():
            shutil.copytree(WORKER_FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
        return copy / "__main__.py"

    def _environment(self, account: Account | None) -> dict[str, str]:
        """What the interpreter starts with; the server's address and what names it follow with the order."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(WITHHELD_PREFIXES)}
        if account:
            home = self._folder / "home"
            home.mkdir(exist_ok=True)
            os.chown(home, account.uid, account.gid)
            kept.update(HOME=str(home), USER="nobody", LOGNAME="nobody")
        return {**kept, **dict(self._settings.env)}

    def __iter__(self) -> Iterator[Line]:
        """The lines of the answer, as they come; raises TimedOut and WorkerDied."""
        waiting, answered = b"", float("inf")
        with selectors.DefaultSelector() as selector:
            selector.register(self._answer, selectors.EVENT_READ)
            selector.register(self._printed, selectors.EVENT_READ)
            while selector.get_map() and time.monotonic() < answered + GRACE:  # a daemon may hold its output
                self._demand_time()
                for key, _ in selector.select(timeout=0.25):
                    data = os.read(key.fd, 1 << 16)
                    if not data:
                        selector.unregister(key.fd)
                        answered = time.monotonic() if key.fd == self._answer else answered
                    elif key.fd == self._printed:
                        self._keep(data)
                    else:
                        *lines, waiting = (waiting + data).split(b"\n")
                        yield from map(self._seen, map(parse_line, lines))
        self._process.wait()
        if not self._finished:
            yield self._died()
        elif waiting:
            raise corrupted_answer("there is text after the last line of the worker's answer", waiting)

    def _seen(self, line: Line) -> Line:
        if isinstance(line, StageStarted):
            self._stage = line.name
            if self._stage == "import":
                self._began = time.monotonic()
            elif self._stage == "replay":  # env.py runs now, which imports the models
                self._stage = "import"
        elif isinstance(line, ContextConfigured):
            self._stage = "replay"
        elif isinstance(line, StepStarted):
            self._revision = line.revision
        elif isinstance(line, StepFinished):
            self._revision = None
        elif isinstance(line, Done):
            self._finished = True
        return server_log.add_first_error(line, self._server.log, self._task.database)

    def _demand_time(self) -> None:
        limits = self._settings
        if self._stage in (None, "import") and time.monotonic() > self._began + limits.import_seconds:
            self._time_out("import", limits.import_seconds)
        if time.monotonic() > self._started + limits.run_seconds:
            self._time_out("run", limits.run_seconds)

    def _keep(self, data: bytes) -> None:
        self._output += data
        del self._output[:-KEPT_OUTPUT]

    def _where(self) -> str:
        if self._stage == "replay":
            return f"while revision {self._revision} ran" if self._revision else "between two revisions"
        return {
            "import": "while the project was imported",
            "prepare": "during `prepare`",
            "models": "while the models were created",
        }.get(self._stage or "", "before the project was imported")

    def _time_out(self, limit: str, seconds: float) -> None:
        """Ask the interpreter where it is, end it, and say so."""
        self._process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + GRACE
        os.set_blocking(self._printed, False)
        while time.monotonic() < end:
            try:
                self._keep(os.read(self._printed, 1 << 16))
            except BlockingIOError:
                time.sleep(0.02)
        self._end()
        raise TimedOut(
            f"The project took longer than {seconds:g} s {self._where()}.",
            advice="What it printed last, and the frames that it was in (innermost first), say what it "
            f"waited for. If it only needs longer, set `limits: {{{limit}: …}}`.",
            evidence=crash_report.last_output(self.output),
        )

    def _died(self) -> Line:
        """The failure that the worker could not tell any more; raises where it was not the project's."""
        self._server.check_alive()  # when the server died first, that is what to say
        status = self._process.returncode
        says = f"the project's interpreter {crash_report.describe_exit(status)} {self._where()}"
        if self._stage is not None and status != 128 + signal.SIGKILL:
            return crash_report.build_failure_line(self._stage, self._revision, says, self.output)
        raise WorkerDied(
            f"{says[0].upper()}{says[1:]}, without finishing its answer.",
            advice="Something ended it from outside: look for too little memory (`dmesg`), and run again.",
            evidence=crash_report.last_output(self.output),
        )

    def _end(self) -> None:
        """End the worker and everything that it started; quick when it has ended already."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for descriptor in (self._answer, self._printed, self._mouth):
            with contextlib.suppress(OSError):  # closed before
                os.close(descriptor)
