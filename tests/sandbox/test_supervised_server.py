"""What a program that the Postgres server runs (COPY … FROM PROGRAM) can make on this machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from migration_gate.postgres.run_directory import create_run_directory
from migration_gate.postgres.supervisor_client import start_supervisor
from migration_gate.sandbox.landlock import find_landlock_version
from tests.sandbox.test_socket_attacks import NOBODY, PYTHON
from tests.support.privileges import folder_for_everybody

HANG_SECONDS = 60.0
BIND = """
import os, socket, sys
for folder in sys.argv[1:]:
    try:
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"{folder}/socket")
        server.listen()
        socket.socket(socket.AF_UNIX).connect(f"{folder}/socket")
        print("connected")
    except OSError as error:
        print(error.errno)
"""


@pytest.mark.slow
@pytest.mark.skipif(not find_landlock_version(), reason="this kernel has no Landlock")
def test_a_socket_is_bound_in_the_servers_folders_and_nowhere_else() -> None:
    with folder_for_everybody() as other, folder_for_everybody() as own:
        for folder in (other, own):
            folder.chmod(0o777)
        directory = create_run_directory(own)
        log = directory.path / "log"
        with start_supervisor(directory) as supervisor:
            supervisor.start_command(
                [PYTHON, "-I", "-S", "-c", BIND, other, own],
                account=NOBODY if os.geteuid() == 0 else None,
                log=log, stop_signal=signal.SIGTERM, unix_sockets_only=True, writable_folders=[str(own)],
            )  # fmt: skip
            assert supervisor.exit_reason(HANG_SECONDS) == "exit status 0"
            assert log.read_text() == "13\nconnected\n"
        assert not [*Path(other).iterdir()]
        directory.close_lock()
