"""Nobody in the sandbox acts on a process outside of it, and none of its own processes stays behind."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate.sandbox.seccomp import supports_seccomp
from tests.sandbox.process_attacks import PRELUDE, PROCESS_ATTACKS, ProcessAttack
from tests.sandbox.test_sandbox import wait_until_ended
from tests.sandbox.test_socket_attacks import (
    HANG_SECONDS,
    NOBODY,
    PLAIN_USER,
    PYTHON,
    WORKERS,
    needs_root,
    run,
    run_as_plain_user,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not supports_seccomp(), reason="no filter for system calls on this machine"),
]
attacks = pytest.mark.parametrize("attack", PROCESS_ATTACKS, ids=lambda attack: attack.name)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for everybody."""
    with tempfile.TemporaryDirectory(prefix="p-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o777)
        yield Path(name)


def start_victim(user: int | None) -> subprocess.Popen[bytes]:
    """A process of this user's that does nothing."""
    return subprocess.Popen(
        ["/bin/sleep", "600"], user=user, group=user, extra_groups=None if user is None else [],
        start_new_session=True,
    )  # fmt: skip


def choose_user(worker: object) -> int | None:
    """The user that the worker runs as."""
    if os.geteuid() != 0:
        return None
    return PLAIN_USER if worker is run_as_plain_user else NOBODY.uid


def lay(folder: Path, code: str, victim: int) -> list[str]:
    """The command that runs the code."""
    program = folder / "program.py"
    program.write_text(PRELUDE + code)
    return [PYTHON, "-I", "-S", str(program), str(victim)]


@attacks
@pytest.mark.parametrize("worker", WORKERS)
def test_a_process_outside_is_not_touched(folder: Path, worker: object, attack: ProcessAttack) -> None:
    assert callable(worker)
    victim = start_victim(choose_user(worker))
    limits = Path(f"/proc/{victim.pid}/limits")
    before = limits.read_text()
    try:
        done = worker(lay(folder, attack.code, victim.pid))
        assert victim.poll() is None
        assert limits.read_text() == before
        assert "Error" not in done.stderr
        assert done.returncode == 0
    finally:
        victim.kill()
        victim.wait()


@needs_root
@pytest.mark.parametrize(
    "attack", [attack for attack in PROCESS_ATTACKS if attack.works_unguarded], ids=lambda attack: attack.name
)
def test_without_the_sandbox_each_way_ends_it(folder: Path, attack: ProcessAttack) -> None:
    victim = start_victim(NOBODY.uid)
    try:
        run(lay(folder, attack.code, victim.pid), user=NOBODY.uid)
        victim.wait(HANG_SECONDS)
    finally:
        victim.kill()
        victim.wait()


LEFT_BEHIND = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[0] + ".pid", "w").write(str(os.getpid()))
        libc.prctl(1, 0, 0, 0, 0)  # PR_SET_PDEATHSIG
        time.sleep(600)
    os._exit(0)
os.wait()
while not os.path.exists(sys.argv[0] + ".pid"):
    time.sleep(0.01)
for signal in (19, 9):
    attempt(os.kill, os.getppid(), signal)
"""


@pytest.mark.parametrize("worker", WORKERS)
def test_no_process_stays_behind_though_the_sandbox_is_attacked(folder: Path, worker: object) -> None:
    assert callable(worker)
    command = lay(folder, LEFT_BEHIND, 1)
    assert worker(command).returncode == 0
    wait_until_ended(Path(f"{command[3]}.pid").read_text())


@pytest.mark.parametrize("worker", WORKERS)
def test_processes_of_its_own_get_their_signals(folder: Path, worker: object) -> None:
    code = """
child = os.fork()
if child == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    time.sleep(600)
while os.getpgid(child) != child:
    time.sleep(0.001)
attempt(resource.prlimit, child, resource.RLIMIT_CORE, (0, 0))  # (refused by a filter around this one)
os.killpg(child, 9)
print(os.WTERMSIG(os.waitpid(child, 0)[1]))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
signal.signal(signal.SIGUSR2, lambda *_: print("own"))
os.kill(os.getpid(), signal.SIGUSR2)
os.kill(os.getpid(), 0)
with contextlib.suppress(ProcessLookupError, PermissionError):
    os.kill(2**22 - 1, 0)
"""
    assert callable(worker)
    done = worker(lay(folder, code, 1))
    assert (done.stdout, done.returncode) == ("9\nown\n", 0), done.stderr
