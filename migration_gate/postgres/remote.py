"""What a server that is not on this machine needs here: a Unix socket that leads to it, and a supervisor."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.errors import Broken
from migration_gate.postgres.run_directory import (
    RunDirectory,
    create_data_directory,
    create_run_directory,
    remove_abandoned_directories,
    with_socket_directory,
)
from migration_gate.postgres.server import read_tail
from migration_gate.postgres.supervisor_client import SupervisorClient, start_supervisor

if TYPE_CHECKING:
    from migration_gate.postgres.proxy_target import ProxyTarget

PROXY_SCRIPT = Path(__file__).with_name("socket_proxy.py")
REQUIRED_BYTES = 1024 * 1024
"""free space that is needed here: for a socket and a log, without a cluster"""
PORT = 5432
"""names the socket: `.s.PGSQL.5432`"""
GATE_PORT = 5433
"""names the gate's own socket, which leads to all databases"""
OPEN_SECONDS = 60.0
POLL_SECONDS = 0.005
LOG_LINES = 20
"""of the proxy's output that are shown where it failed"""


@dataclass(frozen=True, slots=True)
class RemoteAccess:
    """A folder for the socket, and the supervisor that removes it."""

    supervisor: SupervisorClient
    socket_directory: Path
    log: Path
    session_log: Path
    """for what the sessions do, if the proxy is to write it"""
    shared_directory: Path | None = None
    """for a socket of the server's own, if there can be one"""

    def start_proxy(self, target: ProxyTarget) -> None:
        """Start the proxy and wait for its socket. Raises Broken if it does not start."""
        socket = self.socket_directory / f".s.PGSQL.{PORT}"
        gate_socket = self.socket_directory / f".s.PGSQL.{GATE_PORT}"
        arguments = [json.dumps(asdict(target)), str(socket), str(gate_socket)]
        command = [sys.executable, "-I", "-S", str(PROXY_SCRIPT), *arguments]
        self.supervisor.start_command(command, account=None, log=self.log, stop_signal=signal.SIGTERM)
        deadline = time.monotonic() + OPEN_SECONDS
        while not socket.exists():
            reason = self.supervisor.exit_reason(POLL_SECONDS)
            if reason or time.monotonic() > deadline:
                raise Broken(
                    f"the proxy to {target.host}:{target.port} should have opened {socket}; "
                    f"found {reason or 'nothing'}",
                    advice="Read its output below.",
                    evidence=read_tail(self.log, LOG_LINES),
                )


@contextmanager
def open_remote_access(folder: Path, shared_parent: Path | None = None) -> Iterator[RemoteAccess]:
    """A supervised folder in `folder`, else among the temporary files; removed when the block ends.

    shared_parent: where there is to be another folder, which the server sees too.
    """
    remove_abandoned_directories(folder)
    run_directory = create_data_directory(folder, required_bytes=REQUIRED_BYTES)
    with (
        with_socket_directory(run_directory) as directories,
        _create_shared_directory(shared_parent) as shared,
        start_supervisor(*directories, *shared) as supervisor,
    ):
        socket_directory = directories[-1].path / "socket"
        socket_directory.mkdir(mode=0o755)
        socket_directory.chmod(0o755)
        shared_directory = shared[0].path if shared else None
        logs = (run_directory.path / "proxy.log", run_directory.path / "sessions.log")
        yield RemoteAccess(supervisor, socket_directory, *logs, shared_directory)


@contextmanager
def _create_shared_directory(parent: Path | None) -> Iterator[tuple[RunDirectory, ...]]:
    """One; none if nothing can be made there."""
    if parent is None:
        yield ()
        return
    remove_abandoned_directories(parent)
    try:
        directory = create_run_directory(parent)
    except OSError:
        yield ()
        return
    try:
        yield (directory,)
    finally:
        shutil.rmtree(directory.path, ignore_errors=True)
        directory.close_lock()
