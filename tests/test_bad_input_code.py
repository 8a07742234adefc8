"""A project whose own code misbehaves: each way ends in one message, and nothing of it lives on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stranger import ENV, SETTINGS, Ran, World, project, revision, world

pytestmark = pytest.mark.slow
Says = Callable[..., None]


@pytest.fixture
def here() -> Iterator[World]:
    with world() as made:
        yield made


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


def settings(code: str) -> dict[str, str]:
    """A project whose settings module runs this code when it is imported."""
    return project(settings_py=f"{code}\n{SETTINGS}")


# --- while it is imported ------------------------------------------------------------------------


def test_an_import_that_raises(here: World, says: Says) -> None:
    here.lay(settings("raise RuntimeError('the config service is not there')"))
    says(2)


def test_an_import_of_what_is_not_installed(here: World, says: Says) -> None:
    here.lay(settings("import nowhere_to_be_found"))
    says(2)


def test_an_import_that_wants_a_setting(here: World, says: Says) -> None:
    here.lay(settings("import os\nos.environ['SHOP_LICENCE']"))
    says(2)


def test_an_import_that_calls_exit(here: World, says: Says) -> None:
    here.lay(settings("import sys\nsys.exit('please set SHOP_LICENCE')"))
    says(2)


def test_an_import_that_calls_exit_with_0(here: World, says: Says) -> None:
    here.lay(settings("raise SystemExit"))
    says(2)


def test_an_import_that_ends_the_process(here: World, says: Says) -> None:
    here.lay(settings("import os\nprint('bye', flush=True)\nos._exit(0)"))
    says(2)


def test_an_import_that_crashes(here: World, says: Says) -> None:
    here.lay(settings("import ctypes\nctypes.string_at(0)"))
    says(2)


def test_an_import_that_is_killed(here: World, says: Says) -> None:
    here.lay(settings("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
    says(3)


def test_an_import_that_hangs(here: World, says: Says) -> None:
    here.lay(settings("import time\nprint('waiting for Redis', flush=True)\ntime.sleep(300)"))
    says(2, "--import-timeout", "6")


def test_an_import_that_hangs_and_will_not_be_stopped(here: World) -> None:
    code = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, signal.SIG_IGN)
time.sleep(300)
"""
    here.lay(settings(code))
    ran = here.check("--import-timeout", "6")
    assert ran.status == 2
    assert "took longer than 6 s while the project was imported" in ran.out
    assert ran.seconds < 40


def test_an_import_that_prints_megabytes(here: World) -> None:
    """Its output is kept to the end of it, and shown where something failed."""
    code = """
import sys
for stream in (sys.stdout, sys.stderr):
    for number in range(400):
        stream.write("x" * 9_999 + "\\n")
    stream.flush()
"""
    failing = revision("two", "one", 'print("the last line")\nop.execute("select 1/0")')
    here.lay(project(settings_py=code + SETTINGS, two_py=failing))
    ran = here.check()
    assert ran.status == 1, ran.said[-2000:]
    assert "division by zero" in ran.out
    assert "  the last line\n" in ran.out
    assert len(ran.out) < 300_000


def test_an_import_that_prints_bytes_of_no_alphabet(here: World) -> None:
    here.lay(settings("import os\nos.write(1, bytes(range(256)) * 50)\nos.write(2, b'\\x1b[2J\\xff')"))
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said


def test_an_import_that_closes_every_descriptor(here: World) -> None:
    here.lay(settings("import os\nos.closerange(0, 4096)"))
    ran = here.check()
    assert ran.status == 2
    assert "while the project was imported" in " ".join(ran.out.split()), ran.said


def test_a_daemon_that_lingers_and_holds_our_pipes(here: World) -> None:
    """It forks twice and leaves its session, as daemons do; it ends with the run."""
    code = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(300)
    os._exit(0)
"""
    here.lay(settings(code))
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said
    assert ran.seconds < 60


def test_a_forked_child_that_fails_where_its_parent_goes_on(here: World) -> None:
    here.lay(settings("import os\nif os.fork() == 0: raise RuntimeError('in the child')"))
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said
    assert "2 revisions, 1 table" in ran.out


def test_threads_that_never_end(here: World) -> None:
    code = "import threading, time\nthreading.Thread(target=time.sleep, args=(300,)).start()"
    here.lay(settings(code))
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said


def test_an_exit_handler_that_never_ends(here: World) -> None:
    here.lay(settings("import atexit, time\natexit.register(time.sleep, 300)"))
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said


# --- env.py and the revisions --------------------------------------------------------------------


def test_an_env_py_with_a_syntax_error(here: World, says: Says) -> None:
    here.lay(project(env_py=ENV + "\nif True\n"))
    says(2)


def test_an_env_py_that_swallows_every_error(here: World, says: Says) -> None:
    swallowing = "try:\n    raise RuntimeError('no database')\nexcept Exception:\n    print('skipped')\n"
    here.lay(project(env_py=swallowing))
    says(2)


def test_a_migration_that_hangs(here: World, says: Says) -> None:
    here.lay(project(two_py=revision("two", "one", "import time\ntime.sleep(300)")))
    says(2, "--run-timeout", "4")


def test_a_statement_that_takes_too_long(here: World, says: Says) -> None:
    here.lay(project(two_py=revision("two", "one", 'op.execute("select pg_sleep(300)")')))
    says(1, "--statement-timeout", "1")


def test_a_migration_that_ends_the_process(here: World, says: Says) -> None:
    here.lay(project(two_py=revision("two", "one", "import os\nos._exit(7)")))
    says(1)


def test_a_migration_that_crashes(here: World, says: Says) -> None:
    here.lay(project(two_py=revision("two", "one", "import ctypes\nctypes.string_at(0)")))
    says(1)


def test_a_migration_that_calls_exit(here: World, says: Says) -> None:
    here.lay(project(two_py=revision("two", "one", "import sys\nsys.exit(0)")))
    says(1)


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


def test_a_url_that_is_none(here: World, says: Says) -> None:
    here.lay(project())
    says(2, "--postgres", "postgresql://[::1")


def test_a_port_where_something_else_listens(here: World, says: Says) -> None:
    import socket

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
    packages = os.pathsep.join([str(Path(__file__).parents[1]), sysconfig.get_path("purelib")])
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
