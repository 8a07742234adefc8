"""The sandbox: one socket, no privileges, no process left behind, and a quick start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migration_gate.sandbox.__main__ import NOT_CONFINED, UNCHECKED_SOCKETS
from migration_gate.sandbox.command import SANDBOX_FILE, sandbox_command
from migration_gate.sandbox.connect_broker import list_server_sockets
from migration_gate.sandbox.seccomp import supports_seccomp
from migration_gate.sandbox.user import NOBODY_ID, Account

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not supports_seccomp(), reason="no filter for system calls on this machine"),
]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
NOBODY = Account(NOBODY_ID, NOBODY_ID)
DENIED = "Permission denied"
HANG_SECONDS = 300.0
"""after this time a test that waits gives up; no test depends on being faster"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for everybody, with a short name: the path of a socket has 108 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="sandbox-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


def run_sandboxed(code: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python code in the sandbox, with the system's interpreter, which every account can read."""
    command = ["/usr/bin/env", "python3", "-I", "-S", "-c", code]
    return subprocess.run(
        sandbox_command(command, unix_sockets_only=True, **options),
        capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip


def wait_until_written(file: Path) -> str:
    deadline = time.monotonic() + HANG_SECONDS
    while not file.exists() or not file.read_text():
        assert time.monotonic() < deadline, f"{file} was not written"
        time.sleep(0.01)
    return file.read_text()


def wait_until_ended(pid: str) -> None:
    process = Path("/proc") / pid
    deadline = time.monotonic() + HANG_SECONDS
    while process.exists() and "zombie" not in (process / "status").read_text():
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.01)


def test_the_exit_status_is_that_of_the_command() -> None:
    assert run_sandboxed("raise SystemExit(7)").returncode == 7
    assert run_sandboxed("import os; os.kill(os.getpid(), 9)").returncode == 137


@needs_root
def test_nothing_is_said_of_sockets_where_the_command_cannot_start() -> None:
    done = run_sandboxed("", account=Account(0, -1), notes_descriptor=1)  # there is no such group
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == "The command could not be started: Invalid argument\n"


@needs_root
def test_the_command_runs_as_nobody_without_groups_or_new_privileges() -> None:
    code = (
        "import os; print(os.getuid(), os.getgid(), os.getgroups()); print(open('/proc/self/status').read())"
    )
    done = run_sandboxed(code, account=NOBODY)
    assert done.stdout.splitlines()[0] == "65534 65534 []"
    assert "NoNewPrivs:\t1" in done.stdout
    assert "Seccomp:\t2" in done.stdout
    assert "CapEff:\t0000000000000000" in done.stdout


@pytest.mark.parametrize("account", [pytest.param(NOBODY, marks=needs_root), None], ids=["nobody", "same"])
def test_only_the_allowed_socket_and_sockets_of_its_own_can_be_reached(
    folder: Path, account: Account | None
) -> None:
    code = f"""
import socket
def connect(path):
    try:
        socket.socket(socket.AF_UNIX).connect(path)
    except OSError as error:
        return error.strerror
    return "connected"
def listen(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    return server
own, abstract = listen("{folder}/own"), listen("\\0own-{folder.name}")
print([connect(path) for path in (
    "{folder}/allowed", "{folder}/other", "{folder}/link", "{folder}/own", "\\0own-{folder.name}",
    "{folder}/none")])
"""
    servers = []
    for name in ("allowed", "other"):
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(folder / name))
        server.listen()
        (folder / name).chmod(0o777)
        servers.append(server)
    (folder / "link").symlink_to(folder / "other")
    done = run_sandboxed(code, allowed_socket=str(folder / "allowed"), account=account)
    for server in servers:
        server.close()
    assert done.stdout.strip() == str(
        ["connected", DENIED, DENIED, "connected", "connected", "No such file or directory"]
    ), done.stderr


def test_a_server_that_starts_later_cannot_be_reached_either(folder: Path) -> None:
    code = f"""
import socket, sys, time
print("ready", flush=True)
sys.stdin.read()
socket.socket(socket.AF_UNIX).connect("{folder}/late")
"""
    command = sandbox_command([sys.executable, "-c", code], unix_sockets_only=True)
    with (
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
        socket.socket(socket.AF_UNIX) as late,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        late.bind(str(folder / "late"))
        late.listen()
        _, error = process.communicate(timeout=HANG_SECONDS)
    assert b"PermissionError" in error


def test_processes_that_the_command_leaves_behind_are_ended(folder: Path) -> None:
    code = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("{folder}/pid", "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
while not os.path.exists("{folder}/pid") or not open("{folder}/pid").read():
    time.sleep(0.01)
"""
    assert run_sandboxed(code).returncode == 0
    pid = (folder / "pid").read_text()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_to_the_sandbox_ends_the_command_too(folder: Path, number: signal.Signals) -> None:
    code = f"import os, time; open('{folder}/pid', 'w').write(str(os.getpid())); time.sleep(600)"
    command = sandbox_command([sys.executable, "-c", code], unix_sockets_only=True)
    with subprocess.Popen(command) as process:
        pid = wait_until_written(folder / "pid")
        process.send_signal(number)
        process.wait(HANG_SECONDS)
    wait_until_ended(pid)


@pytest.mark.parametrize("other_server", [True, False])
def test_where_the_kernel_cannot_ask_nothing_runs_beside_another_server(other_server: bool) -> None:
    # The kernel accepts one listener for the questions: a sandbox around the sandbox is that listener.
    socket_of_other = Path("/tmp") / f".s.PGSQL.{os.getpid()}"
    reader, writer = os.pipe()
    code = "import socket; socket.socket(socket.AF_INET)"
    inner = sandbox_command(
        [sys.executable, "-I", "-S", "-c", code],
        unix_sockets_only=True,
        notes_descriptor=writer,
        descriptors_to_close=[writer],
    )
    if other_server:
        socket_of_other.touch()
    elif list_server_sockets():
        pytest.skip("there is another server here")
    try:
        done = subprocess.run(
            sandbox_command(inner, unix_sockets_only=True),
            pass_fds=[writer], capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
        )  # fmt: skip
    finally:
        socket_of_other.unlink(missing_ok=True)
        os.close(writer)
    with os.fdopen(reader) as stream:
        lines = [json.loads(line) for line in stream]
    if other_server:
        assert (done.returncode, lines) == (NOT_CONFINED, [])
        assert f"Another Postgres has a socket here ({socket_of_other})" in done.stderr
        assert "PermissionError" not in done.stderr
    else:
        assert "PermissionError" in done.stderr
        assert [(line["kind"], line["text"]) for line in lines] == [("note", UNCHECKED_SOCKETS)]


def test_the_sandbox_imports_no_module_that_is_slow_to_import() -> None:
    command = [sys.executable, "-I", "-S", "-X", "importtime", SANDBOX_FILE, "{}", "/bin/true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS, check=True)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "migration_gate.sandbox.connect_broker" in imported
    assert not imported & {"asyncio", "dataclasses", "inspect", "pathlib", "shutil", "subprocess", "typing"}
