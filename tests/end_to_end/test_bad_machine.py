"""The machine under the gate: processes that die, disks that fill, ports, permissions."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.user_project import Ran, World, project, revision

pytestmark = pytest.mark.slow
Says = Callable[..., None]


@pytest.fixture
def says(
    here: World, golden: Callable[[str, str], None], request: pytest.FixtureRequest
) -> Callable[..., None]:
    """Run it, and compare status and message, whole, with the golden file of the test's name."""

    def compare(status: int, *options: str, **env: str) -> None:
        ran = here.check(*options, env=env)
        assert ran.status == status, ran.said
        name = request.node.name.removeprefix("test_").replace("_", "-")
        golden(f"bad-input/{name}.txt", here.plain(ran.complaints + ran.out))

    return compare


# --- things that die in the middle ---------------------------------------------------------------

HOLD = """
import os, time
open({flag!r}, "w").write(str(os.getpid()))
time.sleep(60)
op.execute("select 1")
"""


def held(here: World) -> tuple[subprocess.Popen[str], int]:
    """A run whose second revision waits, and the pid of its worker."""
    flag = here.top / "flag"
    flag.touch()
    flag.chmod(0o666)
    here.lay(project(two_py=revision("two", "one", HOLD.format(flag=str(flag)).replace("60", "6"))))
    process = here.start()
    deadline = time.monotonic() + 60
    while not flag.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    return process, int(flag.read_text())


def postmaster(here: World) -> int:
    """The server of the run, by the folder that it works in."""
    found = [pid for pid, line in here.processes().items() if re.search(r"/postgres -D \S+/data", line)]
    assert len(found) == 1
    return found[0]


def test_a_server_that_is_killed_in_the_middle(here: World) -> None:
    process, _ = held(here)
    os.kill(postmaster(here), signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, out + err
    assert "server" in out
    assert "Traceback" not in out + err
    here.demand_nothing_left()


def test_a_worker_that_is_killed_in_the_middle(here: World) -> None:
    process, worker = held(here)
    os.kill(worker, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, out + err
    assert "was killed by signal 9 (SIGKILL) while revision two ran" in " ".join(out.split())
    here.demand_nothing_left()


# --- the machine ---------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs root, to mount a small disk")
def test_a_disk_that_fills_up(here: World) -> None:
    """A temporary folder of 200 MB, and a migration that writes more."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=200m,mode=1777", "tmpfs", str(here.temporary)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this root may not mount a file system")
    try:
        text = "insert into item (name) select repeat('x', 40) from generate_series(1, 4000000)"
        here.lay(project(two_py=revision("two", "one", f'op.execute("{text}")')))
        ran = here.check()
    finally:
        subprocess.run(["umount", "-l", str(here.temporary)], check=True)
    assert ran.status == 2, ran.said
    assert "room" in ran.out
    assert "set TMPDIR" in ran.out


def test_a_url_that_nobody_answers(here: World, says: Says) -> None:
    here.lay(project())
    says(2, "--postgres", "postgresql://gate:secret@127.0.0.1:9/gate")


def test_a_url_that_cannot_be_parsed(here: World, says: Says) -> None:
    here.lay(project())
    says(2, "--postgres", "postgresql://[::1")


def test_a_port_where_something_else_listens(here: World, says: Says) -> None:
    here.lay(project())
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-c", ANSWERING, str(busy.fileno())], pass_fds=[busy.fileno()]
        )
        try:
            ran = here.check("--postgres", f"postgresql://gate:secret@127.0.0.1:{port}/gate")
        finally:
            process.kill()
            process.wait()
    assert ran.status == 2, ran.said
    assert f"127.0.0.1:{port}" in ran.out
    assert "secret" not in ran.said


ANSWERING = """
import socket, sys
server = socket.socket(fileno=int(sys.argv[1]))
while True:
    client, _ = server.accept()
    client.sendall(b"SSH-2.0-OpenSSH_9.2\\r\\n")
    client.close()
"""


# --- who runs it ---------------------------------------------------------------------------------


def as_nobody(here: World) -> Ran:
    """A run without privileges; skips where no interpreter can be found that nobody may start."""
    if os.geteuid() != 0:
        return here.check(env={"HOME": "/nowhere"})
    prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    system = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = os.pathsep.join([str(Path(__file__).parents[2]), sysconfig.get_path("purelib")])
    for python in (sys.executable, system):
        code = "import os, sys; os.stat(sys.executable); import migration_gate, alembic, sqlalchemy, ctypes"
        env = here.environment(HOME="/nowhere", PYTHONPATH=packages)
        tried = subprocess.run(
            [*prefix, python, "-c", code], check=False, cwd="/", env=env, capture_output=True
        )
        if tried.returncode == 0:
            program = (*prefix, python, "-c", "from migration_gate.cli import main; main()")
            return here.check(program=program, python=python, env=env)
    pytest.skip("an account without privileges can start no interpreter that has the gate")


def test_a_read_only_checkout(here: World) -> None:
    here.lay(project())
    for each in [here.project, *here.project.rglob("*")]:
        each.chmod(0o555 if each.is_dir() else 0o444)
    ran = as_nobody(here)
    assert (ran.status, ran.complaints) == (0, ""), ran.said
    assert not list(here.project.rglob("__pycache__"))
    for each in [here.project, *(each for each in here.project.rglob("*") if each.is_dir())]:
        each.chmod(0o755)


def test_an_sql_file_that_may_not_be_read(here: World) -> None:
    here.lay({**project(), "data/load.sql": "create table loaded (id int);\n"})
    (here.project / "data/load.sql").chmod(0)
    ran = as_nobody(here)
    assert ran.status == 1, ran.said
    assert "could not be read" in " ".join(ran.out.split())


def test_a_revision_that_may_not_be_read(here: World) -> None:
    here.lay(project())
    (here.project / "migrations/versions/two.py").chmod(0)
    ran = as_nobody(here)
    assert ran.status == 1, ran.said
    assert "migrations/versions/two.py" in ran.out
