"""The choice of the run's Postgres server: which kind, and why.

`postgres: auto` takes a server of this machine, else a container, else the server in a Python package. Each
kind has a module with one context manager that starts it; nothing of a server is left when that ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from migration_gate.errors import PostgresNotFound
from migration_gate.postgres.saved_cluster import SavedCluster
from migration_gate.postgres.server import Server
from migration_gate.postgres.server_choice import ServerChoice, ServerKind
from migration_gate.postgres.server_search import ProductionServer, ServerSearch


@dataclass(slots=True)
class ServerPlan:
    """The server that is going to be started, and the search that goes on if that cannot be."""

    search: ServerSearch
    choice: ServerChoice
    remaining: Iterator[ServerChoice]
    caches: tuple[Path, ...] = ()
    """the gate's folders that a server of this machine may not write to, beside those of the user"""
    saved: SavedCluster | None = None
    """what a server of this machine is started from, if that works; see `Server.is_restored`"""

    @property
    def setting(self) -> str:
        """The value of `postgres:`."""
        return self.search.setting

    def take_next(self, failure: PostgresNotFound) -> None:
        """Choose the next server, because this one cannot be had.

        Raises PostgresNotFound: the failure itself if the user named this server, or if it is one of this
        machine, whose fault another one would hide; else with all that failed.
        """
        if not self.search.has_alternatives or self.choice.kind == ServerKind.LOCAL:
            raise failure
        self.search.failures.append(failure.message)
        choice = next(self.remaining, None)
        if choice is None:
            raise self.search.not_found_error(failure.evidence) from failure
        self.choice = choice


def plan_server(
    setting: str, production: ProductionServer | None = None, caches: tuple[Path, ...] = ()
) -> ServerPlan:
    """The server for this setting; with `auto` one of production's major, where that is known.

    Starts nothing. Raises PostgresNotFound or Misconfigured.
    """
    search = ServerSearch(setting, production)
    candidates = search.find_candidates()
    for choice in candidates:
        return ServerPlan(search, choice, candidates, caches)
    raise search.not_found_error()


def choose_server(setting: str, production: ProductionServer | None = None) -> ServerChoice:
    """What `start_server` would start first. Starts nothing. Raises PostgresNotFound or Misconfigured."""
    return plan_server(setting, production).choice


@contextmanager
def start_server(setting: str, *, folder: Path) -> Iterator[Server]:
    """The server for `postgres: <setting>`: auto, local, embedded, a version, an image, or a URL.

    Its files are in `folder` where they can be, else among the temporary files. With `auto` or a version, the
    next choice is started where an image or a package cannot be; why programs that are here cannot is the
    user's to know. Raises PostgresNotFound with everything that was tried, Misconfigured, or DiskFull.
    """
    with start_planned_server(plan_server(setting), folder=folder) as server:
        yield server


@contextmanager
def start_planned_server(plan: ServerPlan, *, folder: Path) -> Iterator[Server]:
    """The planned server; see `start_server`."""
    with ExitStack() as stack:
        server = _start_first(plan, folder, stack)
        stack.callback(server.end_sessions)
        yield server


def _start_first(plan: ServerPlan, folder: Path, stack: ExitStack) -> Server:
    while True:
        try:
            return stack.enter_context(plan.choice.start(folder, plan.caches, plan.saved))
        except PostgresNotFound as error:
            plan.take_next(error)
