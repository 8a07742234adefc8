"""The proxy alone: a Unix socket that leads to a server elsewhere."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import psycopg
import pytest

from migration_gate.postgres.proxy_target import ProxyTarget
from migration_gate.postgres.remote import open_remote_access
from migration_gate.postgres.socket_proxy import ServerConnection, copy_answers, is_allowed

slow = pytest.mark.slow


@slow
def test_a_client_can_close_its_direction_and_still_read_the_answer(run_folder: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        open_remote_access(run_folder) as access,
        socket.socket(socket.AF_UNIX) as client,
    ):
        access.start_proxy(ProxyTarget(*server.getsockname()))
        client.connect(f"{access.socket_directory}/.s.PGSQL.5432")
        client.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")  # asks for TLS
        assert client.recv(1) == b"N"
        client.sendall(b"\0\0\0\x09\0\3\0\0\0")
        client.shutdown(socket.SHUT_WR)
        connection, _ = server.accept()
        with connection:
            received = b""
            while data := connection.recv(100):
                received += data
            assert received == b"\0\0\0\x09\0\3\0\0\0"
            connection.sendall(b"still here")
        assert client.recv(100) == b"still here"
        assert client.recv(100) == b""


@slow
def test_a_proxy_to_a_closed_port_answers_with_an_error_of_postgres(run_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        target = ProxyTarget(*taken.getsockname())
    with open_remote_access(run_folder) as access:
        access.start_proxy(target)
        with pytest.raises(psycopg.OperationalError, match="could not be reached"):
            psycopg.connect(host=str(access.socket_directory), port=5432, user="x")
    assert not access.socket_directory.parent.exists()


@slow
def test_a_client_that_does_not_speak_postgres_protocol_is_disconnected(run_folder: Path) -> None:
    with open_remote_access(run_folder) as access, socket.socket(socket.AF_UNIX) as client:
        access.start_proxy(ProxyTarget("127.0.0.1", 1))
        client.connect(f"{access.socket_directory}/.s.PGSQL.5432")
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(100) == b""


@pytest.mark.parametrize(
    "sent",
    [b"", b"Eco", b"Ecould not fork new process for connection\n\0", b"R\0\0\0\x0c\0\0", b"N\0\0\0\0E"],
)
def test_before_authentication_what_is_no_whole_message_is_passed_on(sent: bytes) -> None:
    async def copy() -> bytes:
        ends, client = socket.socketpair()
        _, writer = await asyncio.open_connection(sock=ends)
        server = asyncio.StreamReader()
        server.feed_data(sent)
        server.feed_eof()
        await copy_answers(ServerConnection(server, writer, is_encrypted=True), writer)
        writer.close()
        await writer.wait_closed()
        with client:
            return client.recv(1000)

    assert asyncio.run(copy()) == sent


@pytest.mark.parametrize(
    ("parameters", "allowed"),
    [
        (b"user\0u\0database\0run_1\0\0", True),
        (b"database\0run_1\0user\0database\0\0", True),
        (b"user\0run_1\0\0", False),
        (b"user\0u\0database\0app\0\0", False),
        (b"user\0database\0database\0app\0\0", False),
        (b"user\0u\0database\0run_1\0database\0app\0\0", False),
        (b"user\0u\0database\0run_1\0replication\0true\0\0", False),
        (b"user\0u\0database\0app\0\0database\0run_1\0\0", False),
        (b"user\0u\0database\0run_1\0", False),
        (b"", False),
    ],
)
def test_the_first_packet_asks_for_a_database_of_the_run(parameters: bytes, allowed: bool) -> None:
    packet = b"\0\0\0\0\0\3\0\0" + parameters
    assert is_allowed(packet, "run_") == allowed
    assert is_allowed(packet, "")
