"""Starts the worker, which is the project's own interpreter, in the sandbox, and stops it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from migration_gate.config.settings import Settings
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project import Project
from migration_gate.replay.confinement import build_environment, choose_confinement
from migration_gate.sandbox.command import sandbox_command, sandbox_environment
from migration_gate.sandbox.process_end import wait_for_process
from migration_gate.sandbox.user import Account, is_readable

WORKER_FOLDER = Path(__file__).parents[1] / "worker"
COPIED_WORKER = "migration_gate_worker"
"""folder of the copy; `crash_report.FOREIGN_FILE` knows its name"""
STOP_SECONDS = 5.0
"""what the sandbox gets to end everything below it, before it is killed itself"""


@dataclass(frozen=True, slots=True)
class WorkerPipes:
    """The gate's ends of one interpreter's pipes."""

    order: BinaryIO
    answer: BinaryIO
    """the lines of the answer"""
    output: BinaryIO
    """stdout and stderr of the project's code"""

    def close(self) -> None:
        """Close all of them."""
        for pipe in (self.order, self.answer, self.output):
            with contextlib.suppress(BrokenPipeError):  # an order that was never sent
                pipe.close()


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A worker that has started and waits for its order (see `worker_answer_stream.send_order`)."""

    process: subprocess.Popen[bytes]
    """the sandbox; the interpreter is its child"""
    pipes: WorkerPipes
    models_pipes: WorkerPipes | None
    """of the interpreter that creates the models: a fork of the first, and a descendant of the sandbox too"""
    socket_pipe: BinaryIO
    """tells the sandbox the one Unix socket that the worker may connect to, when the server runs"""
    notes: tuple[str, ...]
    """what the sandbox could not keep the project's code from, for the report"""


@contextmanager
def start_worker(
    project: Project, settings: Settings, folder: Path, *, with_models: bool = False
) -> Iterator[WorkerProcess]:
    """A worker that imports Alembic and SQLAlchemy, then waits; stopped when the block ends.

    With `with_models` it forks then: a second interpreter waits, which no code of the project has run in.

    `folder` belongs to this run: the worker's files are copied into it if its account cannot read them
    elsewhere, and its home directory is there.
    """
    worker = _launch_worker(project, settings, folder, with_models)
    try:
        yield worker
    finally:
        stop_worker(worker)


def stop_worker(worker: WorkerProcess) -> None:
    """End the worker and everything that it started; does nothing if that has happened already."""
    process = worker.process
    if process.poll() is None:
        process.terminate()  # the sandbox ends all of its descendants
        if not wait_for_process(process, STOP_SECONDS):
            process.kill()
            process.wait()
    worker.pipes.close()
    worker.socket_pipe.close()
    if worker.models_pipes is not None:
        worker.models_pipes.close()


@dataclass(frozen=True, slots=True)
class PipePairs:
    """Both ends of one interpreter's pipes, before it has started."""

    gate: WorkerPipes
    order: int
    answer: int
    output: int
    """the interpreter's ends"""

    @property
    def descriptors(self) -> tuple[int, int, int]:
        """The interpreter's ends."""
        return (self.order, self.answer, self.output)


def _open_pipes() -> PipePairs:
    order_read, order_write = os.pipe()
    answer_read, answer_write = os.pipe()
    output_read, output_write = os.pipe()
    gate = WorkerPipes(
        order=os.fdopen(order_write, "wb"),
        answer=os.fdopen(answer_read, "rb"),
        output=os.fdopen(output_read, "rb"),
    )
    return PipePairs(gate, order_read, answer_write, output_write)


def _launch_worker(project: Project, settings: Settings, folder: Path, with_models: bool) -> WorkerProcess:
    confinement = choose_confinement(project, settings, folder)
    worker_code = _find_readable_code(confinement.account, folder)
    environment = build_environment(settings, confinement, folder, os.environ)
    socket_read, socket_write = os.pipe()
    pipes = _open_pipes()
    models_pipes = _open_pipes() if with_models else None
    inherited = [pipes.order, pipes.answer, *(models_pipes.descriptors if models_pipes is not None else ())]
    command = sandbox_command(
        # -u: what the project printed before a crash is in the report.
        [str(project.python), "-u", str(worker_code), *(str(descriptor) for descriptor in inherited)],
        account=confinement.account,
        unix_sockets_only=confinement.unix_sockets_only,
        allowed_socket_descriptor=socket_read,
        notes_descriptor=pipes.answer,
        descriptors_to_close=inherited,
        writable_folders=confinement.writable_folders,
    )
    try:
        process = subprocess.Popen(
            command,
            cwd=project.directory,
            env=sandbox_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=pipes.output,
            stderr=pipes.output,
            pass_fds=[*inherited, socket_read],
            # Ctrl-C in a terminal reaches the gate alone, which then ends the worker in order.
            start_new_session=True,
        )
    finally:
        for descriptor in (*inherited, pipes.output, socket_read):
            os.close(descriptor)
    return WorkerProcess(
        process=process,
        pipes=pipes.gate,
        models_pipes=models_pipes.gate if models_pipes is not None else None,
        socket_pipe=os.fdopen(socket_write, "wb"),
        notes=confinement.notes,
    )


def _find_readable_code(account: Account | None, folder: Path) -> Path:
    """The worker's main file; a copy in `folder` if the account cannot read the original."""
    main_file = WORKER_FOLDER / "__main__.py"
    if account is None or is_readable(main_file):
        return main_file
    copy = folder / COPIED_WORKER
    if not copy.exists():
        shutil.copytree(WORKER_FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy / "__main__.py"
