"""Starts the worker, which is the project's own interpreter, in the sandbox, and stops it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured
from migration_gate.project import Project
from migration_gate.sandbox.command import sandbox_command, sandbox_environment
from migration_gate.sandbox.seccomp import supports_seccomp
from migration_gate.sandbox.user import (
    WITHHELD_PREFIXES,
    Account,
    choose_account,
    is_readable,
    runs_in_container,
)

WORKER_FOLDER = Path(__file__).parents[1] / "worker"
COPIED_WORKER = "migration_gate_worker"
"""folder of the copy; `crash_report.FOREIGN_FILE` knows its name"""
STOP_SECONDS = 5.0
"""what the sandbox gets to end everything below it, before it is killed itself"""
ALL_NETWORKS = "`network: true`: the project's code could reach other machines"
NO_FILTER = (
    f"no network filter on {sys.platform}: connections through SQLAlchemy and the usual drivers "
    "are redirected, but a program that the project starts could reach another database"
)


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


@dataclass(frozen=True, slots=True)
class Confinement:
    """What the sandbox keeps the project's code from."""

    account: Account | None
    """whose rights the code has; None: those of this process"""
    unix_sockets_only: bool
    notes: tuple[str, ...]


@contextmanager
def start_worker(
    project: Project, settings: Settings, folder: Path, *, with_models: bool = False
) -> Iterator[WorkerProcess]:
    """A worker that imports Alembic and SQLAlchemy, then waits; stopped when the block ends.

    With `with_models` it forks then: a second interpreter waits, which no code of the project has run in.

    `folder` belongs to this run: the worker's files are copied into it if its account cannot read them
    elsewhere, and its home directory is there if it has no other.
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
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
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
    confinement = _choose_confinement(project, settings)
    worker_code = _find_readable_code(confinement.account, folder)
    environment = _build_environment(settings, confinement.account, folder)
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


def _choose_confinement(project: Project, settings: Settings) -> Confinement:
    """The account and the network of the project's code, as far as this machine can restrict them."""
    choice = choose_account(project.root, [project.python, project.root])
    _require_readable(project, choice.account)
    notes: list[str] = []
    if settings.network:
        notes.append(ALL_NETWORKS)
    elif not supports_seccomp():
        notes.append(NO_FILTER)
    if choice.unreadable is not None and runs_in_container(os.environ):
        notes.append(_describe_account(choice.account, choice.unreadable))
    return Confinement(
        account=choice.account,
        unix_sockets_only=not settings.network and supports_seccomp(),
        notes=tuple(notes),
    )


def _require_readable(project: Project, account: Account | None) -> None:
    """Raise Misconfigured where the settings name a folder or a file that the account may not read.

    They do not choose the account: whoever writes them would else choose whose files the code can read.
    """
    for path in (project.directory, project.hook):
        if account is not None and path is not None and not is_readable(path, account):
            raise Misconfigured(
                f"The project's code runs as user {account.uid}, who may not read `{path}`.",
                where=str(path),
                advice="Put it where every user may read it, or change its permissions (`chmod -R a+rX`).",
            )


def _describe_account(account: Account | None, unreadable: Path) -> str:
    """Why the project's code had more rights than it needs, in a container."""
    owner = "as the owner of its folder, who may write to the runner's files"
    return (
        f"the project's code ran {owner if account else 'as root'}, "
        f"because other users may not read `{unreadable}`: put it where they may"
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


def _build_environment(settings: Settings, account: Account | None, folder: Path) -> dict[str, str]:
    """What the interpreter starts with. The server's address and what names it follow with the order."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(WITHHELD_PREFIXES)
    }
    if account is not None:
        home = folder / "home"
        home.mkdir(exist_ok=True)
        os.chown(home, account.uid, account.gid)
        environment |= {"HOME": str(home), "USER": "nobody", "LOGNAME": "nobody"}
    return environment | settings.env_by_name()
