"""SQL as text: splits a file into statements and says what each is, where there is nothing to run.

A scanner of our own rather than a parser: files hold psql's commands, COPY blocks, templates and other
dialects, and what is asked of them is only the first words. It never raises, and it is linear.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

SCHEMA, DATA, QUERY = "schema", "data", "query"

_TOKEN = re.compile(
    r"""
    (?P<space>\s++|--[^\n]*+)
    |(?P<block>/\*)
    |(?P<jinja>\{[%#])
    |(?P<hole>\{\{[^{}]{0,300}\}\}|[$%]?\{[^{}\n]{0,300}\}|%\(\w+\)s)
    |(?P<string>[eE]'(?:[^'\\]++|\\.|'')*+'|'(?:[^']++|'')*+')
    |(?P<ident>"(?:[^"]++|"")*+"|`[^`]*+`)
    |(?P<dollar>\$(?:[^\W\d]\w*+)?\$)
    |(?P<end>;)
    |(?P<command>\\[a-zA-Z!?.;]+)
    |(?P<word>[^\W\d][\w$]*+)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BACKSLASHED = re.compile(r"'(?:[^'\\]++|\\.|'')*+'", re.DOTALL)
_MYSQL = re.compile(
    r"^\s*DELIMITER\s|\bENGINE\s*=\s*\w+DB|-- MySQL dump|/\*!\d{5}", re.IGNORECASE | re.MULTILINE
)
_BULK = frozenset({"INSERT", "VALUES", "COPY", "REPLACE"})
_KEPT = 3000
"""tokens of a statement that are looked at: enough for the longest WITH"""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, identifier, string or sign, with its offset in the text."""

    kind: str
    value: str
    start: int

    @property
    def upper(self) -> str:
        """The word in capitals; empty for all that is no bare word."""
        return self.value.upper() if self.kind == "word" else ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of one statement, and where it stands."""

    tokens: tuple[Token, ...]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """One statement of a text."""

    kind: str
    """schema, data or query; empty for what is none of them (SET, BEGIN, VACUUM)"""
    line: int
    text: str
    """on one line and shortened"""
    relations: tuple[str, ...] = ()
    """what a schema statement changes (tables, indexes, views, types), as written"""
    foreign: bool = False
    """no Postgres would take it: backticks, AUTOINCREMENT, ENGINE="""


@dataclass(slots=True)
class _Scanner:
    text: str
    until: float
    mysql: bool
    position: int = 0
    delimiter: str = ";"
    late: bool = False

    def tokens(self) -> Iterator[Token]:
        """Every token that is not white space, a comment or a template's tag."""
        hopeless: set[str] = set()
        for count in range(len(self.text) + 1):
            if count % 2000 == 0 and time.monotonic() > self.until:
                self.late = True
                return
            start = self.position
            found = _TOKEN.match(self.text, start)
            if found is None:
                return
            kind, value = str(found.lastgroup), found.group()
            self.position = found.end()
            if kind == "space":
                continue
            if kind in ("block", "jinja", "dollar"):
                kind = self._skip(kind, value, hopeless)
                if kind == "space":
                    continue
                value = self.text[start : self.position]
            elif kind == "string" and self.mysql and (longer := _BACKSLASHED.match(self.text, start)):
                self.position, value = longer.end(), longer.group()
            yield Token(kind, value, start)

    def _skip(self, kind: str, opener: str, hopeless: set[str]) -> str:
        """Move to the end of a comment, tag or dollar quote; an opener that nothing closes is a mere sign."""
        if kind == "block":
            self._skip_comment()
            return "space"
        closer = {"{%": "%}", "{#": "#}"}.get(opener, opener)
        end = -1 if closer in hopeless else self.text.find(closer, self.position)
        if end < 0:
            hopeless.add(closer)
            return "other"
        self.position = end + len(closer)
        return "space" if kind == "jinja" else "string"

    def _skip_comment(self) -> None:
        depth = 1
        while depth:
            close = self.text.find("*/", self.position)
            if close < 0:
                self.position = len(self.text)
                return
            inner = self.text.find("/*", self.position, close)
            depth, self.position = (depth + 1, inner + 2) if inner >= 0 else (depth - 1, close + 2)

    def skip_line(self) -> str:
        """Move behind the end of this line; returns what was left of it."""
        end = self.text.find("\n", self.position)
        end = len(self.text) if end < 0 else end
        rest, self.position = self.text[self.position : end], end
        return rest.strip()

    def skip_copied_rows(self) -> None:
        """Move behind the `\\.` that ends the rows of COPY ... FROM stdin."""
        end = self.text.find("\n\\.", self.position)
        self.position = len(self.text) if end < 0 else end + 3


def sentences(text: str, seconds: float = 2.0) -> Iterator[Sentence]:
    """The statements of `text` as tokens; stops silently after `seconds`."""
    scanner = _Scanner(text, time.monotonic() + seconds, bool(_MYSQL.search(text[:200_000])))
    kept: list[Token] = []
    nested = count = line = at = 0
    routine = False
    for token in scanner.tokens():
        if not kept and _is_client_command(token, scanner):
            continue
        ends = _ends(token, scanner, text)
        if not ends or (ends == ";" and nested > 0):
            count += 1
            if count == 1:
                routine, nested = token.upper == "CREATE", 0
            if routine:
                nested = max(0, nested + _opens(token))
            if len(kept) < (40 if kept and kept[0].upper in _BULK else _KEPT):
                kept.append(token)
            continue
        if kept:
            line, at = line + text.count("\n", at, kept[0].start), kept[0].start
            yield Sentence(tuple(kept), text[at : min(token.start, at + 4000)], line + 1)
            if kept[0].upper == "COPY" and any(t.upper == "STDIN" for t in kept):
                scanner.skip_copied_rows()
        kept, count, nested = [], 0, 0
    if kept:
        line, at = line + text.count("\n", at, kept[0].start), kept[0].start
        yield Sentence(tuple(kept), text[at : at + 4000], line + 1)


def _opens(token: Token) -> int:
    """How a word changes the nesting of BEGIN ... END in a routine whose body is not quoted."""
    return {"BEGIN": 1, "CASE": 1, "END": -1}.get(token.upper, 0)


def _is_client_command(token: Token, scanner: _Scanner) -> bool:
    """psql's `\\connect` and MySQL's DELIMITER: lines for the client, not for the server."""
    if token.kind == "command" and not token.value.lower().startswith("\\copy"):
        scanner.skip_line()
        return True
    if token.upper == "DELIMITER":
        scanner.delimiter = scanner.skip_line() or ";"
        return True
    return False


def _ends(token: Token, scanner: _Scanner, text: str) -> str:
    """What ends the statement at this token: `;`, the delimiter in force, psql's `\\gexec`, or GO."""
    if scanner.delimiter != ";":
        if not text.startswith(scanner.delimiter, token.start):
            return ""
        scanner.position = token.start + len(scanner.delimiter)
        return scanner.delimiter
    if token.kind == "end":
        return ";"
    if token.kind == "command" and token.value.lower().startswith("\\g"):
        scanner.skip_line()
        return "\\g"
    if token.value.upper() == "GO":
        line = text[text.rfind("\n", 0, token.start) + 1 : token.start + 2].strip()
        after = text[token.start + 2 : token.start + 3]
        return "GO" if line.upper() == "GO" and after in ("", "\n", "\r") else ""
    return ""


def statements(text: str, seconds: float = 2.0) -> tuple[SqlStatement, ...]:
    """What `text` does, statement by statement; a text that is no SQL gives statements without a kind."""
    from migration_gate.scan.sql_classifier import classify  # noqa: PLC0415 - it needs our tokens

    return tuple(classify(sentence) for sentence in sentences(text, seconds))


def shorten(text: str, limit: int = 160) -> str:
    """`text` on one line, without its comments, at most `limit` characters."""
    plain = " ".join(re.sub(r"--[^\n]*|/\*.*?\*/", " ", text[:4000], flags=re.DOTALL).split())
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"
