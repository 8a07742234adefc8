"""Finds, for each DDL command of the server's log, the statement that the worker recorded, and so its line.

Both sides know the statements of a step in their order: the worker as they were passed to the driver, with
the line of the revision that was running; the server as they arrived. They are the same texts, but for
parameters.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from migration_gate.analysis.revision_text import normalize_statement
from migration_gate.facts import DdlCommand, Statement, Step

_PARAMETER = re.compile(r"%\(\w+\)s|%s|\$\d+")


def add_statement_lines(commands: Iterable[DdlCommand], steps: Iterable[Step]) -> tuple[DdlCommand, ...]:
    """The commands with the lines of their statements, where the worker recorded these.

    A migration that rolls back also takes the number of its step from the session: a command that is then
    logged under an older step belongs to the one that has its statement.
    """
    commands = tuple(commands)
    statements = {step.number: step.statements for step in steps}
    queries: dict[int, dict[int, str]] = defaultdict(dict)
    for command in commands:
        queries[command.step].setdefault(command.query_number, command.query)
    places: dict[int, _Place] = {}
    for step, texts in queries.items():
        for number, line in _match_lines(texts, statements.get(step, ())).items():
            places[number] = _Place(step, line)
    places |= _find_later_steps(commands, places, statements)
    return tuple(
        replace(command, step=places[command.query_number].step, line=places[command.query_number].line)
        for command in commands
    )


class _Place(NamedTuple):
    """Where a statement was run."""

    step: int
    line: int | None


def _find_later_steps(
    commands: Sequence[DdlCommand],
    places: Mapping[int, _Place],
    statements: Mapping[int, Sequence[Statement]],
) -> dict[int, _Place]:
    """The places of queries that a later step ran, which the log does not know."""
    found: dict[int, _Place] = {}
    next_step = max(statements, default=0)
    for command in reversed(commands):
        number = command.query_number
        if command.step and places[number].line is None and number not in found:
            for step in range(command.step + 1, next_step + 1):
                line = _match_lines({number: command.query}, statements.get(step, ()))[number]
                if line is not None:
                    found[number] = _Place(step, line)
                    break
        next_step = min(next_step, command.step) if command.step else next_step
    return found


def _match_lines(queries: Mapping[int, str], statements: Sequence[Statement]) -> dict[int, int | None]:
    """The line of each query of a step (by its number), whose order is that of the statements."""
    texts = [
        normalize_statement(statement.sql) if statement.error is None else "" for statement in statements
    ]
    lines: dict[int, int | None] = {}
    position = 0
    for number, query in queries.items():
        index = _find_statement(normalize_statement(query), texts, position)
        lines[number] = None if index is None else statements[index].line
        position = position if index is None else index + 1
    return lines


def _find_statement(query: str, texts: Sequence[str], position: int) -> int | None:
    """The place of the query among the statements: at or after the position, else before it."""
    places: tuple[int, ...] = (*range(position, len(texts)), *range(position))
    for place in places:
        if texts[place] == query and query:
            return place
    for place in places:
        if _PARAMETER.search(texts[place]) and _fits_with_parameters(query, texts[place]):
            return place
    return None


def _fits_with_parameters(query: str, text: str) -> bool:
    """Whether the query is the text with values in the place of its parameters."""
    pattern = ".+?".join(re.escape(part) for part in _PARAMETER.split(text))
    return re.fullmatch(pattern, query, re.DOTALL) is not None
