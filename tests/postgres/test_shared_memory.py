"""The shared memory of a killed server is freed with the server's rights, whatever its pid file names."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate.postgres.supervisor import IPC_RMID, free_shared_memory
from migration_gate.postgres.supervisor_protocol import StartCommand
from tests.support.privileges import NOBODY, folder_for_everybody

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="numbers of Linux")
IPC_PRIVATE, IPC_CREATE, IPC_STAT = 0, 0o1000, 2


@pytest.fixture
def segment() -> Iterator[int]:
    """A segment of the user who runs the tests, as another server's would be."""
    libc = ctypes.CDLL(None)
    number: int = libc.shmget(IPC_PRIVATE, ctypes.c_size_t(4096), IPC_CREATE | 0o600)
    yield number
    libc.shmctl(number, IPC_RMID, None)


@pytest.fixture
def pid_file() -> Iterator[Path]:
    """Where the server's account may write."""
    with folder_for_everybody() as folder:
        yield folder / "postmaster.pid"


def exists(segment: int) -> bool:
    return bool(ctypes.CDLL(None).shmctl(segment, IPC_STAT, ctypes.create_string_buffer(512)) == 0)


def start_as(user: int | None, pid_file: Path) -> StartCommand:
    return StartCommand(
        command=[], uid=user, gid=user, environment={}, log_file="", stop_signal=9, pid_file=str(pid_file),
        unix_sockets_only=True, writable_folders=None,
    )  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_segment_of_another_user_stays(segment: int, pid_file: Path) -> None:
    pid_file.write_text(f"1\n2\n3\n4\n5\n6\n99 {segment}\n")
    free_shared_memory(start_as(NOBODY, pid_file))
    assert exists(segment)


def test_a_segment_of_the_servers_own_is_freed(segment: int, pid_file: Path) -> None:
    pid_file.write_text(f"1\n2\n3\n4\n5\n6\n99 {segment}\n")
    free_shared_memory(start_as(None, pid_file))
    assert not exists(segment)


def test_a_pipe_in_the_place_of_the_file_holds_nothing_up(pid_file: Path) -> None:
    os.mkfifo(pid_file)
    free_shared_memory(start_as(None, pid_file))
