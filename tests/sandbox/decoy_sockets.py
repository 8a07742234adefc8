"""Sockets beside the sandbox that nobody may come to, and count their visitors. Standard library only."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Decoy:
    """Sockets that nobody may come to."""

    folder: Path
    sockets: tuple[socket.socket, ...]

    @property
    def arguments(self) -> list[str]:
        """What the program of an attack is told."""
        place, mine = self.folder / "there", self.folder / "mine"
        return [f"{place}/.s.PGSQL.5432", str(mine), self.folder.name, f"{place}/datagram", str(os.getpid())]

    def count_visitors(self) -> int:
        """How many connections and datagrams have come."""
        count = 0
        for sock in self.sockets:
            with suppress(BlockingIOError):
                while True:
                    if sock.type == socket.SOCK_DGRAM:
                        sock.recv(1)
                    else:
                        sock.accept()[0].close()
                    count += 1
        return count


@contextmanager
def open_decoy() -> Iterator[Decoy]:
    """The sockets, open to everybody, in a folder with a short name."""
    with tempfile.TemporaryDirectory(prefix="d-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for path in (folder, folder / "there", folder / "mine"):
            path.mkdir(exist_ok=True)
            path.chmod(0o777)
        sockets = []
        for address, kind in (
            (f"{folder}/there/.s.PGSQL.5432", socket.SOCK_STREAM),
            ("\0" + folder.name, socket.SOCK_STREAM),
            (f"{folder}/there/datagram", socket.SOCK_DGRAM),
        ):
            sock = socket.socket(socket.AF_UNIX, kind)
            sock.bind(address)
            sock.setblocking(False)
            if kind == socket.SOCK_STREAM:
                sock.listen(4000)
            sockets.append(sock)
        for file in (folder / "there").iterdir():
            file.chmod(0o777)
        yield Decoy(folder, tuple(sockets))
        for sock in sockets:
            sock.close()
