"""A session that one step leaves to the next, because it has planned the gate's largest query already."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg


class KeptSession:
    """At most one connection that does nothing until it is taken; a later one replaces it.

    Any thread may keep or take it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._session: tuple[str, psycopg.Connection[Any]] | None = None
        self._has_ended = False

    def __reduce__(self) -> tuple[type[KeptSession], tuple[()]]:
        """Another process that the gate starts has none."""
        return KeptSession, ()

    def keep(self, database: str, connection: psycopg.Connection[Any]) -> None:
        """Leave the connection to the database, which is in no transaction, to whoever takes it.

        After `end` it is closed: a thread may be done only then.
        """
        with self._lock:
            replaced = self._session
            self._session = None if self._has_ended else (database, connection)
            has_ended = self._has_ended
        if replaced is not None:
            replaced[1].close()
        if has_ended:
            connection.close()

    def take(self, database: str) -> psycopg.Connection[Any] | None:
        """The connection, if it leads to this database and has not been ended; it is the caller's then."""
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        connection = self._release(database)
        if connection is None:
            return None
        try:
            connection.execute(b"select 1")
        except psycopg.Error:
            connection.close()
            return None
        return connection

    def close(self, database: str) -> None:
        """End the session, if it leads to this database: one in use cannot be copied."""
        connection = self._release(database)
        if connection is not None:
            connection.close()

    def end(self) -> None:
        """End the session, wherever it leads; none is kept any more."""
        with self._lock:
            session, self._session = self._session, None
            self._has_ended = True
        if session is not None:
            session[1].close()

    def _release(self, database: str) -> psycopg.Connection[Any] | None:
        with self._lock:
            session = self._session
            if session is None or session[0] != database:
                return None
            self._session = None
        return session[1]
