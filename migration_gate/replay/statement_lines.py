"""Finds, for each DDL command of the server's log, the statement that the worker recorded, and so its line.

Both sides know the statements of a step in their order: the worker as they were passed to the driver, with
the line of the revision that was running; the server as they arrived. They are the same texts, but for
parameters.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from migration_gate.analysis.revision_text import normalize_statement
from migration_gate.facts import DdlCommand, Statement, Step

_PARAMETER = re.compile(r"%\(\w+\)s|%s|\$\d+")


def add_statement_lines(commands: Iterable[DdlCommand], steps: Iterable[Step]) -> tuple[DdlCommand, ...]:
    """The commands with the lines of their statements, if the worker recorded these.

    A migration that rolls back also takes the number of its step from the session: a command that is then
    logged under an older step belongs to the one that has its statement.
    """
    commands = tuple(commands)
    statements = {step.number: step.list_run() for step in steps}
    queries: dict[int, dict[int, str]] = defaultdict(dict)
    for command in commands:
        queries[command.step].setdefault(command.query_number, command.query)
    origins: dict[int, _QueryOrigin] = {}
    for step, texts in queries.items():
        for number, line in _match_lines(texts, statements.get(step, ())).items():
            origins[number] = _QueryOrigin(step, line)
    origins |= _find_later_steps(commands, origins, statements)
    located: list[DdlCommand] = []
    for command in commands:
        origin = origins[command.query_number]
        located.append(replace(command, step=origin.step, line=origin.line))
    return tuple(located)


class _QueryOrigin(NamedTuple):
    """Which step ran a query, and at which line of its revision."""

    step: int
    line: int | None


def _find_later_steps(
    commands: Sequence[DdlCommand],
    origins: Mapping[int, _QueryOrigin],
    statements: Mapping[int, Sequence[Statement]],
) -> dict[int, _QueryOrigin]:
    """The origins of queries that a later step ran than the one which the log names."""
    later: dict[int, _QueryOrigin] = {}
    last_step = max(statements, default=0)
    for command in reversed(commands):
        number = command.query_number
        if not command.step:
            continue
        if origins[number].line is None and number not in later:
            steps = range(command.step + 1, last_step + 1)
            origin = _find_origin(command.query, steps, statements)
            if origin is not None:
                later[number] = origin
        # What was logged before a command of a step cannot have run after it.
        last_step = min(last_step, command.step)
    return later


def _find_origin(
    query: str, steps: Iterable[int], statements: Mapping[int, Sequence[Statement]]
) -> _QueryOrigin | None:
    """The first of these steps that has the query."""
    for step in steps:
        line = _match_lines({0: query}, statements.get(step, ()))[0]
        if line is not None:
            return _QueryOrigin(step, line)
    return None


def _match_lines(queries: Mapping[int, str], statements: Sequence[Statement]) -> dict[int, int | None]:
    """The line of each query of a step (by its number), whose order is that of the statements."""
    texts = StatementTexts(
        [normalize_statement(statement.sql) if statement.error is None else "" for statement in statements]
    )
    lines: dict[int, int | None] = {}
    position = 0
    for number, query in queries.items():
        index = texts.find(normalize_statement(query), position)
        lines[number] = None if index is None else statements[index].line
        position = position if index is None else index + 1
    return lines


class StatementTexts:
    """Texts of statements in their order, as `normalize_statement` leaves them; '' is found by nobody."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._positions: dict[str, list[int]] = defaultdict(list)
        for position, text in enumerate(texts):
            self._positions[text].append(position)
        self._with_parameters = [place for place, text in enumerate(texts) if _PARAMETER.search(text)]

    def find(self, query: str, position: int) -> int | None:
        """The index of the query: at or after the position, else before it."""
        places = self._positions.get(query, []) if query else []
        if places:
            return _find_from(places, position)
        after = bisect_left(self._with_parameters, position)
        for index in (*self._with_parameters[after:], *self._with_parameters[:after]):
            if _fits_with_parameters(query, self._texts[index]):
                return index
        return None


def _find_from(places: Sequence[int], position: int) -> int:
    """The first of the ascending places that is not before the position; else the first of all."""
    after = bisect_left(places, position)
    return places[after] if after < len(places) else places[0]


def _fits_with_parameters(query: str, text: str) -> bool:
    """Whether the query is the text with values in the place of its parameters.

    Each part of the text is taken where it stands first: no later place leaves more room for the others. (A
    regular expression tries all of them: seconds for eight parameters, more than a life for thirty.)
    """
    first, *others, last = _PARAMETER.split(text)
    if not query.startswith(first):
        return False
    position = len(first)
    for part in others:
        start = query.find(part, position + 1)
        if start < 0:
            return False
        position = start + len(part)
    return query.endswith(last) and position + 1 <= len(query) - len(last)
