"""A server in a container."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import migration_gate
from migration_gate.errors import PostgresDied, PostgresNotFound
from migration_gate.postgres import container_start
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.image import find_daemon_problem, is_image_present
from migration_gate.postgres.shared_folder import SharedFolder
from tests.support.child_signals import restore_default_signals
from tests.support.release_tests import first_in_every_run

IMAGE = os.environ.get("MIGRATION_GATE_TEST_IMAGE", "postgres:15")
NO_DAEMON = find_daemon_problem()
needs_docker = pytest.mark.skipif(bool(NO_DAEMON), reason=NO_DAEMON or "Docker answers")
pytestmark = pytest.mark.slow
HANG_SECONDS = 60.0
"""after this time a test that waits gives up; no test depends on being faster"""
ROOT = Path(migration_gate.__file__).parents[1]
HOLD_SERVER = """
import sys, time
from pathlib import Path
from migration_gate.postgres.choice import start_server
with start_server(sys.argv[1], folder=Path(sys.argv[2])) as server:
    print(server.process.container.get_wrapped_container().id, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def image() -> str:
    """The image to start; pulled where the daemon does not have it and there is a registry."""
    if not is_image_present(IMAGE):
        done = subprocess.run(["docker", "pull", IMAGE], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"the Docker daemon has no {IMAGE} and cannot pull it: {done.stderr.strip()}")
    return IMAGE


def exists(container: str) -> bool:
    done = subprocess.run(["docker", "inspect", container], capture_output=True, check=False)
    return done.returncode == 0


def becomes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_the_error_where_no_daemon_answers_names_the_variable_to_set(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{run_folder}/docker.sock")
    with (
        pytest.raises(PostgresNotFound, match="no Docker daemon answers") as caught,
        start_server("postgis/postgis:17-3.5", folder=run_folder),
    ):
        pass
    assert "DOCKER_HOST" in caught.value.advice


@needs_docker
@pytest.mark.docker
def test_an_image_becomes_a_server_behind_a_socket_of_the_run(image: str, run_folder: Path) -> None:
    with start_server(image, folder=run_folder) as server:
        assert server.description.startswith(f"image {image}, PostgreSQL ")
        name = server.create_database()
        with server.connect(name) as connection:
            row = connection.execute(
                "SELECT current_setting('cluster_name'), current_setting('fsync'), "
                "current_setting('log_line_prefix')"
            ).fetchone()
            assert row == (server.token, "off", "%m|%p|%e|%a|%d|")
            # A program that a migration has the server run reaches no network.
            connection.execute("CREATE TABLE devices (name text)")
            connection.execute("COPY devices FROM PROGRAM 'ls /sys/class/net'")
            assert connection.execute("SELECT name FROM devices").fetchall() == [("lo",)]
        assert container_start.ON_A_NETWORK not in server.notes
        server.check_alive()
        assert "ready to accept connections" in server.log_tail()
        container = server.process.container.get_wrapped_container().id  # type: ignore[attr-defined]
    assert not exists(container)


@needs_docker
@pytest.mark.docker
def test_the_error_for_an_image_that_cannot_be_pulled_names_it(run_folder: Path) -> None:
    with (
        pytest.raises(PostgresNotFound, match=r"example\.invalid/none:1") as caught,
        start_server("example.invalid/none:1", folder=run_folder),
    ):
        pass
    assert caught.value.status == 2


@needs_docker
@pytest.mark.docker
def test_a_container_that_is_killed_is_reported(
    image: str, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SharedFolder, "translate", lambda *_: "/nonexistent")  # as on another machine
    with start_server(image, folder=run_folder) as server:
        assert container_start.ON_A_NETWORK in server.notes
        server.process.container.get_wrapped_container().kill()  # type: ignore[attr-defined]
        assert becomes_true(lambda: bool(server.process.exit_reason()))
        with pytest.raises(PostgresDied, match="exit status 137"):
            server.check_alive()


@needs_docker
@pytest.mark.docker
@pytest.mark.parametrize("number", first_in_every_run([signal.SIGKILL, signal.SIGINT, signal.SIGTERM], 1))
def test_a_signal_that_ends_the_gate_leaves_no_container_behind(
    image: str, run_folder: Path, number: signal.Signals
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD_SERVER, image, str(run_folder)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
        preexec_fn=restore_default_signals,  # noqa: PLW1509
    )  # fmt: skip
    with child:
        assert child.stdout
        container = child.stdout.readline().strip()
        assert exists(container)
        child.send_signal(number)
    assert becomes_true(lambda: not exists(container))
    assert becomes_true(lambda: not [*run_folder.iterdir()])
