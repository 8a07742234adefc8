"""What a SQL statement is: schema, data or query. Told by its first words, for text that nobody runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from migration_gate.facts import CreatedObject
from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.changed_relations import DDL_IN_BODY, find_changed_relations
from migration_gate.scan.created_objects import find_created_object
from migration_gate.sql.lexer import Syntax, Token, TokenKind, remove_comments
from migration_gate.sql.statements import RawStatement, split_statements


class StatementKind(StrEnum):
    """What a statement does to a database."""

    SCHEMA = "schema"
    DATA = "data"
    QUERY = "query"
    OTHER = ""
    """none of them: SET, BEGIN, VACUUM, and text that is not SQL"""


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """One statement of a text."""

    kind: StatementKind
    line: int
    text: str
    """on one line and shortened"""
    relations: tuple[str, ...] = ()
    """what a schema statement changes (tables, indexes, views, types), as written"""
    created: CreatedObject | None = None
    """what a schema statement creates"""
    is_foreign: bool = False
    """it is in another database's dialect: back quotes, AUTOINCREMENT, ENGINE="""


_SCHEMA_WORDS = frozenset({"ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "RENAME", "REASSIGN", "SECURITY"})
_DATA_WORDS = frozenset(
    {"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "REPLACE", "LOAD", "CALL", "REFRESH"}
)
_QUERY_WORDS = frozenset(
    {"SELECT", "WITH", "VALUES", "TABLE", "EXPLAIN", "SHOW", "FETCH", "DECLARE", "PREPARE"}
)
_FIRST_WORDS = frozenset({TokenKind.WORD, TokenKind.META_COMMAND})
_TEMPORARY = frozenset({"TEMP", "TEMPORARY"})
_WRITES = frozenset({("INSERT", "INTO"), ("DELETE", "FROM"), ("MERGE", "INTO")})
_DATA_IN_BODY = re.compile(r"\b(?:INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\S+\s+SET|TRUNCATE)\b", re.IGNORECASE)
_CALLED_WITHIN = 5
"""words of a SELECT among which `setval` or `set_config` stands, if it is about one"""
_FOREIGN = re.compile(r"\bAUTOINCREMENT\b|\bAUTO_INCREMENT\b|\bENGINE\s*=|\bNVARCHAR2?\b|`", re.IGNORECASE)
_MYSQL = re.compile(
    r"^\s*DELIMITER\s|\bENGINE\s*=\s*\w+DB|-- MySQL dump|/\*!\d{5}", re.IGNORECASE | re.MULTILINE
)
_MYSQL_WITHIN = 200_000
"""characters of a text in which the signs of a MySQL dump are looked for"""
_SHORTENED_FROM = 4000
"""characters of a text that `shorten` reads"""


def classify_statements(text: str) -> Iterator[SqlStatement]:
    """What the text of a file does, statement by statement; text that is not SQL gives kind OTHER."""
    syntax = Syntax.MYSQL_DUMP if _MYSQL.search(text[:_MYSQL_WITHIN]) else Syntax.FILE
    return map(classify_statement, split_statements(text, syntax))


def classify_statement(statement: RawStatement) -> SqlStatement:
    """The statement's kind, and what it changes."""
    tokens = _skip_to_first_word(statement.tokens)
    kind = _find_kind(tokens)
    return SqlStatement(
        kind=kind,
        line=statement.line,
        text=shorten(statement.text),
        relations=find_changed_relations(tokens) if kind is StatementKind.SCHEMA else (),
        created=find_created_object(tokens) if kind is StatementKind.SCHEMA else None,
        is_foreign=_FOREIGN.search(statement.text) is not None,
    )


def shorten(text: str, limit: int = 160) -> str:
    """`text` on one line, without its comments, at most `limit` characters."""
    line = " ".join(remove_comments(text[:_SHORTENED_FROM], Syntax.FILE).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _skip_to_first_word(tokens: Sequence[Token]) -> Sequence[Token]:
    """Without the brackets, and the templates (dbt's `{{ config() }}`), that stand before the first word."""
    for index, token in enumerate(tokens):
        if token.kind is not TokenKind.PLACEHOLDER and token.text != "(":
            return tokens[index:]
    return ()


def _find_kind(tokens: Sequence[Token]) -> StatementKind:
    words = [token.keyword for token in tokens]
    first = tokens[0].text.upper() if tokens and tokens[0].kind in _FIRST_WORDS else ""
    find = _FINDERS.get(first)
    if find is not None:
        return find(tokens, words)
    if first in _SCHEMA_WORDS:
        return StatementKind.SCHEMA
    return StatementKind.DATA if first in _DATA_WORDS else StatementKind.OTHER


def _find_kind_of_create(_tokens: Sequence[Token], words: Sequence[str]) -> StatementKind:
    """A temporary table is gone with its session: it belongs to a query."""
    return StatementKind.SCHEMA if _TEMPORARY.isdisjoint(words[1:5]) else StatementKind.QUERY


def _find_kind_of_import(_tokens: Sequence[Token], words: Sequence[str]) -> StatementKind:
    """IMPORT FOREIGN SCHEMA; every other text that begins so is Python."""
    return StatementKind.SCHEMA if words[1:2] == ["FOREIGN"] else StatementKind.OTHER


def _find_kind_of_copy(_tokens: Sequence[Token], words: Sequence[str]) -> StatementKind:
    return StatementKind.DATA if "FROM" in words else StatementKind.QUERY


def _find_kind_of_do(tokens: Sequence[Token], _words: Sequence[str]) -> StatementKind:
    """DO does what the statements of its body do."""
    body = next((token.text for token in tokens if token.kind is TokenKind.STRING), "")
    if DDL_IN_BODY.search(body):
        return StatementKind.SCHEMA
    return StatementKind.DATA if _DATA_IN_BODY.search(body) else StatementKind.QUERY


def _find_kind_of_query(tokens: Sequence[Token], words: Sequence[str]) -> StatementKind:
    """A query writes if a WITH or EXPLAIN holds an INSERT, by SELECT ... INTO, and by `setval`."""
    if words[0] == "SELECT" and (kind := _find_kind_of_select(tokens, words)) is not None:
        return kind
    for index, (word, following) in enumerate(zip(words, [*words[1:], ""], strict=True)):
        is_update = word == "UPDATE" and index > 0 and tokens[index - 1].text in ("(", ")")
        if is_update or (word, following) in _WRITES:
            return StatementKind.DATA
    return StatementKind.QUERY


def _find_kind_of_select(tokens: Sequence[Token], words: Sequence[str]) -> StatementKind | None:
    """The kind of SELECT ... INTO, and of a call that writes; None for every other SELECT."""
    depth = 0
    for index, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(tokens[index].text, 0)
        if word == "INTO" and depth == 0 and words[index - 1] not in ("INSERT", "MERGE"):
            is_temporary = not _TEMPORARY.isdisjoint(words[index + 1 : index + 2])
            return StatementKind.QUERY if is_temporary else StatementKind.SCHEMA
        if word == "SETVAL" and index < _CALLED_WITHIN:
            return StatementKind.DATA
        if word == "SET_CONFIG" and index < _CALLED_WITHIN:
            return StatementKind.OTHER
    return None


_FINDERS = {
    "CREATE": _find_kind_of_create,
    "IMPORT": _find_kind_of_import,
    **dict.fromkeys(("COPY", "\\COPY"), _find_kind_of_copy),
    "DO": _find_kind_of_do,
    **dict.fromkeys(_QUERY_WORDS, _find_kind_of_query),
}
"""by first word, for those whose kind depends on what follows"""
