"""The server to which the proxy leads, and how to connect to it. Standard library only, as in the proxy."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

CONNECT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class ProxyTarget:
    """The server that the proxy leads to."""

    host: str
    """a name, an address, or the folder of a Unix socket (starts with a slash)"""
    port: int
    sslmode: str = "disable"
    """as in libpq"""
    root_certificates: str = ""
    """file with the certificates to trust, or `system`"""
    certificate: str = ""
    key: str = ""
    database_prefix: str = ""
    """how the names of the run's databases begin; '' if all of the server's are the run's"""
    session_log: str = ""
    """the file into which the sessions of the run's databases are written; '' for none"""

    @property
    def requires_tls(self) -> bool:
        """Whether a server without TLS is refused."""
        return self.sslmode in ("require", "verify-ca", "verify-full")

    @property
    def verifies_certificate(self) -> bool:
        """Whether the server's certificate is checked.

        As in libpq: `require` checks it too, where certificates to trust are given.
        """
        is_required = self.sslmode == "require" and self.root_certificates != ""
        return is_required or self.sslmode.startswith("verify")

    def tls_context(self) -> ssl.SSLContext | None:
        """The TLS to offer, None for none. Raises OSError if a file of it can't be read."""
        if self.host.startswith("/") or self.sslmode in ("disable", "allow"):
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = self.sslmode == "verify-full"
        context.verify_mode = ssl.CERT_REQUIRED if self.verifies_certificate else ssl.CERT_NONE
        if self.verifies_certificate:
            self._load_root_certificates(context)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key or None)
        return context

    def _load_root_certificates(self, context: ssl.SSLContext) -> None:
        if self.root_certificates == "system":
            context.load_default_certs()
        else:
            context.load_verify_locations(self.root_certificates)

    def open_socket(self) -> socket.socket:
        """A connected socket. Raises OSError."""
        if not self.host.startswith("/"):
            connection = socket.create_connection((self.host, self.port), CONNECT_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(f"{self.host}/.s.PGSQL.{self.port}")
        except OSError:
            connection.close()
            raise
        return connection
