"""A project whose own code misbehaves: each way ends in one message, and nothing of it lives on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.user_project import ENV, SETTINGS, WIDEN, World, project, revision

pytestmark = pytest.mark.slow
CommandSays = Callable[..., None]


def settings(code: str) -> dict[str, str]:
    """A project whose settings module runs this code when it is imported."""
    return project(settings_py=f"{code}\n{SETTINGS}")


# --- while it is imported ------------------------------------------------------------------------


@pytest.mark.release
def test_an_import_that_raises(here: World, command_says: CommandSays) -> None:
    here.lay(settings("raise RuntimeError('the config service is not there')"))
    command_says(2)


def test_an_import_of_what_is_not_installed(here: World, command_says: CommandSays) -> None:
    here.lay(settings("import nowhere_to_be_found"))
    command_says(2)


@pytest.mark.release
def test_an_import_that_wants_a_setting(here: World) -> None:
    here.lay(settings("import os\nos.environ['SHOP_LICENCE']"))
    ran = here.check()
    assert ran.status == 0, ran.said
    assert "fails without `SHOP_LICENCE`" in ran.out


def test_an_import_that_calls_exit(here: World, command_says: CommandSays) -> None:
    here.lay(settings("import sys\nsys.exit('please set SHOP_LICENCE')"))
    command_says(2)


def test_an_import_that_calls_exit_with_0(here: World, command_says: CommandSays) -> None:
    here.lay(settings("raise SystemExit"))
    command_says(2)


def test_an_import_that_ends_the_process(here: World, command_says: CommandSays) -> None:
    here.lay(settings("import os\nprint('bye', flush=True)\nos._exit(0)"))
    command_says(2)


def test_an_import_that_crashes(here: World, command_says: CommandSays) -> None:
    here.lay(settings("import ctypes\nctypes.string_at(0)"))
    command_says(2)


@pytest.mark.release
def test_an_import_that_is_killed(here: World, command_says: CommandSays) -> None:
    here.lay(settings("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
    command_says(3)


@pytest.mark.release
def test_an_import_that_hangs(here: World, command_says: CommandSays) -> None:
    here.lay(settings("import time\nprint('waiting for Redis', flush=True)\ntime.sleep(300)"))
    command_says(2, "--import-timeout", "10")


def test_an_import_that_hangs_and_ignores_signals(here: World) -> None:
    code = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, signal.SIG_IGN)
time.sleep(300)
"""
    here.lay(settings(code))
    ran = here.check("--import-timeout", "3")
    assert ran.status == 2
    assert "took longer than 3 s while the project was imported" in ran.out


@pytest.mark.release
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


@pytest.mark.release
def test_an_import_that_prints_bytes_that_are_not_text(here: World) -> None:
    here.lay(settings("import os\nos.write(1, bytes(range(256)) * 50)\nos.write(2, b'\\x1b[2J\\xff')"))
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said


@pytest.mark.release
def test_an_import_that_closes_every_descriptor(here: World) -> None:
    here.lay(settings("import os\nos.closerange(0, 4096)"))
    ran = here.check()
    assert ran.status == 2
    assert "while the project was imported" in " ".join(ran.out.split()), ran.said


@pytest.mark.release
def test_a_daemon_of_the_project_does_not_keep_the_run_from_ending(here: World) -> None:
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


@pytest.mark.release
def test_a_forked_child_that_fails_where_its_parent_goes_on(here: World) -> None:
    here.lay(settings("import os\nif os.fork() == 0: raise RuntimeError('in the child')"))
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said
    assert "2 revisions, 1 table" in ran.out


@pytest.mark.release
def test_threads_that_never_end(here: World) -> None:
    code = "import threading, time\nthreading.Thread(target=time.sleep, args=(300,)).start()"
    here.lay(settings(code))
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said


@pytest.mark.release
def test_an_exit_handler_that_never_ends(here: World) -> None:
    here.lay(settings("import atexit, time\natexit.register(time.sleep, 300)"))
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said


# --- env.py and the revisions --------------------------------------------------------------------


def test_an_env_py_with_a_syntax_error(here: World, command_says: CommandSays) -> None:
    here.lay(project(env_py=ENV + "\nif True\n"))
    command_says(2)


def test_an_env_py_that_swallows_every_error(here: World, command_says: CommandSays) -> None:
    swallowing = "try:\n    raise RuntimeError('no database')\nexcept Exception:\n    print('skipped')\n"
    here.lay(project(env_py=swallowing))
    command_says(2)


def test_a_migration_that_hangs(here: World, command_says: CommandSays) -> None:
    here.lay(project(two_py=revision("two", "one", "import time\ntime.sleep(300)")))
    command_says(2, "--run-timeout", "12")


def test_a_statement_that_takes_too_long(here: World, command_says: CommandSays) -> None:
    here.lay(project(two_py=revision("two", "one", 'op.execute("select pg_sleep(300)")')))
    command_says(2, "--statement-timeout", "1")


def test_a_migration_that_ends_the_process(here: World, command_says: CommandSays) -> None:
    here.lay(project(two_py=revision("two", "one", "import os\nos._exit(7)")))
    command_says(1)


def test_a_migration_that_crashes(here: World, command_says: CommandSays) -> None:
    here.lay(project(two_py=revision("two", "one", "import ctypes\nctypes.string_at(0)")))
    command_says(1)


def test_a_migration_that_calls_exit(here: World, command_says: CommandSays) -> None:
    here.lay(project(two_py=revision("two", "one", "import sys\nsys.exit(0)")))
    command_says(1)


def test_a_migration_cannot_end_or_trace_the_worker(here: World) -> None:
    """Neither the interpreter that started it, nor the one beside it that creates the models."""
    code = """
import ctypes, os
worker = os.getppid()
with open(f"/proc/{worker}/task/{worker}/children") as stream:
    others = [worker, *(int(pid) for pid in stream.read().split() if int(pid) != os.getpid())]
for process in others:
    assert ctypes.CDLL(None).ptrace(16, process, 0, 0) == -1
    for number in (0, 9):
        try:
            os.kill(process, number)
        except PermissionError:
            continue
        raise AssertionError(process)
assert len(others) > 1
"""
    here.lay(project(two_py=revision("two", "one", f"exec({code!r}, {{}}); {WIDEN}")))
    ran = here.check()
    assert (ran.status, ran.complaints) == (0, ""), ran.said
