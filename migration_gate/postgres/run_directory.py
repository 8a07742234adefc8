"""Folders of a run: where they can be, and the removal of those that killed runs left behind.

Each is locked by the run that made it. A folder that nobody has locked belongs to a run that is over. Unlike
a process id, a lock is seen across containers that share /tmp, and is never used again by another process.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from migration_gate.errors import DiskFull, Misconfigured, PostgresNotFound
from migration_gate.postgres.account import can_everyone_enter, runs_as_root
from migration_gate.postgres.folder_remover import announce_folder, remove_if_killed

PREFIX = "migration-gate-pg-"
NAME_BYTES = 6
"""of chance in the name of a folder, which are 8 letters"""
SOCKET_PATH_SIZE = 103
"""bytes of a Unix socket's path, without the closing zero (macOS; Linux has 107)"""
SOCKET_NAME = "/.s.PGSQL.5432"
REQUIRED_BYTES = 160 * 1024 * 1024
"""free space that a server needs before it starts: its cluster (40 MB) and some history"""
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 -- mkdtemp
"""a file system in memory (tmpfs), on Linux"""
MEMORY_REQUIRED_BYTES = 2 * 1024 * 1024 * 1024
"""free space that is required there: the cluster, its write-ahead log (512 MB), and data of the migrations.
Docker gives a container 64 MB by default"""
FIRST_PERSONAL_ID = 1000
"""user ids below are those of root and of services"""
SYSTEMD_FOLDER = Path("/run/systemd/system")
"""exists where systemd runs the machine"""
LINGER_FOLDER = Path("/var/lib/systemd/linger")
"""has a file for each user whose processes go on after a log-out (loginctl enable-linger)"""
YOUNG_SECONDS = 5.0
"""younger folders are not removed: the run that made one may not have locked it yet"""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """A folder of this run, locked while the run or its supervisor lives."""

    path: Path
    lock: int
    """descriptor of the open, locked folder"""

    def close_lock(self) -> None:
        """Close this process's copy of the lock; the supervisor has its own."""
        os.close(self.lock)


@contextmanager
def temporary_run_directory() -> Iterator[Path]:
    """A folder for one run, removed when the block ends: in memory if there is room, else in TMPDIR.

    Every user may pass through it, as the project's code must, and only the gate's user may list it.
    It is removed as well if this process is killed. First the folders of killed runs are removed, whose
    `folder_remover` was killed too. Raises DiskFull or Misconfigured if it cannot be made.
    """
    with ExitStack() as stack:
        try:
            parent = MEMORY_FOLDER if has_memory_folder() else Path(tempfile.gettempdir())
            remove_abandoned_directories(parent)
            path = parent / new_folder_name()
            stack.enter_context(remove_if_killed(path))
            directory = create_locked_directory(path)
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
            directory.close_lock()


def has_memory_folder() -> bool:
    """Whether the run's files can lie in memory. TMPDIR is respected: who sets it wants the files there."""
    if os.environ.get("TMPDIR") or not os.access(MEMORY_FOLDER, os.W_OK | os.X_OK):
        return False
    status = os.statvfs(MEMORY_FOLDER)
    free = min(status.f_bavail * status.f_frsize, _available_memory())
    # Server programs may have to be copied into the folder, and must run from there.
    can_execute = not status.f_flag & os.ST_NOEXEC
    return free >= MEMORY_REQUIRED_BYTES and can_execute and not _is_emptied_at_logout()


def _is_emptied_at_logout() -> bool:
    """Whether systemd may remove this user's files in /dev/shm while the run goes on.

    It does so when the last session of a user ends (RemoveIPC in logind.conf), except for the accounts of
    root and of services, and for users that may "linger". Then the server would lose its files.
    """
    if not SYSTEMD_FOLDER.exists() or os.geteuid() < FIRST_PERSONAL_ID:
        return False
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return True
    return not (LINGER_FOLDER / name).exists()


def _available_memory() -> int:
    """Bytes of memory that can be used without swapping; 0 where this is not known."""
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return 0
    match = re.search(r"^MemAvailable: +(\d+) kB$", text, re.MULTILINE)
    return int(match.group(1)) * 1024 if match else 0


def create_data_directory(folder: Path, *, required_bytes: int = REQUIRED_BYTES) -> RunDirectory:
    """A new folder with room for a cluster: in `folder`, else in the folders for temporary files.

    Raises DiskFull or PostgresNotFound, with every folder that was looked at.
    """
    full: list[str] = []
    refused: list[str] = []
    for parent in candidate_parents(folder):
        try:
            free = shutil.disk_usage(parent).free
            if free < required_bytes:
                full.append(f"{parent}: {free / 1e6:.0f} MB free")
            elif runs_as_root() and not can_everyone_enter(parent):
                refused.append(f"{parent}: the server's account cannot get there")
            else:
                return create_run_directory(parent)
        except OSError as error:
            refused.append(f"{parent}: {error.strerror}")
    looked_at = "; ".join(full + refused)
    if full:
        raise DiskFull(
            f"A Postgres server needs {required_bytes / 1e6:.0f} MB of disk for its run: {looked_at}.",
            advice="Free some space, or set TMPDIR to a folder on a disk with room.",
        )
    raise PostgresNotFound(
        f"A Postgres server needs a folder to work in: {looked_at}.",
        advice="Set TMPDIR to a folder that this user can write and every user can pass through.",
    )


@contextmanager
def with_socket_directory(data: RunDirectory) -> Iterator[tuple[RunDirectory, ...]]:
    """The data's folder and, where its path does not suit a socket, a second one; both removed at the end.

    The last of them is the socket's. The supervisor removes them too, unless it was killed.
    """
    directories = [data]
    try:
        if not is_valid_socket_directory(data.path / "socket"):
            directories.append(create_socket_directory(data.path))
        yield tuple(directories)
    finally:
        for directory in directories:
            shutil.rmtree(directory.path, ignore_errors=True)
            directory.close_lock()


def create_socket_directory(data: Path) -> RunDirectory:
    """A new folder whose path suits a Unix socket, as that of the data does not. Raises PostgresNotFound."""
    for parent in candidate_parents(data.parent):
        example = parent / f"{PREFIX}12345678" / "socket"
        if is_valid_socket_directory(example) and (not runs_as_root() or can_everyone_enter(parent)):
            try:
                return create_run_directory(parent)
            except OSError:
                continue
    raise PostgresNotFound(
        f"A Unix socket needs a path of at most {SOCKET_PATH_SIZE} plain letters. This is none: {data}.",
        advice="Set TMPDIR to a short path without spaces, such as /tmp.",
    )


def is_valid_socket_directory(directory: Path) -> bool:
    """Whether every driver can name a socket in this folder.

    The path has to be short, and of plain letters: drivers take it in URLs, and split it at commas.
    """
    text = str(directory)
    is_short = len(text + SOCKET_NAME) <= SOCKET_PATH_SIZE
    return is_short and re.fullmatch(r"[A-Za-z0-9._/-]+", text) is not None


def candidate_parents(folder: Path) -> Iterator[Path]:
    """Folders in which a run's folder can be, in order, each once and absolute."""
    seen = set()
    for path in (folder, Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108 -- mkdtemp
        absolute = path.absolute()
        if absolute not in seen and absolute.is_dir():
            seen.add(absolute)
            yield absolute


def create_run_directory(parent: Path) -> RunDirectory:
    """A new, locked folder. Every user may pass through it, and only this one may list it. Raises OSError."""
    path = parent / new_folder_name()
    announce_folder(path)
    return create_locked_directory(path)


def new_folder_name() -> str:
    """A name that no folder has, and nobody can guess."""
    return PREFIX + secrets.token_urlsafe(NAME_BYTES)


def create_locked_directory(path: Path) -> RunDirectory:
    """This folder, as in `create_run_directory`. Raises OSError."""
    path.mkdir(mode=0o700)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    path.chmod(0o711)
    return RunDirectory(path, descriptor)


def remove_abandoned_directories(folder: Path) -> None:
    """Remove what runs left behind that were killed together with their supervisor."""
    for parent in (*candidate_parents(folder), MEMORY_FOLDER):
        try:
            paths = [path for path in parent.iterdir() if path.name.startswith(PREFIX)]
        except OSError:
            continue
        for path in paths:
            _remove_if_abandoned(path)


def _remove_if_abandoned(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        status = os.fstat(descriptor)
        is_young = time.time() - status.st_ctime < YOUNG_SECONDS
        if status.st_uid != os.geteuid() or is_young:
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        return
    finally:
        os.close(descriptor)
