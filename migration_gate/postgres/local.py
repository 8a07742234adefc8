"""A server from programs on this machine: started from a cached cluster, removed after the run."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.config.gate_variables import in_image
from migration_gate.errors import Broken, GateError, PostgresDied
from migration_gate.postgres.account import can_everyone_enter, give_away, initdb_account, server_account
from migration_gate.postgres.binaries import Installation
from migration_gate.postgres.cluster_files import DISK_FULL_ERRORS
from migration_gate.postgres.image_cluster import unpack_cluster
from migration_gate.postgres.initdb import SUPERUSER, create_cluster
from migration_gate.postgres.initdb_cache import (
    CachedCluster,
    ClusterRecord,
    find_cached_cluster,
    list_temporary_caches,
)
from migration_gate.postgres.kept_session import KeptSession
from migration_gate.postgres.run_directory import (
    create_data_directory,
    remove_abandoned_directories,
    with_socket_directory,
)
from migration_gate.postgres.saved_cluster import SavedCluster
from migration_gate.postgres.server import (
    Server,
    connect_to_socket,
    disk_full_error,
    mentions_full_disk,
    read_tail,
)
from migration_gate.postgres.server_settings import PORT, hash_password, write_local_settings
from migration_gate.postgres.supervisor_client import SupervisorClient, start_supervisor
from migration_gate.postgres.supervisor_protocol import CopyCluster
from migration_gate.sandbox.user import Account
from migration_gate.sandbox.writable_folders import list_temporary_folders

if TYPE_CHECKING:
    import psycopg

DATABASE = "postgres"
"""of each cluster: for what concerns the whole server"""
READY_SECONDS = 60.0
POLL_SECONDS = 0.002
LOG_LINES = 20
"""of the server's log that are shown if it did not start"""
UNIX_SOCKETS_ONLY = True
"""the server opens no other sockets: COPY FROM PROGRAM, dblink and their like reach no other server"""


@dataclass(frozen=True, slots=True)
class LocalProcess:
    """What is known of a server that the supervisor runs."""

    supervisor: SupervisorClient
    log: Path

    def exit_reason(self) -> str:
        """How it ended; '' while it runs."""
        return self.supervisor.exit_reason()

    def log_tail(self, lines: int) -> str:
        """The last lines of its log."""
        return read_tail(self.log, lines)


@contextmanager
def start_local(
    installation: Installation,
    *,
    folder: Path,
    kind: str,
    reason: str,
    notes: tuple[str, ...] = (),
    caches: tuple[Path, ...] = (),
    saved: SavedCluster | None = None,
) -> Iterator[Server]:
    """A running server. When the block ends, or this process, it and its folders are removed.

    caches: the gate's folders that it may not write to, beside those of the user.
    saved: what it is started from, if that works; see `Server.is_restored`.

    Raises PostgresNotFound or DiskFull if there can be none, PostgresDied where it ended at the start.
    """
    remove_abandoned_directories(folder)
    data_directory = create_data_directory(folder)
    with with_socket_directory(data_directory) as directories, start_supervisor(*directories) as supervisor:
        socket_directory = directories[-1].path / "socket"
        start = LocalStart(
            installation, server_account(), supervisor, data_directory.path, socket_directory, caches, saved
        )
        server = start.run()
        try:
            yield replace(
                server,
                description=f"{kind}, {server.description}",
                reason=reason,
                notes=(*notes, *server.notes),
            )
        finally:
            server.end_sessions()


@dataclass(frozen=True, slots=True)
class LocalStart:
    """One start of a server: `run` is all that is called from outside."""

    installation: Installation
    account: Account | None
    """runs the server; None: the gate's own user"""
    supervisor: SupervisorClient
    folder: Path
    """of this server"""
    socket_directory: Path
    caches: tuple[Path, ...]
    saved: SavedCluster | None = None
    """see `start_local`"""

    @property
    def data(self) -> Path:
        """The folder of the cluster."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server writes while it runs."""
        return self.folder / "server.log"

    def run(self) -> Server:
        """Start the server from the cached cluster, or from a new one where the cache has none that works."""
        try:
            self._create_socket_directory()
            start = replace(self, installation=self._enterable_installation())
            if self.saved is not None and (server := start._start_from_saved(self.saved)):
                return server
            cached = None if in_image() else find_cached_cluster(start.installation)
            return start._start_from_cache(cached) or start._start_from_new_cluster(cached)
        except OSError as error:
            if error.errno in DISK_FULL_ERRORS:
                raise disk_full_error(str(error)) from error
            raise Broken(f"making a Postgres server in {self.folder} failed: {error}") from error

    def _create_socket_directory(self) -> None:
        self.socket_directory.mkdir(mode=0o755)
        self.socket_directory.chmod(0o755)
        if self.account:
            os.chown(self.socket_directory, self.account.uid, self.account.gid)

    def _enterable_installation(self) -> Installation:
        """The programs, copied into the run's folder where the server's account cannot get to them."""
        programs, package = self.installation.folder, self.installation.package_folder
        if not self.account or not package or can_everyone_enter(programs / "postgres"):
            return self.installation
        for source in package.parent.glob(f"{package.name}*"):  # the package, and the libraries beside it
            if source.is_dir() and not source.name.endswith(".dist-info"):
                shutil.copytree(source, self.folder / "programs" / source.name, symlinks=True)
        copied = self.folder / "programs" / package.name / programs.relative_to(package)
        return replace(self.installation, folder=copied)

    def _start_from_cache(self, cached: CachedCluster | None) -> Server | None:
        """None if there is no cached cluster, or the server does not start from it."""
        record = cached.read_record() if cached else None
        if cached is None or record is None:
            return None
        self._begin_copy(cached.data, record)
        import psycopg  # noqa: PLC0415 - loaded while the supervisor copies

        if not self._finish_copy():
            return None
        try:
            return self._start_server(record.password)
        except (Broken, psycopg.Error):  # complete, but damaged
            self.supervisor.verify_running()
            cached.remove()
            self.supervisor.stop_command()
            shutil.rmtree(self.data)
            return None

    def _start_from_saved(self, saved: SavedCluster) -> Server | None:
        """None if the cluster is damaged, or the server does not start from it."""
        self._begin_copy(saved.data, ClusterRecord(saved.password, saved.files, saved.bytes))
        import psycopg  # noqa: PLC0415 - loaded while the supervisor copies

        is_intact = saved.is_intact()
        with suppress(OSError):
            if self._finish_copy() and is_intact:
                shutil.copyfile(saved.log, self.log)
                try:
                    return replace(self._start_server(saved.password), is_restored=True)
                except (GateError, psycopg.Error):
                    self.supervisor.verify_running()
                    self.supervisor.stop_command()
        shutil.rmtree(self.data, ignore_errors=True)
        self.log.unlink(missing_ok=True)
        return None

    def _begin_copy(self, source: Path, record: ClusterRecord) -> None:
        copy = CopyCluster(
            source=str(source),
            target=str(self.data),
            uid=self.account.uid if self.account else None,
            gid=self.account.gid if self.account else None,
            files=record.files,
            size=record.bytes,
        )
        self.supervisor.begin_copy(copy)

    def _finish_copy(self) -> bool:
        """Whether the whole cluster was copied. Raises OSError if the disk is full."""
        number = self.supervisor.finish_copy()
        if number in DISK_FULL_ERRORS:
            raise OSError(number, os.strerror(number))
        return number == 0

    def _start_from_new_cluster(self, cached: CachedCluster | None) -> Server:
        """Make a cluster in a folder that its account may write to, and store a copy for the next run."""
        new_folder = self.folder / "new"
        new_folder.mkdir(mode=0o700)
        maker = initdb_account()
        if maker:
            os.chown(new_folder, maker.uid, maker.gid)
        data = new_folder / "data"
        password = unpack_cluster(self.installation.folder, data, self.account)
        if password is None:
            password = create_cluster(self.installation, data, self.supervisor, maker)
        if cached:
            cached.store(data, password)
        data.rename(self.data)
        if self.account:
            give_away(self.data, self.account)
        return self._start_server(password)

    def _start_server(self, cluster_password: str) -> Server:
        """Start the server on `data`, and replace the password of the cluster by one of this run."""
        token, password = f"migration_gate_{secrets.token_hex(12)}", secrets.token_urlsafe(24)
        write_local_settings(self.data, self.socket_directory, token)
        self.supervisor.start_command(
            [self.installation.folder / "postgres", "-D", self.data],
            account=self.account,
            log=self.log,
            stop_signal=signal.SIGQUIT,  # stops at once: nothing of the data will be needed
            pid_file=self.data / "postmaster.pid",
            unix_sockets_only=UNIX_SOCKETS_ONLY,
            writable_folders=[
                *map(os.path.realpath, (self.data, self.socket_directory)),
                *list_temporary_folders(list_temporary_caches(self.caches)),
            ],
        )
        self._wait_until_ready()
        directory = str(self.socket_directory)
        connection = self._replace_password(token, cluster_password, password)
        maintenance = KeptSession()
        maintenance.keep(DATABASE, connection)
        return Server(
            socket_directory=directory,
            port=PORT,
            user=SUPERUSER,
            password=password,
            database=DATABASE,
            token=token,
            version=connection.info.server_version,
            superuser=True,
            description=f"PostgreSQL {self.installation.version} ({self.installation.folder})",
            reason="",
            notes=(),
            log=self.log,
            process=LocalProcess(self.supervisor, self.log),
            data=self.data,
            maintenance=maintenance,
        )

    def _replace_password(self, token: str, old: str, new: str) -> psycopg.Connection[tuple[object, ...]]:
        """Set the superuser's password; the session in which that was done."""
        import psycopg  # noqa: PLC0415

        try:
            connection = connect_to_socket(str(self.socket_directory), PORT, SUPERUSER, old, DATABASE)
            with ExitStack() as stack:
                stack.callback(connection.close)
                self._check_token(connection, token)
                connection.execute(f"ALTER ROLE {SUPERUSER} PASSWORD '{hash_password(new)}'".encode())
                stack.pop_all()
        except psycopg.OperationalError as error:
            raise self._start_error(str(error).strip()) from error
        return connection

    def _check_token(self, connection: psycopg.Connection[tuple[object, ...]], token: str) -> None:
        row = connection.execute("SELECT current_setting('cluster_name')").fetchone()
        if row != (token,):
            raise Broken(f"Another server answers at {self.socket_directory}: its cluster_name is {row}.")

    def _wait_until_ready(self) -> None:
        """Until the last line of the server's pid file says that it accepts connections."""
        deadline = time.monotonic() + READY_SECONDS
        pid_file = self.data / "postmaster.pid"
        while time.monotonic() < deadline:
            try:
                if pid_file.read_bytes().rstrip().endswith(b"ready"):
                    return
            except FileNotFoundError:
                pass
            if reason := self.supervisor.exit_reason(POLL_SECONDS):
                raise self._start_error(reason)
        raise self._start_error(f"not ready within {READY_SECONDS:.0f} s")

    def _start_error(self, reason: str) -> GateError:
        log = read_tail(self.log, LOG_LINES)
        if mentions_full_disk(log):
            return disk_full_error(log)
        return PostgresDied(
            f"{self.installation.folder}/postgres did not start: {reason}.",
            advice="Read the end of its log; check limits on memory, processes and shared memory.",
            evidence=log,
        )
