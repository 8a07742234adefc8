"""One env.py that migrates several databases: each is one of its own on the ephemeral server.

One run judges one of them. The others get their revisions too, in databases that nobody looks at; the gate
runs the project once more for each that has models of its own.
"""

from __future__ import annotations

from typing import Any, Callable, NoReturn, Optional

from .answer_stream import AnswerStream
from .env_context import list_metadatas
from .listener_guard import ListenerGuard
from .protocol.order import Order
from .protocol.project_requests import DatabasesFound
from .redirection import Redirection, identify_database


class SeveralDatabases:
    """Knows which database a connection of env.py's is meant for."""

    def __init__(
        self, order: Order, redirection: Redirection, answer: AnswerStream, guard: ListenerGuard
    ) -> None:
        self._order = order
        self._guard = guard
        self._answer = answer
        redirection.other_databases = dict(order.other_databases)
        self._addresses: list[str] = [address for address in (order.judged_address,) if address]
        self._judged: dict[tuple[int, ...], str] = {}
        """the first database with these models, by the ids of their MetaData"""
        self._metadatas: list[Any] = []
        """kept, so that no id is used twice"""

    def watch(self, environment: Any, end_attempt: Callable[[], NoReturn]) -> None:
        """Look at each `context.configure` of an EnvironmentContext.

        A database that is not known yet ends the attempt before a statement runs in the wrong one.
        """
        configure = environment.configure

        def watched_configure(*positional: Any, **options: Any) -> None:
            configure(*positional, **options)
            connection = options.get("connection")
            if connection is None and positional:
                connection = positional[0]
            with self._guard.observing("the look for a second database"):
                address = find_address(connection)
                if address is not None and self._is_new(address, options.get("target_metadata")):
                    self._answer.release()
                    self._answer.send(DatabasesFound(tuple(self._addresses), tuple(self._judged.values())))
                    end_attempt()

        environment.configure = watched_configure

    def _is_new(self, address: str, target_metadata: Any) -> bool:
        """Whether this is a second database, of which the gate does not know."""
        metadatas = list_metadatas(target_metadata)
        self._metadatas += metadatas
        self._judged.setdefault(tuple(id(metadata) for metadata in metadatas), address)
        known = {*self._addresses, *self._order.other_databases}
        if address not in self._addresses:
            self._addresses.append(address)
        return bool(known) and address not in known

    def is_other(self, connection: Any) -> bool:
        """Whether a connection leads to a database that this run does not judge."""
        return bool(self._order.other_databases) and find_address(connection) in self._order.other_databases


def find_address(connection: Any) -> Optional[str]:
    """`host:port/database` that the engine of a connection was made for; None if its URL names none."""
    engine: Any = getattr(connection, "engine", None)
    url = getattr(engine, "url", None)
    if url is None or not getattr(url, "database", None):
        return None
    try:
        arguments = engine.dialect.create_connect_args(url)[1]
    except Exception:  # a dialect of the project's own
        return None
    return identify_database(arguments)
