"""What a hostile build script reaches (`setup.py`), which the installer runs while it downloads packages."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from migration_gate.install import installer as installer_module
from migration_gate.install.installer import OWN_SUBFOLDERS, Installer
from migration_gate.sandbox.landlock import find_landlock_version
from migration_gate.sandbox.seccomp import supports_seccomp
from tests.sandbox.decoy_sockets import open_decoy
from tests.sandbox.test_socket_attacks import NOBODY, PYTHON
from tests.support.privileges import folder_for_everybody

pytestmark = pytest.mark.slow
HANG_SECONDS = 60.0
SETUP = """
import os, socket, sys
def attempt(function, *words):
    try:
        function(*words)
    except OSError as error:
        return error.errno
    return 0
def connect(family, address, kind=socket.SOCK_STREAM):
    socket.socket(family, kind).connect(address)
kind, *words = sys.argv[1:]
if kind == "unix":
    results = [attempt(connect, socket.AF_UNIX, words[0]),
               attempt(connect, socket.AF_UNIX, chr(0) + words[2]),
               attempt(connect, socket.AF_UNIX, words[3], socket.SOCK_DGRAM),
               attempt(connect, socket.AF_UNIX, "/var/run/docker.sock"),
               attempt(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)]
    pair = socket.socketpair()
    pair[0].send(b"x")
elif kind == "tcp":
    results = [attempt(connect, socket.AF_INET, ("127.0.0.1", int(words[0]))),
               attempt(connect, socket.AF_INET, ("127.0.0.1", int(words[0])), socket.SOCK_DGRAM)]
elif kind == "write":
    results = [attempt(open, f"{folder}/new", "w") for folder in words]
else:
    results = [attempt(open, f"/proc/{words[0]}/{name}", "rb") for name in ("environ", "mem")]
print(results)
"""


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Installer]:
    """An installer with a cache folder, as it installs into one of its environments."""
    monkeypatch.setattr(installer_module, "list_temporary_folders", list)  # the folders of the test are there
    with folder_for_everybody() as folder:
        own = folder / "environments" / "own"
        for path in (
            own,
            own.with_name("other"),
            folder / "clusters",
            folder / "servers",
            folder / "checkout",
        ):
            path.mkdir(parents=True)
            path.chmod(0o777)
        for name in OWN_SUBFOLDERS:
            (folder / name).mkdir()
            (folder / name).chmod(0o777)
        account = NOBODY if os.geteuid() == 0 else None
        yield Installer(account, {}, folder, threading.TIMEOUT_MAX, 60).allow_writing(own)


def run_setup(installer: Installer, *words: str) -> list[int]:
    """The numbers of the errors that the script gets; 0 where it succeeds."""
    lines = [*installer.run([PYTHON, "-I", "-S", "-c", SETUP, *words])]
    assert len(lines) == 1, lines
    numbers: list[int] = ast.literal_eval(lines[0])
    return numbers


@pytest.mark.skipif(not supports_seccomp(), reason="no filter for system calls on this machine")
def test_no_unix_socket_of_another_postgres_or_of_docker_is_reached(installer: Installer) -> None:
    with open_decoy() as decoy:
        assert run_setup(installer, "unix", *decoy.arguments) == [13, 13, 13, 13, 13]
        assert decoy.count_visitors() == 0


def test_the_network_is_there_for_downloads(installer: Installer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert run_setup(installer, "tcp", str(server.getsockname()[1])) == [0, 0]


@pytest.mark.skipif(not find_landlock_version(), reason="this kernel has no Landlock")
def test_the_checkout_and_the_rest_of_the_cache_are_not_written(installer: Installer) -> None:
    names = ("checkout", "clusters", "servers", "environments", "environments/other", ".")
    folders = [str(installer.folder / name) for name in names]
    assert run_setup(installer, "write", *folders) == [13] * len(folders)
    own = [str(installer.folder / name) for name in (*OWN_SUBFOLDERS, "environments/own")]
    assert run_setup(installer, "write", *own) == [0] * len(own)


@pytest.mark.skipif(not find_landlock_version(), reason="this kernel has no Landlock")
def test_the_variables_of_another_program_of_the_account_are_not_read(installer: Installer) -> None:
    uid = installer.account.uid if installer.account else None
    victim = subprocess.Popen(
        [PYTHON, "-c", "print(flush=True); input()"], env={"GITHUB_TOKEN": "secret"}, user=uid, group=uid,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with victim:
        assert victim.stdout
        victim.stdout.readline()
        assert run_setup(installer, "read", str(victim.pid)) == [13, 13]
        victim.communicate(b"\n")
