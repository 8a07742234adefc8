"""What a server elsewhere needs here: a folder, a guard over it, and a relay that leads to the server."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from migration_gate.errors import Broken
from migration_gate.postgres import run_directory
from migration_gate.postgres import socket_proxy as script
from migration_gate.postgres.server import read_tail
from migration_gate.postgres.socket_proxy import Target
from migration_gate.postgres.supervisor_client import Lifeline, guarded

ROOM = 1024 * 1024
"""bytes that a relay wants free: it has a socket, and no cluster"""
PORT = 5432
OPEN_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Outpost:
    """A guarded folder with a place for a socket."""

    lifeline: Lifeline
    directory: Path
    """of the socket"""
    log: Path

    def open(self, target: Target) -> None:
        """Start the relay and wait for its socket. Raises Broken where it did not come up."""
        socket = self.directory / f".s.PGSQL.{PORT}"
        command = [sys.executable, "-I", "-S", script.__file__, json.dumps(asdict(target)), str(socket)]
        self.lifeline.launch(command, account=None, log=self.log, stop=signal.SIGTERM)
        deadline = time.monotonic() + OPEN_SECONDS
        while not socket.exists():
            ended = self.lifeline.ended(0.005)
            if ended or time.monotonic() > deadline:
                raise Broken(
                    f"the relay to {target.host}:{target.port} should have opened {socket}; "
                    f"found {ended or 'nothing'}",
                    advice="Read its output below.",
                    evidence=read_tail(self.log, 20),
                )


@contextmanager
def outpost(folder: Path) -> Iterator[Outpost]:
    """An outpost in `folder`, else among the temporary files; gone when the block ends, and its relay too."""
    run_directory.remove_abandoned_directories(folder)
    with (
        run_directory.with_socket_directory(run_directory.create_data_directory(folder, room=ROOM)) as places,
        guarded(*places) as lifeline,
    ):
        directory = places[-1].path / "socket"
        directory.mkdir(mode=0o755)
        directory.chmod(0o755)
        yield Outpost(lifeline, directory, places[0].path / "relay.log")
