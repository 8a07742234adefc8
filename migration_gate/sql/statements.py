"""Splits SQL text into its statements: the one place that knows where a statement ends.

A semicolon inside of a string, a comment, or the BEGIN ... END of a routine ends nothing. In files, what psql
and MySQL's client read themselves (`\\connect`, DELIMITER, the rows behind COPY ... FROM stdin) is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.lexer import Lexer, Syntax, Token, TokenKind

MAX_TOKENS = 3000
"""tokens of a statement that are kept: enough for the longest WITH"""
MAX_ROW_TOKENS = 40
"""the same for statements that carry rows"""
MAX_TEXT = 4000
"""characters of a statement that are kept"""
_CARRY_ROWS = frozenset({"INSERT", "VALUES", "COPY", "REPLACE"})
_NESTING = {"BEGIN": 1, "CASE": 1, "END": -1}
_SKIPPED = frozenset({TokenKind.COMMENT, TokenKind.TEMPLATE_TAG})


@dataclass(frozen=True, slots=True)
class RawStatement:
    """One statement of a text, not parsed."""

    tokens: tuple[Token, ...]
    """without comments and template tags, at most MAX_TOKENS; their offsets are those of the whole text"""
    text: str
    """as written, from the first token on, without its semicolon; at most MAX_TEXT characters"""
    line: int
    """of the first token, from 1"""


def split_statements(text: str, syntax: Syntax = Syntax.POSTGRES) -> Iterator[RawStatement]:
    """The statements of `text` in their order; empty ones are left out. Never raises."""
    yield from _Splitter(text, syntax).split()


class _Splitter:
    def __init__(self, text: str, syntax: Syntax) -> None:
        self._text = text
        self._lexer = Lexer(text, syntax)
        self._is_file = syntax is not Syntax.POSTGRES
        self._delimiter = ";"
        self._line = 1
        self._line_offset = 0
        """an offset in line `_line`"""

    def split(self) -> Iterator[RawStatement]:
        tokens: list[Token] = []
        nesting = _RoutineNesting()
        for token in self._lexer:
            if token.kind in _SKIPPED or (not tokens and self._skip_client_command(token)):
                continue
            if not self._ends_statement(token, nesting):
                nesting.add(token)
                if len(tokens) < _token_limit(tokens):
                    tokens.append(token)
                continue
            if tokens:
                yield self._make_statement(tokens, token.start)
                if _reads_rows_from_stdin(tokens):
                    self._skip_rows()
            tokens, nesting = [], _RoutineNesting()
        if tokens:
            yield self._make_statement(tokens, len(self._text))

    def _make_statement(self, tokens: list[Token], end: int) -> RawStatement:
        start = tokens[0].start
        self._line += self._text.count("\n", self._line_offset, start)
        self._line_offset = start
        return RawStatement(tuple(tokens), self._text[start : min(end, start + MAX_TEXT)], self._line)

    def _ends_statement(self, token: Token, nesting: _RoutineNesting) -> bool:
        """Whether this token is a `;`, the delimiter in force, psql's `\\gexec`, or GO."""
        if self._delimiter != ";":
            if not self._text.startswith(self._delimiter, token.start):
                return False
            self._lexer.position = token.start + len(self._delimiter)
            return True
        if token.text == ";":
            return nesting.depth == 0
        if not self._is_file:
            return False
        if token.kind is TokenKind.META_COMMAND and token.text.lower().startswith("\\g"):
            self._skip_line()
            return True
        return token.keyword == "GO" and self._stands_alone(token)

    def _skip_client_command(self, token: Token) -> bool:
        """Skip psql's `\\connect` and MySQL's DELIMITER: lines for the client, not for the server."""
        if not self._is_file:
            return False
        if token.kind is TokenKind.META_COMMAND and not token.text.lower().startswith("\\copy"):
            self._skip_line()
            return True
        if token.keyword == "DELIMITER":
            self._delimiter = self._skip_line() or ";"
            return True
        return False

    def _stands_alone(self, token: Token) -> bool:
        """Whether nothing else stands on the token's line."""
        before = self._text[self._text.rfind("\n", 0, token.start) + 1 : token.start]
        return not before.strip() and self._text[token.end : token.end + 1] in ("", "\n", "\r")

    def _skip_line(self) -> str:
        """Move to the end of the line; returns the rest of it."""
        start = self._lexer.position
        end = self._text.find("\n", start)
        self._lexer.position = end if end >= 0 else len(self._text)
        return self._text[start : self._lexer.position].strip()

    def _skip_rows(self) -> None:
        """Move behind the `\\.` that ends the rows of COPY ... FROM stdin."""
        end = self._text.find("\n\\.", self._lexer.position)
        self._lexer.position = end + 3 if end >= 0 else len(self._text)


class _RoutineNesting:
    """How deep the tokens read so far stand in BEGIN ... END of a routine whose body is not quoted."""

    def __init__(self) -> None:
        self.depth = 0
        self._first = True
        self._is_create = False

    def add(self, token: Token) -> None:
        if self._first:
            self._first = False
            self._is_create = token.keyword == "CREATE"
        if self._is_create:
            self.depth = max(0, self.depth + _NESTING.get(token.keyword, 0))


def _token_limit(tokens: list[Token]) -> int:
    return MAX_ROW_TOKENS if tokens and tokens[0].keyword in _CARRY_ROWS else MAX_TOKENS


def _reads_rows_from_stdin(tokens: list[Token]) -> bool:
    return tokens[0].keyword == "COPY" and any(token.keyword == "STDIN" for token in tokens)
