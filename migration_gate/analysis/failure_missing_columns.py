"""What to do about a column that a statement does not find: with its own history, and what the table has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from migration_gate.analysis.executed_ddl import DdlEvent, ExecutedDdl, read_executed_ddl
from migration_gate.analysis.failure_message import NAME, find_in_message, find_last_name, without_schema
from migration_gate.facts import Failure, Replay
from migration_gate.sql.lexer import Token, tokenize
from migration_gate.wording import nearest_name

SHOWN_COLUMNS = 30
_MODELS_ARE_NEWER = (
    "If the revision uses the project's models: they have today's columns. Describe the table in the "
    "revision with `sa.table(...)`."
)
_AFTER_TABLE_WORD = {"IF", "NOT", "EXISTS", "ONLY"}
_BEFORE_TABLE = ("UPDATE", "INTO", "TABLE", "FROM")
"""words that the table stands behind, the surest first"""
_OTHER_MEANINGS: Mapping[str, set[str]] = {
    "UPDATE": {"ON", "DO", "FOR", "KEY", "BEFORE", "AFTER", "OR"},
    "FROM": {"DISTINCT"},
    "TABLE": {"RETURNS"},
}
"""of these words, by the one before: ON UPDATE CASCADE, DO UPDATE SET, IS DISTINCT FROM, RETURNS TABLE (…)"""
_FUNCTIONS_WITH_FROM = {"EXTRACT", "SUBSTRING", "TRIM", "OVERLAY"}
_TABLE_AFTER_ON = re.compile(
    r"\s*(CREATE|ALTER)\s+(OR\s+REPLACE\s+)?(UNIQUE\s+|CONSTRAINT\s+)?(INDEX|POLICY|TRIGGER)\b", re.IGNORECASE
)
_FOREIGN_KEY = re.compile(r"\bFOREIGN\s+KEY\s*\(([^()]*)\)", re.IGNORECASE)
"""the columns of a foreign key"""
_REFERENCED = re.compile(r"\bREFERENCES\s+[^()]+\(([^()]*)\)", re.IGNORECASE)
"""the columns that it refers to"""
_TRIGGER_ROW = re.compile(r'record "(new|old)" has no field')
_BODY = re.compile(r"\$(\w*)\$(.*?)\$\1\$", re.DOTALL)
"""of a function, in dollar quotes"""


def describe_missing_column(failure: Failure, replay: Replay) -> str:
    """For a column that the table does not have at this point of the history."""
    qualified = find_in_message(rf"(?:column|has no field) {NAME}", failure)
    column = without_schema(qualified)
    executed = read_executed_ddl(replay)
    table = _find_table(failure, qualified, executed)
    columns = executed.columns.get(table) or _list_logged_columns(table, replay)
    history = _describe_history(table, column, executed, replay)
    if _TRIGGER_ROW.search(failure.message):
        return _describe_trigger_row(table, column, columns, history)
    others = [other for other in columns if other != column]
    subject = f"`{table}`" if table else "that table"
    nearest = nearest_name(column, others)
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


def _is_quoted_value(column: str, statement: str) -> bool:
    """Whether the column stands where a value does, in double quotes: SQLite and MySQL take it for a text."""
    quoted = re.escape(f'"{column}"')
    return re.search(rf"=\s*{quoted}\s*($|[,;)]|WHERE\b)|VALUES\s*\([^()]*{quoted}", statement) is not None


def _describe_trigger_row(table: str, column: str, columns: list[str], history: str) -> str:
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


def _list_columns(columns: list[str]) -> str:
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


# Which table is meant.


def _find_table(failure: Failure, qualified_column: str, executed: ExecutedDdl) -> str:
    """The table that the message names, or else the statement; empty if neither does."""
    named = find_in_message(rf"of relation {NAME}", failure)
    if named:
        return without_schema(named)
    statement = failure.statement or ""
    if "referenced in foreign key" in failure.message:
        return _find_table_of_key(statement, qualified_column, executed)
    qualifier = _find_qualifier(qualified_column)
    if qualifier and (qualifier in executed.columns or _has_word(statement, qualifier)):
        return _resolve_alias(statement, qualifier)
    # The table of CREATE INDEX stands behind ON, which means something else in every other statement.
    words = ("ON", *_BEFORE_TABLE) if _TABLE_AFTER_ON.match(statement) else _BEFORE_TABLE
    texts = (statement, *(match[2] for match in _BODY.finditer(statement)))
    tables = (_find_table_after(word, text) for text in texts for word in words)
    return next(filter(None, tables), "")


def _find_table_of_key(statement: str, column: str, executed: ExecutedDdl) -> str:
    """The table at the end of a foreign key that lacks the column; empty if that may be several."""
    tables = [
        _find_table_after("REFERENCES", statement[key.start() :])
        for key in _REFERENCED.finditer(statement)
        if _has_word(key[1], column)
    ]
    if any(_has_word(key[1], column) for key in _FOREIGN_KEY.finditer(statement)):
        tables.append(_find_table_after("TABLE", statement))
    lacking = {table for table in tables if column not in executed.columns.get(table, [])}
    known = {table for table in lacking if table in executed.columns}
    candidates = known or lacking
    return candidates.pop() if len(candidates) == 1 else ""


def _find_qualifier(qualified_column: str) -> str:
    """The table or alias before the column's name; empty if there is none."""
    return without_schema(qualified_column.rpartition(".")[0])


def _has_word(statement: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", statement) is not None


def _find_table_after(word: str, statement: str) -> str:
    """The name, without schema, behind the first such word of the statement that a table can follow."""
    tokens = list(tokenize(statement))
    position = next(_list_places_behind(word, tokens), len(tokens))
    while position < len(tokens) and tokens[position].keyword in _AFTER_TABLE_WORD:
        position += 1
    while position + 2 < len(tokens) and tokens[position + 1].text == ".":
        position += 2
    return tokens[position].name if position < len(tokens) else ""


def _list_places_behind(word: str, tokens: Sequence[Token]) -> Iterator[int]:
    """The positions behind the word where it has its first meaning; in `extract(… FROM …)` it has another."""
    functions = [""]
    previous = ""
    for number, token in enumerate(tokens, 1):
        has_other_meaning = previous in _OTHER_MEANINGS.get(word, ()) or functions[-1] in _FUNCTIONS_WITH_FROM
        if token.text == "(":
            functions.append(previous)
        elif token.text == ")" and len(functions) > 1:
            functions.pop()
        elif token.keyword == word and not has_other_meaning:
            yield number
        previous = token.keyword


def _resolve_alias(statement: str, alias: str) -> str:
    """The table that an alias stands for, if the statement says `table alias` or `table AS alias`."""
    pattern = (
        rf'(?:FROM|JOIN|UPDATE|INTO|ONLY|,)\s+(?:[\w"]+\.)?("?)(\w+)\1\s+(?:AS\s+)?"?{re.escape(alias)}"?\b'
    )
    match = re.search(pattern, statement, re.IGNORECASE)
    if match is None:
        return alias
    return match[2] if match[1] else match[2].lower()
