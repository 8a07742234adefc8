"""Records what a step does: statements, transaction boundaries, and errors, caught ones too."""

from __future__ import annotations

import dataclasses
import sys
import time
from typing import Any, Callable, Optional

from . import private_api
from .error_report import MAX_TEXT, describe_error, name_sent_statement
from .listener_guard import ListenerGuard
from .local_settings import LocalSettings
from .observed_blocks import IS_INSTALLED, observe_block, without_notes
from .protocol.reported_error import ErrorReport
from .protocol.step_lines import BoundaryName, ExecutedStatement
from .run_limit import extend_limit
from .statement_observation import StatementObservation
from .statement_parameters import describe_parameters
from .step_record import StepLog, StepRecord

DUPLICATES = ("42P07", "42701", "42710")
"""SQLSTATEs of a relation, a column or another object whose name is taken"""


class StatementRecorder:
    """Listens on every engine; `begin_step` and `end_step` mark what belongs to a step."""

    def __init__(
        self,
        home: str,
        guard: ListenerGuard,
        observation: StatementObservation,
        local_settings: LocalSettings,
    ) -> None:
        self._home = home
        self._guard = guard
        self.observation = observation
        self._local_settings = local_settings
        """of the locks, while a looked-at revision runs"""
        self.file: Optional[str] = None
        """of the revision that runs; None between two steps"""
        self.line: Optional[int] = None
        """of that file: the statement that runs, or ran last"""
        self.in_migration = False
        """the migration's own function runs, not Alembic's bookkeeping around it"""
        self.migration_connection: Any = None
        """the driver's connection on which Alembic runs the migration"""
        self._open_errors: list[ErrorReport] = []
        """errors of the transaction that is open, the first one first"""
        self._log = StepLog()
        self._statement_start = 0.0

    def install(self) -> None:
        """Listen on the class of all engines."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        listeners: dict[str, Callable[..., None]] = {
            "before_cursor_execute": self._before_statement,
            "after_cursor_execute": self._after_statement,
            "handle_error": self._on_error,
            "begin": lambda connection: self._add_boundary("begin"),
            "commit": lambda connection: self._end_transaction("commit"),
            "rollback": lambda connection: self._end_transaction("rollback"),
            "savepoint": lambda connection, name: self._add_boundary("savepoint"),
            "rollback_savepoint": lambda connection, name, context: self._end_transaction(
                "rollback to savepoint"
            ),
        }
        event.listen(Engine, "before_cursor_execute", self._observe_block, retval=True)
        for name, listener in listeners.items():
            event.listen(Engine, name, self._guard.wrap("the record of the statements", listener))

    def begin_step(self, file: Optional[str]) -> None:
        """A step starts; its statements come from `file`."""
        self.file, self.line = file, None
        self._log = StepLog()

    def end_step(self) -> StepRecord:
        """What was recorded since the step began."""
        record = self._log.finish()
        self.file = None
        self._log = StepLog()
        return record

    def find_first_error(self, error: ErrorReport) -> Optional[ErrorReport]:
        """The error that this one only follows from: "current transaction is aborted" hides it."""
        if not self._open_errors:
            return None
        first = self._open_errors[0]
        is_same = (first.message, first.statement) == (error.message, error.statement)
        return None if is_same else first

    def caught_duplicates(self) -> tuple[str, ...]:
        """Statements of the step so far that failed because a name was taken."""
        return tuple(
            statement.sql
            for statement in self._log.statements
            if statement.error is not None and statement.error.sqlstate in DUPLICATES
        )

    def _add_boundary(self, name: BoundaryName) -> None:
        if self.file is not None:
            self._log.add_boundary(name)

    def _end_transaction(self, name: BoundaryName) -> None:
        self._open_errors = []
        self._add_boundary(name)

    def _observe_block(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any
    ) -> tuple[str, Any]:
        """The statement to execute; see observed_blocks."""
        if self.in_migration:
            with self._guard.observing("what DO blocks catch"):
                observed = observe_block(statement)
                if observed != statement:
                    cursor.execute(IS_INSTALLED)
                    return (observed if cursor.fetchone()[0] else statement), parameters
        return statement, parameters

    def _before_statement(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any
    ) -> None:
        if self.in_migration:
            self.observation.before_statement(connection)
            self.line = self._running_line() or self.line
            self._statement_start = time.perf_counter()
        else:
            self._local_settings.remember(statement, parameters)

    def _after_statement(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any
    ) -> None:
        self._open_errors = []  # nothing succeeds in a transaction that an error ended
        if self.in_migration:
            extend_limit(statement)
            rows = getattr(cursor, "rowcount", None)
            # -1, or no number at all: the driver does not know.
            known_rows = rows if isinstance(rows, int) and rows >= 0 else None
            in_transaction = self._is_in_transaction(connection)
            sent = name_sent_statement(statement, connection.dialect.driver)
            self._add_statement(sent, known_rows, None, in_transaction, describe_parameters(parameters))
            self.observation.after_statement(connection, self.line, in_transaction)

    def _on_error(self, context: Any) -> None:
        report = describe_error(context.sqlalchemy_exception or context.original_exception, home=self._home)
        driver = context.engine.dialect.driver if context.engine is not None else ""
        sent = name_sent_statement(context.statement or "", driver)
        statement = without_notes(sent)[:MAX_TEXT] or report.statement
        report = dataclasses.replace(report, statement=statement, line=self.line)
        self._open_errors.append(report)
        if self.in_migration and context.statement:
            self._add_statement(sent, None, report)

    def note_cursor_call(self, sql: str) -> Optional[Callable[[], None]]:
        """Record a statement of a driver's own cursor before it runs; what to call if it fails."""
        line = self._running_line() if self.in_migration else None
        return self._log.add_cursor_statement(sql[:MAX_TEXT], line) if line is not None else None

    def _is_in_transaction(self, connection: Any) -> bool:
        """Whether the statement is part of Alembic's transaction: neither autocommitted, nor elsewhere."""
        driver_connection = private_api.driver_connection(connection)
        return driver_connection is self.migration_connection and not getattr(
            driver_connection, "autocommit", False
        )

    def _add_statement(
        self,
        sql: str,
        rows: Optional[int],
        error: Optional[ErrorReport],
        in_transaction: bool = True,
        parameters: str = "",
    ) -> None:
        seconds = round(time.perf_counter() - self._statement_start, 5)
        text = without_notes(sql)[:MAX_TEXT]
        self._log.add_statement(
            ExecutedStatement(text, seconds, self.line, rows, error, in_transaction, parameters)
        )

    def _running_line(self) -> Optional[int]:
        """The line of the revision's file that is running."""
        frame: Any = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_filename == self.file:
                line: int = frame.f_lineno
                return line
            frame = frame.f_back
        return None
