"""The normal form of definitions and defaults: one spelling for all that mean the same.

Postgres prints definitions from their parse trees, fully parenthesised, so little is left to compare: casts
that change nothing, doubled parentheses, two names of one function. Texts within quotes are never touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from migration_gate.drift.casts import simplify_cast
from migration_gate.drift.type_names import NUMBER_TYPES, has_length, type_without_length
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.expression import (
    COMMA,
    Atom,
    Call,
    Cast,
    Field,
    Group,
    Node,
    Subscript,
    UnreadableExpression,
    parse_expression,
    print_nodes,
)
from migration_gate.sql.lexer import TokenKind

_NAMES_OF_NOW = frozenset({"CURRENT_TIMESTAMP", "transaction_timestamp"})
_NOW = Call("now", ())
_NULL = Atom(TokenKind.WORD, "NULL")
_AT_TIME_ZONE = [Atom(TokenKind.WORD, word) for word in ("AT", "TIME", "ZONE")]
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
_JSON_TYPES = frozenset({"json", "jsonb"})


def normalize_definition(text: str, column_types: Mapping[str, str]) -> str:
    """The normal form of an expression or definition; `column_types` are by column name.

    A text that cannot be read is its own normal form.
    """
    try:
        return print_nodes(_normalize_text(text, column_types))
    except UnreadableExpression:
        return text


@lru_cache(maxsize=4096)
def normalize_default(text: str | None, type_name: str) -> str | None:
    """The normal form of the default of a column of that type; None if it is NULL, which is no default."""
    if text is None:
        return None
    try:
        nodes = _normalize_text(text, {})
    except UnreadableExpression:
        return text
    nodes = _without_casts_to_own_type(nodes, type_name)
    if nodes == (_NULL,):
        return None
    match nodes:
        case (Atom(TokenKind.NUMBER, number),) if _is_decimal(number, type_name):
            return format(Decimal(number).normalize(), "f")
    return print_nodes(nodes)


def _is_decimal(number: str, type_name: str) -> bool:
    return type_without_length(type_name) in NUMBER_TYPES and _DECIMAL.fullmatch(number) is not None


def _without_casts_to_own_type(nodes: tuple[Node, ...], type_name: str) -> tuple[Node, ...]:
    """The default without the outer casts that the assignment to the column makes anyway."""
    while True:
        match nodes:
            case (Cast(inner, cast_type),) if _is_made_anyway(inner, cast_type, type_name):
                nodes = _normalize_text(str(inner), {})
            case _:
                return nodes


def _is_made_anyway(inner: Node, cast_type: str, column_type: str) -> bool:
    """Whether the column's value is the same without the cast."""
    if cast_type == column_type:
        return True
    if type_without_length(cast_type) == type_without_length(column_type) and not has_length(cast_type):
        return True
    return _is_same_json(inner, cast_type, column_type)


def _is_same_json(inner: Node, cast_type: str, column_type: str) -> bool:
    """Whether it is a JSON literal for a column of the other JSON type, which takes it as it is.

    A json column keeps the text; jsonb prints all texts but these in its own way.
    """
    if {cast_type, column_type} - _JSON_TYPES:
        return False
    if not isinstance(inner, Atom) or inner.kind is not TokenKind.STRING:
        return False
    return cast_type == "json" or inner.text in ("'{}'", "'[]'")


def _normalize_text(text: str, column_types: Mapping[str, str]) -> tuple[Node, ...]:
    """The normal form as a tree, without parentheses around the whole. Raises UnreadableExpression."""
    nodes = _Normalizer(column_types).normalize_all(parse_expression(text))
    while len(nodes) == 1 and isinstance(nodes[0], Group) and nodes[0].bracket == "(":
        nodes = nodes[0].nodes
    return nodes


@dataclass(frozen=True, slots=True)
class _Normalizer:
    """Rewrites a tree, innermost nodes first."""

    column_types: Mapping[str, str]

    def normalize_all(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """The normal form of nodes that follow each other."""
        return _with_timezone_calls([self._normalize_node(node) for node in nodes])

    def _normalize_node(self, node: Node) -> Node:
        match node:
            case Group():
                return self._normalize_group(node)
            case Call():
                return self._normalize_call(node)
            case Cast(inner, type_name):
                return simplify_cast(self._normalize_node(inner), type_name, self.column_types)
            case Subscript(inner, nodes):
                return Subscript(self._normalize_node(inner), self.normalize_all(nodes))
            case Field(inner, name):
                return Field(self._normalize_node(inner), name)
            case Atom():
                return _NOW if node.kind is TokenKind.WORD and node.text in _NAMES_OF_NOW else node

    def _normalize_group(self, group: Group) -> Node:
        """Without the parentheses around a single node."""
        nodes = self.normalize_all(group.nodes)
        if group.bracket == "(" and len(nodes) == 1:
            return nodes[0]
        return Group(group.bracket, nodes)

    def _normalize_call(self, call: Call) -> Node:
        """Without parentheses around its only argument, and under one of its names."""
        arguments = self.normalize_all(call.nodes)
        if call.name in _NAMES_OF_NOW and not arguments:
            return _NOW
        match arguments:
            case (Group("(", nodes),) if COMMA not in nodes:
                return Call(call.name, nodes)
        return Call(call.name, arguments)


def _with_timezone_calls(nodes: list[Node]) -> tuple[Node, ...]:
    """`x AT TIME ZONE 'utc'` as `timezone('utc', x)`: since Postgres 14, each is printed as written."""
    nodes = list(nodes)
    for position in range(len(nodes) - 5, -1, -1):
        if nodes[position + 1 : position + 4] == _AT_TIME_ZONE:
            call = Call("timezone", (nodes[position + 4], COMMA, nodes[position]))
            nodes[position : position + 5] = [call]
    return tuple(nodes)
