"""What the text of a statement asks for, where Postgres did nothing that its log could show.

That is IF NOT EXISTS where something of that name exists, and a COMMIT. What cannot be read gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migration_gate.sql.lexer import Token
from migration_gate.sql.statements import MAX_TOKENS, split_statements

_TRANSACTION_END = re.compile(
    r"(COMMIT|END|ROLLBACK|ABORT)( WORK| TRANSACTION)?( AND( NO)? CHAIN)?", re.IGNORECASE
)
_MENTIONS_TRANSACTION_END = re.compile(r"\b(?:COMMIT|END|ROLLBACK|ABORT)\b", re.IGNORECASE)
"""a quick test: most statements need not be split"""
_TABLE_CONSTRAINTS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE"}
"""the words that begin an element of CREATE TABLE which is no column"""


@dataclass(frozen=True, slots=True)
class CreateTable:
    """A CREATE TABLE that lists its columns."""

    schema: str | None
    name: str
    columns: tuple[str, ...]
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """A CREATE INDEX."""

    name: str
    table: str
    """without its schema"""
    keys: tuple[str, ...]
    """as written, in lower case, without white space and quotes"""
    is_unique: bool
    if_not_exists: bool


def find_transaction_end(sql: str) -> str | None:
    """COMMIT, END, ROLLBACK or ABORT: the first word of a statement in the text that ends a transaction."""
    if not _MENTIONS_TRANSACTION_END.search(sql):
        return None
    for statement in split_statements(sql):
        words = " ".join(token.keyword for token in statement.tokens[:5])
        if _TRANSACTION_END.fullmatch(words):
            return statement.tokens[0].keyword
    return None


def parse_creations(sql: str) -> Iterator[CreateTable | CreateIndex]:
    """The tables and indexes that the statements of the text create."""
    for statement in split_statements(sql):
        if len(statement.tokens) < MAX_TOKENS:
            creation = _parse_create_table(statement.tokens) or _parse_create_index(statement.tokens)
            if creation:
                yield creation


_DEPTH_CHANGE = {"(": 1, ")": -1}


class _TokenReader:
    """Reads the tokens of one statement in their order."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._position = 0

    def accept(self, *keywords: str) -> bool:
        """Skip these keywords, if they come next."""
        following = self._tokens[self._position : self._position + len(keywords)]
        if [token.keyword for token in following] != list(keywords):
            return False
        self._position += len(keywords)
        return True

    def read_name(self) -> tuple[str, ...]:
        """The parts of a name that may be qualified; empty where no name comes next."""
        parts: list[str] = []
        while self._position < len(self._tokens):
            name = self._tokens[self._position].name
            if not name:
                break
            parts.append(name)
            self._position += 1
            if not self._next_is("."):
                break
            self._position += 1
        return tuple(parts)

    def read_elements(self) -> list[list[Token]]:
        """The elements of the list in brackets that comes next; empty where none does."""
        if not self._next_is("("):
            return []
        depth = 0
        elements: list[list[Token]] = [[]]
        for token in self._tokens[self._position :]:
            depth_before = depth
            depth += _DEPTH_CHANGE.get(token.text, 0)
            if depth == 0:
                break
            if depth_before == 0:
                continue  # the bracket that opens the list
            if depth == 1 and token.text == ",":
                elements.append([])
            else:
                elements[-1].append(token)
        return [element for element in elements if element]

    def _next_is(self, text: str) -> bool:
        return self._position < len(self._tokens) and self._tokens[self._position].text == text


def _parse_create_table(tokens: Sequence[Token]) -> CreateTable | None:
    reader = _TokenReader(tokens)
    is_table = reader.accept("CREATE", "TABLE") or reader.accept("CREATE", "UNLOGGED", "TABLE")
    if not is_table:
        return None
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.read_name()
    columns = _list_columns(reader.read_elements())
    if not name or not columns:
        return None
    schema = name[-2] if len(name) > 1 else None
    return CreateTable(schema, name[-1], columns, if_not_exists)


def _list_columns(elements: Sequence[Sequence[Token]]) -> tuple[str, ...]:
    """The columns; none where LIKE adds others, or where a name is not readable."""
    first_tokens = [element[0] for element in elements]
    columns = tuple(token.name for token in first_tokens if token.keyword not in _TABLE_CONSTRAINTS)
    has_like = any(token.keyword == "LIKE" for token in first_tokens)
    is_readable = all(columns) and len(columns) == len(set(columns))
    return columns if is_readable and not has_like else ()


def _parse_create_index(tokens: Sequence[Token]) -> CreateIndex | None:
    reader = _TokenReader(tokens)
    is_unique = reader.accept("CREATE", "UNIQUE", "INDEX")
    if not is_unique and not reader.accept("CREATE", "INDEX"):
        return None
    reader.accept("CONCURRENTLY")
    if_not_exists = reader.accept("IF", "NOT", "EXISTS")
    name = reader.read_name()
    if not reader.accept("ON"):
        return None
    reader.accept("ONLY")
    table = reader.read_name()
    if reader.accept("USING"):
        reader.read_name()
    keys = tuple(_normalize_key(element) for element in reader.read_elements())
    if not name or not table or not keys:
        return None
    return CreateIndex(name[-1], table[-1], keys, is_unique, if_not_exists)


def _normalize_key(tokens: Sequence[Token]) -> str:
    """The key of an index so that the project's text and Postgres's of one key are the same."""
    text = "".join(token.text for token in tokens)
    return text.replace('"', "").lower().removesuffix("asc")
