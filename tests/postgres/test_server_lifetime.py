"""Nothing is left behind: no process, no folder, whatever happens."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from migration_gate import postgres
from migration_gate.errors import DiskFull, PostgresDied
from migration_gate.postgres import binaries, run_directory
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.server import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not binaries.find_installations()[0], reason="no Postgres server is installed on this machine"
    ),
]
ROOT = Path(postgres.__file__).parents[2]
HOLD = """
import json, sys, time
from pathlib import Path
from migration_gate import postgres
from migration_gate.postgres.choice import start_server
with start_server("local", folder=Path(sys.argv[1])) as server:
    folder = Path(server.socket_directory).parent
    pid = int((folder / "data/postmaster.pid").read_text().split()[0])
    print(json.dumps([str(folder), pid]), flush=True)
    time.sleep(60)
"""


class Held:
    """A process of its own that holds a server."""

    def __init__(self, folder: Path, **options: bool) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT, **options,  # type: ignore[call-overload]
        )  # fmt: skip
        assert self.process.stdout
        path, self.postmaster = json.loads(self.process.stdout.readline())
        self.folder = Path(path)
        status = subprocess.run(
            ["ps", "-o", "ppid=", "-p", str(self.postmaster)], capture_output=True, text=True, check=True
        )
        self.guard = int(status.stdout)

    def gone(self) -> bool:
        return not (alive(self.postmaster) or alive(self.guard) or self.folder.exists())

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    child = Held(tmp_path)
    yield child
    child.end()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


def soon(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_signal_that_ends_us_leaves_nothing(held: Held, number: signal.Signals) -> None:
    held.process.send_signal(number)
    assert held.process.wait(15)
    assert soon(held.gone)


def test_control_c_at_the_terminal_reaches_us_and_not_the_server(tmp_path: Path) -> None:
    child = Held(tmp_path, start_new_session=True)
    try:
        assert os.getsid(child.guard) != os.getsid(child.process.pid)
        assert os.getsid(child.postmaster) != os.getsid(child.process.pid)
        os.killpg(child.process.pid, signal.SIGINT)
        assert child.process.wait(15)
        assert soon(child.gone)
    finally:
        child.end()


def test_a_killed_guard_takes_the_server_along(held: Held) -> None:
    os.kill(held.guard, signal.SIGKILL)
    if sys.platform == "linux":
        assert soon(lambda: not alive(held.postmaster))


def test_a_run_killed_with_its_guard_is_swept_at_the_next_start(
    held: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(held.guard, signal.SIGSTOP)
    held.end()
    os.kill(held.guard, signal.SIGKILL)
    assert soon(lambda: not alive(held.guard))
    assert held.folder.exists()
    monkeypatch.setattr(run_directory, "YOUNG_SECONDS", 0.0)
    run_directory.remove_abandoned_directories(tmp_path)
    assert not held.folder.exists()


def test_the_folder_of_a_running_server_is_not_swept(
    held: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_directory, "YOUNG_SECONDS", 0.0)
    run_directory.remove_abandoned_directories(tmp_path)
    assert held.folder.exists()
    assert alive(held.postmaster)


def test_a_killed_run_that_left_a_forked_child_is_cleaned_up_too(tmp_path: Path) -> None:
    code = HOLD.replace("    time.sleep(60)", "    import os\n    os.fork()\n    time.sleep(12)")
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
    )  # fmt: skip
    assert child.stdout
    path, postmaster = json.loads(child.stdout.readline())
    time.sleep(0.3)
    child.kill()
    child.wait()
    assert soon(lambda: not (alive(postmaster) or Path(path).exists()), 8.0)
    child.stdout.close()


def test_success_and_failure_leave_nothing(tmp_path: Path) -> None:
    folders: list[Path] = []
    with start_server("local", folder=tmp_path) as server:
        folders.append(Path(server.socket_directory).parent)
    with pytest.raises(KeyError), start_server("local", folder=tmp_path) as server:
        fail(folders, Path(server.socket_directory).parent)
    assert not any(folder.exists() for folder in folders)
    assert not list(tmp_path.iterdir())


def fail(folders: list[Path], folder: Path) -> None:
    folders.append(folder)
    raise KeyError


def test_a_busy_server_stops_at_once(tmp_path: Path) -> None:
    with start_server("local", folder=tmp_path) as server:
        connection = server.connect()
        connection.execute("BEGIN; CREATE TABLE t (); LOCK TABLE t")
        connection.pgconn.send_query(b"SELECT pg_sleep(60)")
        begun = time.monotonic()
    assert time.monotonic() - begun < 6
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT])
def test_a_killed_server_is_reported_with_the_end_of_its_log(tmp_path: Path, number: int) -> None:
    with start_server("local", folder=tmp_path) as server:
        server.check_alive()
        folder = Path(server.socket_directory).parent
        lines = (folder / "data/postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), number)
        assert soon(lambda: bool(server.process.exit_reason()))
        for _ in range(2):
            with pytest.raises(PostgresDied) as caught:
                server.check_alive()
        assert "ready to accept connections" in caught.value.evidence
        assert caught.value.status == 3
        with pytest.raises(PostgresDied):
            server.connect()
    assert not folder.exists()
    if sys.platform == "linux":
        segments = Path("/proc/sysvipc/shm").read_text()
        assert not re.search(rf"^\s*\d+\s+{lines[6].split()[1]}\s", segments, re.M)


def test_a_crash_of_one_connection_ends_the_server_and_is_reported(tmp_path: Path) -> None:
    with start_server("local", folder=tmp_path) as server:
        with server.connect() as connection:
            os.kill(connection.info.backend_pid, signal.SIGSEGV)
        assert soon(lambda: bool(server.process.exit_reason()))
        with pytest.raises(PostgresDied) as caught:
            server.check_alive()
    assert "terminated by signal 11" in caught.value.evidence


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk with room for a server and little else."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("needs root on Linux, to mount a small disk")
    with run_directory.with_socket_directory(run_directory.create_data_directory(Path("/tmp"))) as places:
        disk = places[0].path / "disk"
        disk.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=170m,mode=1777", "tmpfs", disk],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"this root may not mount a small disk: {done.stderr.decode().strip()}")
        try:
            yield disk
        finally:
            subprocess.run(["umount", disk], check=True)


def test_a_disk_that_fills_up_during_the_run_is_the_callers_to_mend(small_disk: Path) -> None:
    with start_server("local", folder=small_disk) as server:
        assert server.log
        assert server.log.is_relative_to(small_disk)
        with server.connect() as connection, pytest.raises(psycopg.errors.DiskFull):
            connection.execute("CREATE TABLE t AS SELECT repeat('x', 1000) FROM generate_series(1, 1000000)")
        server.check_alive()
        with pytest.raises(DiskFull, match="disk full") as caught:
            fill(server)
    assert caught.value.status == 2
    assert "TMPDIR" in caught.value.advice
    assert list(small_disk.iterdir()) == []


def fill(server: Server) -> None:
    for _ in range(20):
        server.create_database()


def test_a_server_that_dies_of_a_full_disk_is_no_fault_of_ours(small_disk: Path) -> None:
    with start_server("local", folder=small_disk) as server:
        with server.connect() as connection:
            (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free))
            with pytest.raises(psycopg.OperationalError):
                connection.execute(  # fills the write-ahead log, and nothing else
                    "SELECT count(pg_logical_emit_message(false, '', repeat('x', 100000))) "
                    "FROM generate_series(1, 5000)"
                )
        assert soon(lambda: bool(server.process.exit_reason()))
        with pytest.raises(DiskFull) as caught:
            server.check_alive()
    assert "No space left on device" in caught.value.evidence


def test_a_disk_that_fills_up_during_the_start_is_the_callers_to_mend(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_directory, "for_data", run_directory.create_run_directory)
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 9_000_000))
    for cache in (None, str(small_disk / "cache")):
        if cache:
            monkeypatch.setenv("XDG_CACHE_HOME", cache)
        with pytest.raises(DiskFull), start_server("local", folder=small_disk):
            pass
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_disk_without_room_is_said_with_every_place_that_was_tried(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="MB free") as caught:
        run_directory.create_data_directory(tmp_path, room=1 << 60)
    assert str(tmp_path) in caught.value.message
    assert "TMPDIR" in caught.value.advice
    assert caught.value.status == 2
