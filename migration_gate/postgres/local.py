"""A server of our own, from programs on this machine: made from a cached cluster, gone after the run."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.errors import Broken, GateError, PostgresDied
from migration_gate.postgres import image_cluster, initdb_cache, run_directory
from migration_gate.postgres.account import can_everyone_enter, server_account
from migration_gate.postgres.binaries import Installation
from migration_gate.postgres.server import (
    DISK_FULL_MESSAGES,
    Server,
    connect_to_socket,
    disk_full_error,
    read_tail,
)
from migration_gate.postgres.settings import PORT, configure, verifier
from migration_gate.postgres.supervisor_client import Lifeline, guarded
from migration_gate.sandbox.user import Account

if TYPE_CHECKING:
    import psycopg

START_SECONDS = 60.0
CONFINED = True
"""COPY FROM PROGRAM, dblink and their like reach no other server"""


@dataclass(frozen=True, slots=True)
class LocalProcess:
    """What is known of a server that is our own process."""

    lifeline: Lifeline
    log: Path

    def exit_reason(self) -> str:
        """How it ended, '' while it runs."""
        return self.lifeline.ended()

    def log_tail(self, lines: int) -> str:
        """The end of its log."""
        return read_tail(self.log, lines)


@contextmanager
def start(
    install: Installation, *, folder: Path, kind: str, why: str, notes: tuple[str, ...] = ()
) -> Iterator[Server]:
    """A running server. When the block ends, or this process, it and its folders are gone.

    Raises PostgresNotFound or DiskFull where it could not be had, PostgresDied where it ended at the start.
    """
    run_directory.remove_abandoned_directories(folder)
    with (
        run_directory.with_socket_directory(run_directory.create_data_directory(folder)) as places,
        guarded(*places) as lifeline,
    ):
        socket = places[-1].path / "socket"
        running = Start(install, server_account(), lifeline, places[0].path, socket).run()
        yield replace(
            running, description=f"{kind}, {running.description}", reason=why, notes=(*notes, *running.notes)
        )


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a server."""

    install: Installation
    account: Account | None
    lifeline: Lifeline
    folder: Path
    socket: Path

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server writes while it runs."""
        return self.folder / "server.log"

    def run(self) -> Server:
        """Start it from the cached cluster; should that be unusable, from a new one."""
        import psycopg  # noqa: PLC0415

        try:
            self.socket.mkdir(mode=0o755)
            self.socket.chmod(0o755)
            if self.account:
                os.chown(self.socket, self.account.uid, self.account.gid)
            start = replace(self, install=self._within_reach())
            cached = initdb_cache.template_of(start.install)
            password = cached.copy(self.data, self.account) if cached else None
            if cached is None or password is None:
                return start._from_new(cached)
            try:
                return start._from_data(password)
            except (Broken, psycopg.Error):  # damaged, though complete
                cached.discard()
                self.lifeline.stop()
                shutil.rmtree(self.data)
                return start._from_new(cached)
        except OSError as error:
            if error.errno in initdb_cache.FULL:
                raise disk_full_error(str(error)) from error
            raise Broken(f"making a Postgres server in {self.folder} failed: {error}") from error

    def _from_new(self, cached: initdb_cache.Template | None) -> Server:
        """Make a cluster, in a folder that its account may write to, and keep a copy for the next run."""
        workshop = self.folder / "new"
        workshop.mkdir(mode=0o700)
        if self.account:
            os.chown(workshop, self.account.uid, self.account.gid)
        password = image_cluster.unpack(
            self.install.folder, workshop / "data", self.account
        ) or initdb_cache.initdb(self.install, workshop / "data", self.lifeline, self.account)
        if cached:
            cached.keep(workshop / "data", password)
        (workshop / "data").rename(self.data)
        return self._from_data(password)

    def _within_reach(self) -> Installation:
        """The programs, copied into the run's folder if the account can't get to them."""
        folder, prefix = self.install.folder, self.install.package_folder
        if not self.account or not prefix or can_everyone_enter(folder / "postgres"):
            return self.install
        for source in prefix.parent.glob(f"{prefix.name}*"):
            if source.is_dir() and not source.name.endswith(".dist-info"):
                shutil.copytree(source, self.folder / "programs" / source.name, symlinks=True)
        return replace(
            self.install, folder=self.folder / "programs" / prefix.name / folder.relative_to(prefix)
        )

    def _from_data(self, made_with: str) -> Server:
        token, password = f"migration_gate_{secrets.token_hex(12)}", secrets.token_urlsafe(24)
        configure(self.data, self.socket, token)
        command: list[str | Path] = [self.install.folder / "postgres", "-D", self.data]
        self.lifeline.launch(
            command,
            account=self.account,
            log=self.log,
            stop=signal.SIGQUIT,
            data=self.data,
            confined=CONFINED,
        )  # SIGQUIT stops at once: nothing of it will be needed
        self._wait()
        with connect_to_socket(
            str(self.socket), PORT, initdb_cache.SUPERUSER, made_with, "postgres"
        ) as connection:
            version = self._settle(connection, token, password)
        return Server(
            socket_directory=str(self.socket),
            port=PORT,
            user=initdb_cache.SUPERUSER,
            password=password,
            database="postgres",
            token=token,
            version=version,
            superuser=True,
            description=f"PostgreSQL {self.install.version} ({self.install.folder})",
            reason="",
            notes=(),
            log=self.log,
            process=LocalProcess(self.lifeline, self.log),
        )

    def _settle(self, connection: psycopg.Connection[tuple[object, ...]], token: str, password: str) -> int:
        """Give the superuser the password of this run. Returns server_version_num."""
        connection.execute(f"ALTER ROLE {initdb_cache.SUPERUSER} PASSWORD '{verifier(password)}'".encode())
        found = connection.execute("SELECT current_setting('cluster_name')").fetchone()
        if found != (token,):
            raise Broken(f"the server at {self.socket} should be ours; found cluster_name {found}")
        return connection.info.server_version

    def _wait(self) -> None:
        """Until it takes connections: the last line of its pid file says so."""
        deadline = time.monotonic() + START_SECONDS
        pidfile = self.data / "postmaster.pid"
        while time.monotonic() < deadline:
            try:
                if pidfile.read_bytes().rstrip().endswith(b"ready"):
                    return
            except FileNotFoundError:
                pass
            if ended := self.lifeline.ended(0.002):
                raise self._stillborn(ended)
        raise self._stillborn(f"not ready within {START_SECONDS:.0f} s")

    def _stillborn(self, how: str) -> GateError:
        words = read_tail(self.log, 20)
        if any(text in words for text in DISK_FULL_MESSAGES):
            return disk_full_error(words)
        return PostgresDied(
            f"{self.install.folder}/postgres should have started; found {how}",
            advice="Read the end of its log; check limits on memory, processes and shared memory.",
            evidence=words,
        )
