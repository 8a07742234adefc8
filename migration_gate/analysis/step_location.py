"""Where in a revision's file a statement of its step was run, and what was changed by it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.analysis.revision_text import SoughtPart, find_literal_line, find_part_line
from migration_gate.facts import DdlCommand, Location, Origin, Replay, Revision, Statement, Step

__all__ = [
    "SoughtPart",
    "find_index_statement",
    "find_statement_location",
    "is_text_of",
    "locate_command",
    "locate_query",
]


def find_statement_location(replay: Replay, step: Step, statement: Statement | None) -> Location | None:
    """The line of the statement; that of `upgrade()` if it is not known."""
    revision = replay.history.find_revision(step.revision)
    if revision is None:
        return None
    if statement is None or statement.line is None:
        return revision.location
    return Location(revision.location.file, statement.line)


def locate_query(replay: Replay, step: Step, query: str) -> Location | None:
    """The line of the recorded statement of this text, or of the driver's cursor that ran it."""
    statement = next((item for item in step.statements if is_text_of(item.sql, query)), None)
    location = find_statement_location(replay, step, statement)
    if statement is not None or location is None:
        return location
    calls = [item for item in step.cursor_statements if is_text_of(item.sql, query)]
    calls.sort(key=lambda item: not item.has_failed)
    line = calls[0].line if calls else find_literal_line(replay.history.find_calls(location.file), query)
    return location if line is None else Location(location.file, line)


def is_text_of(recorded: str, query: str) -> bool:
    """Whether the text of a recorded statement is what the client sent."""
    # psycopg2 and psycopg take `%` for a parameter, and send the `%%` of the recorded text as `%`.
    sql, query = recorded.strip(), query.strip()
    return sql == query or sql.replace("%%", "%") == query


def locate_command(replay: Replay, command: DdlCommand, part: SoughtPart) -> Location | None:
    """The line of the statement that led to a DDL command, or of the part of it that is about the object.

    That is the line in the revision's own file, also if a function of another file ran the statement.
    It is the line of `upgrade()` only if neither the log nor the text shows another one.
    """
    revision = replay.history.find_revision(replay.find_revision_of_step(command.step))
    if revision is None:
        return None
    file = revision.location.file
    calls = replay.history.find_calls(file)
    line = command.line or find_literal_line(calls, command.query)
    if line is None:
        line = _find_naming_statement(replay, command, part)
    if line is None:
        return _locate_in_text(replay, revision, part)
    return Location(file, find_part_line(calls, line, part) or line)


def _find_naming_statement(replay: Replay, command: DdlCommand, part: SoughtPart) -> int | None:
    """The line of the last statement of the step that names the part and its table."""
    step = replay.find_step_by_number(command.step)
    if step is None:
        return None
    lines = [statement.line for statement in _naming_statements(step, part) if statement.line is not None]
    return lines[-1] if lines else None


def _naming_statements(step: Step, part: SoughtPart) -> Iterator[Statement]:
    names = {name for name in (part.name, part.table) if name}
    for statement in step.list_run():
        if statement.error is None and all(_mentions_name(statement.sql, name) for name in names):
            yield statement


def _mentions_name(sql: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql) is not None


def _locate_in_text(replay: Replay, revision: Revision, part: SoughtPart) -> Location:
    """The one line of the revision's text that is about the part; else that of `upgrade()`."""
    file = revision.location.file
    line = find_part_line(replay.history.find_calls(file), None, part)
    return Location(file, line) if line is not None else revision.location


def find_index_statement(replay: Replay, name: str) -> Origin:
    """The revision and line of the last statement that failed, or wrote to pg_index, and names the index."""
    for step in reversed(replay.steps):
        for statement in reversed(step.statements):
            is_suspect = statement.error is not None or _mentions_name(statement.sql.lower(), "pg_index")
            if is_suspect and _mentions_name(statement.sql, name):
                return Origin(step.revision, find_statement_location(replay, step, statement))
    return Origin()
