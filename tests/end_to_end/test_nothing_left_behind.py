"""No process, no folder and no database of a run is left behind, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migration_gate.postgres import folder_remover
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.server import Server
from tests.support.release_tests import first_in_every_run
from tests.support.user_project import World, project, revision

pytestmark = pytest.mark.slow
HANG_SECONDS = 600.0
"""after this time a test that waits gives up; no test depends on being faster"""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
WAIT_WITH_CHILD = """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
open({flag!r}, "w").write("here")
time.sleep(600)
"""


def lay_waiting_project(here: World, stage: str) -> Path:
    """Write a project that waits at a stage, with a child in a session of its own.

    Returns the file that it writes to when it waits.
    """
    flag = here.top / "flag"
    flag.touch()
    flag.chmod(0o666)
    code = WAIT_WITH_CHILD.format(flag=str(flag))
    if stage == "importing":
        here.lay(project(settings_py=code + 'URL = "postgresql://db.invalid/app"\n'))
    elif stage == "replaying":
        here.lay(project(two_py=revision("two", "one", code)))
    else:
        here.lay(project())
    return flag


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a callable returns true."""
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.005)


def start_and_wait(here: World, stage: str, *options: str) -> subprocess.Popen[str]:
    """Start a run and wait until it has reached the stage."""
    flag = lay_waiting_project(here, stage)
    process = here.start(*options)
    if stage == "starting":
        wait_until(lambda: any("supervisor.py" in line for line in here.processes().values()))
    else:
        wait_until(lambda: bool(flag.read_text()))
    return process


@pytest.mark.parametrize("stage", first_in_every_run(["replaying", "starting", "importing"], 1))
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_every_process_of_the_run(here: World, stage: str, number: signal.Signals) -> None:
    process = start_and_wait(here, stage)
    process.send_signal(number)
    out, err = process.communicate(timeout=HANG_SECONDS)
    if number is signal.SIGKILL:
        assert process.returncode == -number
        here.demand_nothing_left()
        return
    assert process.returncode == 128 + number, out + err
    assert "Interrupted; nothing is left behind." in err
    here.demand_nothing_left()


def test_sigterm_while_it_starts_ends_it_without_a_traceback(here: World) -> None:
    here.lay(project())
    for step in range(8):
        process = here.start()
        time.sleep(0.02 * step)  # (whatever it does then)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=HANG_SECONDS)
        assert process.returncode in (-signal.SIGTERM, 128 + signal.SIGTERM), out + err
        assert "Traceback" not in err
        here.demand_nothing_left()


@pytest.mark.release
def test_folders_of_a_killed_run_are_removed_by_the_next_run(here: World) -> None:
    """Where what removes them otherwise was killed as well: its supervisor, and the shell."""
    process = start_and_wait(here, "replaying")
    removers = [
        pid
        for pid, line in here.processes().items()
        if "supervisor.py" in line or folder_remover.NAME in line
    ]
    assert len(removers) == 2
    for pid in removers:
        os.kill(pid, signal.SIGSTOP)
    process.kill()
    process.communicate()
    for pid in removers:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not here.processes())
    abandoned = here.folders()
    assert abandoned
    time.sleep(5.5)  # younger folders may belong to a run that is about to lock them
    here.lay(project(two_py=revision("two", "one", "pass")))
    next_run = here.start()
    next_run.communicate(timeout=HANG_SECONDS)
    assert not here.folders(), abandoned


def test_more_signals_do_not_interrupt_the_clean_up(here: World) -> None:
    process = start_and_wait(here, "replaying")
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        process.send_signal(number)
        time.sleep(0.02)
    process.communicate(timeout=HANG_SECONDS)
    assert process.returncode > 0
    here.demand_nothing_left()


# --- a server that the user runs -----------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of the tests' own, in the role of the user's."""
    with temporary_run_directory() as folder, start_server("auto", folder=folder) as started:
        yield started


def list_databases(server: Server) -> set[str]:
    """The names of the databases on the server."""
    with server.connect() as connection:
        return {str(name) for (name,) in connection.execute("select datname from pg_database").fetchall()}


def url_of(server: Server) -> str:
    from urllib.parse import quote

    host = quote(server.socket_directory, safe="")
    return f"postgresql://{server.user}:{quote(server.password)}@{host}:{server.port}/{server.database}"


@pytest.mark.parametrize(
    "ending", first_in_every_run(["SIGKILL", "failure", "success", "SIGINT", "SIGTERM"], 2)
)
def test_no_database_is_left_behind_on_the_users_server(here: World, server: Server, ending: str) -> None:
    before = list_databases(server)
    options = ("--postgres", url_of(server))
    if ending == "success":
        here.lay(project())
        assert here.check(*options).status == 0
    elif ending == "failure":
        here.lay(project(two_py=revision("two", "one", 'op.execute("select 1/0")')))
        assert here.check(*options).status == 1
    else:
        process = start_and_wait(here, "replaying", *options)
        assert list_databases(server) > before
        process.send_signal(signal.Signals[ending])
        process.communicate(timeout=HANG_SECONDS)
    wait_until(lambda: list_databases(server) == before)
    wait_until(lambda: not here.processes())
