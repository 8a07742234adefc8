"""A Unix socket that leads to another server, so that the project's code is confined to one folder.

Every connection is copied byte by byte. Two things are ours: TLS, which ends here where the server wants
it, and therefore its companion, channel binding, which is taken out of the server's offer.

Run as a script, with the standard library alone: `relay.py <target as JSON> <path of the socket>`. (As a
thread of ours it would hang when libpq waits for an answer to a cancel request without letting go of the
interpreter.)
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSS_REQUEST = struct.pack("!II", 8, 80877104)
LONGEST_OPENING = 10_000
"""bytes of a first packet; Postgres' own limit"""
AUTHENTICATION_SASL = 10
DIAL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where a relay leads to."""

    host: str
    """a name, an address, or the folder of a Unix socket (starts with a slash)"""
    port: int
    mode: str = "disable"
    """libpq's sslmode"""
    root: str = ""
    """file with the certificates to trust, or `system`"""
    certificate: str = ""
    key: str = ""

    @property
    def insists(self) -> bool:
        """Whether a server without TLS is refused."""
        return self.mode in ("require", "verify-ca", "verify-full")

    def context(self) -> ssl.SSLContext | None:
        """The TLS to offer, None for none. Raises OSError where a file of it can't be read."""
        if self.host.startswith("/") or self.mode in ("disable", "allow"):
            return None
        verify = self.mode.startswith("verify") or (self.mode == "require" and bool(self.root))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = self.mode == "verify-full"
        context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        if verify and self.root == "system":
            context.load_default_certs()
        elif verify:
            context.load_verify_locations(self.root)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key or None)
        return context

    def dial(self) -> socket.socket:
        """A connected socket. Raises OSError."""
        if not self.host.startswith("/"):
            found = socket.create_connection((self.host, self.port), DIAL_SECONDS)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return found
        found = socket.socket(socket.AF_UNIX)
        try:
            found.connect(f"{self.host}/.s.PGSQL.{self.port}")
        except OSError:
            found.close()
            raise
        return found


class Relay:
    """The connections of one relay; lives in an event loop."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.tls = target.context()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first packet to its end."""
        try:
            await self._carry(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # either side went away, which the other learns by the closing below
        finally:
            await close(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await opening(reader, writer)
        try:
            far_reader, far_writer, encrypted = await self._dial()
        except OSError as error:
            writer.write(refusal(f"{self.target.host}:{self.target.port} could not be reached: {error}"))
            await writer.drain()
            return
        try:
            far_writer.write(first)
            directions = (
                asyncio.ensure_future(pump(reader, far_writer)),
                asyncio.ensure_future(answer(far_reader, writer, encrypted)),
            )
            try:
                await asyncio.gather(*directions)
            finally:
                for direction in directions:
                    direction.cancel()
                await asyncio.gather(*directions, return_exceptions=True)
        finally:
            await close(far_writer)

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bool]:
        raw = await asyncio.to_thread(self.target.dial)
        try:
            raw.setblocking(False)
            encrypted = self.tls is not None and await self._agree(raw)
            name = self.target.host if encrypted else None
            context = self.tls if encrypted else None
            reader, writer = await asyncio.open_connection(sock=raw, ssl=context, server_hostname=name)
        except BaseException:
            raw.close()
            raise
        return reader, writer, encrypted

    async def _agree(self, raw: socket.socket) -> bool:
        """Ask for TLS. One byte is read, no more: what follows must be encrypted (CVE-2021-23222)."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(raw, SSL_REQUEST)
        willing = await loop.sock_recv(raw, 1) == b"S"
        if not willing and self.target.insists:
            raise ConnectionError("the server does not speak TLS, which sslmode asks for")
        return willing


async def opening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The first packet that is no question about encryption; those are answered no: the socket is private."""
    while True:
        size = await reader.readexactly(4)
        length = int.from_bytes(size)
        if not 8 <= length <= LONGEST_OPENING:
            raise ConnectionError("this is not the protocol of Postgres")
        packet = size + await reader.readexactly(length - 4)
        if packet not in {SSL_REQUEST, GSS_REQUEST}:
            return packet
        writer.write(b"N")
        await writer.drain()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, encrypted: bool) -> None:
    """The server's side of the talk.

    Over TLS it offers SCRAM-SHA-256-PLUS, and libpq takes such an offer on a socket without TLS for an
    attack. So its first question is read whole, and that word is left out.
    """
    while encrypted:
        try:
            kind, size = struct.unpack("!cI", await reader.readexactly(5))
            body = await reader.readexactly(size - 4)
        except asyncio.IncompleteReadError:
            break
        if kind == b"R" and int.from_bytes(body[:4]) == AUTHENTICATION_SASL:
            body = body.replace(b"SCRAM-SHA-256-PLUS\0", b"")
        writer.write(kind + struct.pack("!I", len(body) + 4) + body)
        encrypted = kind not in b"RE"
    await pump(reader, writer)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end of one direction, and pass that end on."""
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()  # TLS has no half


async def close(writer: asyncio.StreamWriter) -> None:
    """Close, whatever the other side makes of it."""
    writer.close()
    with suppress(OSError, asyncio.CancelledError):
        await writer.wait_closed()


def refusal(text: str) -> bytes:
    """A fatal error, as a server would send it."""
    fields = (b"SFATAL", b"VFATAL", b"C08001", b"M" + text.encode())
    body = b"".join(field + b"\0" for field in fields) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body


async def relay(target: Target, path: str) -> None:
    """Serve the Unix socket at `path` for ever. Raises OSError where it can't be made."""
    aside = f"{path}.new"
    server = await asyncio.start_unix_server(Relay(target).serve, aside)
    os.chmod(aside, 0o777)  # noqa: PTH101, S103 -- its folder and a password protect it
    os.rename(aside, path)  # noqa: PTH104 -- there from the moment on that it can be used
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(relay(Target(**json.loads(sys.argv[1])), sys.argv[2]))
