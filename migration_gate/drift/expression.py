"""Reads what Postgres prints for expressions and definitions into a small tree, and prints it again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias


class Unparsed(ValueError):
    """The text is not what Postgres prints: an open quote or bracket."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One token; kind is string, name (quoted), number, word, operator or mark."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """What stands in parentheses, or in the brackets of an array."""

    bracket: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments, or any name with a list behind it."""

    name: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """`inner::type`."""

    inner: Node
    type: str


@dataclass(frozen=True, slots=True)
class Suffix:
    """A subscript or a field: `inner[nodes]`, `inner.text`."""

    inner: Node
    text: str
    nodes: tuple[Node, ...]


Node: TypeAlias = Atom | Group | Call | Cast | Suffix

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>[Ee]'(?:[^'\\]|''|\\.)*'|[BbXx]?'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")*")
    |(?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)
    |(?P<word>[^\W0-9][\w$]*)
    |(?P<cast>::)
    |(?P<mark>[(),.\[\];:])
    |(?P<operator>[-+*/<>=~!@\#%^&|`?]+)""",
    re.VERBOSE | re.DOTALL,
)
_END = Atom("end", "")
_CLOSING = {"(": ")", "[": "]"}
_SECOND = {"character": ("varying",), "bit": ("varying",), "double": ("precision",)}
_FIELDS = frozenset({"year", "month", "day", "hour", "minute", "second", "to"})


def tokens(text: str) -> list[Atom]:
    """The tokens of `text` without the blanks. Raises Unparsed at what is none."""
    found: list[Atom] = []
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None or token.lastgroup is None:
            raise Unparsed(text[place : place + 20])
        if token.lastgroup != "space":
            found.append(Atom(token.lastgroup, token[0]))
        place = token.end()
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.place = 0

    def peek(self, ahead: int = 0) -> Atom:
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else _END

    def take(self) -> Atom:
        token = self.peek()
        self.place += 1
        return token

    def takes(self, text: str) -> bool:
        found = self.peek().text == text and self.peek().kind in ("mark", "cast", "word")
        self.place += found
        return found

    def list(self, closing: str) -> tuple[Node, ...]:
        nodes: list[Node] = []
        while not (closing and self.takes(closing)):
            if self.peek() is _END:
                if closing:
                    raise Unparsed(closing)
                return tuple(nodes)
            nodes.append(self.primary())
        return tuple(nodes)

    def primary(self) -> Node:
        token = self.take()
        node: Node
        if token.kind == "mark" and token.text in _CLOSING:
            node = Group(token.text, self.list(_CLOSING[token.text]))
        elif token.kind in ("word", "name"):
            node = self.named(token)
        elif token.kind in ("string", "number"):
            node = token
        elif token.text in (")", "]"):
            raise Unparsed(token.text)
        else:
            return token
        return self.suffixed(node)

    def named(self, token: Atom) -> Node:
        text = token.text
        if text == "ARRAY" and self.takes("["):
            return Group("[", self.list("]"))
        while self.peek().text == "." and self.peek(1).kind in ("word", "name"):
            self.take()
            text += "." + self.take().text
        # Postgres prints keywords in capitals and no name of the user's without quotes.
        if self.peek() == Atom("mark", "(") and not (token.kind == "word" and text.isupper()):
            self.take()
            return Call(text, self.list(")"))
        return Atom(token.kind, text)

    def suffixed(self, node: Node) -> Node:
        while True:
            if self.takes("::"):
                node = Cast(node, self.type())
            elif self.peek() == Atom("mark", "[") and not (isinstance(node, Atom) and node.text.isupper()):
                self.take()
                node = Suffix(node, "[", self.list("]"))
            elif self.peek() == Atom("mark", ".") and self.peek(1).kind in ("word", "name"):
                self.take()
                node = Suffix(node, "." + self.take().text, ())
            else:
                return node

    def type(self) -> str:
        text = self.take().text
        while self.takes("."):
            text += "." + self.take().text
        if self.peek().text in _SECOND.get(text, ()):
            text += " " + self.take().text
        while text.startswith("interval") and self.peek().text in _FIELDS:
            text += " " + self.take().text
        if self.peek() == Atom("mark", "(") and self.peek(1).kind == "number":
            self.take()
            text += "(" + "".join(atom.text for atom in self.list(")") if isinstance(atom, Atom)) + ")"
        elif self.peek() == Atom("mark", "(") and re.match(r"public\.|\w+\.|\"", text):
            text += show((Group("(", self.list_after_opening()),)).replace(" ", "")
        if text.startswith("time") and self.peek().text in ("with", "without"):
            text += " " + " ".join(self.take().text for _ in range(3))
        while self.peek() == Atom("mark", "[") and self.peek(1) == Atom("mark", "]"):
            self.place += 2
            text += "[]"
        return text

    def list_after_opening(self) -> tuple[Node, ...]:
        self.take()
        return self.list(")")


def parse(text: str) -> tuple[Node, ...]:
    """The tree of an expression or a definition. Raises Unparsed where brackets or quotes do not close."""
    return _Parser(text).list("")


def show(nodes: tuple[Node, ...]) -> str:
    """The tree as text that `parse` reads again."""
    return " ".join(_show(node) for node in nodes)


def _show(node: Node) -> str:  # noqa: PLR0911 - one for each kind of node
    match node:
        case Atom(_, text):
            return text
        case Group("[", nodes):
            return f"ARRAY[{show(nodes)}]"
        case Group(_, nodes):
            return f"({show(nodes)})"
        case Call(name, nodes):
            return f"{name}({show(nodes)})"
        case Cast(inner, type_):
            return f"({_show(inner)})::{type_}"
        case Suffix(inner, "[", nodes):
            return f"({_show(inner)})[{show(nodes)}]"
        case Suffix(inner, text, _):
            return f"({_show(inner)}){text}"
