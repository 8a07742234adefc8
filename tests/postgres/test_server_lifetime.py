"""No process and no folder of a server is left behind, whatever happens."""

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

import migration_gate
from migration_gate.errors import DiskFull, PostgresDied
from migration_gate.postgres import local, run_directory
from migration_gate.postgres.binaries import find_installations
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.server import Server
from tests.support.child_signals import restore_default_signals
from tests.support.release_tests import first_in_every_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not find_installations().installations, reason="no Postgres server is installed on this machine"
    ),
]
HANG_SECONDS = 60.0
"""after this time a test that waits gives up; no test depends on being faster"""
ROOT = Path(migration_gate.__file__).parents[1]
HOLD_SERVER = """
import json, sys, time
from pathlib import Path
from migration_gate.postgres.choice import start_server
with start_server("local", folder=Path(sys.argv[1])) as server:
    folder = Path(server.socket_directory).parent
    pid = int((folder / "data/postmaster.pid").read_text().split()[0])
    print(json.dumps([str(folder), pid]), flush=True)
    time.sleep(600)
"""
FORK_AND_WAIT = """
    import os
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(600)
"""


class ServerHolder:
    """A process of its own that has started a server and waits."""

    def __init__(self, folder: Path, code: str = HOLD_SERVER, *, start_new_session: bool = False) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code, str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            start_new_session=start_new_session,
            preexec_fn=restore_default_signals,  # noqa: PLW1509
        )
        assert self.process.stdout
        path, self.postmaster = json.loads(self.process.stdout.readline())
        self.folder = Path(path)
        status = subprocess.run(
            ["ps", "-o", "ppid=", "-p", str(self.postmaster)], capture_output=True, text=True, check=True
        )
        self.supervisor = int(status.stdout)

    def is_cleaned_up(self) -> bool:
        return not (is_running(self.postmaster) or is_running(self.supervisor) or self.folder.exists())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def holder(run_folder: Path) -> Iterator[ServerHolder]:
    process = ServerHolder(run_folder)
    yield process
    process.kill()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


def becomes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    "number", first_in_every_run([signal.SIGINT, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], 2)
)
def test_a_signal_that_ends_the_gate_leaves_nothing_behind(
    holder: ServerHolder, number: signal.Signals
) -> None:
    holder.process.send_signal(number)
    assert holder.process.wait(HANG_SECONDS)
    assert becomes_true(holder.is_cleaned_up)


def test_control_c_at_the_terminal_reaches_the_gate_and_not_the_server(run_folder: Path) -> None:
    holder = ServerHolder(run_folder, start_new_session=True)
    try:
        assert os.getsid(holder.supervisor) != os.getsid(holder.process.pid)
        assert os.getsid(holder.postmaster) != os.getsid(holder.process.pid)
        os.killpg(holder.process.pid, signal.SIGINT)
        assert holder.process.wait(HANG_SECONDS)
        assert becomes_true(holder.is_cleaned_up)
    finally:
        holder.kill()


def test_the_server_ends_when_its_supervisor_is_killed(holder: ServerHolder) -> None:
    os.kill(holder.supervisor, signal.SIGKILL)
    if sys.platform == "linux":
        assert becomes_true(lambda: not is_running(holder.postmaster))


def test_the_folder_of_a_run_that_was_killed_with_its_supervisor_is_removed_by_the_next_run(
    holder: ServerHolder, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(holder.supervisor, signal.SIGSTOP)
    holder.kill()
    os.kill(holder.supervisor, signal.SIGKILL)
    assert becomes_true(lambda: not is_running(holder.supervisor))
    assert holder.folder.exists()
    monkeypatch.setattr(run_directory, "YOUNG_SECONDS", 0.0)
    run_directory.remove_abandoned_directories(run_folder)
    assert not holder.folder.exists()


def test_the_folder_of_a_running_server_is_not_removed_by_another_run(
    holder: ServerHolder, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_directory, "YOUNG_SECONDS", 0.0)
    run_directory.remove_abandoned_directories(run_folder)
    assert holder.folder.exists()
    assert is_running(holder.postmaster)


def test_a_killed_run_is_cleaned_up_while_a_child_of_its_still_runs(run_folder: Path) -> None:
    code = HOLD_SERVER.replace("    time.sleep(600)", FORK_AND_WAIT)
    holder = ServerHolder(run_folder, code)
    assert holder.process.stdout
    child = int(holder.process.stdout.readline())
    try:
        holder.kill()
        assert becomes_true(holder.is_cleaned_up)
        assert is_running(child)
    finally:
        os.kill(child, signal.SIGKILL)


def test_success_and_failure_leave_nothing_behind(run_folder: Path) -> None:
    folders: list[Path] = []
    with start_server("local", folder=run_folder) as server:
        folders.append(Path(server.socket_directory).parent)
    with pytest.raises(KeyError), start_server("local", folder=run_folder) as server:
        fail(folders, Path(server.socket_directory).parent)
    assert not any(folder.exists() for folder in folders)
    assert not list(run_folder.iterdir())


def fail(folders: list[Path], folder: Path) -> None:
    folders.append(folder)
    raise KeyError


def test_a_server_that_is_busy_with_a_statement_stops_without_waiting_for_it(run_folder: Path) -> None:
    with start_server("local", folder=run_folder) as server:
        connection = server.connect()
        connection.execute("BEGIN; CREATE TABLE t (); LOCK TABLE t")
        connection.pgconn.send_query(b"SELECT pg_sleep(3600)")
    assert not list(run_folder.iterdir())
    connection.close()


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux")
def test_a_program_that_the_server_started_ends_with_it(run_folder: Path) -> None:
    """`setsid` takes it out of the server's process group, as backends are."""
    with start_server("local", folder=run_folder) as server:
        with server.connect() as connection:
            pid_file = f"{server.socket_directory}/pid"
            program = f"cat > /dev/null; setsid sleep 3600 & echo $! > {pid_file}"
            connection.execute(f"COPY (SELECT 1) TO PROGRAM '{program}'")
        pid = int(Path(server.socket_directory, "pid").read_text())
        assert is_running(pid)
    assert not is_running(pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT])
def test_a_killed_server_is_reported_with_the_end_of_its_log(run_folder: Path, number: int) -> None:
    with start_server("local", folder=run_folder) as server:
        server.check_alive()
        folder = Path(server.socket_directory).parent
        lines = (folder / "data/postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), number)
        assert becomes_true(lambda: bool(server.process.exit_reason()))
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


def test_a_crash_of_one_connection_ends_the_server_and_is_reported(run_folder: Path) -> None:
    with start_server("local", folder=run_folder) as server:
        with server.connect() as connection:
            os.kill(connection.info.backend_pid, signal.SIGSEGV)
        assert becomes_true(lambda: bool(server.process.exit_reason()))
        with pytest.raises(PostgresDied) as caught:
            server.check_alive()
    assert "terminated by signal 11" in caught.value.evidence


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk with room for a server and little else."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("needs root on Linux, to mount a small disk")
    with run_directory.with_socket_directory(
        run_directory.create_data_directory(Path("/tmp"))
    ) as directories:
        disk = directories[0].path / "disk"
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


def test_a_disk_that_fills_up_during_the_run_is_reported_with_advice(small_disk: Path) -> None:
    with start_server("local", folder=small_disk) as server:
        assert server.log
        assert server.log.is_relative_to(small_disk)
        with server.connect() as connection, pytest.raises(psycopg.errors.DiskFull):
            connection.execute("CREATE TABLE t AS SELECT repeat('x', 1000) FROM generate_series(1, 1000000)")
        server.check_alive()
        with pytest.raises(DiskFull, match="disk of the Postgres server is full") as caught:
            fill(server)
    assert caught.value.status == 2
    assert "TMPDIR" in caught.value.advice
    assert list(small_disk.iterdir()) == []


def fill(server: Server) -> None:
    for _ in range(20):
        server.create_database()


def test_a_server_that_ends_because_of_a_full_disk_is_reported_as_that(small_disk: Path) -> None:
    with start_server("local", folder=small_disk) as server:
        with server.connect() as connection:
            (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free))
            with pytest.raises(psycopg.OperationalError):
                connection.execute(  # fills the write-ahead log, and nothing else
                    "SELECT count(pg_logical_emit_message(false, '', repeat('x', 100000))) "
                    "FROM generate_series(1, 5000)"
                )
        assert becomes_true(lambda: bool(server.process.exit_reason()))
        with pytest.raises(DiskFull) as caught:
            server.check_alive()
    assert "No space left on device" in caught.value.evidence


def test_a_disk_that_fills_up_during_the_start_is_reported_as_that(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "create_data_directory", run_directory.create_run_directory)
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 9_000_000))
    for cache in (None, str(small_disk / "cache")):
        if cache:
            monkeypatch.setenv("XDG_CACHE_HOME", cache)
        with pytest.raises(DiskFull), start_server("local", folder=small_disk):
            pass
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_disk_without_room_is_reported_with_every_folder_that_was_tried(run_folder: Path) -> None:
    with pytest.raises(DiskFull, match="MB free") as caught:
        run_directory.create_data_directory(run_folder, required_bytes=1 << 60)
    assert str(run_folder) in caught.value.message
    assert "TMPDIR" in caught.value.advice
    assert caught.value.status == 2
