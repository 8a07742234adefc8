"""The tables that a statement may mean which does not find a column, by Postgres's message and its text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from migration_gate.analysis.executed_ddl import ExecutedDdl
from migration_gate.analysis.failure_message import NAME, find_in_message, without_schema
from migration_gate.facts import Failure
from migration_gate.sql.lexer import Token, tokenize

_AFTER_TABLE_WORD = {"IF", "NOT", "EXISTS", "ONLY", "LATERAL"}
_CHANGED = ("UPDATE", "INTO", "TABLE")
"""words that the table which is changed stands behind"""
_READ = ("FROM", "JOIN")
_ALSO_READ = "USING"
"""in statements of these kinds"""
_HAS_USING = re.compile(r"\b(DELETE|MERGE)\b", re.IGNORECASE)
_OTHER_MEANINGS: Mapping[str, set[str]] = {
    "UPDATE": {"ON", "DO", "FOR", "KEY", "BEFORE", "AFTER", "OR"},
    "FROM": {"DISTINCT"},
    "TABLE": {"RETURNS"},
}
"""of these words, by the one before: ON UPDATE CASCADE, DO UPDATE SET, IS DISTINCT FROM, RETURNS TABLE (…)"""
_LISTED = ("FROM", "USING")
"""words with a list of tables behind them: `FROM a, b`"""
_AFTER_LIST = frozenset({
    "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "WINDOW", "UNION", "INTERSECT",
    "EXCEPT", "RETURNING", "SET", "WHEN",
})  # fmt: skip
"""words behind such a list"""
_FUNCTIONS_WITH_FROM = {"EXTRACT", "SUBSTRING", "TRIM", "OVERLAY"}
_ROWS_OF_CHANGE = frozenset({"new", "old", "excluded"})
"""what triggers, rules and ON CONFLICT call the row of the table that is changed"""
_TABLE_AFTER_ON = re.compile(
    r"\s*(CREATE|ALTER)\s+(OR\s+REPLACE\s+)?(UNIQUE\s+|CONSTRAINT\s+)?(INDEX|POLICY|TRIGGER)\b", re.IGNORECASE
)
_WRITES_QUERY = re.compile(
    r"\s*INSERT\b(?!.*\b(ON\s+CONFLICT|RETURNING)\b).*\bSELECT\b", re.IGNORECASE | re.DOTALL
)
"""an INSERT that names columns of other tables alone; a missing one of its own is in the message"""
_FOREIGN_KEY = re.compile(r"\bFOREIGN\s+KEY\s*\(([^()]*)\)", re.IGNORECASE)
"""the columns of a foreign key"""
_REFERENCED = re.compile(r"\bREFERENCES\s+[^()]+\(([^()]*)\)", re.IGNORECASE)
"""the columns that it refers to"""
_BODY = re.compile(r"\$(\w*)\$(.*?)\$\1\$", re.DOTALL)
"""of a function, in dollar quotes"""


def find_tables(failure: Failure, qualified_column: str, executed: ExecutedDdl) -> Sequence[str]:
    """The table that the message names, or else those of the statement, the likeliest first."""
    named = find_in_message(rf"of relation {NAME}", failure)
    if named:
        return [without_schema(named)]
    statement = failure.statement or ""
    if "referenced in foreign key" in failure.message:
        return _find_tables_of_key(statement, qualified_column, executed)
    qualifier = without_schema(qualified_column.rpartition(".")[0])
    is_of_change = qualifier.lower() in _ROWS_OF_CHANGE or "has no field" in failure.message
    is_known = qualifier in executed.columns or _has_word(statement, qualifier)
    if qualifier and is_known and not is_of_change:
        return [_resolve_alias(statement, qualifier)]
    # The table of CREATE INDEX stands behind ON, which means something else in every other statement.
    if _TABLE_AFTER_ON.match(statement):
        return list(_list_names_behind("ON", statement))[:1]
    texts = (statement, *(match[2] for match in _BODY.finditer(statement)))
    candidates = (_list_tables(text, is_of_change=is_of_change) for text in texts)
    return next(filter(None, candidates), [])


def _list_tables(statement: str, *, is_of_change: bool) -> list[str]:
    """The tables of a statement, the one that it changes first; or that one alone."""
    words = (*_READ, _ALSO_READ) if _HAS_USING.search(statement) else _READ
    changed = [name for word in _CHANGED for name in _list_names_behind(word, statement)]
    read = [name for word in words for name in _list_names_behind(word, statement)]
    if is_of_change:
        return (changed or read)[:1]
    if read and _WRITES_QUERY.match(statement):
        return read
    return list(dict.fromkeys((*changed, *read)))


def _find_tables_of_key(statement: str, column: str, executed: ExecutedDdl) -> Sequence[str]:
    """The table at the end of a foreign key that lacks the column; empty if that may be several."""
    tables = [
        name
        for key in _REFERENCED.finditer(statement)
        if _has_word(key[1], column)
        for name in list(_list_names_behind("REFERENCES", statement[key.start() :]))[:1]
    ]
    if any(_has_word(key[1], column) for key in _FOREIGN_KEY.finditer(statement)):
        tables += list(_list_names_behind("TABLE", statement))[:1]
    lacking = {table for table in tables if column not in executed.columns.get(table, [])}
    known = {table for table in lacking if table in executed.columns}
    candidates = known or lacking
    return [*candidates] if len(candidates) == 1 else []


def _has_word(statement: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", statement) is not None


def _list_names_behind(word: str, statement: str) -> Iterator[str]:
    """The names, without schema, behind such words of the statement."""
    tokens = list(tokenize(statement))
    for start in _list_places_behind(word, tokens):
        places = _list_places_of_list(tokens, start) if word in _LISTED else (start,)
        for place in places:
            yield from _read_name(tokens, place)


def _read_name(tokens: Sequence[Token], position: int) -> Iterator[str]:
    """The name without schema, if one stands there."""
    while position < len(tokens) and tokens[position].keyword in _AFTER_TABLE_WORD:
        position += 1
    while position + 2 < len(tokens) and tokens[position + 1].text == ".":
        position += 2
    if position < len(tokens) and tokens[position].name:
        yield tokens[position].name


def _list_places_of_list(tokens: Sequence[Token], start: int) -> Iterator[int]:
    """The position of each table of a list that begins there; commas in parentheses are none of its own."""
    yield start
    depth = 0
    for number, token in enumerate(tokens[start:], start + 1):
        depth += (token.text == "(") - (token.text == ")")
        if depth < 0 or token.text == ";" or (depth == 0 and token.keyword in _AFTER_LIST):
            return
        if depth == 0 and token.text == ",":
            yield number


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
        rf'(?:FROM|JOIN|UPDATE|INTO|USING|ONLY|,)\s+(?:[\w"]+\.)?("?)(\w+)\1\s+'
        rf'(?:AS\s+)?"?{re.escape(alias)}"?\b'
    )
    match = re.search(pattern, statement, re.IGNORECASE)
    if match is None:
        return alias
    return match[2] if match[1] else match[2].lower()
