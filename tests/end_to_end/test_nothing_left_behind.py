"""Nothing is left behind: no process, no folder, no database, whatever ends the run."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.server import Server
from tests.support.user_project import World, project, revision

pytestmark = pytest.mark.slow
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
WAIT = """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(300)
open({flag!r}, "w").write("here")
time.sleep(60)
"""


def waiting(here: World, where: str) -> Path:
    """Lay a project that waits at a moment, with a child in a session of its own; the file that says it."""
    flag = here.top / "flag"
    flag.touch()
    flag.chmod(0o666)
    code = WAIT.format(flag=str(flag))
    if where == "importing":
        here.lay(project(settings_py=code + 'URL = "postgresql://db.invalid/app"\n'))
    elif where == "replaying":
        here.lay(project(two_py=revision("two", "one", code)))
    else:
        here.lay(project())
    return flag


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a callable to say yes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


def reach(here: World, where: str, *options: str) -> subprocess.Popen[str]:
    """Start a run and wait for its moment."""
    flag = waiting(here, where)
    process = here.start(*options)
    if where == "starting":
        until(lambda: any("supervisor.py" in line for line in here.processes().values()))
    else:
        until(lambda: bool(flag.read_text()))
    return process


@pytest.mark.parametrize("where", ["starting", "importing", "replaying"])
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_everything(here: World, where: str, number: signal.Signals) -> None:
    process = reach(here, where)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    if number is signal.SIGKILL:
        assert process.returncode == -number
        until(lambda: not here.processes(), 15)
        return
    assert process.returncode == 128 + number, out + err
    assert "Interrupted; nothing is left behind." in err
    here.demand_nothing_left()


def test_what_a_killed_run_left_is_swept_by_the_next(here: World) -> None:
    """The folder of the gate itself: what the server had is removed by its guard."""
    process = reach(here, "replaying")
    process.kill()
    process.communicate()
    until(lambda: not here.processes(), 15)
    left = here.folders()
    time.sleep(5.5)  # younger folders may belong to a run that is about to lock them
    here.lay(project(two_py=revision("two", "one", "pass")))
    again = here.start()
    again.communicate(timeout=60)
    assert not here.folders(), left


def test_a_second_signal_does_not_cut_the_cleaning_short(here: World) -> None:
    process = reach(here, "replaying")
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        process.send_signal(number)
        time.sleep(0.02)
    process.communicate(timeout=60)
    assert process.returncode > 0
    here.demand_nothing_left()


# --- a server that the user runs -----------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of the tests' own, in the role of the user's."""
    with temporary_run_directory() as folder, start_server("auto", folder=folder) as started:
        yield started


def databases(server: Server) -> set[str]:
    """What is there, by name."""
    with server.connect() as connection:
        return {str(name) for (name,) in connection.execute("select datname from pg_database").fetchall()}


def address(server: Server) -> str:
    """As a URL."""
    from urllib.parse import quote

    place = quote(server.socket_directory, safe="")
    return f"postgresql://{server.user}:{quote(server.password)}@{place}:{server.port}/{server.database}"


@pytest.mark.parametrize("ending", ["success", "failure", "SIGINT", "SIGTERM", "SIGKILL"])
def test_no_database_stays_on_the_users_server(here: World, server: Server, ending: str) -> None:
    before = databases(server)
    options = ("--postgres", address(server))
    if ending == "success":
        here.lay(project())
        assert here.check(*options).status == 0
    elif ending == "failure":
        here.lay(project(two_py=revision("two", "one", 'op.execute("select 1/0")')))
        assert here.check(*options).status == 1
    else:
        process = reach(here, "replaying", *options)
        assert databases(server) > before
        process.send_signal(signal.Signals[ending])
        process.communicate(timeout=60)
    until(lambda: databases(server) == before, 15)
    until(lambda: not here.processes(), 15)
