"""Tells whether two definitions mean the same and differ only in how they are spelled.

Postgres prints definitions from their parse trees, fully parenthesised, so little is left to compare: casts
that change nothing, doubled parentheses, two names of one function. A cast counts as harmless only where its
operand is known: a literal, or a column whose type is known. Texts within quotes are never touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from migration_gate.drift.expression import Atom, Call, Cast, Group, Node, Suffix, Unparsed, parse, show

_TEXT = frozenset({"text", "character varying", "pg_catalog.text"})
_WHOLE = frozenset({"smallint", "integer", "bigint"})
_NUMERIC = _WHOLE | {"numeric", "double precision", "real"}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_PLAIN_ARRAY = re.compile(r"'\{([A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*)\}'")
_NUMBERS = re.compile(r"'\{(-?[0-9]+(?:,-?[0-9]+)*)\}'")
_SIZED = re.compile(r"^(.*?)\(([0-9, ]+)\)(.*)$")
_NOW = frozenset({"CURRENT_TIMESTAMP", "transaction_timestamp"})


def base(type_: str) -> str:
    """A type without its length or precision."""
    sized = _SIZED.match(type_)
    name = sized[1] + sized[3] if sized else type_
    return "character" if name == "bpchar" else name


def _is_text(type_: str | None) -> bool:
    return type_ is not None and base(type_) in _TEXT


def _is_text_array(type_: str | None) -> bool:
    return type_ is not None and type_.endswith("[]") and _is_text(type_[:-2])


def _fits(literal: str, type_: str) -> bool:
    sized = _SIZED.match(type_)
    return sized is None or len(literal.replace("''", "'")) - 2 <= int(sized[2])


@dataclass(frozen=True, slots=True)
class _Reader:
    """Rewrites an expression into the one spelling that stands for all; `columns` maps names to types."""

    columns: Mapping[str, str]

    def many(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        found = [self.one(node) for node in nodes]
        # Since 14, timezone('utc', x) is printed the way it was written.
        words = [node.text if isinstance(node, Atom) else "" for node in found]
        for place in range(len(found) - 4, -1, -1):
            if words[place + 1 : place + 4] == ["AT", "TIME", "ZONE"]:
                zone = Call("timezone", (found[place + 4], Atom("mark", ","), found[place]))
                found[place : place + 5] = [zone]
        return tuple(found)

    def one(self, node: Node) -> Node:  # noqa: PLR0911 - one for each kind of node
        match node:
            case Atom("word", text) if text in _NOW:
                return Call("now", ())
            case Group("(", nodes):
                inner = self.many(nodes)
                return inner[0] if len(inner) == 1 else Group("(", inner)
            case Group(bracket, nodes):
                return Group(bracket, self.many(nodes))
            case Call(name, nodes):
                return self.call(name, self.many(nodes))
            case Suffix(inner, text, nodes):
                return Suffix(self.one(inner), text, self.many(nodes))
            case Cast(inner, type_):
                return self.cast(self.one(inner), type_)
            case _:
                return node

    def call(self, name: str, inner: tuple[Node, ...]) -> Node:
        if name in _NOW and not inner:
            return Call("now", ())
        if len(inner) == 1 and isinstance(inner[0], Group) and inner[0].bracket == "(":
            inner = inner[0].nodes if Atom("mark", ",") not in inner[0].nodes else inner
        return Call(name, inner)

    def cast(self, inner: Node, type_: str) -> Node:  # noqa: PLR0911 - one for each kind of operand
        match inner:
            case Atom("string", text):
                return self.literal(text, type_)
            case Atom("number", text):
                exact = type_ in _NUMERIC if "." not in text else type_ in ("numeric", "double precision")
                return inner if exact else Cast(inner, type_)
            case Atom("word", "NULL"):
                return inner
            case Atom("word" | "name", text) if self.relabels(self.columns.get(text), type_):
                return inner
            case Group("[", nodes) if self.array(nodes, type_):
                return inner
            case Cast(_, first) if first == type_:
                return inner
            case _:
                return Cast(inner, type_)

    @staticmethod
    def literal(text: str, type_: str) -> Node:
        if _is_text(type_) and text.startswith("'") and _fits(text, type_):
            return Atom("string", text)
        if type_ in _NUMERIC and _NUMBER.fullmatch(text[1:-1]):
            return Atom("number", text[1:-1])
        if type_.endswith("[]") and text == "'{}'":
            empty = Group("[", ())
            return empty if _is_text_array(type_) else Cast(empty, type_)
        plain = _PLAIN_ARRAY.fullmatch(text) if _is_text_array(type_) and type_ == base(type_) else None
        if plain and "NULL" not in plain[1].upper().split(","):
            labels = [Atom("string", f"'{label}'") for label in plain[1].split(",")]
            separated = [node for label in labels for node in (Atom("mark", ","), label)]
            return Group("[", tuple(separated[1:]))
        numbers = (
            _NUMBERS.fullmatch(text) if type_.removesuffix("[]") in _WHOLE and type_.endswith("[]") else None
        )
        if numbers:
            separated = [n for d in numbers[1].split(",") for n in (Atom("mark", ","), Atom("number", d))]
            return Group("[", tuple(separated[1:]))
        return Cast(Atom("string", text), type_)

    @staticmethod
    def relabels(column: str | None, type_: str) -> bool:
        """Whether the cast changes neither value nor meaning of a column of that type."""
        if column is None or type_ != base(type_):
            return False
        return (_is_text(column) and _is_text(type_)) or (_is_text_array(column) and _is_text_array(type_))

    @staticmethod
    def array(nodes: tuple[Node, ...], type_: str) -> bool:
        values = [node for node in nodes if node != Atom("mark", ",")]
        if _is_text_array(type_) and type_ == base(type_):
            return all(isinstance(node, Atom) and node.kind == "string" for node in values)
        if not values or type_.removesuffix("[]") not in _NUMERIC:
            return False
        numbers = [node for node in values if isinstance(node, Atom) and node.kind == "number"]
        return len(numbers) == len(values) and not any("." in number.text for number in numbers)


def _spelled(text: str, columns: Mapping[str, str]) -> tuple[Node, ...]:
    nodes = _Reader(columns).many(parse(text))
    while len(nodes) == 1 and isinstance(nodes[0], Group) and nodes[0].bracket == "(":
        nodes = nodes[0].nodes
    return nodes


def plain(text: str, columns: Mapping[str, str]) -> str:
    """An expression or definition in the spelling that stands for all of its spellings."""
    try:
        return show(_spelled(text, columns))
    except Unparsed:
        return text


@lru_cache(maxsize=4096)
def plain_default(text: str | None, type_: str) -> str | None:
    """A default in one spelling, for a column of that type; None where it is NULL, which is no default."""
    if text is None:
        return None
    try:
        nodes = _spelled(text, {})
    except Unparsed:
        return text
    while (
        len(nodes) == 1
        and isinstance(nodes[0], Cast)
        and (_is_own(nodes[0].type, type_) or _is_json(nodes, type_))
    ):
        nodes = _spelled(show((nodes[0].inner,)), {})
    if nodes == (Atom("word", "NULL"),):
        return None
    match nodes:
        case (Atom("number", digits),) if base(type_) in _NUMERIC:
            return format(Decimal(digits).normalize(), "f")
    return show(nodes)


def _is_own(cast: str, column: str) -> bool:
    """Whether assigning to the column would make this cast anyway."""
    return cast == column or (base(cast) == base(column) and _SIZED.match(cast) is None)


def _is_json(nodes: tuple[Node, ...], column: str) -> bool:
    """Whether it is a JSON literal for a column of the other JSON type, which takes it as it stands."""
    match nodes:
        case (Cast(Atom("string", text), "json" | "jsonb" as cast),) if column in ("json", "jsonb"):
            # A json column keeps the text, and jsonb would print any but these its own way.
            return cast == "json" or text in ("'{}'", "'[]'")
    return False
