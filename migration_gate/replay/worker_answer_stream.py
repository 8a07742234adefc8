"""Sends a worker its order, and reads the lines of its answer as they come, within the time limits."""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NoReturn

from migration_gate.config.settings import Settings
from migration_gate.errors import AnswersMissing, TimedOut, WorkerDied
from migration_gate.postgres.server import Server
from migration_gate.project import Project
from migration_gate.replay import crash_report
from migration_gate.replay.answer_lines import corrupted_answer, parse_line
from migration_gate.replay.lock_waits import add_lock_wait
from migration_gate.replay.sent_ahead import find_running_step
from migration_gate.replay.server_log import add_first_error
from migration_gate.replay.server_watch import ServerWatch
from migration_gate.replay.worker_order import WorkerTask, build_order
from migration_gate.replay.worker_position import WorkerPosition
from migration_gate.replay.worker_process import WorkerPipes, WorkerProcess, stop_worker
from migration_gate.sandbox.command import identify_socket
from migration_gate.sandbox.process_end import ENDED_FROM_OUTSIDE, describe_exit, is_own_end, wait_for_process
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.order import DATABASE_RESTORED, STATE_KEPT, Order, Request, encode_order
from migration_gate.worker.protocol.rollback_lines import RunsFinished
from migration_gate.worker.protocol.run_lines import InterpreterEnded, StageStarted
from migration_gate.worker.protocol.step_lines import AnswersNeeded, StepStarted

KEPT_OUTPUT_BYTES = 64 * 1024
"""of what the project's code prints, the end is kept"""
READ_BYTES = 64 * 1024
POLL_SECONDS = 0.25
"""between two looks at the time limits"""
PARENT_SECONDS = 0.5
"""how long the second interpreter may end before the first, with which it ends; decides on words alone"""
DUMP_SECONDS = 0.5
"""what the interpreter gets to print the frames that it is in"""
DAEMON_SECONDS = 0.5
"""how long the output is still read when the answer has ended: a daemon may hold the pipe open"""


def send_order(
    worker: WorkerProcess, project: Project, settings: Settings, server: Server, task: WorkerTask
) -> AnswerStream:
    """Tell the worker what to do on which server; its answer. The time limits count from here.

    If the worker has a second interpreter, it gets the same order for the models at once, so that it
    imports the project meanwhile; see `receive_models`.
    """
    _name_socket(worker, server)
    _send_line(worker.pipes, build_order(project, settings, server, task))
    if worker.models_pipes is not None:
        models_task = replace(task, kind="models", keeps_state=False)
        _send_line(worker.models_pipes, build_order(project, settings, server, models_task))
    return AnswerStream(worker, worker.pipes, settings, server, task.database)


def send_models_order(
    worker: WorkerProcess, project: Project, settings: Settings, server: Server, task: WorkerTask
) -> AnswerStream:
    """Tell only the second interpreter what to do: no history is run."""
    assert worker.models_pipes is not None  # noqa: S101 - the caller started it with two
    _name_socket(worker, server)
    _send_line(worker.models_pipes, build_order(project, settings, server, task))
    return AnswerStream(worker, worker.models_pipes, settings, server, task.models_database)


def _name_socket(worker: WorkerProcess, server: Server) -> None:
    # A worker or a server that has died already is reported when the answer is read.
    with contextlib.suppress(OSError), worker.socket_pipe as pipe:
        pipe.write(identify_socket(f"{server.socket_directory}/.s.PGSQL.{server.port}"))


def _send_line(pipes: WorkerPipes, line: Order | Request) -> None:
    # A worker that has died already is reported when its answer is read.
    with contextlib.suppress(BrokenPipeError):
        pipes.order.write(encode_order(line))
        pipes.order.flush()


class AnswerStream:
    """What a worker answers to its order. Iterate once: the lines come as the worker writes them.

    If the project's code ends its own interpreter, the last line is the failure that the worker could
    not write any more. Raises TimedOut; AnswerCorrupted; AnswersMissing; WorkerDied if something outside of
    the project ended the worker; PostgresDied or DiskFull if the server ended first.
    """

    def __init__(
        self, worker: WorkerProcess, pipes: WorkerPipes, settings: Settings, server: Server, database: str
    ) -> None:
        """`pipes`: those of one of the worker's interpreters."""
        self._worker = worker
        self._pipes = pipes
        self._settings = settings
        self._server = server
        self._database = database
        self._server_watch = ServerWatch(server)
        self._output = bytearray()
        self._position = WorkerPosition()
        self._steps: dict[int, str] = {}
        """the revisions that began, by the numbers of their steps"""
        now = time.monotonic()
        self._run_deadline = now + settings.run_seconds
        self._import_deadline = now + settings.import_seconds

    @property
    def output(self) -> str:
        """The end of what the project's code printed so far."""
        return crash_report.remove_foreign_frames(self._output.decode("utf-8", "replace"))

    def send_request(self, request: Request) -> None:
        """Have the interpreter do more; the history has run."""
        self._position = self._position.follow_request(request)
        _send_line(self._pipes, request)

    def confirm_restored_database(self) -> None:
        """Have the interpreter go on after `DatabaseUsed`."""
        with contextlib.suppress(BrokenPipeError):
            self._pipes.order.write(DATABASE_RESTORED)
            self._pipes.order.flush()

    def confirm_kept_state(self) -> None:
        """Have the interpreter go on after `EarlierRevisionsRan`; without effect if it does not wait."""
        with contextlib.suppress(BrokenPipeError):
            self._pipes.order.write(STATE_KEPT)
            self._pipes.order.flush()

    def close_order(self) -> None:
        """Have the interpreter end when it has done what it was told."""
        with contextlib.suppress(BrokenPipeError):
            self._pipes.order.close()

    def __iter__(self) -> Iterator[Line]:
        try:
            yield from self._receive_lines()
            self._server_watch.verify_server()
        finally:
            self.close()

    def close(self) -> None:
        """End its own session; of an iteration that is left in the middle, too."""
        self._server_watch.close()

    def _receive_lines(self) -> Iterator[Line]:
        pieces: list[bytes] = []  # of a line: a catalog comes in hundreds
        for data in self._read_pipes():
            rest, *others = data.split(b"\n")
            for following in others:
                line = b"".join((*pieces, rest))
                pieces, rest = [], following
                if self._position.is_done:
                    raise corrupted_answer("there is a line after the last one of the worker's answer", line)
                yield self._receive_line(parse_line(line))
            pieces.append(rest)
        incomplete = b"".join(pieces)
        self._wait_for_end()
        if not self._position.is_done:
            yield self._explain_early_end(self._find_exit_status())
        elif incomplete:
            raise corrupted_answer("there is text after the last line of the worker's answer", incomplete)

    def _read_pipes(self) -> Iterator[bytes]:
        """What comes through the answer pipe, in pieces (b"" at its end); what is printed is kept."""
        stop_reading_at = math.inf
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipes.answer, selectors.EVENT_READ)
            selector.register(self._pipes.output, selectors.EVENT_READ)
            while selector.get_map() and time.monotonic() < stop_reading_at:
                self._enforce_time_limits()
                has_ended = self._worker.process.poll() is not None
                ready = selector.select(0 if has_ended else POLL_SECONDS)
                if has_ended and not ready:  # it was killed, and something that it started holds the pipes
                    return
                for data in self._read_arrived(selector, [key for key, _ in ready]):
                    yield data
                    if not data or self._is_last_of_models:
                        stop_reading_at = time.monotonic() + DAEMON_SECONDS

    def _read_arrived(
        self, selector: selectors.BaseSelector, keys: Sequence[selectors.SelectorKey]
    ) -> Iterator[bytes]:
        """What has come through the answer pipe, b"" at its end; what came through the other one is kept."""
        for key in keys:
            data = os.read(key.fd, READ_BYTES)
            if not data:
                selector.unregister(key.fileobj)
            if key.fileobj is self._pipes.output:
                self._keep_output(data)
            else:
                yield data

    def _wait_for_end(self) -> None:
        """Wait until the process ends; the time limits hold on, as the project may have closed the pipes.

        The second interpreter ends with the first one at the latest.
        """
        while self._is_main and not wait_for_process(self._worker.process, POLL_SECONDS):
            self._enforce_time_limits()

    def _find_exit_status(self) -> int | None:
        """As for `describe_exit`; None if it is not known.

        The second interpreter's own is not: it is the child of the first, and ends with that one. It runs no
        revision, so what ended both came from outside.
        """
        if not self._is_main:
            wait_for_process(self._worker.process, PARENT_SECONDS)
        status = self._worker.process.poll()
        return status if self._is_main or (status is not None and not is_own_end(status)) else None

    @property
    def _is_last_of_models(self) -> bool:
        """Whether the second interpreter has said all; what it leaves behind ends with the first one."""
        return self._position.is_done and not self._is_main

    @property
    def _is_main(self) -> bool:
        return self._pipes is self._worker.pipes

    def _receive_line(self, line: Line) -> Line:
        if isinstance(line, StageStarted) and line.name == "import":
            self._import_deadline = time.monotonic() + self._settings.import_seconds
        if isinstance(line, AnswersNeeded):
            raise AnswersMissing("an error came later than its statement")
        if isinstance(line, StepStarted):
            self._steps[line.number] = line.revision
        position = self._position.advance(line)
        if isinstance(line, RunsFinished) and not is_own_end(line.status):
            return self._explain_early_end(line.status)
        self._position = position
        if isinstance(line, InterpreterEnded):
            return self._explain_early_end(line.status)
        self._server_watch.verify_failure(line)
        line = add_lock_wait(line, self._server.session_log or self._server.log, self._database)
        return add_first_error(line, self._server.log, self._database)

    def _keep_output(self, data: bytes) -> None:
        self._output += data
        del self._output[:-KEPT_OUTPUT_BYTES]

    def _enforce_time_limits(self) -> None:
        now = time.monotonic()
        if self._position.is_importing and now > self._import_deadline:
            self._stop_late_worker("import", self._settings.import_seconds)
        if now > self._run_deadline:
            self._stop_late_worker("run", self._settings.run_seconds)

    def _stop_late_worker(self, limit: str, seconds: float) -> None:
        """End the worker, and raise TimedOut. `limit` is the key of `limits:` that was reached."""
        if self._position.is_ahead:
            self._stop_at_server(limit, seconds)
        self._request_stack_dump()
        stop_worker(self._worker)
        raise TimedOut(
            f"The project took longer than {seconds:g} s {self._position.describe()}.",
            advice="What it printed last, and the frames that it was in (innermost first), say what it "
            f"waited for. If it only needs longer, set `limits: {{{limit}: …}}`.",
            evidence=crash_report.last_output(self.output),
        )

    def _stop_at_server(self, limit: str, seconds: float) -> NoReturn:
        """The same for a worker that is ahead of the server: its frames are those of a later revision."""
        step = find_running_step(self._server.log, self._database)
        running = self._steps.get(step) if step is not None else None
        newest = max(self._steps)
        where = f"revision {running}" if running else f"revision {self._steps[newest]}, or an earlier one,"
        stop_worker(self._worker)
        raise TimedOut(
            f"The project took longer than {seconds:g} s while {where} ran.",
            advice="One of its statements took that long, or what follows on it. If it only needs longer, "
            f"set `limits: {{{limit}: …}}`.",
            evidence=crash_report.last_output(self.output),
        )

    def _request_stack_dump(self) -> None:
        """Have the interpreter print its frames (faulthandler does so on SIGUSR1), and keep them."""
        self._worker.process.send_signal(signal.SIGUSR1)
        descriptor = self._pipes.output.fileno()
        os.set_blocking(descriptor, False)
        stop_reading_at = time.monotonic() + DUMP_SECONDS
        while time.monotonic() < stop_reading_at:
            try:
                self._keep_output(os.read(descriptor, READ_BYTES))
            except BlockingIOError:
                time.sleep(0.02)

    def _explain_early_end(self, status: int | None) -> Line:
        """The failure that the worker could not write any more. Raises if it was not the project's.

        `status`: as for `describe_exit`; None if it is not known, and was not the project's.
        """
        self._server_watch.verify_server()  # a server that died first is the cause
        if self._position.is_ahead:
            raise AnswersMissing("the interpreter ended before all answers had come")
        manner = "ended" if status is None else describe_exit(status)
        is_second = status is None and not self._is_main
        subject = "the interpreter that creates the models" if is_second else "the project's interpreter"
        message = f"{subject} {manner} {self._position.describe()}"
        stage = self._position.stage
        if status is not None and stage is not None and is_own_end(status):
            return crash_report.build_failure_line(stage, self._position.revision, message, self.output)
        raise WorkerDied(
            f"{message[0].upper()}{message[1:]}, without finishing its answer.",
            advice=ENDED_FROM_OUTSIDE,
            evidence=crash_report.last_output(self.output),
        )
