"""Tells a server that died or restarted during a replay from a migration that failed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from migration_gate.errors import PostgresDied
from migration_gate.postgres.server import Server, disk_full_error, mentions_full_disk
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.reported_error import ErrorReport
from migration_gate.worker.protocol.run_lines import RunFailed

if TYPE_CHECKING:
    import psycopg

ADMIN_SHUTDOWN = "57P01"
"""the SQLSTATE of a session that `pg_terminate_backend`, a signal or a shutdown ended"""
CRASH_SHUTDOWN = "57P02"
IDLE_SESSION_TIMEOUT = "57P05"
END_SECONDS = 3.0
POLL_SECONDS = 0.05
SERVER_HUNG_UP = re.compile(
    r"server closed the connection unexpectedly|connection was closed in the middle of operation"
    r"|terminating connection due to|network error"
)
"""the words of libpq, asyncpg and pg8000, which come without an SQLSTATE"""
LOST_SESSION_CLASSES = ("08", "57P")
"""of SQLSTATE: the connection failed, or the server ends, has crashed or is not there yet"""
TERMINATING_FUNCTION = "pg_terminate_backend"


class ServerWatch:
    """A session that is open for as long as a worker runs: a crash of any process of the server ends it.

    Its own end is the proof, so no log is needed: a server on another machine has none here.
    """

    def __init__(self, server: Server) -> None:
        """Raises PostgresDied if the server has ended, else psycopg's error."""
        self._server = server
        self._session: psycopg.Connection[tuple[object, ...]] = server.connect()

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def verify_server(self) -> None:
        """Raise PostgresDied, or DiskFull, if the server ended or started anew since the watch began."""
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        try:
            self._session.execute("select 1")
        except psycopg.Error as error:
            explain_lost_session(self._server, error)

    def verify_failure(self, line: Line) -> None:
        """Raise PostgresDied if a failure is the end of a session that no migration asked for."""
        if not isinstance(line, RunFailed):
            return
        self.verify_server()
        if not _is_lost_session(line.error):
            return
        texts = [line.error.statement or "", *(statement.sql for statement in line.statements)]
        texts.append(self._server.log_tail())  # with the functions that were running
        if not any(TERMINATING_FUNCTION in text for text in texts):
            raise _ended_from_outside(self._server, line.error.message)


@contextmanager
def report_lost_sessions(server: Server) -> Iterator[None]:
    """Inside, the loss of a session of the gate's own is an error of the server, and never one of the gate.

    Raises PostgresDied or DiskFull, at the end as well, where the loss was taken for something else.
    """
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    try:
        opened = ServerWatch(server)
    except psycopg.OperationalError as error:  # the server has ended since it was ready
        explain_lost_session(server, error)
        raise
    with closing(opened) as watch:
        try:
            yield
        except Exception as error:
            if lost := find_lost_session(error):
                explain_lost_session(server, lost)
                raise _ended_from_outside(server, str(lost)) from error
            raise
        watch.verify_server()


def explain_lost_session(server: Server, error: psycopg.Error) -> None:
    """Raise, unless the server still runs and a migration only ended the sessions beside its own."""
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    if error.sqlstate in (ADMIN_SHUTDOWN, IDLE_SESSION_TIMEOUT):
        try:
            server.connect().close()
        except psycopg.OperationalError:
            pass
        else:
            return
    _wait_for_reason(server)
    server.check_alive()
    log = server.log_tail()
    if mentions_full_disk(log):
        raise disk_full_error(log) from error
    raise PostgresDied(
        f"The Postgres server ({server.description}) ended its sessions: {error}",
        advice="Its log says which of its processes crashed, or what restarted it. Run again.",
        evidence=log,
    ) from error


def _wait_for_reason(server: Server) -> None:
    """Give a server that is about to end the time to do so: only the words of the error depend on it."""
    stop_waiting_at = time.monotonic() + END_SECONDS
    while not server.process.exit_reason() and time.monotonic() < stop_waiting_at:
        time.sleep(POLL_SECONDS)


def find_lost_session(error: BaseException | None) -> psycopg.Error | None:
    """The driver's error in this one or its causes that says that the session is there no more."""
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    while error is not None:
        driver_error = getattr(error, "orig", error)  # SQLAlchemy's errors have the driver's
        if isinstance(driver_error, psycopg.OperationalError) and (
            driver_error.sqlstate is None or driver_error.sqlstate.startswith(LOST_SESSION_CLASSES)
        ):
            return driver_error
        error = error.__cause__
    return None


def _ended_from_outside(server: Server, message: str) -> PostgresDied:
    return PostgresDied(
        f"A session was ended from outside: {message.strip()}",
        advice="Look for what sends signals to the server's processes, or calls pg_terminate_backend, on "
        "this machine, and run again.",
        evidence=server.log_tail(),
    )


def _is_lost_session(error: ErrorReport) -> bool:
    """Whether the server ended the session in which the error arose."""
    if error.sqlstate in (ADMIN_SHUTDOWN, CRASH_SHUTDOWN):
        return True
    return SERVER_HUNG_UP.search(error.message) is not None
