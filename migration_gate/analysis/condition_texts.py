"""Whether a rule that Postgres prints is another one, the same for columns of other types, or a wider one."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

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

_VALUES = (TokenKind.STRING, TokenKind.NUMBER)


class _ListOfValues(NamedTuple):
    """A condition of this kind: `state = ANY (ARRAY['a', 'b'])`."""

    expression: tuple[Node, ...]
    values: frozenset[str]


@lru_cache(maxsize=4096)
def without_casts(definition: str) -> str:
    """The same text for the same rule: Postgres adds casts by the types of its columns, and parentheses."""
    try:
        return print_nodes(_simplify_all(parse_expression(definition)))
    except (UnreadableExpression, RecursionError):
        return definition


def lists_no_fewer(before: str, after: str) -> bool:
    """Whether both CHECKs list the values of one expression, and the second has all of the first."""
    old, new = _find_values(before), _find_values(after)
    if old is None or new is None:
        return False
    return old.expression == new.expression and old.values <= new.values


def _find_values(definition: str) -> _ListOfValues | None:
    try:
        nodes = _simplify_all(parse_expression(definition))
    except (UnreadableExpression, RecursionError):
        return None
    match nodes:
        case (Atom(text="CHECK"), Group(bracket="(", nodes=condition)):
            return _read_values(condition)
    return None


def _read_values(condition: tuple[Node, ...]) -> _ListOfValues | None:
    match condition:
        case (*left, Atom(text="="), Atom(text="ANY"), Group(bracket="[", nodes=elements)):
            values = frozenset(str(element) for element in elements if element != COMMA)
            return _ListOfValues(tuple(left), values)
        case (*left, Atom(text="="), Atom(kind=kind) as value) if kind in _VALUES:
            return _ListOfValues(tuple(left), frozenset({str(value)}))
    return None


def _simplify_all(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(map(_simplify, nodes))


def _simplify(node: Node) -> Node:
    match node:
        case Cast(inner=inner):
            return _simplify(inner)
        case Group(bracket="(", nodes=(single,)):
            return _simplify(single)
        case Group() | Call():
            return replace(node, nodes=_simplify_all(node.nodes))
        case Subscript():
            return replace(node, inner=_simplify(node.inner), nodes=_simplify_all(node.nodes))
        case Field():
            return replace(node, inner=_simplify(node.inner))
    return node
