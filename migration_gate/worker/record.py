"""Writes down what a step does: statements, transaction boundaries, and errors, even swallowed ones."""

from __future__ import annotations

import sys
import time
from typing import Any, Optional

from .failure import TEXT, describe

STATEMENTS = 2000
"""Statements of one step that are kept; a data migration can run millions."""


class Recorder:
    """Listens on every engine; `begin` and `end` mark a step."""

    def __init__(self, home: str) -> None:
        self._home = home
        self.file: Optional[str] = None
        self.line: Optional[int] = None
        """of the statement that runs, or ran last"""
        self.errors: list[dict[str, Any]] = []
        """errors of the transaction that is open, the first one first"""
        self._statements: list[dict[str, Any]] = []
        self._transactions: list[str] = []
        self._started = 0.0
        self.running = False
        """the migration's own function runs (not Alembic's bookkeeping around it)"""
        self.dropped = 0

    def begin(self, file: Optional[str]) -> None:
        """A step starts; its statements come from `file`."""
        self.file, self.line = file, None
        self._statements, self._transactions, self.dropped = [], [], 0

    def end(self) -> tuple[list[dict[str, Any]], list[str]]:
        """The step's statements and transaction boundaries."""
        out = (self._statements, self._transactions)
        self.file = None
        self._statements, self._transactions = [], []
        return out

    def install(self) -> None:
        """Listen on the class of all engines."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)
        event.listen(Engine, "handle_error", self._error)
        for name in ("begin", "commit", "rollback"):
            event.listen(Engine, name, self._boundary(name))
        event.listen(Engine, "savepoint", lambda connection, point: self._mark("savepoint"))
        event.listen(
            Engine,
            "rollback_savepoint",
            lambda connection, point, context: self._rolled_back("rollback to savepoint"),
        )

    def _boundary(self, name: str) -> Any:
        def listener(connection: Any) -> None:
            if name == "begin":
                self._mark("begin")
            else:
                self._rolled_back(name)

        return listener

    def _mark(self, name: str) -> None:
        if self.file is not None and len(self._transactions) < STATEMENTS:
            self._transactions.append("%s@%d" % (name, len(self._statements)))

    def _rolled_back(self, name: str) -> None:
        self.errors = []
        self._mark(name)

    def _where(self) -> Optional[int]:
        """The line of the revision's file that is running."""
        frame: Any = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_filename == self.file:
                line: int = frame.f_lineno
                return line
            frame = frame.f_back
        return None

    def _before(self, connection: Any, cursor: Any, *more: Any) -> None:
        if self.running:
            self.line = self._where() or self.line
            self._started = time.perf_counter()

    def _after(self, connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        self.errors = []  # nothing succeeds in a transaction that an error ended
        if not self.running:
            return
        rows = getattr(cursor, "rowcount", None)
        self._keep(statement, rows=rows if isinstance(rows, int) and rows >= 0 else None)

    def _keep(self, statement: str, **more: Any) -> None:
        if len(self._statements) >= STATEMENTS:
            self.dropped += 1
            return
        seconds = round(time.perf_counter() - self._started, 5)
        self._statements.append(dict(sql=statement[:TEXT], seconds=seconds, line=self.line, **more))

    def _error(self, context: Any) -> None:
        error = context.sqlalchemy_exception or context.original_exception
        found = describe(error, home=self._home)
        found["statement"] = (context.statement or "")[:TEXT] or found.get("statement")
        found["file"], found["line"] = self.file, self.line
        self.errors.append(found)
        if self.running and context.statement:
            self._keep(context.statement, error=found)
