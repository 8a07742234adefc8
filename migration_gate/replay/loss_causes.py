"""Which statement of a revision changed rows in its rehearsal: the last that names them and does such things.

A revision may have ten thousand statements, and change the rows of as many tables: the words of each
statement are read once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from migration_gate.facts import BrokenRule, RowChange
from migration_gate.worker.protocol.step_lines import ExecutedStatement

_WORD = re.compile(r"\w+")
_ALTER = (
    r"alter\b.*\b(?:type|rename|expression|drop\s+(?!default\b|not\b|constraint\b)|"
    r"add\s+(?!constraint\b|check\b|unique\b|primary\b|foreign\b|exclude\b))"
)
"""but not one that does no more than set a default, or add a rule"""
_CAUSES: Mapping[str, re.Pattern[str]] = {
    "lost rows": re.compile(r"\b(?:delete|truncate)\b", re.IGNORECASE),
    "dropped table": re.compile(r"\bdrop\s+table\b", re.IGNORECASE),
    "dropped column": re.compile(r"\bdrop\b", re.IGNORECASE),
    "merged values": re.compile(rf"\b(?:update\b|{_ALTER})", re.IGNORECASE | re.DOTALL),
    "emptied values": re.compile(rf"\b(?:update\b|{_ALTER}|delete\b|drop\b)", re.IGNORECASE | re.DOTALL),
    "other values": re.compile(rf"\b(?:update\b|{_ALTER})", re.IGNORECASE | re.DOTALL),
}
"""the statements that may do this to rows"""
_CALL = re.compile(r"^\s*(?:do\b|call\b|select\s+[\w.\"]+\s*\()", re.IGNORECASE)
"""what runs other statements, which stand in a function"""


class LossCauses:
    """The statements of one revision."""

    def __init__(self, statements: Sequence[ExecutedStatement]) -> None:
        self._statements = statements
        self._fitting: dict[str, Mapping[int, None]] = {}
        """positions of the statements that may do a kind of change, in their order"""

    def find_cause(self, change: RowChange) -> RowChange:
        """The change with the statement that did it, if there is one that may have."""
        fitting = self._list_fitting(change.kind)
        table = self._find_name(change.table)
        column = self._find_name(change.column)
        shorter, longer = sorted((table, column), key=len)
        position = _find_last(shorter, longer, fitting)
        if position is None:
            position = _find_last(table, fitting)
        if position is None:
            position = next(reversed(fitting), None)
        if position is None:
            position = self._last_call
        if position is None:
            return change
        statement = self._statements[position]
        return replace(change, statement=statement.sql, line=statement.line)

    def find_breaker(self, rule: BrokenRule) -> BrokenRule:
        """The rule with the statement that changed rows past it; of one that is NOT VALID, what made it."""
        named = self._find_name(rule.constraint)
        if named and not rule.is_validated:
            statement = self._statements[max(named)]
            return replace(rule, statement=statement.sql, line=statement.line)
        change = self.find_cause(RowChange("other values", rule.schema, rule.table))
        return replace(rule, statement=change.statement, line=change.line)

    def _list_fitting(self, kind: str) -> Mapping[int, None]:
        if kind not in self._fitting:
            pattern = _CAUSES[kind]
            self._fitting[kind] = {
                number: None for number, item in enumerate(self._statements) if pattern.search(item.sql)
            }
        return self._fitting[kind]

    def _find_name(self, name: str) -> Mapping[int, None]:
        """Positions of the statements that have all words of a name."""
        words = [self._positions.get(word, {}) for word in _WORD.findall(name.lower())]
        rarest, *others = sorted(words, key=len) if words else [{}]
        if not others:
            return rarest
        return {position: None for position in rarest if all(position in other for other in others)}

    @cached_property
    def _last_call(self) -> int | None:
        calls = (number for number, item in enumerate(self._statements) if _CALL.match(item.sql))
        return max(calls, default=None)

    @cached_property
    def _positions(self) -> Mapping[str, Mapping[int, None]]:
        """Of the statements that have a word, by the word in small letters."""
        positions: dict[str, dict[int, None]] = defaultdict(dict)
        for number, statement in enumerate(self._statements):
            for word in _WORD.findall(statement.sql.lower()):
                positions[word][number] = None
        return dict(positions)


def _find_last(positions: Mapping[int, None], *others: Container[int]) -> int | None:
    """The last position that is in all of them."""
    return next((number for number in reversed(positions) if all(number in other for other in others)), None)
