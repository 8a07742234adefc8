"""Where a revision gave its statements to a driver's own cursor: the worker knows the line of each."""

from __future__ import annotations

from collections.abc import Sequence

from migration_gate.analysis.revision_text import normalize_statement
from migration_gate.facts import CursorStatement, ObservedStatement
from migration_gate.replay.statement_lines import StatementTexts


class CursorLines:
    """The statements of one step, taken in their order."""

    def __init__(self, statements: Sequence[CursorStatement]) -> None:
        self._lines = [statement.line for statement in statements]
        self._texts = StatementTexts([normalize_statement(statement.sql) for statement in statements])
        self._position = 0
        self._last: tuple[str, int | None] = ("", None)
        """the text whose parts are looked for, and its line"""

    def find(self, statement: ObservedStatement) -> int | None:
        """The line of the next call with this text; None if no cursor ran it."""
        text = normalize_statement(statement.client_sql or statement.sql)
        if statement.client_sql and text == self._last[0]:
            return self._last[1]
        index = self._texts.find(text, self._position)
        line = self._lines[index] if index is not None else None
        self._position = index + 1 if index is not None else self._position
        self._last = (text, line)
        return line
