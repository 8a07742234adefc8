"""Sends the DDL of older revisions without waiting for each answer: Python builds a statement while one runs.

Only a long history gains by it, and only revisions that are not looked at one by one. An error comes later
than its statement then, maybe where something else runs: it is never reported from here. The gate is told
that answers are needed, and replays the history again, one statement after the other. As soon as the code of
the project might see that answers are missing (its own listeners, the driver's connection), each is awaited.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable, NoReturn, Optional

from . import private_api
from .answer_stream import AnswerStream
from .catalog_snapshot import execute_unseen, run_unseen
from .protocol.order import Order
from .protocol.step_lines import AnswersNeeded, AnswersReceived

MIN_STEPS = 100
"""of fewer revisions, less is saved than a second replay may cost"""
BEGIN_STEP = "select migration_gate.begin_step(%d)"
IDLE_LIMIT = "idle_in_transaction_session_timeout"
"""Postgres does not count the time between two statements while no answer is asked for"""
HAS_IDLE_LIMIT = "select pg_catalog.current_setting('%s') <> '0'" % IDLE_LIMIT
UNFIT_TEXTS = (";", "concurrently")
"""in a statement's text: it may be several, or cannot run in a transaction"""
BOUNDARIES = (
    "begin",
    "rollback",
    "commit",
    "savepoint",
    "rollback_savepoint",
    "release_savepoint",
    "begin_twophase",
    "prepare_twophase",
    "rollback_twophase",
    "commit_twophase",
    "set_connection_execution_options",
)
"""SQLAlchemy's events before each of them: what is open ends there"""


class AnswerMissed(BaseException):
    """Ends the run. No Exception, which the project's code might catch."""


class StepPipeline:
    """The pipeline of one connection at a time; without effect but between `start` and `end`."""

    def __init__(self, answer: AnswerStream) -> None:
        self._answer = answer
        self._connection: Any = None
        """SQLAlchemy's, while the revisions on it need not be waited for"""
        self._version_table: Any = None
        self._driver: Any = None
        """the driver's connection below it"""
        self._open: Optional[contextlib.ExitStack] = None
        """the driver's pipeline, while it is open"""
        self._updates: list[Any] = []
        """cursors: each has to change one row of the version table"""
        self._undo_distrust: Optional[Callable[[], None]] = None
        """has Alembic ask how many rows its UPDATE has changed; while it must not, `leave` does"""
        self._own_listeners = 0
        self._is_driver_known = False
        """the project's code has, or may have, the driver's connection"""
        self._announced_step = False
        """the revision that runs was announced as one that is ahead of the server"""

    def install(self) -> None:
        """Listen on the class of all engines, before all others that use a cursor."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "before_cursor_execute", self._before_statement)
        event.listen(Engine, "handle_error", self._on_error)
        for name in BOUNDARIES:
            event.listen(Engine, name, self._on_boundary)
        private_api.watch_driver_access(self._on_driver_access)
        # Two processes would wait for the same answers.
        os.register_at_fork(before=self._leave_for_fork, after_in_child=self._forget)

    def remember_own_listeners(self) -> None:
        """To be called when all listeners of the gate's are there, and none of the project's."""
        self._own_listeners = private_api.count_listeners_of_engines()

    @property
    def is_open(self) -> bool:
        """Whether answers may be missing."""
        return self._open is not None

    def announce_step(self) -> bool:
        """Whether the revision that begins is ahead of the server."""
        self._announced_step = self.is_open
        return self._announced_step

    def start(self, context: Any, order: Order, steps: int) -> None:
        """So many revisions follow in this context of Alembic's that need not be waited for."""
        self._forget()
        connection = context.connection
        # What env.py does after each step may look at the database, with a connection of its own.
        is_refused = order.log_after_step or private_api.has_callbacks(context) or self._is_driver_known
        if not order.sends_ahead or steps < MIN_STEPS or is_refused:
            return
        if not private_api.supports_pipeline(connection) or self._has_foreign_listeners(connection):
            return
        if not execute_unseen(connection, HAS_IDLE_LIMIT)[0][0]:
            self._connection = connection
            self._driver = private_api.driver_connection(connection)
            self._version_table = private_api.version_table(context)

    def end(self) -> None:
        """Those that follow are waited for again."""
        self.leave()
        self._connection = None

    def begin_step(self, connection: Any, number: int, waiting_statement: str) -> None:
        """Begin a step of the DDL log; with `waiting_statement` where nothing can be sent ahead."""
        if self._connection is not None and self._has_foreign_listeners(self._connection):
            self.end()
        if not self._can_send(connection) or (not self.is_open and private_api.is_idle(self._driver)):
            self.leave()
            run_unseen(connection, waiting_statement)  # in no transaction that the revision may roll back
            return
        self._trust_row_counts()
        try:
            self._enter()
            self._driver.execute(BEGIN_STEP % number, prepare=False)
        except Exception:
            self._fail()

    def leave(self) -> None:
        """Wait for all answers. If one is an error, the run ends."""
        opened, self._open = self._open, None
        if opened is None:
            return
        updates, self._updates = self._updates, []
        self._trust_row_counts()
        try:
            opened.close()
        except Exception:
            self._fail()
        if private_api.is_in_pipeline(self._driver) or any(cursor.rowcount != 1 for cursor in updates):
            self._fail()
        if self._announced_step:
            self._announced_step = False
            self._answer.send(AnswersReceived())

    def abandon(self) -> None:
        """A revision failed: the error may be that of an earlier statement, whose answer is not there yet."""
        if self._open is not None:
            self._fail()
        self._connection = None  # it may be closed when the next statement asks for it

    def _fail(self) -> NoReturn:
        """The gate ends this process as soon as it has read the line."""
        self._open = self._connection = None
        self._answer.send(AnswersNeeded())
        raise AnswerMissed("the answer to an earlier statement is an error")

    def _forget(self) -> None:
        self._open = self._connection = None
        self._updates = []

    def _leave_for_fork(self) -> None:
        with contextlib.suppress(AnswerMissed):  # it could not be raised from here; the gate has been told
            self.leave()

    def _on_boundary(self, *_: Any) -> None:
        self.leave()

    def _on_error(self, _: Any) -> None:
        if self._open is not None:
            self._fail()

    def _on_driver_access(self) -> None:
        self._is_driver_known = True
        if self._connection is not None:
            self.end()

    def _before_statement(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, execution: Any, *_: Any
    ) -> None:
        if self._connection is None:
            return
        is_update = private_api.is_update_of(self._version_table, execution)
        if self._can_send(connection) and (is_update or _is_plain_ddl(statement, execution)):
            self._enter()
            if is_update:
                self._updates.append(cursor)
                self._trust_row_counts()
                self._undo_distrust = private_api.distrust_row_counts(connection.dialect)
        elif IDLE_LIMIT in statement.lower():
            self.end()
        else:
            self.leave()

    def _can_send(self, connection: Any) -> bool:
        """Whether it is the connection, inside of a transaction that an error would end."""
        return (
            connection is self._connection
            and connection.in_transaction()
            and not connection.in_nested_transaction()
            and not getattr(self._driver, "autocommit", False)
        )

    def _enter(self) -> None:
        if self._open is None:
            with contextlib.ExitStack() as stack:
                stack.enter_context(self._driver.pipeline())
                self._open = stack.pop_all()

    def _trust_row_counts(self) -> None:
        undo, self._undo_distrust = self._undo_distrust, None
        if undo is not None:
            undo()

    def _has_foreign_listeners(self, connection: Any) -> bool:
        """Whether the project, or a library that traces statements, looks at cursors."""
        return private_api.count_listeners(connection) > self._own_listeners


def _is_plain_ddl(statement: str, execution: Any) -> bool:
    text = statement.lower()
    return private_api.is_answerless_ddl(execution) and not any(unfit in text for unfit in UNFIT_TEXTS)
