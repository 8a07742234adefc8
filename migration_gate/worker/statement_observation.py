"""Has the server log, after each statement of a looked-at revision, which locks its session holds.

The first looked-at revision begins a transaction of its own, as it will in production: the revisions before
it have been committed there long ago, and their locks say nothing about it.
"""

from __future__ import annotations

from typing import Any, Optional

from . import private_api
from .catalog_snapshot import execute_unseen, run_unseen
from .listener_guard import ListenerGuard
from .local_settings import LocalSettings
from .redirection import Redirection
from .state_keeping import find_commit_obstacle

OBSERVATION = "the observation of locks"
IS_INSTALLED = "select to_regprocedure('migration_gate.keep_base(boolean)') is not null"
KEEP_BASE = "select migration_gate.keep_base(%s)"
CALL = """do $$ begin
if to_regprocedure('migration_gate.keep_base(boolean)') is not null then
    perform migration_gate.%s;
end if;
end $$"""
LOG_POINT = "observe('%s', %s, %s, %s, %s, null, null)"
SESSION_SETTINGS = {
    "log_min_messages": "debug1",
    "log_statement": "all",
    "log_lock_waits": "on",
    "migration_gate.observed": "on",
}
"""of connections that a looked-at revision opens"""
SENT_MESSAGES = {
    "client_min_messages": "debug1",
    "lc_messages": "C",
    "migration_gate.observed": "on",
}
"""the same on a server of the user's, whose log nobody reads: it sends them, and the proxy takes them out"""


class StatementObservation:
    """Logs the points between which the gate reads the server's log."""

    def __init__(
        self,
        guard: ListenerGuard,
        redirection: Redirection,
        local_settings: LocalSettings,
        *,
        is_own_server: bool,
    ) -> None:
        """`is_own_server`: the gate has started the server, and reads its log."""
        self._guard = guard
        self._redirection = redirection
        self._sessions: dict[int, Any] = {}
        """the driver's connections that are observed, by their ids"""
        self._step: Optional[int] = None
        """of the looked-at revision that runs"""
        self._number = 0
        self._is_continued = False
        """the revision before the one that runs was looked at, too"""
        self._local_settings = local_settings
        self._session_settings = SESSION_SETTINGS if is_own_server else SENT_MESSAGES

    def begin(self, connection: Any, step: int, *, by_itself: bool) -> None:
        """A looked-at revision begins. `by_itself`: not in one deployment with the one before it."""
        with self._guard.querying(OBSERVATION):
            if not execute_unseen(connection, IS_INSTALLED)[0][0]:
                return
            starts_deployment = by_itself or not self._is_continued
            point = self._begin_deployment(connection, forget=by_itself) if starts_deployment else "begin"
            self._step, self._number, self._is_continued = step, 0, True
            self._sessions = {}
            self._redirection.session_settings = self._session_settings
            self._join(connection, point)

    def forget_deployment(self) -> None:
        """The next looked-at revision runs in another database: what stands there is to be remembered."""
        self._is_continued = False

    def end(self, connection: Any) -> None:
        """The revision's function has ended without an error."""
        if self._step is None:
            return
        step = self._stop(self._step)
        with self._guard.querying(OBSERVATION):
            run_unseen(connection, CALL % ("end_observation(%d)" % step))

    def stop(self) -> None:
        """The revision's function has failed."""
        if self._step is not None:
            self._stop(self._step)

    def skip(self, connection: Any) -> None:
        """A revision begins that is not looked at."""
        if self._is_continued:
            self._is_continued = False
            with self._guard.querying(OBSERVATION):
                run_unseen(connection, CALL % "keep_made()")

    def before_statement(self, connection: Any) -> None:
        """Observe a session from its first statement on."""
        if self._step is not None:
            with self._guard.querying(OBSERVATION):
                if id(private_api.driver_connection(connection)) not in self._sessions:
                    self._join(connection, "join")

    def after_statement(self, connection: Any, line: Optional[int], in_block: bool) -> None:
        """Log what the statement's session holds."""
        if self._step is not None:
            self._number += 1
            with self._guard.querying(OBSERVATION):
                self._log_point(connection, "statement", line, in_block)

    def _stop(self, step: int) -> int:
        self._step = None
        self._redirection.session_settings = {}
        return step

    def _join(self, connection: Any, point: str) -> None:
        self._sessions[id(private_api.driver_connection(connection))] = connection
        self._log_point(connection, point, None, in_block=True)

    def _log_point(self, connection: Any, point: str, line: Optional[int], in_block: bool) -> None:
        values = (point, self._step, self._number, line or "null", "true" if in_block else "false")
        run_unseen(connection, CALL % (LOG_POINT % values))

    def _begin_deployment(self, connection: Any, *, forget: bool) -> str:
        """Remember what stands, and end the transaction of the revisions before, if there is one.

        Returns the point of the log: `held` if env.py runs the revisions inside of a savepoint, and `kept` if
        they would find something else after a COMMIT; then the locks of the revisions before are held on.
        """
        has_locks = bool(execute_unseen(connection, KEEP_BASE % ("true" if forget else "false"))[0][0])
        if connection.in_nested_transaction():
            return "held" if has_locks else "begin"
        if find_commit_obstacle(connection):
            return "kept" if has_locks else "begin"
        # Without locks, too: other sessions are to see what was remembered.
        self._local_settings.commit(connection)
        return "begin"
