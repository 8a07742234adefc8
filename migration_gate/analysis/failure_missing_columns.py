"""What to do about a column that a statement does not find: with its own history, and what the table has."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migration_gate.analysis.column_tables import find_tables
from migration_gate.analysis.executed_ddl import DdlEvent, ExecutedDdl, read_executed_ddl
from migration_gate.analysis.failure_message import NAME, find_in_message, find_last_name, without_schema
from migration_gate.facts import Failure, Replay
from migration_gate.wording import nearest_name

SHOWN_COLUMNS = 30
_MODELS_ARE_NEWER = (
    "If the revision uses the project's models: they have today's columns. Describe the table in the "
    "revision with `sa.table(...)`."
)
_TRIGGER_ROW = re.compile(r'record "(new|old)" has no field')


def describe_missing_column(failure: Failure, replay: Replay) -> str:
    """For a column that the table does not have at this point of the history."""
    qualified = find_in_message(rf"(?:column|has no field) {NAME}", failure)
    column = without_schema(qualified)
    executed = read_executed_ddl(replay)
    tables = find_tables(failure, qualified, executed)
    if _TRIGGER_ROW.search(failure.message):
        table = next(iter(tables), "")
        history = _describe_history(table, column, executed, replay)
        return _describe_trigger_row(table, column, _list_columns_of(table, executed, replay), history)
    tables = [table for table in tables if _list_columns_of(table, executed, replay)] or tables
    table = _choose_table(tables, column, executed, replay)
    others = [other for other in _list_columns_of(table, executed, replay) if other != column]
    subject = " or ".join(f"`{name}`" for name in ([table] if table else tables)) or "that table"
    nearest = nearest_name(column, others)
    history = _describe_history(table, column, executed, replay)
    if not history and not nearest and _is_quoted_value(column, failure.statement or ""):
        return (
            f'Double quotes are for names: `"{column}"` is a column to PostgreSQL, and {subject} has no '
            f"such one. If a text is meant, it stands in single quotes, `'{column}'`. {_list_columns(others)}"
        ).rstrip()
    sentences = (
        history or f"No revision up to here gives {subject} a column `{column}`.",
        _list_columns(others),
        _suggest(nearest, column),
        _MODELS_ARE_NEWER,
    )
    return " ".join(filter(None, sentences))


def _choose_table(tables: Sequence[str], column: str, executed: ExecutedDdl, replay: Replay) -> str:
    """That of the statement's tables which had the column, or has one of nearly that name; '' if unknown."""
    if len(tables) < 2:
        return next(iter(tables), "")
    with_history = (table for table in tables if _describe_history(table, column, executed, replay))
    with_nearest = (
        table for table in tables if nearest_name(column, _list_columns_of(table, executed, replay))
    )
    return next(with_history, "") or next(with_nearest, "")


def _list_columns_of(table: str, executed: ExecutedDdl, replay: Replay) -> Sequence[str]:
    return executed.columns.get(table) or _list_logged_columns(table, replay)


def _is_quoted_value(column: str, statement: str) -> bool:
    """Whether the column stands where a value does, in double quotes: SQLite and MySQL take it for a text."""
    quoted = re.escape(f'"{column}"')
    return re.search(rf"=\s*{quoted}\s*($|[,;)]|WHERE\b)|VALUES\s*\([^()]*{quoted}", statement) is not None


def _describe_trigger_row(table: str, column: str, columns: Sequence[str], history: str) -> str:
    """For a trigger's function that uses a column which the row of its table has not.

    `table` is that of the statement, whose triggers may have changed others.
    """
    sentences = (
        f"A trigger's function uses `{column}` of the row, and the trigger's table has no such column.",
        f"The statement is about `{table}`. {_list_columns(columns)}".rstrip() if table else "",
        "" if column in columns else history,
        "Correct the function, add the column to the trigger's table, or take the trigger from it.",
    )
    return " ".join(filter(None, sentences))


def _suggest(nearest: str | None, column: str) -> str:
    if not nearest:
        return ""
    if nearest != column and nearest.lower() == column.lower() and nearest != nearest.lower():
        return f'Did you mean `"{nearest}"`? A name with capital letters stands in double quotes.'
    return f"Did you mean `{nearest}`?"


def _describe_history(table: str, column: str, executed: ExecutedDdl, replay: Replay) -> str:
    """What became of the column, or which revision will add it; '' if none has to do with it."""
    subject = f"`{table}`" if table else "that table"
    event = executed.find_last(column, "column", table=table)
    if event is not None:
        return _describe_past(event, column, subject)
    later = _find_adding_file(table, column, replay)
    if later:
        return f"The column `{column}` comes with {later}, which does not run before this one."
    return ""


def _describe_past(event: DdlEvent, column: str, subject: str) -> str:
    if event.verb == "dropped":
        return f"The column `{column}` of {subject} was there until revision `{event.revision}` dropped it."
    if event.verb == "renamed" and event.name == column:
        return f"Revision `{event.revision}` renamed `{column}` of {subject} to `{event.new_name}`."
    return f"Revision `{event.revision}` gave {subject} a column `{column}`, which is gone at this point."


def _find_adding_file(table: str, column: str, replay: Replay) -> str:
    """The file of a revision that has not run and whose text adds the column; empty for none."""
    finished = {step.revision for step in replay.steps}
    for file in replay.history.files:
        if file.revision not in finished and f"{table}.{column}" in file.added_columns:
            return f"revision `{file.revision}` ({file.path})"
    return ""


def _list_columns(columns: Sequence[str]) -> str:
    if not columns:
        return ""
    ending = ", …" if len(columns) > SHOWN_COLUMNS else ""
    return f"It has these: {', '.join(columns[:SHOWN_COLUMNS])}{ending}."


def _list_logged_columns(table: str, replay: Replay) -> list[str]:
    """The columns of the table after the last command of the log on it."""
    if not table:
        return []
    for command in reversed(replay.ddl_commands):
        if command.columns and find_last_name(command.identity) == table:
            return [state.name for state in command.columns]
    return []
