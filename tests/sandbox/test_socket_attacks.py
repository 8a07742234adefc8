"""Nobody in the sandbox comes to another Unix socket: each way alone, from the worker and from the server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import migration_gate
from migration_gate.sandbox.command import SANDBOX_FILE, sandbox_command
from migration_gate.sandbox.seccomp import supports_seccomp
from migration_gate.sandbox.user import NOBODY_ID, Account
from tests.sandbox.decoy_sockets import Decoy, open_decoy
from tests.sandbox.normal_use import PROGRAMS, Program
from tests.sandbox.socket_attacks import ATTACKS, PRELUDE, Attack
from tests.support.replay_engine import Engine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not supports_seccomp(), reason="no filter for system calls on this machine"),
]
PYTHON = shutil.which("python3", path="/usr/local/bin:/usr/bin") or sys.executable
"""an interpreter that every account may read"""
NOBODY = Account(NOBODY_ID, NOBODY_ID)
PLAIN_USER = 12345
HANG_SECONDS = 120.0
"""after this time a test gives up; none depends on being faster"""
WITHOUT_COPIES = f"""
import os, sys
sys.path.append({str(Path(migration_gate.__file__).parents[1])!r})
from migration_gate.sandbox.seccomp import install_socket_filter
install_socket_filter()  # refuses pidfd_getfd(), as Docker's filter does
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def decoy() -> Iterator[Decoy]:
    """The sockets of one test."""
    with open_decoy() as made:
        yield made


def lay_program(decoy: Decoy, code: str) -> list[str]:
    """The command that runs the code."""
    program = decoy.folder / "program.py"
    program.write_text(code)
    return [PYTHON, "-I", "-S", str(program), *decoy.arguments]


def run_as_account(command: list[str]) -> subprocess.CompletedProcess[str]:
    """In the sandbox of root, as nobody."""
    return run(sandbox_command(command, account=NOBODY, unix_sockets_only=True))


def run_as_the_same(command: list[str]) -> subprocess.CompletedProcess[str]:
    """In the sandbox, as the user who runs the tests."""
    return run(sandbox_command(command, unix_sockets_only=True))


def run_without_copies(command: list[str]) -> subprocess.CompletedProcess[str]:
    """In the sandbox, where it must not copy the command's descriptors."""
    account = NOBODY if os.geteuid() == 0 else None
    sandbox = sandbox_command(command, account=account, unix_sockets_only=True)
    return run([sys.executable, "-I", "-S", "-c", WITHOUT_COPIES, *sandbox])


def run_as_plain_user(command: list[str]) -> subprocess.CompletedProcess[str]:
    """In the sandbox of a plain user, who owns the decoy as well."""
    folder = Path(command[3]).parent
    house = folder / "house" / "migration_gate"
    house.mkdir(parents=True)
    (house / "__init__.py").touch()
    shutil.copytree(
        Path(SANDBOX_FILE).parent, house / "sandbox", ignore=shutil.ignore_patterns("__pycache__")
    )
    for file in folder.rglob("*"):
        os.chown(file, PLAIN_USER, PLAIN_USER)
    sandbox = sandbox_command(command, unix_sockets_only=True)
    sandbox[0], sandbox[sandbox.index(SANDBOX_FILE)] = PYTHON, str(house / "sandbox" / "__main__.py")
    return run(sandbox, user=PLAIN_USER)


def run(command: list[str], user: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run to the end."""
    return subprocess.run(
        command, user=user, group=user, extra_groups=None if user is None else [],
        capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
without_root = pytest.mark.skipif(os.geteuid() == 0, reason="as root, the plain user stands for this one")
WORKERS = [
    pytest.param(run_as_account, marks=needs_root, id="account"),
    pytest.param(run_as_the_same, marks=without_root, id="same"),
    pytest.param(run_without_copies, id="without-copies", marks=pytest.mark.release),
    pytest.param(run_as_plain_user, marks=[needs_root, pytest.mark.release], id="plain-user"),
]
attacks = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)


@attacks
@pytest.mark.parametrize("worker", WORKERS)
def test_the_worker_does_not_come_to_another_socket(decoy: Decoy, worker: object, attack: Attack) -> None:
    assert callable(worker)
    done = worker(lay_program(decoy, PRELUDE + attack.code))
    assert decoy.count_visitors() == 0
    assert "AssertionError" not in done.stderr
    assert "SyntaxError" not in done.stderr
    assert "NameError" not in done.stderr


STATIC_PROGRAM = """
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(int count, char **words) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, words[1]);
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(sock, (struct sockaddr *)&address, sizeof address);
    return connect(sock, (struct sockaddr *)&address, sizeof address) != 0;
}
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("worker", WORKERS)
def test_a_static_program_does_not_come_to_another_socket(decoy: Decoy, worker: object) -> None:
    assert callable(worker)
    source, program = decoy.folder / "call.c", decoy.folder / "call"
    source.write_text(STATIC_PROGRAM)
    compiled = run(["gcc", "-static", "-o", str(program), str(source)])
    if compiled.returncode:
        pytest.skip("gcc has no static C library")
    code = f"import os, sys; os.execv({str(program)!r}, [{str(program)!r}, sys.argv[1]])"
    assert worker(lay_program(decoy, code)).returncode == 1
    assert decoy.count_visitors() == 0


@attacks
def test_the_server_does_not_come_to_another_socket(engine: Engine, decoy: Decoy, attack: Attack) -> None:
    command = " ".join(f"'{word}'" for word in lay_program(decoy, PRELUDE + attack.code))
    program = f"{command} 2>&1 || true".replace("'", "''")
    with engine.server.connect() as connection:
        connection.execute("CREATE TEMPORARY TABLE output (line text)")
        connection.execute(f"COPY output FROM PROGRAM '{program}'")
        output = str(connection.execute("SELECT line FROM output").fetchall())
    assert decoy.count_visitors() == 0
    assert "AssertionError" not in output
    assert "SyntaxError" not in output
    assert "NameError" not in output


@needs_root
@pytest.mark.parametrize(
    "attack", [attack for attack in ATTACKS if attack.works_unguarded], ids=lambda attack: attack.name
)
def test_without_the_sandbox_each_way_leads_there(decoy: Decoy, attack: Attack) -> None:
    done = run(lay_program(decoy, PRELUDE + attack.code))
    assert decoy.count_visitors() > 0, done.stderr


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_with_sockets_of_its_own_does_in_the_sandbox_what_it_does_outside(
    decoy: Decoy, worker: object, program: Program
) -> None:
    assert callable(worker)
    done = worker(lay_program(decoy, program.code))
    assert (done.stdout, done.returncode) == (program.output, 0), done.stderr
