"""Sends the DDL of older revisions without waiting for each answer: Python builds a statement while one runs.

Only a long history gains by it, and only revisions that are not looked at one by one. An error comes later
than its statement then, maybe where something else runs: it is never reported from here. The gate is told
that answers are needed, and replays the history again, one statement after the other.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable, NoReturn, Optional

from . import private_api
from .answer_stream import AnswerStream
from .catalog_snapshot import run_unseen
from .protocol.order import Order
from .protocol.step_lines import AnswersNeeded

MIN_STEPS = 100
"""of fewer revisions, less is saved than a second replay may cost"""
BEGIN_STEP = "select migration_gate.begin_step(%d)"
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
    """The pipeline of one connection at a time; without effect between `start` and `end`."""

    def __init__(self, answer: AnswerStream) -> None:
        self._answer = answer
        self._context: Any = None
        """Alembic's MigrationContext, while its revisions need not be waited for"""
        self._open: Optional[contextlib.ExitStack] = None
        """the driver's pipeline, while it is open"""
        self._updates: list[Any] = []
        """cursors: each has to change one row of the version table"""
        self._ask_for_row_counts: Callable[[], None] = lambda: None
        """has Alembic ask how many rows its UPDATE has changed; while it must not, `leave` does"""

    def install(self) -> None:
        """Listen on the class of all engines, before all others that use a cursor."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "before_cursor_execute", self._before_statement)
        event.listen(Engine, "handle_error", self._on_error)
        for name in BOUNDARIES:
            event.listen(Engine, name, self._on_boundary)
        # Two processes would wait for the same answers.
        os.register_at_fork(before=self._leave_for_fork)

    @property
    def is_started(self) -> bool:
        """Whether the revision that begins may run ahead of the server."""
        return self._context is not None

    def start(self, context: Any, order: Order, steps: int) -> None:
        """So many revisions follow in this context that need not be waited for."""
        is_worthwhile = order.sends_ahead and steps >= MIN_STEPS
        # What env.py does after each step may look at the database, with a connection of its own.
        if is_worthwhile and not order.log_after_step and not private_api.has_callbacks(context):
            has_pipeline = private_api.open_pipeline(context.connection) is not None
            self._context = context if has_pipeline else None

    def end(self) -> None:
        """Those that follow are waited for again."""
        self.leave()
        self._context = None

    def begin_step(self, connection: Any, number: int, waiting_statement: str) -> None:
        """Begin a step of the DDL log; with `waiting_statement` where nothing can be sent ahead."""
        if self._context is None or not self._can_send(connection):
            self.leave()
            run_unseen(connection, waiting_statement)
            return
        self._ask_for_row_counts()
        try:
            self._enter(connection)
            if self._open is not None:
                private_api.driver_connection(connection).execute(BEGIN_STEP % number, prepare=False)
                return
        except Exception:
            self._fail()
        run_unseen(connection, waiting_statement)

    def leave(self) -> None:
        """Wait for all answers. If one is an error, the run ends."""
        opened, self._open = self._open, None
        if opened is None:
            return
        updates, self._updates = self._updates, []
        self._ask_for_row_counts()
        try:
            opened.close()
        except Exception:
            self._fail()
        connection = self._context.connection
        if private_api.is_in_pipeline(connection) or any(cursor.rowcount != 1 for cursor in updates):
            self._fail()

    def abandon(self) -> None:
        """A revision failed: the error may be that of an earlier statement, whose answer is not there yet."""
        if self._open is not None:
            self._fail()

    def _fail(self) -> NoReturn:
        self._open = None
        self._answer.send(AnswersNeeded())
        raise AnswerMissed("the answer to an earlier statement is an error")

    def _on_boundary(self, *_: Any) -> None:
        self.leave()

    def _leave_for_fork(self) -> None:
        with contextlib.suppress(AnswerMissed):  # it could not be raised from here; the gate has been told
            self.leave()

    def _on_error(self, _: Any) -> None:
        self.abandon()

    def _before_statement(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, execution: Any, *_: Any
    ) -> None:
        if self._context is None:
            return
        is_update = private_api.is_version_update(self._context, execution)
        if self._can_send(connection) and (is_update or _is_plain_ddl(statement, execution)):
            self._enter(connection)
            if is_update and self._open is not None:
                self._updates.append(cursor)
                self._ask_for_row_counts()
                self._ask_for_row_counts = private_api.distrust_row_counts(self._context.dialect)
        else:
            self.leave()

    def _can_send(self, connection: Any) -> bool:
        """Whether it is the connection of the context, inside of a transaction that an error would end."""
        return (
            connection is self._context.connection
            and connection.in_transaction()
            and not connection.in_nested_transaction()
            and not getattr(private_api.driver_connection(connection), "autocommit", False)
        )

    def _enter(self, connection: Any) -> None:
        if self._open is None:
            pipeline = private_api.open_pipeline(connection)
            if pipeline is not None:
                with contextlib.ExitStack() as stack:
                    stack.enter_context(pipeline)
                    self._open = stack.pop_all()


def _is_plain_ddl(statement: str, execution: Any) -> bool:
    text = statement.lower()
    return private_api.is_own_ddl(execution) and not any(unfit in text for unfit in UNFIT_TEXTS)
