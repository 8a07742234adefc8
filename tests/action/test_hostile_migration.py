"""A hostile migration in the built image: what it tried, and that it got nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.action_checkout import add_revision, commit_skeleton
from tests.support.action_runner import Step, run_step

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.release]
SECRETS = {
    "GITHUB_TOKEN": "ghs_hostile0secret1",
    "INPUT_TOKEN": "ghs_hostile0secret2",
    "ACTIONS_RUNTIME_TOKEN": "hostile0secret3",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "hostile0secret4",
}
TRIES = """
import ctypes, glob, json, os, signal, socket, subprocess, sys

got = {}

def attempt(name):
    def run(function):
        try:
            got[name] = function() or "done"
        except BaseException as error:
            got[name] = f"{type(error).__name__}: {error}"
    return run

@attempt("who")
def _():
    return f"{os.getuid()} {os.getgid()} {os.getgroups()}"

@attempt("environment")
def _():
    runners = ("GITHUB_", "INPUT_", "ACTIONS_", "RUNNER_", "MIGRATION_")
    return sorted(name for name in os.environ if name.startswith(runners))

@attempt("readable environments of others")
def _():
    found = []
    for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/task/*/environ"):
        try:
            if "hostile0secret" in open(path).read():
                found.append(path)
        except OSError:
            pass
    return found or "none"

@attempt("readable memory of others")
def _():
    found = []
    own = {str(os.getpid())}
    for path in glob.glob("/proc/[0-9]*/mem") + glob.glob("/proc/[0-9]*/task/*/mem"):
        if path.split("/")[2] not in own:
            try:
                open(path, "rb").close()
                found.append(path)
            except OSError:
                pass
    return found or "none"

@attempt("root of process 1")
def _():
    return os.listdir("/proc/1/root")

@attempt("descriptors of process 1")
def _():
    return os.listdir("/proc/1/fd")

@attempt("ptrace")
def _():
    libc = ctypes.CDLL(None, use_errno=True)
    found = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if pid != os.getpid()
             and libc.ptrace(16, pid, 0, 0) == 0]
    return found or "none"

@attempt("kill process 1")
def _():
    os.kill(1, signal.SIGKILL)

@attempt("kill the others")
def _():
    killed = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        if pid not in (os.getpid(),):
            try:
                os.kill(pid, 0)
                killed.append(pid)
            except OSError:
                pass
    return killed or "none"

@attempt("command files")
def _():
    found = []
    for path in glob.glob("/github/file_commands/*") or ["nothing is seen"]:
        for mode in ("r", "a"):
            try:
                with open(path, mode) as stream:
                    if mode == "a":
                        stream.write("result=passed\\n")
                found.append(f"{mode} {path}")
            except OSError:
                pass
    for place in ("/github/file_commands", "/github/workflow", "/github/home", "/github/workspace",
                  "/github/workspace/.git", "/github/workspace/.git/hooks"):
        try:
            open(f"{place}/new", "w").close()
            found.append(place)
        except OSError:
            pass
    return found or "none"

@attempt("event")
def _():
    with open("/github/workflow/event.json", "a"):
        pass

@attempt("docker")
def _():
    socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock")

@attempt("tcp")
def _():
    socket.create_connection(("1.1.1.1", 53), timeout=2)

@attempt("tcp to this machine")
def _():
    socket.create_connection(("127.0.0.1", 5432), timeout=2)

@attempt("udp")
def _():
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)

@attempt("become root")
def _():
    os.setuid(0)

@attempt("su")
def _():
    done = subprocess.run(["su", "-c", "id"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr.strip()

@attempt("mount")
def _():
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(0x10000000) == 0, os.strerror(ctypes.get_errno())

@attempt("gate's own files")
def _():
    open("/opt/migration-gate/lib/python3.13/site-packages/entrypoint.py", "a")

from alembic import op
from sqlalchemy import text

@attempt("the server's files")
def _():
    said = []
    for sql in (
        "COPY (SELECT 'result=passed') TO '/github/file_commands/new'",
        "COPY (SELECT 1) TO PROGRAM 'cat /github/file_commands/* /proc/1/environ > /tmp/loot'",
        "COPY (SELECT 1) TO PROGRAM 'python3 -c \\\\'import socket; socket.create_connection((1, 53))\\\\''",
        "SELECT pg_read_file('/proc/1/environ')",
    ):
        bind = op.get_bind()
        nested = bind.begin_nested()
        try:
            bind.execute(text(sql))
            said.append(f"{sql}: done")
            nested.commit()
        except Exception as error:
            nested.rollback()
    return said or "none"

print("::set-output name=result::passed")
print("::stop-commands::guess")
print("::guess::")
print("::error file=x::owned")
print("ATTEMPTS " + json.dumps(got))
raise RuntimeError("ATTEMPTS " + json.dumps(got))
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Step:
    checkout = tmp_path_factory.mktemp("stranger") / "hello"
    return run_step(add_revision(commit_skeleton(checkout), TRIES), env=SECRETS)


@pytest.fixture(scope="module")
def attempts(result: Step) -> dict[str, object]:
    """What each attempt brought."""
    match = re.search(r"ATTEMPTS (\{.*?\})$", re.sub(r"\x1b\[[0-9;]*m", "", result.log), re.MULTILINE)
    assert match, result.log
    loaded: dict[str, object] = json.loads(match[1])
    return loaded


def test_it_runs_as_an_account_that_owns_nothing(attempts: dict[str, object]) -> None:
    assert attempts["who"] == "64002 64002 []"


def test_it_sees_no_variable_of_the_runner(attempts: dict[str, object]) -> None:
    assert attempts["environment"] == "done", "an empty list is what it should have got"


@pytest.mark.parametrize(
    "what",
    [
        "readable environments of others",
        "readable memory of others",
        "ptrace",
        "kill the others",
        "command files",
        "the server's files",
    ],
)
def test_it_finds_no_files_and_processes_of_others(what: str, attempts: dict[str, object]) -> None:
    assert attempts[what] == "none"


@pytest.mark.parametrize(
    "what",
    [
        "root of process 1",
        "descriptors of process 1",
        "kill process 1",
        "event",
        "docker",
        "tcp",
        "tcp to this machine",
        "udp",
        "become root",
        "mount",
        "gate's own files",
    ],
)
def test_its_attempts_are_refused(what: str, attempts: dict[str, object]) -> None:
    assert re.match(r"PermissionError: |AssertionError: Operation not permitted", str(attempts[what])), (
        attempts[what]
    )


def test_it_cannot_change_its_account(attempts: dict[str, object]) -> None:
    assert str(attempts["su"]).startswith("AssertionError")


def test_commands_that_it_printed_are_not_carried_out(result: Step) -> None:
    assert (result.exit_code, result.outputs["result"]) == (1, "blocked")
    assert not [annotation for annotation in result.annotations if annotation["message"] == "owned"]
    assert result.env == {}


def test_no_token_is_in_the_output(result: Step) -> None:
    masks = [f"::add-mask::{SECRETS['INPUT_TOKEN']}"]
    shown = "\n".join(line for line in result.log.splitlines() if line not in masks)
    for secret in SECRETS.values():
        assert secret not in shown + result.summary + json.dumps(result.outputs) + json.dumps(
            result.annotations
        )


def test_network_true_opens_the_network_with_a_note(tmp_path: Path) -> None:
    body = """
import socket
socket.socket(socket.AF_INET).close()
"""
    checkout = add_revision(commit_skeleton(tmp_path / "hello"), body)
    closed, opened = run_step(checkout), run_step(checkout, network="true")
    assert (closed.exit_code, opened.exit_code) == (1, 0)
    assert "network: true" in opened.log + opened.summary
