"""Which files count as sockets of the sandbox's own."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate.sandbox.own_sockets import OwnSockets, identify_file, read_birth, read_clock

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox's broker is Linux's")


@pytest.fixture
def path() -> Iterator[str]:
    """For a socket, in a folder with a short name."""
    with tempfile.TemporaryDirectory(prefix="own-") as folder:
        yield f"{folder}/s"


def bind(path: str) -> socket.socket:
    """A socket with a file."""
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    return sock


def test_a_socket_that_was_made_by_the_call_is_remembered(path: str) -> None:
    own, since = OwnSockets(), read_clock()
    with bind(path) as sock:
        own.remember(sock, path, since)
    assert own.owns_file(identify_file(path))


def test_a_socket_that_was_there_before_the_call_is_not_remembered(path: str) -> None:
    own = OwnSockets()
    with bind(path) as other:
        file = os.open(path, os.O_PATH)
        birth = read_birth(file)
        os.close(file)
        if birth is None:
            pytest.skip("this file system does not know when a file was made")
        Path(path).chmod(0o700)  # a change of today does not make it younger
        own.remember(other, path, birth + 1)
    assert not own.owns_file(identify_file(path))


def test_a_link_and_a_file_that_is_no_socket_are_not_remembered(path: str) -> None:
    own, since = OwnSockets(), read_clock()
    with bind(path) as sock:
        Path(path + "-link").symlink_to(path)
        Path(path + "-file").touch()
        own.remember(sock, path + "-link", since)
        own.remember(sock, path + "-file", since)
    assert not own.owns_file(identify_file(path))
    assert not own.owns_file(identify_file(path + "-file"))


def test_no_later_socket_gets_the_inode_of_one_that_was_removed(path: str) -> None:
    own, since = OwnSockets(), read_clock()
    with bind(path) as sock:
        own.remember(sock, path, since)
    Path(path).unlink()
    for _ in range(50):
        with bind(path):
            assert not own.owns_file(identify_file(path))
        Path(path).unlink()
