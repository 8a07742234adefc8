"""Which statement of a revision changed rows in its rehearsal: the last that names them and does such things.

Where several may have, the revision runs again, and `loss_search` looks after each of them.

A revision may have ten thousand statements, and change the rows of as many tables: the words of each
statement are read once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from migration_gate.catalog.broken_rules import CIRCUMVENTION
from migration_gate.facts import BrokenRule, RowChange, merge_statements
from migration_gate.sql.statements import split_statements
from migration_gate.worker.protocol.rollback_lines import FinishedRun
from migration_gate.worker.protocol.step_lines import ExecutedStatement

_WORD = re.compile(r"\w+")
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_ALTER = (
    rf"alter\b.*\b(?:alter\s+(?:(?:column|attribute)\s+{_NAME}|(?!column\b|attribute\b){_NAME})\s+"
    r"(?:(?:set\s+data\s+)?type|set\s+expression)\b|rename\b|"
    r"drop\s+(?!default\b|not\b|constraint\b|identity\b|expression\b)|"
    r"add\s+(?!constraint\b|check\b|unique\b|primary\b|foreign\b|exclude\b))"
)
"""but not one that does no more than set a default, or add a rule; a column may be called `type`"""
_DROP = r"drop\s+(?!default\b|not\b|constraint\b|identity\b|expression\b|index\b|trigger\b|policy\b)"
_CAUSES: Mapping[str, re.Pattern[str]] = {
    kind: re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for kind, pattern in {
        "lost rows": r"\b(?:delete|truncate)\b",
        "dropped table": r"\bdrop\s+table\b",
        "dropped column": rf"\b{_DROP}",
        "merged values": rf"\b(?:update\b|{_ALTER})",
        "emptied values": rf"\b(?:update\b|{_ALTER}|delete\b|{_DROP})",
        "other values": rf"\b(?:update\b|{_ALTER})",
        "repeated rows": r"\b(?:insert|merge|copy)\b",
    }.items()
}
"""the statements that may do this to rows"""
_WRITES = re.compile(r"\b(?:insert|update|merge|copy)\b", re.IGNORECASE)
_REMOVALS = re.compile(r"\b(?:delete|truncate|update|merge)\b", re.IGNORECASE)
_CALL = re.compile(r"^\s*(?:do|call)\b", re.IGNORECASE)
"""what runs other statements"""
_QUERY = re.compile(r"^\s*(?:select|with|insert|values)\b", re.IGNORECASE)
"""what does so where it names a function that does"""
_NEW_FUNCTION = re.compile(
    rf"\bcreate\s+(?:or\s+replace\s+)?function\s+(?:{_NAME}\s*\.\s*)?(?P<name>{_NAME})", re.IGNORECASE
)
_DEFINITION = re.compile(
    r"^\s*create\s+(?:or\s+replace\s+)?(?:function|procedure|rule|trigger)\b", re.IGNORECASE
)
"""what does nothing until it is called"""
_NOT_VALID = re.compile(r"\bnot\s+valid\b", re.IGNORECASE)
_GUARDED = re.compile(
    r"\bsession_replication_role\W+(?:to\W+)?(?:origin|local|default)\b|"
    r"\breset\s+session_replication_role\b|\benable\s+(?:always\s+)?trigger\b",
    re.IGNORECASE,
)
"""statements from which on Postgres keeps foreign keys again"""
_REFERENCED = re.compile(rf"\bREFERENCES\s+(?:{_NAME}\.)?(?P<table>{_NAME})")


def list_executed(run: FinishedRun) -> Iterator[ExecutedStatement]:
    """What went through SQLAlchemy, and between these what a driver's own cursor ran, in one order."""
    by_cursor = (
        (item.statements_before, ExecutedStatement(item.sql, 0.0, item.line))
        for item in run.cursor_statements
        if not item.has_failed
    )
    return merge_statements(run.statements, by_cursor)


class LossCauses:
    """The statements of one revision; `functions` are the names of the database's own."""

    def __init__(self, statements: Sequence[ExecutedStatement], functions: Iterable[str] = ()) -> None:
        self._statements = statements
        self._functions = functions
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
        if position is None:  # another table has its name afterwards
            position = _find_last(table, self._list_fitting("dropped table"))
        if position is None:
            position = next(reversed(fitting), None)
        if position is None and change.kind == "lost rows":  # of a partition, or under another name
            position = next(reversed(self._list_fitting("dropped table")), None)
        if position is None:
            position = self._last_call
        if position is None:
            return change
        statement = self._statements[position]
        return replace(change, statement=statement.sql, line=statement.line)

    def is_plain(self, change: RowChange) -> bool:
        """Whether only one of the statements can have done it, and names the table.

        If it does not, a trigger may have been the cause, or a cascade.
        """
        calls = () if self._last_call is None else (self._last_call,)
        positions = {*self._list_fitting(change.kind), *calls}
        return len(positions) == 1 and positions <= self._find_name(change.table).keys()

    def find_breaker(self, rule: BrokenRule) -> BrokenRule:
        """The rule with the statement that changed rows past it; of a new NOT VALID one, what made it.

        If nothing else is known: the statement after which Postgres did not keep the rule.
        """
        position = self._find_making(rule)
        if position is None:
            position = self._find_circumventing(rule)
        if position is None:
            return rule
        statement = self._statements[position]
        return replace(rule, statement=statement.sql, line=statement.line)

    def _find_making(self, rule: BrokenRule) -> int | None:
        """Of a rule without a name in the text, what makes one that is NOT VALID on its table."""
        if rule.is_validated:
            return None
        named = _find_last(self._find_name(rule.constraint), self._not_valid)
        return named if named is not None else _find_last(self._find_name(rule.table), self._not_valid)

    def _find_circumventing(self, rule: BrokenRule) -> int | None:
        referenced = _REFERENCED.search(rule.definition)
        places = [_find_last(self._find_name(rule.table), self._unguarded_writes)]
        if referenced is not None:
            places.append(_find_last(self._find_name(referenced["table"]), self._unguarded_removals))
        known = [place for place in places if place is not None]
        return max(known) if known else self._find_disabling()

    @cached_property
    def _not_valid(self) -> Mapping[int, None]:
        return {number: None for number, item in enumerate(self._statements) if _NOT_VALID.search(item.sql)}

    @cached_property
    def _unguarded_writes(self) -> Mapping[int, None]:
        return {number: None for number in self._unguarded if _WRITES.search(self._statements[number].sql)}

    @cached_property
    def _unguarded_removals(self) -> Mapping[int, None]:
        return {number: None for number in self._unguarded if _REMOVALS.search(self._statements[number].sql)}

    @cached_property
    def _unguarded(self) -> dict[int, None]:
        """Positions of the statements that run while triggers are disabled, with that which disables them."""
        positions: dict[int, None] = {}
        is_unguarded = False
        for number, item in enumerate(self._statements):
            disables = CIRCUMVENTION.search(item.sql) is not None
            is_unguarded = (is_unguarded or disables) and _GUARDED.search(item.sql) is None
            if is_unguarded or (disables and ";" in item.sql.strip().rstrip(";")):
                positions[number] = None
        return positions

    def _find_disabling(self) -> int | None:
        """The last statement that disables triggers."""
        for number in reversed(self._unguarded):
            if CIRCUMVENTION.search(self._statements[number].sql):
                return number
        return None

    def _list_fitting(self, kind: str) -> Mapping[int, None]:
        if kind not in self._fitting:
            pattern = _CAUSES[kind]
            self._fitting[kind] = {
                number: None
                for number, item in enumerate(self._statements)
                if pattern.search(item.sql) and not _only_defines(item.sql)
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
        """What ran a block or a procedure, or a function that is none of Postgres' own."""
        calls = {number for number, item in enumerate(self._statements) if _CALL.match(item.sql)}
        made = (_NEW_FUNCTION.search(item.sql) for item in self._statements)
        names = {*self._functions, *(match["name"].strip('"') for match in made if match is not None)}
        for name in names:
            calls.update(
                position for position in self._find_name(name) if _QUERY.match(self._statements[position].sql)
            )
        return max(calls, default=None)

    @cached_property
    def _positions(self) -> Mapping[str, Mapping[int, None]]:
        """Of the statements that have a word, by the word in small letters."""
        positions: dict[str, dict[int, None]] = defaultdict(dict)
        for number, statement in enumerate(self._statements):
            for word in _WORD.findall(statement.sql.lower()):
                positions[word][number] = None
        return dict(positions)


def _only_defines(sql: str) -> bool:
    return _DEFINITION.match(sql) is not None and len(list(split_statements(sql))) == 1


def _find_last(positions: Mapping[int, None], *others: Container[int]) -> int | None:
    """The last position that is in all of them."""
    return next((number for number in reversed(positions) if all(number in other for other in others)), None)
