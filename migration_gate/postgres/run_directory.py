"""Folders of a run: where they can be, that they are ours, and the sweeping of what killed runs left."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migration_gate.errors import DiskFull, Misconfigured, PostgresNotFound
from migration_gate.postgres.account import can_everyone_enter, server_account

PREFIX = "migration-gate-pg-"
LONGEST_SOCKET = 103
"""bytes of a Unix socket's path, without the closing zero (macOS; Linux has 107)"""
SOCKET_NAME = "/.s.PGSQL.5432"
REQUIRED_BYTES = 160 * 1024 * 1024
"""bytes that a server wants free before it starts: its cluster (40 MB) and some history"""
YOUNG_SECONDS = 5.0
"""no sweeping of younger folders: their maker may not have locked them yet"""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """A folder of this run, locked for as long as its guard lives."""

    path: Path
    lock: int
    """descriptor of the open, locked folder"""

    def release(self) -> None:
        """Let go of our copy of the lock; the guard has its own."""
        os.close(self.lock)


def create_data_directory(folder: Path, *, room: int = REQUIRED_BYTES) -> RunDirectory:
    """A new folder with room for a cluster: in `folder`, else in the folders for temporary files.

    Raises DiskFull or PostgresNotFound, with every place that was looked at.
    """
    full: list[str] = []
    refused: list[str] = []
    for parent in candidate_parents(folder):
        try:
            free = shutil.disk_usage(parent).free
            if free < room:
                full.append(f"{parent}: {free / 1e6:.0f} MB free")
            elif server_account() and not can_everyone_enter(parent):
                refused.append(f"{parent}: the server's account cannot get there")
            else:
                return create_run_directory(parent)
        except OSError as error:
            refused.append(f"{parent}: {error.strerror}")
    looked = "; ".join(full + refused)
    if full:
        raise DiskFull(
            f"a Postgres server needs {room / 1e6:.0f} MB of disk for its run; found {looked}",
            advice="Free some space, or set TMPDIR to a folder on a disk with room.",
        )
    raise PostgresNotFound(
        f"a Postgres server needs a folder to work in; found {looked}",
        advice="Set TMPDIR to a folder that this user can write and every user can pass through.",
    )


@contextmanager
def temporary_run_directory() -> Iterator[Path]:
    """A folder for one run among the temporary files, removed when the block ends.

    Every user may pass through it, as the project's code must, and only the gate's user may list it.
    First the folders of killed runs are removed. Raises DiskFull or Misconfigured where it cannot be made.
    """
    try:
        parent = Path(tempfile.gettempdir())
        remove_abandoned_directories(parent)
        directory = create_run_directory(parent)
    except OSError as error:
        no_room = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise (DiskFull if no_room else Misconfigured)(
            f"The run needs a folder for temporary files, and none could be made: {error}.",
            where="TMPDIR",
            advice="Set TMPDIR to a folder that exists, has room, and may be written to.",
        ) from error
    try:
        yield directory.path
    finally:
        shutil.rmtree(directory.path, ignore_errors=True)
        directory.release()


@contextmanager
def with_socket_directory(data: RunDirectory) -> Iterator[tuple[RunDirectory, ...]]:
    """The data's place and, where its path does not do for a socket, a second one. Both are gone afterwards.

    The last of them is the socket's. Their guard removes them, too, unless it was killed.
    """
    places = [data]
    try:
        if (socket := find_socket_directory(data)) is not data:
            places.append(socket)
        yield tuple(places)
    finally:
        for place in places:
            shutil.rmtree(place.path, ignore_errors=True)
            place.release()


def find_socket_directory(data: RunDirectory) -> RunDirectory:
    """A place whose path is short and plain enough for a Unix socket: the data's own, else a new one.

    Drivers take the path in URLs and split it at commas, so only plain letters do.
    """
    if is_valid_socket_directory(data.path / "socket"):
        return data
    for parent in candidate_parents(data.path.parent):
        if is_valid_socket_directory(parent / f"{PREFIX}12345678" / "socket") and (
            not server_account() or can_everyone_enter(parent)
        ):
            try:
                return create_run_directory(parent)
            except OSError:
                continue
    raise PostgresNotFound(
        f"a Unix socket needs a path of at most {LONGEST_SOCKET} plain letters; found {data.path}",
        advice="Set TMPDIR to a short path without spaces, such as /tmp.",
    )


def is_valid_socket_directory(directory: Path) -> bool:
    """Whether a socket in this folder can be named by every driver."""
    text = str(directory)
    return len(text + SOCKET_NAME) <= LONGEST_SOCKET and re.fullmatch(r"[A-Za-z0-9._/-]+", text) is not None


def candidate_parents(folder: Path) -> Iterator[Path]:
    """Folders to look at, in order, each once and absolute."""
    seen = set()
    for path in (folder, Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108 -- mkdtemp
        absolute = path.absolute()
        if absolute not in seen and absolute.is_dir():
            seen.add(absolute)
            yield absolute


def create_run_directory(parent: Path) -> RunDirectory:
    """A new, locked folder. Others may pass through it as root's worker does, and see nothing in it."""
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    path.chmod(0o711)
    return RunDirectory(path, descriptor)


def remove_abandoned_directories(folder: Path) -> None:
    """Remove what runs left that were killed together with their guard.

    A run is over when nobody holds the lock on its folder. That, unlike a pid, also holds across
    containers that share /tmp, and is never reused.
    """
    for parent in candidate_parents(folder):
        try:
            found = [path for path in parent.iterdir() if path.name.startswith(PREFIX)]
        except OSError:
            continue
        for path in found:
            _sweep_one(path)


def _sweep_one(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        state = os.fstat(descriptor)
        if state.st_uid != os.geteuid() or time.time() - state.st_ctime < YOUNG_SECONDS:
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        return
    finally:
        os.close(descriptor)
