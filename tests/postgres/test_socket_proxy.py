"""The relay alone: a Unix socket that leads elsewhere."""

from __future__ import annotations

import socket
from pathlib import Path

import psycopg
import pytest

from migration_gate.postgres.remote import outpost
from migration_gate.postgres.socket_proxy import Target

slow = pytest.mark.slow


@slow
def test_half_a_connection_can_be_closed(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        outpost(tmp_path) as post,
        socket.socket(socket.AF_UNIX) as client,
    ):
        post.open(Target(*server.getsockname()))
        client.connect(f"{post.directory}/.s.PGSQL.5432")
        client.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")  # asks for TLS
        assert client.recv(1) == b"N"
        client.sendall(b"\0\0\0\x09\0\3\0\0\0")
        client.shutdown(socket.SHUT_WR)
        there, _ = server.accept()
        with there:
            received = b""
            while data := there.recv(100):
                received += data
            assert received == b"\0\0\0\x09\0\3\0\0\0"
            there.sendall(b"still here")
        assert client.recv(100) == b"still here"
        assert client.recv(100) == b""


@slow
def test_a_relay_to_nowhere_says_so_in_postgres_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        target = Target(*taken.getsockname())
    with outpost(tmp_path) as post:
        post.open(target)
        with pytest.raises(psycopg.OperationalError, match="could not be reached"):
            psycopg.connect(host=str(post.directory), port=5432, user="x")
    assert not post.directory.parent.exists()


@slow
def test_noise_on_a_relay_is_hung_up_on(tmp_path: Path) -> None:
    with outpost(tmp_path) as post, socket.socket(socket.AF_UNIX) as client:
        post.open(Target("127.0.0.1", 1))
        client.connect(f"{post.directory}/.s.PGSQL.5432")
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(100) == b""
