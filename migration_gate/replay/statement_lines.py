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

from migration_gate.analysis.revision_text import normalize_statement
from migration_gate.facts import DdlCommand, Statement, Step

_PARAMETER = re.compile(r"%\(\w+\)s|%s|\$\d+")


def add_statement_lines(commands: Iterable[DdlCommand], steps: Iterable[Step]) -> tuple[DdlCommand, ...]:
    """The commands with the lines of their statements, where the worker recorded these."""
    commands = tuple(commands)
    statements = {step.number: step.statements for step in steps}
    queries: dict[int, dict[int, str]] = defaultdict(dict)
    for command in commands:
        queries[command.step].setdefault(command.query_number, command.query)
    lines: dict[int, int | None] = {}
    for step, texts in queries.items():
        lines |= _match_lines(texts, statements.get(step, ()))
    return tuple(replace(command, line=lines[command.query_number]) for command in commands)


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
