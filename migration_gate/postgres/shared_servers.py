"""The servers of one run. Projects with the same `postgres:` share one, each in databases of its own.

What a project changed for all databases of its server (roles, tablespaces, ALTER SYSTEM) must not decide what
another project's migrations do: then the next one gets a new server.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from migration_gate.errors import GateError, SeveralDatabases
from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:  # what starts a server is loaded with the first one, after the worker has started
    from migration_gate.postgres.choice import ServerPlan
    from migration_gate.postgres.cluster_state import ClusterState
    from migration_gate.postgres.server import Server

_Key = tuple[str, tuple[Path, ...]]
"""a value of `postgres:`, and the caches that the server is kept out of"""


@dataclass(frozen=True, slots=True)
class _RunningServer:
    server: Server
    state: ClusterState
    """before the first project"""
    stop: ExitStack


class SharedServers:
    """The servers that run, one for each value of `postgres:`. All are stopped when the block ends.

    Projects with different caches share none: each is kept out of its own.
    """

    def __init__(self, *, serves_several: bool) -> None:
        """serves_several: whether there are several projects; for one, nothing is kept or compared."""
        self._serves_several = serves_several
        self._running: dict[_Key, _RunningServer] = {}
        self._ending: list[Future[None]] = []

    def __enter__(self) -> SharedServers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as stops:
            while self._ending:
                stops.callback(self._ending.pop().result)
            while self._running:
                stops.push(self._running.popitem()[1].stop)

    @property
    def serves_several(self) -> bool:
        """Whether projects share a server."""
        return self._serves_several

    def end_beside(self, plan: ServerPlan, run: ExitStack) -> None:
        """End a run of this server, with its folders, beside what follows; the block of this waits for it.

        The end of a server in a container, or of the user's, may fail, which is the project's problem: it is
        waited for here.
        """
        from migration_gate.postgres.server_choice import ServerKind  # noqa: PLC0415 - see above

        if self._serves_several or plan.choice.kind in (ServerKind.IMAGE, ServerKind.URL):
            run.close()
            return
        thread = ThreadPoolExecutor(1)
        self._ending.append(thread.submit(run.close))
        thread.shutdown(wait=False)

    @contextmanager
    def lend_server(self, plan: ServerPlan, *, folder: Path) -> Iterator[Server]:
        """The server for one project, as from `start_planned_server`: one that runs already, or a new one.

        The server of a project that ends with an error is stopped: it may be damaged. A server of the user's
        is not kept: there the databases of a project are dropped when it ends.
        """
        from migration_gate.postgres.url import SCHEME  # noqa: PLC0415 - see above

        key = (plan.setting, plan.caches)
        if not self._serves_several or SCHEME.match(plan.setting):
            yield from self._start_for_one(plan, folder)
            return
        running = self._take_unchanged(key) or self._start(plan)
        try:
            yield running.server
        except SeveralDatabases:  # which is found before anything is wrong
            raise
        except BaseException:
            self._stop(key)
            raise

    def _start_for_one(self, plan: ServerPlan, folder: Path) -> Iterator[Server]:
        from migration_gate.postgres.choice import start_planned_server  # noqa: PLC0415 - see above

        try:
            with start_planned_server(plan, folder=folder) as server:
                yield server
        except SeveralDatabases:  # the project's other databases are examined next, each like a project
            self._serves_several = True
            raise

    def _start(self, plan: ServerPlan) -> _RunningServer:
        from migration_gate.postgres.choice import start_planned_server  # noqa: PLC0415 - see above
        from migration_gate.postgres.cluster_state import read_cluster_state  # noqa: PLC0415
        from migration_gate.postgres.run_directory import temporary_run_directory  # noqa: PLC0415

        with ExitStack() as stack:
            folder = stack.enter_context(temporary_run_directory())
            server = stack.enter_context(start_planned_server(plan, folder=folder))
            running = _RunningServer(server, read_cluster_state(server), stack.pop_all())
            self._running[plan.setting, plan.caches] = running
            return running

    def _take_unchanged(self, key: _Key) -> _RunningServer | None:
        """The server of the projects before, without their databases; None if it is not as it was."""
        running = self._running.get(key)
        if running is None:
            return None
        if _restore_server(running):
            return running
        self._stop(key)
        return None

    def _stop(self, key: _Key) -> None:
        self._running.pop(key).stop.close()


def _restore_server(running: _RunningServer) -> bool:
    """Drop the databases of the run. Whether the server is now as it was before the first project."""
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    from migration_gate.postgres.cluster_state import read_cluster_state  # noqa: PLC0415
    from migration_gate.postgres.database_removal import drop_database  # noqa: PLC0415
    from migration_gate.postgres.remote_cleanup import LIST_DATABASES  # noqa: PLC0415

    server = running.server
    try:
        with server.connect() as connection:
            for (name,) in connection.execute(LIST_DATABASES, [server.database_prefix]).fetchall():
                drop_database(connection, str(name), server.version)
        return read_cluster_state(server) == running.state
    except (psycopg.Error, GateError):  # a changed password, a prepared transaction, a server that ended...
        return False
