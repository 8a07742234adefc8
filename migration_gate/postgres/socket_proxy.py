"""A Unix socket that leads to a server elsewhere, so that the project's code is confined to one folder.

Every connection is copied byte by byte, with three exceptions: the proxy itself speaks TLS to a server that
wants it, and therefore removes channel binding, which needs TLS from end to end, from the server's offer.
And where it is told to write a log of the sessions, it keeps messages of the server's from the project's code
that only the gate wants (see `session_log`).

Run as a script, with the standard library only: `socket_proxy.py TARGET_AS_JSON PATH GATE_PATH`.
The first socket leads to the run's databases alone, if the target says how their names begin. The second one
is the gate's own, and leads to all. (In a thread of the gate the proxy could not answer while libpq waits for
the answer to a cancel request, because libpq does not release the interpreter then.)
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

if not __package__:  # started as a script, with nothing but the standard library on the path
    sys.path.append(str(Path(__file__).parents[2]))

from migration_gate.postgres.proxy_target import ProxyTarget
from migration_gate.postgres.session_log import HEADER, LogFile, MessageStream, SessionLog

SSL_REQUEST = struct.pack("!II", 8, 80877103)
CANCEL_REQUEST = struct.pack("!I", 80877102)
PROTOCOL_3 = struct.pack("!H", 3)
GSS_REQUEST = struct.pack("!II", 8, 80877104)
FIRST_PACKET_SIZES = range(8, 10_001)
"""bytes of a connection's first packet; the greatest is Postgres' own limit"""
AUTHENTICATION_SASL = 10
AUTHENTICATION, ERROR = b"R", b"E"
"""kinds of a server's message"""
CHANNEL_BINDING = b"SCRAM-SHA-256-PLUS\0"
CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class ServerConnection:
    """A connection to the target."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_encrypted: bool


class SocketProxy:
    """Serves the connections of one socket; lives in an event loop."""

    def __init__(self, target: ProxyTarget, database_prefix: str = "", log: LogFile | None = None) -> None:
        self.target = target
        self.database_prefix = database_prefix
        """of the only databases that this socket leads to"""
        self.log = log
        """for what the sessions do"""
        self.tls = target.tls_context()

    async def handle_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first packet to its end."""
        try:
            await self._forward(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # one side has ended the connection; the other one learns it when it is closed below
        finally:
            await close_stream(writer)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first_packet = await read_first_packet(reader, writer)
        if not is_allowed(first_packet, self.database_prefix):
            reason = f"only databases whose names start with {self.database_prefix} can be reached"
            writer.write(fatal_error(reason))
            await writer.drain()
            return
        try:
            server = await self._connect()
        except OSError as error:
            address = f"{self.target.host}:{self.target.port}"
            writer.write(fatal_error(f"{address} could not be reached: {error}"))
            await writer.drain()
            return
        try:
            server.writer.write(first_packet)
            streams = self._open_log(first_packet)
            directions = (
                asyncio.ensure_future(copy_stream(reader, server.writer, streams[0])),
                asyncio.ensure_future(copy_answers(server, writer, streams[1])),
            )
            try:
                await asyncio.gather(*directions)
            finally:
                for direction in directions:
                    direction.cancel()
                await asyncio.gather(*directions, return_exceptions=True)
        finally:
            await close_stream(server.writer)

    def _open_log(self, first_packet: bytes) -> tuple[MessageStream, MessageStream] | tuple[None, None]:
        """What reads the two directions of a session; nothing without a log."""
        if self.log is None or first_packet[4:6] != PROTOCOL_3:
            return None, None
        database = read_parameters(first_packet).get(b"database", b"").decode(errors="replace")
        log = SessionLog(self.log, database, first_packet)
        return log.client, log.server

    async def _connect(self) -> ServerConnection:
        connection = await asyncio.to_thread(self.target.open_socket)
        try:
            connection.setblocking(False)
            is_encrypted = self.tls is not None and await self._negotiate_tls(connection)
            reader, writer = await asyncio.open_connection(
                sock=connection,
                ssl=self.tls if is_encrypted else None,
                server_hostname=self.target.host if is_encrypted else None,
            )
        except BaseException:
            connection.close()
            raise
        return ServerConnection(reader, writer, is_encrypted)

    async def _negotiate_tls(self, connection: socket.socket) -> bool:
        """Ask the server for TLS. Only one byte is read: what follows must be encrypted (CVE-2021-23222)."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, SSL_REQUEST)
        accepts = await loop.sock_recv(connection, 1) == b"S"
        if not accepts and self.target.requires_tls:
            raise ConnectionError("the server does not speak TLS, which sslmode asks for")
        return accepts


async def read_first_packet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The client's first packet that does not ask for encryption.

    Those that do are answered no: the socket is private.
    """
    while True:
        size = await reader.readexactly(4)
        length = int.from_bytes(size)
        if length not in FIRST_PACKET_SIZES:
            raise ConnectionError("this is not the protocol of Postgres")
        packet = size + await reader.readexactly(length - 4)
        if packet not in {SSL_REQUEST, GSS_REQUEST}:
            return packet
        writer.write(b"N")
        await writer.drain()


def is_allowed(first_packet: bytes, database_prefix: str) -> bool:
    """Whether the packet asks for a database of this name, or is none that opens a session.

    A connection for replication has all databases. A name that is given twice, or in a packet that the server
    may read in another way than this function, is refused.
    """
    if not database_prefix or first_packet[4:8] == CANCEL_REQUEST:
        return True
    if first_packet[4:6] != PROTOCOL_3 or not first_packet.endswith(b"\0\0"):
        return False
    words = first_packet[8:-2].split(b"\0")
    if len(words) % 2:
        return False
    names = words[::2]
    if len({*names}) < len(names) or b"replication" in names or b"" in names:
        return False
    return read_parameters(first_packet).get(b"database", b"").startswith(database_prefix.encode())


def read_parameters(first_packet: bytes) -> dict[bytes, bytes]:
    """What the packet says of the session: `user`, `database`, settings."""
    words = first_packet[8:-2].split(b"\0")
    return dict(zip(words[::2], words[1::2], strict=False))


async def copy_answers(
    server: ServerConnection, writer: asyncio.StreamWriter, stream: MessageStream | None = None
) -> None:
    """Copy what the server sends to the client.

    Over TLS the server offers SCRAM-SHA-256-PLUS, and libpq takes such an offer on a socket without TLS for
    an attack. So the messages up to the first question about authentication are read whole, and that offer
    is removed.
    """
    is_before_authentication = server.is_encrypted
    while is_before_authentication:
        head = b""
        try:
            head = await server.reader.readexactly(HEADER.size)
            kind, size = HEADER.unpack(head)
            body = await server.reader.readexactly(max(size, 4) - 4)
        except asyncio.IncompleteReadError as error:
            writer.write(head + error.partial)  # as errors of servers that cannot start a session: a text
            break
        if kind == AUTHENTICATION and int.from_bytes(body[:4]) == AUTHENTICATION_SASL:
            body = body.replace(CHANNEL_BINDING, b"")
            head = HEADER.pack(kind, len(body) + 4)
        message = head + body
        writer.write(stream.take(message) if stream is not None else message)
        is_before_authentication = kind not in (AUTHENTICATION, ERROR)
    await copy_stream(server.reader, writer, stream)


async def copy_stream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stream: MessageStream | None = None
) -> None:
    """Copy until the end of one direction, and pass that end on. `stream` reads it, and may leave out."""
    while data := await reader.read(CHUNK_BYTES):
        writer.write(stream.take(data) if stream is not None else data)
        await writer.drain()
    if stream is not None:
        writer.write(stream.take_rest())
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()  # TLS cannot end one direction only


async def close_stream(writer: asyncio.StreamWriter) -> None:
    """Close, even where the other side has already gone."""
    writer.close()
    with suppress(OSError, asyncio.CancelledError):
        await writer.wait_closed()


def fatal_error(text: str) -> bytes:
    """A fatal error (SQLSTATE 08001), as a server would send it."""
    fields = (b"SFATAL", b"VFATAL", b"C08001", b"M" + text.encode())
    body = b"".join(field + b"\0" for field in fields) + b"\0"
    return ERROR + struct.pack("!I", len(body) + 4) + body


def open_log(path: str) -> LogFile | None:
    """The file, which only this user may read; None without a path."""
    return LogFile(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)) if path else None


async def serve_sockets(target: ProxyTarget, path: str, gate_path: str) -> None:
    """Serve the Unix sockets at these paths for ever. Raises OSError if they can't be made.

    The one at `path` appears last, when both can be used.
    """
    own = await asyncio.start_unix_server(SocketProxy(target).handle_connection, gate_path)
    os.chmod(gate_path, 0o600)  # noqa: PTH101
    proxy = SocketProxy(target, target.database_prefix, open_log(target.session_log))
    temporary_path = f"{path}.new"
    server = await asyncio.start_unix_server(proxy.handle_connection, temporary_path)
    os.chmod(temporary_path, 0o777)  # noqa: PTH101, S103 -- its folder and a password protect it
    os.rename(temporary_path, path)  # noqa: PTH104
    await asyncio.gather(own.serve_forever(), server.serve_forever())


if __name__ == "__main__":
    asyncio.run(serve_sockets(ProxyTarget(**json.loads(sys.argv[1])), *sys.argv[2:4]))
