"""The cage: one socket, no privileges, no survivors, and a few milliseconds."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate import sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sandbox.supports_seccomp(), reason="no filter for system calls on this machine"),
]
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
NOBODY = {"uid": 65534, "gid": 65534}


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for everybody, with a short name: a socket's has 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="cage-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


def caged(code: str, /, **wanted: object) -> subprocess.CompletedProcess[str]:
    """Run Python code in the cage."""
    command = [sys.executable, "-I", "-S", sandbox.SANDBOX_FOLDER, json.dumps({"sockets": True, **wanted})]
    return subprocess.run(
        [*command, "/usr/bin/env", "python3", "-I", "-S", "-c", code],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_the_exit_status_is_the_commands() -> None:
    assert caged("raise SystemExit(7)").returncode == 7
    assert caged("import os; os.kill(os.getpid(), 9)").returncode == 137


@root
def test_the_command_is_nobody_without_groups_or_new_privileges() -> None:
    code = (
        "import os; print(os.getuid(), os.getgid(), os.getgroups()); print(open('/proc/self/status').read())"
    )
    done = caged(code, **NOBODY)
    assert done.stdout.splitlines()[0] == "65534 65534 []"
    assert "NoNewPrivs:\t1" in done.stdout
    assert "Seccomp:\t2" in done.stdout
    assert "CapEff:\t0000000000000000" in done.stdout


@pytest.mark.parametrize("account", [pytest.param(NOBODY, marks=root), {}], ids=["nobody", "same"])
def test_only_the_named_socket_and_its_own_can_be_reached(place: Path, account: dict[str, object]) -> None:
    code = f"""
import socket
def reach(path):
    try:
        socket.socket(socket.AF_UNIX).connect(path)
    except OSError as error:
        return error.strerror
    return "reached"
def serve(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    return server
own, hidden = serve("{place}/own"), serve("\\0own-{place.name}")
print([reach(path) for path in (
    "{place}/ours", "{place}/other", "{place}/link", "{place}/own", "\\0own-{place.name}", "{place}/none")])
"""
    servers = []
    for name in ("ours", "other"):
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(place / name))
        server.listen()
        (place / name).chmod(0o777)
        servers.append(server)
    (place / "link").symlink_to(place / "other")
    done = caged(code, socket=str(place / "ours"), **account)
    for server in servers:
        server.close()
    denied = "Permission denied"
    assert done.stdout.strip() == str(
        ["reached", denied, denied, "reached", "reached", "No such file or directory"]
    ), done.stderr


def test_a_server_that_started_later_cannot_be_reached_either(place: Path) -> None:
    code = f"""
import socket, sys, time
print("ready", flush=True)
sys.stdin.read()
socket.socket(socket.AF_UNIX).connect("{place}/late")
"""
    command = [
        sys.executable,
        "-I",
        "-S",
        sandbox.SANDBOX_FOLDER,
        json.dumps({"sockets": True}),
        sys.executable,
        "-c",
        code,
    ]
    with (
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
        socket.socket(socket.AF_UNIX) as late,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        late.bind(str(place / "late"))
        late.listen()
        _, error = process.communicate(timeout=20)
    assert b"PermissionError" in error


def test_what_the_command_leaves_behind_is_ended(place: Path) -> None:
    code = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("{place}/pid", "w").write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not os.path.exists("{place}/pid") or not open("{place}/pid").read():
    time.sleep(0.01)
"""
    assert caged(code).returncode == 0
    pid = (place / "pid").read_text()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_the_command_too(place: Path, number: signal.Signals) -> None:
    code = f"import os, time; open('{place}/pid', 'w').write(str(os.getpid())); time.sleep(60)"
    command = [
        sys.executable,
        "-I",
        "-S",
        sandbox.SANDBOX_FOLDER,
        json.dumps({"sockets": True}),
        sys.executable,
        "-c",
        code,
    ]
    with subprocess.Popen(command) as process:
        deadline = time.monotonic() + 10
        while not (place / "pid").exists() or not (place / "pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        process.wait(10)
    pid = Path("/proc") / (place / "pid").read_text()
    while pid.exists() and "zombie" not in (pid / "status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("there", [True, False])
def test_a_kernel_that_cannot_ask_is_told_of_only_where_another_server_is(place: Path, there: bool) -> None:
    # The kernel has one place for who asks: a cage around the cage takes it.
    usual = Path("/tmp") / f".s.PGSQL.{os.getpid()}"
    reader, writer = os.pipe()
    inner = {"sockets": True, "answer": writer, "close": [writer]}
    command = [sys.executable, "-I", "-S", sandbox.SANDBOX_FOLDER]
    if there:
        usual.touch()
    try:
        done = subprocess.run(
            [*command, '{"sockets": true}', *command, json.dumps(inner), sys.executable, "-I", "-S", "-c",
             "import socket; socket.socket(socket.AF_INET)"],
            pass_fds=[writer], capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    finally:
        usual.unlink(missing_ok=True)
        os.close(writer)
    with os.fdopen(reader) as stream:
        told = [json.loads(line) for line in stream]
    assert "PermissionError" in done.stderr
    mine = [line for line in told if str(usual) in line["text"]]
    assert [line["kind"] for line in mine] == (["note"] if there else [])


def test_the_cage_costs_little() -> None:
    def seconds(command: list[str]) -> float:
        """Of the processor, which does not depend on what else runs."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(5):
            subprocess.run(command, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 5

    bare = seconds([sys.executable, "-I", "-S", "-c", "pass"])
    cage = seconds([sys.executable, "-I", "-S", sandbox.SANDBOX_FOLDER, '{"sockets": true}', "/bin/true"])
    assert cage - bare < 0.06  # 0.016 s from compiled files
