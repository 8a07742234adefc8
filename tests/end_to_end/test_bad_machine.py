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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.release_tests import spread_over_every_run
from tests.support.user_project import Ran, World, project, revision

pytestmark = pytest.mark.slow
CommandSays = Callable[..., None]
# --- things that die in the middle ---------------------------------------------------------------

HOLD = """
import os, time
pid = op.get_bind().exec_driver_sql("select pg_backend_pid()").scalar()
open({flag!r}, "w").write("%d %d" % (os.getpid(), pid))
while open({flag!r}).read():
    time.sleep(0.02)
op.execute("select 1")
"""


@dataclass
class HeldRun:
    """A run whose second revision waits for its flag to be emptied."""

    process: subprocess.Popen[str]
    flag: Path
    worker: int
    backend: int
    """the pids of the project's interpreter, and of its session's process"""


@pytest.fixture
def held(here: World) -> Iterator[HeldRun]:
    """The run; it has ended after the test."""
    flag = here.top / "flag"
    flag.touch()
    flag.chmod(0o666)
    here.lay(project(two_py=revision("two", "one", HOLD.format(flag=str(flag)))))
    process = here.start()
    while len(pids := flag.read_text().split()) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    yield HeldRun(process, flag, *map(int, pids))
    flag.unlink(missing_ok=True)
    process.kill()
    process.wait()


def find_process(here: World, pattern: str) -> int:
    """The one process of the run whose command line has the pattern."""
    pids = [pid for pid, line in here.processes().items() if re.search(pattern, line)]
    assert len(pids) == 1, here.processes()
    return pids[0]


def parent_of(pid: int) -> int:
    """The process that started this one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def child_of(parent: int, *, without: int = 0) -> int:
    """The one process that it has started, not counting `without`."""
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*") if path.name != str(without)]
    (child,) = [pid for pid in pids if _is_running(pid) and parent_of(pid) == parent]
    return child


def _is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def models_interpreter(_here: World, held: HeldRun) -> int:
    """The second child of the process that started the one that runs the revisions."""
    return child_of(parent_of(held.worker), without=held.worker)


IN_REVISION = "was killed by signal 9 (SIGKILL) while revision two ran"
KILLED_PROCESSES: dict[str, tuple[Callable[[World, HeldRun], int], str]] = {
    "the server": (lambda here, held: find_process(here, r"/postgres -D \S+/data"), "Postgres server"),
    # Whether the server has noticed by then decides which of its sentences it is.
    "the session's process": (
        lambda here, held: held.backend,
        "Postgres server | A session was ended from outside",
    ),
    "the server's supervisor": (
        lambda here, held: parent_of(find_process(here, r"/postgres -D \S+/data")),
        "Postgres server",
    ),
    "the sandbox": (lambda here, held: parent_of(parent_of(held.worker)), IN_REVISION),
    "the interpreter": (lambda here, held: parent_of(held.worker), IN_REVISION),
    "the process of the revisions": (lambda here, held: held.worker, IN_REVISION),
    "the interpreter of the models": (models_interpreter, "interpreter that creates the models ended"),
    "the process of the models": (
        lambda here, held: child_of(models_interpreter(here, held)),
        "was killed by signal 9 (SIGKILL)",
    ),
}
"""what is killed, and what the report must say (or else, after ` | `)"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("victim", spread_over_every_run(KILLED_PROCESSES, 2))
def test_what_is_killed_in_the_middle_is_no_finding(here: World, held: HeldRun, victim: str) -> None:
    find_pid, words = KILLED_PROCESSES[victim]
    os.kill(find_pid(here, held), signal.SIGKILL)
    if words != IN_REVISION:  # (those end in the wait itself)
        held.flag.write_text("")
    out, err = held.process.communicate(timeout=600)
    assert held.process.returncode == 3, out + err
    text = " ".join(out.split())
    assert any(sentence in text for sentence in words.split(" | ")), text
    assert "env.py" not in out
    assert "Traceback" not in out + err
    here.demand_nothing_left()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_session_that_is_ended_from_outside_is_no_finding(here: World, held: HeldRun) -> None:
    os.kill(held.backend, signal.SIGTERM)
    held.flag.write_text("")
    out, err = held.process.communicate(timeout=600)
    assert held.process.returncode == 3, out + err
    assert "was ended from outside" in " ".join(out.split())


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


def test_a_url_that_nobody_answers(here: World, command_says: CommandSays) -> None:
    here.lay(project())
    command_says(2, "--postgres", "postgresql://gate:secret@127.0.0.1:9/gate")


def test_a_url_that_cannot_be_parsed(here: World, command_says: CommandSays) -> None:
    here.lay(project())
    command_says(2, "--postgres", "postgresql://[::1")


def test_a_port_where_something_else_listens(here: World, command_says: CommandSays) -> None:
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
            program = (
                *prefix,
                python,
                "-c",
                "from migration_gate.cli import run_as_program; run_as_program()",
            )
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
    assert ran.status == 2, ran.said
    assert "migrations/versions/two.py" in ran.out
    assert "chmod a+r" in ran.out
