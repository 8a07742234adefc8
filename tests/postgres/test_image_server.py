"""A server in a container."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migration_gate import postgres
from migration_gate.errors import PostgresDied, PostgresNotFound
from migration_gate.postgres import image
from migration_gate.postgres.choice import start_server

IMAGE = os.environ.get("MIGRATION_GATE_TEST_IMAGE", "postgres:15")
WRONG = image.daemon()
needs_docker = pytest.mark.skipif(bool(WRONG), reason=WRONG or "Docker answers")
pytestmark = pytest.mark.slow
ROOT = Path(postgres.__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from migration_gate import postgres
from migration_gate.postgres.choice import start_server
with start_server(sys.argv[1], folder=Path(sys.argv[2])) as server:
    print(server.process.container.get_wrapped_container().id, flush=True)
    time.sleep(60)
"""


def known(container: str) -> bool:
    done = subprocess.run(["docker", "inspect", container], capture_output=True, check=False)
    return done.returncode == 0


def test_no_daemon_is_said_with_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with (
        pytest.raises(PostgresNotFound, match="no Docker daemon answers") as caught,
        start_server("postgis/postgis:17-3.5", folder=tmp_path),
    ):
        pass
    assert "DOCKER_HOST" in caught.value.advice


@needs_docker
@pytest.mark.docker
def test_an_image_becomes_a_server_behind_a_socket_of_ours(tmp_path: Path) -> None:
    with start_server(IMAGE, folder=tmp_path) as server:
        assert server.description.startswith(f"image {IMAGE}, PostgreSQL ")
        name = server.create_database()
        with server.connect(name) as connection:
            found = connection.execute("SELECT current_setting('cluster_name'), current_setting('fsync')")
            assert found.fetchone() == (server.token, "off")
        server.check_alive()
        assert "ready to accept connections" in server.log_tail()
        container = server.process.container.get_wrapped_container().id  # type: ignore[attr-defined]
    assert not known(container)


@needs_docker
@pytest.mark.docker
def test_an_image_that_is_not_to_be_had_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(PostgresNotFound, match=r"example\.invalid/none:1") as caught,
        start_server("example.invalid/none:1", folder=tmp_path),
    ):
        pass
    assert caught.value.status == 2


@needs_docker
@pytest.mark.docker
def test_a_removed_container_is_reported(tmp_path: Path) -> None:
    with start_server(IMAGE, folder=tmp_path) as server:
        server.process.container.get_wrapped_container().kill()  # type: ignore[attr-defined]
        time.sleep(0.5)
        with pytest.raises(PostgresDied, match="exit status 137"):
            server.check_alive()


@needs_docker
@pytest.mark.docker
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_that_ends_us_leaves_no_container(tmp_path: Path, number: signal.Signals) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, IMAGE, str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
    )  # fmt: skip
    with child:
        assert child.stdout
        container = child.stdout.readline().strip()
        assert known(container)
        child.send_signal(number)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and known(container):
        time.sleep(0.2)
    assert not known(container)
