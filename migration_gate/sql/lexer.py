"""The lexer of PostgreSQL's SQL: the one place that knows strings, comments, quoted names and operators.

    tokenize(text)                the tokens, without white space and comments
    remove_comments(text)         the text with each comment as one blank
    Lexer(text)                   the same tokens for a reader that has to jump (psql commands, COPY rows)

It never raises: an opener that nothing closes is a token of kind UNKNOWN, and reading goes on behind it
(an unclosed `/*` is a comment up to the end, as in psql). Time and memory are linear in the text.

Why our own: sqlparse 0.6 ends a nested comment at its first `*/`, gives no positions and takes 3.1 s for a
MB; sqlglot 30 raises at every unclosed quote or comment, drops templates and takes 1.5 s; this takes 0.4 s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import NamedTuple

from migration_gate.sql.identifiers import fold_identifier


class TokenKind(Enum):
    """What a token is."""

    WORD = "word"
    """a keyword or a name without quotes"""
    QUOTED_NAME = "quoted_name"
    """`"name"`, `U&"name"`; MySQL's back quotes in files"""
    STRING = "string"
    """`'text'`, `E'text'`, `B'01'`, `U&'text'`, `$tag$text$tag$`"""
    NUMBER = "number"
    PARAMETER = "parameter"
    """`$1`"""
    OPERATOR = "operator"
    """one or more of PostgreSQL's operator characters, split by PostgreSQL's rules"""
    PUNCTUATION = "punctuation"
    """one of `( ) [ ] , . .. ; : :: :=`"""
    COMMENT = "comment"
    """`-- text`, or `/* text */` with what is nested in it"""
    META_COMMAND = "meta_command"
    """the name of psql's command, with its backslash: `\\connect`"""
    PLACEHOLDER = "placeholder"
    """in files: `{{ name }}`, `{name}`, `${name}`, `%(name)s`"""
    TEMPLATE_TAG = "template_tag"
    """in files: Jinja's `{% ... %}` and `{# ... #}`"""
    UNKNOWN = "unknown"
    """one character that begins no token: an unclosed quote, a lone `$` or backslash"""


class Syntax(Enum):
    """What a text may hold besides PostgreSQL's SQL."""

    POSTGRES = "postgres"
    """nothing: statements that ran, and definitions that Postgres printed"""
    FILE = "file"
    """template tags and placeholders, and MySQL's names in back quotes: text from a repository"""
    MYSQL_DUMP = "mysql_dump"
    """as FILE, and a backslash escapes in every string"""


class Token(NamedTuple):
    """One token, as it is written."""

    kind: TokenKind
    text: str
    start: int
    """offset of its first character in the text"""

    @property
    def end(self) -> int:
        """Offset behind its last character."""
        return self.start + len(self.text)

    @property
    def keyword(self) -> str:
        """The word in capitals; empty for all that is not an unquoted word."""
        return self.text.upper() if self.kind is TokenKind.WORD else ""

    @property
    def name(self) -> str:
        """The identifier that PostgreSQL reads: folded to lower case, or without its quotes; else empty."""
        if self.kind is TokenKind.WORD:
            return fold_identifier(self.text)
        if self.kind is TokenKind.QUOTED_NAME:
            quote = self.text[-1]
            return self.text[self.text.index(quote) + 1 : -1].replace(quote * 2, quote)
        return ""


_TEMPLATES = r"""
    |(?P<template_tag>\{[%#])
    |(?P<placeholder>\{\{[^{}]{0,300}\}\}|[$%]?\{[^{}\n]{0,300}\}|%\(\w+\)s)
"""
_STRING = r"[eE]'(?:[^'\\]++|\\.|'')*+'|(?:[bBxXnN]|[uU]&)?'(?:[^']++|'')*+'"
_STRING_WITH_BACKSLASHES = r"[bBxXnNeE]?'(?:[^'\\]++|\\.|'')*+'"
_QUOTED_NAME = r'(?:[uU]&)?"(?:[^"]++|"")*+"'
_LONGEST_OPERATOR = 63
"""characters (NAMEDATALEN - 1); the limit keeps a long row of signs linear"""
_ALTERNATIVES = r"""
    \s*+(?:
    (?P<comment>--[^\n]*+)
    |(?P<block_comment>/\*)
    %(templates)s
    |(?P<string>%(string)s)
    |(?P<quoted_name>%(quoted_name)s)
    |(?P<dollar_quote>\$(?:[^\W\d]\w*+)?\$)
    |(?P<parameter>\$[0-9]++)
    |(?P<meta_command>\\[a-zA-Z!?.;]+)
    |(?P<word>[^\W\d][\w$]*+)
    |(?P<number>0[xX][0-9a-fA-F_]++|0[oO][0-7_]++|0[bB][01_]++
        |(?:[0-9][0-9_]*+(?:\.(?!\.)[0-9_]*+)?|\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9]++)?)
    |(?P<punctuation>::|:=|\.\.|[()\[\],.;:])
    |(?P<operator>(?:%(operator)s|-(?!-)|/(?!\*)){1,%(longest)d})
    |(?P<unknown>.)
    )
"""
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_DOLLAR_TAG = re.compile(r"(?=(\$(?:[^\W\d]\w*+)?\$))")
"""looks ahead, because the end of one tag can be the beginning of the next: `$a$b$`"""
_ENDS_IN_ANY_SIGN = re.compile(r"[~!@#%^&|`?]")
_TAG_END = {"{%": "%}", "{#": "#}"}


@cache
def _token_pattern(syntax: Syntax) -> re.Pattern[str]:
    in_files = syntax is not Syntax.POSTGRES
    parts = {
        "templates": _TEMPLATES if in_files else "",
        "string": _STRING_WITH_BACKSLASHES if syntax is Syntax.MYSQL_DUMP else _STRING,
        "quoted_name": _QUOTED_NAME + ("|`[^`]*+`" if in_files else ""),
        "operator": r"[+*<>=~!@\#^&|?]|%(?![({])" if in_files else r"[+*<>=~!@\#%^&|`?]",
        "longest": _LONGEST_OPERATOR,
    }
    return re.compile(_ALTERNATIVES % parts, re.VERBOSE | re.DOTALL)


class Lexer:
    """The tokens of a text, comments and template tags among them; `position` can be moved between two."""

    def __init__(self, text: str, syntax: Syntax = Syntax.POSTGRES) -> None:
        self.text = text
        self.position = 0
        """offset of what is read next"""
        self._pattern = _token_pattern(syntax)
        self._last_closers: dict[str, int] = {}

    def __iter__(self) -> Iterator[Token]:
        """Every token from `position` on."""
        while match := self._pattern.match(self.text, self.position):
            group = match.lastgroup
            assert group is not None  # noqa: S101  (every alternative is named)
            start = match.start(group)
            self.position = match.end()
            kind = _PLAIN_KINDS.get(group) or self._read_to_end(group, match[group])
            yield Token(kind, self.text[start : self.position], start)

    def _read_to_end(self, group: str, opener: str) -> TokenKind:
        """Move to the end of a token whose opener was read; returns the token's kind."""
        if group == "operator":
            self.position -= len(opener) - _operator_length(opener)
            return TokenKind.OPERATOR
        if group == "block_comment":
            self.position = self._end_of_comment()
            return TokenKind.COMMENT
        closer = _TAG_END.get(opener, opener)
        if not self._is_closed(closer):
            self.position -= len(opener) - 1
            return TokenKind.UNKNOWN
        self.position = self.text.index(closer, self.position) + len(closer)
        return TokenKind.TEMPLATE_TAG if group == "template_tag" else TokenKind.STRING

    def _end_of_comment(self) -> int:
        """The end of a block comment with those nested in it; the end of the text if it is not closed."""
        depth = 1
        for edge in _COMMENT_EDGE.finditer(self.text, self.position):
            depth += 1 if edge[0] == "/*" else -1
            if depth == 0:
                return edge.end()
        return len(self.text)

    def _is_closed(self, closer: str) -> bool:
        """Whether `closer` stands anywhere from `position` on; asked without another search of the text."""
        if not self._last_closers:
            tags = {match[1]: match.start() for match in _DOLLAR_TAG.finditer(self.text)}
            self._last_closers = {end: self.text.rfind(end) for end in _TAG_END.values()} | tags
        return self._last_closers.get(closer, -1) >= self.position


_PLAIN_KINDS = {kind.value: kind for kind in TokenKind if kind.value not in ("operator", "template_tag")}
"""the groups that match a whole token"""


def _operator_length(signs: str) -> int:
    """How many of the signs are one operator: `+` and `-` at the end belong to what follows (`=-1`)."""
    if _ENDS_IN_ANY_SIGN.search(signs):
        return len(signs)
    return len(signs.rstrip("+-")) or 1


def tokenize(text: str, syntax: Syntax = Syntax.POSTGRES) -> Iterator[Token]:
    """The tokens of `text`, without white space, comments and template tags."""
    for token in Lexer(text, syntax):
        if token.kind is not TokenKind.COMMENT and token.kind is not TokenKind.TEMPLATE_TAG:
            yield token


def remove_comments(text: str, syntax: Syntax = Syntax.POSTGRES) -> str:
    """`text` with one blank for each comment."""
    parts: list[str] = []
    written = 0
    for token in Lexer(text, syntax):
        if token.kind is TokenKind.COMMENT:
            parts += [text[written : token.start], " "]
            written = token.end
    return "".join([*parts, text[written:]])
