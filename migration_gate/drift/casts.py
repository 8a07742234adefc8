"""Which casts change nothing, so that an expression with one and an expression without it are the same.

A cast counts as harmless only if its operand is known: a literal, an array of literals, or a column whose
type is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from migration_gate.drift.type_names import (
    NUMBER_TYPES,
    WHOLE_NUMBER_TYPES,
    fits_length,
    is_text_array_type,
    is_text_type,
    type_without_length,
)
from migration_gate.sql.expression import COMMA, Atom, Cast, Group, Node
from migration_gate.sql.lexer import TokenKind

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_TEXT_ARRAY = re.compile(r"'\{([A-Za-z0-9_-]+(,[A-Za-z0-9_-]+)*)\}'")
_WHOLE_NUMBER_ARRAY = re.compile(r"'\{(-?[0-9]+(?:,-?[0-9]+)*)\}'")
_EMPTY_ARRAY = "'{}'"


def simplify_cast(inner: Node, type_name: str, column_types: Mapping[str, str]) -> Node:
    """The operand alone if the cast changes nothing, else the cast."""
    if isinstance(inner, Atom) and inner.kind is TokenKind.STRING:
        return _simplify_literal(inner.text, type_name)
    return inner if _is_harmless(inner, type_name, column_types) else Cast(inner, type_name)


def _is_harmless(inner: Node, type_name: str, column_types: Mapping[str, str]) -> bool:
    match inner:
        case Atom(TokenKind.NUMBER, text):
            return _holds_number_exactly(text, type_name)
        case Atom(TokenKind.WORD, "NULL"):
            return True
        case Atom(TokenKind.WORD | TokenKind.QUOTED_NAME, name):
            return _keeps_text(column_types.get(name), type_name)
        case Group("[", nodes):
            return _is_array_of(nodes, type_name)
        case Cast(_, inner_type):
            return inner_type == type_name
        case _:
            return False


def _holds_number_exactly(number: str, type_name: str) -> bool:
    """Whether the number keeps its value in the type: `real` and the whole numbers round a fraction."""
    if "." in number:
        return type_name in ("numeric", "double precision")
    return type_name in NUMBER_TYPES


def _keeps_text(column_type: str | None, type_name: str) -> bool:
    """Whether the cast changes neither value nor meaning of a column of that type."""
    if column_type is None or type_name != type_without_length(type_name):
        return False
    if is_text_type(type_name):
        return is_text_type(column_type)
    return is_text_array_type(type_name) and is_text_array_type(column_type)


def _is_array_of(nodes: tuple[Node, ...], type_name: str) -> bool:
    """Whether the elements of an array are literals of the array's own type."""
    elements = [node for node in nodes if node != COMMA]
    if is_text_array_type(type_name) and type_name == type_without_length(type_name):
        return all(_is_literal(element, TokenKind.STRING) for element in elements)
    if not elements or type_name.removesuffix("[]") not in NUMBER_TYPES:
        return False
    return all(_is_literal(element, TokenKind.NUMBER) and "." not in str(element) for element in elements)


def _is_literal(node: Node, kind: TokenKind) -> bool:
    return isinstance(node, Atom) and node.kind is kind


def _simplify_literal(literal: str, type_name: str) -> Node:
    """A string with its cast, in its normal form."""
    for simplify in _LITERAL_RULES:
        node = simplify(literal, type_name)
        if node is not None:
            return node
    return Cast(Atom(TokenKind.STRING, literal), type_name)


def _simplify_text(literal: str, type_name: str) -> Node | None:
    """`'a'::text` is `'a'`."""
    length = len(literal.replace("''", "'")) - 2
    if is_text_type(type_name) and literal.startswith("'") and fits_length(length, type_name):
        return Atom(TokenKind.STRING, literal)
    return None


def _simplify_number(literal: str, type_name: str) -> Node | None:
    """`'1'::integer` is `1`."""
    number = literal[1:-1]
    if type_name in NUMBER_TYPES and _NUMBER.fullmatch(number):
        return Atom(TokenKind.NUMBER, number)
    return None


def _simplify_empty_array(literal: str, type_name: str) -> Node | None:
    """`'{}'::text[]` is `ARRAY[]`, which Postgres prints with a cast of its own."""
    if not type_name.endswith("[]") or literal != _EMPTY_ARRAY:
        return None
    empty = Group("[", ())
    return empty if is_text_array_type(type_name) else Cast(empty, type_name)


def _simplify_text_array(literal: str, type_name: str) -> Node | None:
    """`'{a,b}'::text[]` is `ARRAY['a', 'b']`; if elements need quotes or are NULL it stays as it is."""
    if not is_text_array_type(type_name) or type_name != type_without_length(type_name):
        return None
    match = _TEXT_ARRAY.fullmatch(literal)
    if match is None or "NULL" in match[1].upper().split(","):
        return None
    return _make_array(Atom(TokenKind.STRING, f"'{element}'") for element in match[1].split(","))


def _simplify_number_array(literal: str, type_name: str) -> Node | None:
    """`'{1,2}'::integer[]` is `ARRAY[1, 2]`."""
    if not type_name.endswith("[]") or type_name.removesuffix("[]") not in WHOLE_NUMBER_TYPES:
        return None
    match = _WHOLE_NUMBER_ARRAY.fullmatch(literal)
    if match is None:
        return None
    return _make_array(Atom(TokenKind.NUMBER, number) for number in match[1].split(","))


def _make_array(elements: Iterable[Node]) -> Group:
    """`ARRAY[…]` with commas between the elements."""
    nodes: list[Node] = []
    for element in elements:
        nodes += [COMMA, element]
    return Group("[", tuple(nodes[1:]))


_LITERAL_RULES: tuple[Callable[[str, str], Node | None], ...] = (
    _simplify_text,
    _simplify_number,
    _simplify_empty_array,
    _simplify_text_array,
    _simplify_number_array,
)
"""the first that fits a literal and its type"""
