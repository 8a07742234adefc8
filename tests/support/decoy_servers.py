"""What the project's code must never reach: another Postgres, on TCP and on a Unix socket, and a web server.

Both are real and would let it in. Whoever comes near leaves a line in `hits`.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.server import Server


@dataclass
class Forbidden:
    """Where it is, and who came."""

    server: Server
    port: int
    """on 127.0.0.1; leads to the server"""
    web: int
    """port of the web server"""
    tcp: list[str] = field(default_factory=list)
    read: int = 0

    def url(self, driver: str = "", *, host: str = "", database: str = "postgres") -> str:
        """A URL with which an unguarded project gets in."""
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        place = host or f"127.0.0.1:{self.port}"
        return f"{scheme}://{self.server.user}:{self.server.password}@{place}/{database}"

    @property
    def dsn(self) -> str:
        """The same, as libpq's keywords."""
        return (
            f"host=127.0.0.1 port={self.port} user={self.server.user} "
            f"password={self.server.password} dbname=postgres"
        )

    def hits(self) -> list[str]:
        """Everyone who came since the last question."""
        assert self.server.log is not None
        text = self.server.log.read_text(errors="replace")
        fresh, self.read = text[self.read :], len(text)
        found = [line for line in fresh.splitlines() if "connection received" in line] + self.tcp
        self.tcp.clear()
        return found


class _Relay(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    forbidden: Forbidden


class _Forward(socketserver.BaseRequestHandler):
    """Bytes there and back."""

    server: _Relay

    def handle(self) -> None:
        self.server.forbidden.tcp.append("a TCP connection")
        there = self.server.forbidden.server
        with socket.socket(socket.AF_UNIX) as onward:
            onward.connect(f"{there.socket_directory}/.s.PGSQL.{there.port}")
            back = threading.Thread(target=_copy, args=(onward, self.request), daemon=True)
            back.start()
            _copy(self.request, onward)
            back.join(5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="session")
def forbidden_place() -> Iterator[Forbidden]:
    """A second cluster, a TCP port that leads to it, and a web server."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(temporary_run_directory())
        server = stack.enter_context(start_server("auto", folder=folder))
        with server.connect() as connection:
            connection.execute("alter system set log_connections = on")
            connection.execute("select pg_reload_conf()")
        relay = stack.enter_context(_Relay(("127.0.0.1", 0), _Forward))
        hits: list[str] = []

        class Web(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hits.append("a request")
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is given)
                pass

        web = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web))
        place = Forbidden(server, relay.server_address[1], web.server_address[1], hits)
        relay.forbidden = place
        for each in (relay, web):
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            stack.callback(each.shutdown)
        yield place


@pytest.fixture
def forbidden(forbidden_place: Forbidden) -> Iterator[Forbidden]:
    """The place; the test fails if anybody was there."""
    forbidden_place.hits()
    yield forbidden_place
    assert forbidden_place.hits() == []
