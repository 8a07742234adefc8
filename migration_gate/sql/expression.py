"""Reads what Postgres prints for expressions and definitions into a small tree, and prints it again.

The tree knows only what the comparison of two spellings needs: brackets, calls, casts, subscripts and fields.
Operators and keywords are atoms in a row, because Postgres prints every operation in parentheses.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.lexer import TokenKind, tokenize


class UnreadableExpression(ValueError):
    """The text is not what Postgres prints: a quote or a bracket does not close."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One token."""

    kind: TokenKind
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Group:
    """What is in parentheses, or between the brackets of an array."""

    bracket: str
    """the opening one"""
    nodes: tuple[Node, ...]

    def __str__(self) -> str:
        return f"ARRAY[{print_nodes(self.nodes)}]" if self.bracket == "[" else f"({print_nodes(self.nodes)})"


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments, or any other name before parentheses."""

    name: str
    nodes: tuple[Node, ...]

    def __str__(self) -> str:
        return f"{self.name}({print_nodes(self.nodes)})"


@dataclass(frozen=True, slots=True)
class Cast:
    """`inner::type`."""

    inner: Node
    type: str

    def __str__(self) -> str:
        return f"({self.inner})::{self.type}"


@dataclass(frozen=True, slots=True)
class Subscript:
    """`inner[nodes]`."""

    inner: Node
    nodes: tuple[Node, ...]

    def __str__(self) -> str:
        return f"({self.inner})[{print_nodes(self.nodes)}]"


@dataclass(frozen=True, slots=True)
class Field:
    """`inner.name`."""

    inner: Node
    name: str

    def __str__(self) -> str:
        return f"({self.inner}).{self.name}"


Node: TypeAlias = Atom | Group | Call | Cast | Subscript | Field

COMMA = Atom(TokenKind.PUNCTUATION, ",")
_DOT = Atom(TokenKind.PUNCTUATION, ".")
_OPEN_PARENTHESIS = Atom(TokenKind.PUNCTUATION, "(")
_OPEN_BRACKET = Atom(TokenKind.PUNCTUATION, "[")
_CLOSE_BRACKET = Atom(TokenKind.PUNCTUATION, "]")
_CLOSING = {"(": ")", "[": "]"}
_END = Atom(TokenKind.UNKNOWN, "")

_NAMES = frozenset({TokenKind.WORD, TokenKind.QUOTED_NAME})
_READABLE = _NAMES | {TokenKind.STRING, TokenKind.NUMBER, TokenKind.OPERATOR, TokenKind.PUNCTUATION}

_SECOND_WORDS = {"character": "varying", "bit": "varying", "double": "precision"}
"""of types whose names have two words"""
_INTERVAL_FIELDS = frozenset({"year", "month", "day", "hour", "minute", "second", "to"})
_EXTENSION_TYPE = re.compile(r"\w+\.|\"")


def read_tokens(text: str) -> list[Atom]:
    """The tokens of `text`. Raises UnreadableExpression at what Postgres would not print."""
    atoms = [Atom(token.kind, token.text) for token in tokenize(text)]
    for atom in atoms:
        if atom.kind not in _READABLE:
            raise UnreadableExpression(atom.text)
    return atoms


def parse_expression(text: str) -> tuple[Node, ...]:
    """The tree of an expression or a definition. Raises UnreadableExpression."""
    return _Parser(read_tokens(text)).read_all()


def print_nodes(nodes: tuple[Node, ...]) -> str:
    """The tree as text that `parse_expression` reads again."""
    return " ".join(str(node) for node in nodes)


class _Parser:
    """Reads the tokens from left to right; each method leaves `_position` behind what it has read."""

    def __init__(self, tokens: list[Atom]) -> None:
        self._tokens = tokens
        self._position = 0

    def read_all(self) -> tuple[Node, ...]:
        """Everything up to the end."""
        nodes: list[Node] = []
        while self._peek_token() is not _END:
            nodes.append(self._read_node())
        return tuple(nodes)

    def _peek_token(self, ahead: int = 0) -> Atom:
        """The next token, or one behind it, which stays where it is; `_END` behind the last."""
        position = self._position + ahead
        return self._tokens[position] if position < len(self._tokens) else _END

    def _take_token(self) -> Atom:
        token = self._peek_token()
        self._position += 1
        return token

    def _take_if(self, text: str) -> bool:
        """Take the next token if it is this word or punctuation; returns whether it is."""
        token = self._peek_token()
        is_next = token.text == text and token.kind in (TokenKind.PUNCTUATION, TokenKind.WORD)
        if is_next:
            self._position += 1
        return is_next

    def _read_until(self, closing: str) -> tuple[Node, ...]:
        """Everything up to the closing bracket, which is taken."""
        nodes: list[Node] = []
        while not self._take_if(closing):
            if self._peek_token() is _END:
                raise UnreadableExpression(closing)
            nodes.append(self._read_node())
        return tuple(nodes)

    def _read_node(self) -> Node:
        """The next token, with all that belongs to it."""
        token = self._take_token()
        if token.kind is TokenKind.PUNCTUATION and token.text in _CLOSING:
            return self._read_suffixes(Group(token.text, self._read_until(_CLOSING[token.text])))
        if token.kind in _NAMES:
            return self._read_suffixes(self._read_name(token))
        if token.kind in (TokenKind.STRING, TokenKind.NUMBER):
            return self._read_suffixes(token)
        if token.text in (")", "]"):
            raise UnreadableExpression(token.text)
        return token

    def _read_name(self, token: Atom) -> Node:
        """A name with what qualifies it, a call, or an array."""
        if token.text == "ARRAY" and self._take_if("["):
            return Group("[", self._read_until("]"))
        name = token.text
        while self._peek_token() == _DOT and self._peek_token(1).kind in _NAMES:
            self._take_token()
            name += "." + self._take_token().text
        # Postgres prints keywords in capitals, and no such name without quotes.
        is_keyword = token.kind is TokenKind.WORD and name.isupper()
        if self._peek_token() == _OPEN_PARENTHESIS and not is_keyword:
            self._take_token()
            return Call(name, self._read_until(")"))
        return Atom(token.kind, name)

    def _read_suffixes(self, node: Node) -> Node:
        """The node with the casts, subscripts and fields that follow it."""
        while True:
            is_keyword = isinstance(node, Atom) and node.text.isupper()
            if self._take_if("::"):
                node = Cast(node, self._read_type())
            elif self._peek_token() == _OPEN_BRACKET and not is_keyword:
                self._take_token()
                node = Subscript(node, self._read_until("]"))
            elif self._peek_token() == _DOT and self._peek_token(1).kind in _NAMES:
                self._take_token()
                node = Field(node, self._take_token().text)
            else:
                return node

    def _read_type(self) -> str:
        """A type as `format_type` prints it: `character varying(20)[]`, `timestamp(3) with time zone`."""
        name = self._read_type_name()
        name += self._read_type_modifier(name)
        if name.startswith("time") and self._peek_token().text in ("with", "without"):
            name += f" {self._take_token()} {self._take_token()} {self._take_token()}"
        while self._peek_token() == _OPEN_BRACKET and self._peek_token(1) == _CLOSE_BRACKET:
            self._position += 2
            name += "[]"
        return name

    def _read_type_name(self) -> str:
        """The words of a type's name, with its schema: `double precision`, `interval day to second`."""
        name = self._take_token().text
        while self._take_if("."):
            name += "." + self._take_token().text
        if self._peek_token().text == _SECOND_WORDS.get(name):
            name += f" {self._take_token()}"
        while name.startswith("interval") and self._peek_token().text in _INTERVAL_FIELDS:
            name += f" {self._take_token()}"
        return name

    def _read_type_modifier(self, name: str) -> str:
        """A length, a precision, or what an extension's type takes (`geometry(Point,4326)`); or nothing."""
        if self._peek_token() != _OPEN_PARENTHESIS:
            return ""
        if self._peek_token(1).kind is TokenKind.NUMBER:
            self._take_token()
            numbers = "".join(node.text for node in self._read_until(")") if isinstance(node, Atom))
            return f"({numbers})"
        if _EXTENSION_TYPE.match(name):
            self._take_token()
            return str(Group("(", self._read_until(")"))).replace(" ", "")
        return ""
