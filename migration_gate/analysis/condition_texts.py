"""Whether a rule that Postgres prints is another one, the same for columns of other types, or a wider one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation
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
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})
_BOUNDS = frozenset({"<", "<=", ">", ">="})


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


def admits_no_less(before: str, after: str) -> bool:
    """Whether the second of two CHECKs is seen to admit all rows that the first one admits.

    It has all values of the same list, further bounds, an alternative more or a condition less. A CHECK
    admits what is not false: where a part of it is NULL, so is the one that it is compared with.
    """
    old, new = _read_condition(before), _read_condition(after)
    return old is not None and new is not None and _implies(old, new)


def _read_condition(definition: str) -> tuple[Node, ...] | None:
    try:
        nodes = _simplify_all(parse_expression(definition))
    except (UnreadableExpression, RecursionError):
        return None
    match nodes:
        case (Atom(text="CHECK"), Group(bracket="(", nodes=condition)):
            return condition
        case (Atom(text="CHECK"), condition):  # of one function, or one column
            return (condition,)
    return None


def _implies(old: tuple[Node, ...], new: tuple[Node, ...]) -> bool:
    """Whether the old condition is false wherever the new one is."""
    if old == new:
        return True
    for parts, combine in ((_split(old, "OR"), all), (_split(old, "AND"), any)):
        if len(parts) > 1 and combine(_implies(part, new) for part in parts):
            return True
    for parts, combine in ((_split(new, "AND"), all), (_split(new, "OR"), any)):
        if len(parts) > 1 and combine(_implies(old, part) for part in parts):
            return True
    return _lists_no_fewer(old, new) or _is_bound_further(old, new)


def _split(condition: tuple[Node, ...], word: str) -> list[tuple[Node, ...]]:
    """The operands of AND or OR; the condition alone if it is none of these."""
    match condition:
        case (Group(bracket="(", nodes=inner),):
            return _split(inner, word)
    operands: list[tuple[Node, ...]] = [()]
    for node in condition:
        if isinstance(node, Atom) and node.text == word:
            operands.append(())
        else:
            operands[-1] += (node,)
    return [_unwrap(operand) for operand in operands]


def _unwrap(condition: tuple[Node, ...]) -> tuple[Node, ...]:
    match condition:
        case (Group(bracket="(", nodes=inner),):
            return _unwrap(inner)
    return condition


def _lists_no_fewer(old: tuple[Node, ...], new: tuple[Node, ...]) -> bool:
    old_list, new_list = _read_values(old), _read_values(new)
    if old_list is None or new_list is None:
        return False
    return old_list.expression == new_list.expression and old_list.values <= new_list.values


def _read_values(condition: tuple[Node, ...]) -> _ListOfValues | None:
    match condition:
        case (*left, Atom(text="="), Atom(text="ANY"), Group(bracket="[", nodes=elements)):
            values = frozenset(str(element) for element in elements if element != COMMA)
            return _ListOfValues(tuple(left), values)
        case (*left, Atom(text="="), Atom(kind=kind) as value) if kind in _VALUES:
            return _ListOfValues(tuple(left), frozenset({str(value)}))
    return None


def _is_bound_further(old: tuple[Node, ...], new: tuple[Node, ...]) -> bool:
    """Whether both compare the same with a number, and the new one leaves at least as much room."""
    match old, new:
        case (
            (*old_left, Atom(text=old_operator), Atom() as old_bound),
            (*new_left, Atom(text=new_operator), Atom() as new_bound),
        ) if old_left == new_left and old_left and old_operator[:1] == new_operator[:1]:
            before, after = _read_number(old_bound), _read_number(new_bound)
            if before is None or after is None or {old_operator, new_operator}.difference(_BOUNDS):
                return False
            if before == after:
                return len(new_operator) >= len(old_operator)  # `<=` admits what `<` does
            return (after > before) is old_operator.startswith("<")
    return False


def _read_number(value: Atom) -> Decimal | None:
    """The number that a literal is; None if it is none, or no finite one."""
    if value.kind is not TokenKind.NUMBER:
        return None
    try:
        number = Decimal(value.text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _simplify_all(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(map(_simplify, nodes))


def _simplify(node: Node) -> Node:
    match node:
        case Cast(inner=Atom(kind=TokenKind.STRING, text=text), type=type_) if str(type_) in _NUMBERS:
            return Atom(TokenKind.NUMBER, text.strip("'"))  # Postgres prints `-5` as `'-5'::integer`
        case Cast(inner=inner):
            return _simplify(inner)
        case Group(bracket="(", nodes=(single,)):
            return _simplify(single)
        case Group() | Call():
            node = replace(node, nodes=_simplify_all(node.nodes))
        case Subscript():
            node = replace(node, inner=_simplify(node.inner), nodes=_simplify_all(node.nodes))
        case Field():
            node = replace(node, inner=_simplify(node.inner))
    return node
