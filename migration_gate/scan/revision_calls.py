"""The calls in a revision's text that change the schema, with their lines and literal arguments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from migration_gate.facts import SourceCall
from migration_gate.python_parser import walk_nodes

_SCHEMA_CALL = re.compile(
    r"(?:alter|add|drop|create|rename|bulk|batch)_\w+|execute|Column|Index|Sequence|Identity|Enum|ENUM|DOMAIN|Boolean"
    r"|ForeignKey|\w+Constraint"
)
"""names of functions and classes that Alembic's operations are made of"""
_WRAPPERS = frozenset({"f", "text", "quoted_name", "DDL"})
"""calls around a name or a statement"""
_SQL = re.compile(
    r"\s*(?:create|alter|drop|comment|do|truncate|select|grant|revoke|begin|with)\s", re.IGNORECASE
)

_READ_NODES = (ast.Call, ast.With, ast.AsyncWith, ast.Constant)


def find_schema_calls(tree: ast.Module) -> tuple[SourceCall, ...]:
    """The calls, the `with` blocks and the literals that hold SQL, by line."""
    calls = (call for node in walk_nodes(tree) if isinstance(node, _READ_NODES) for call in _read_node(node))
    return tuple(sorted(calls, key=lambda call: (call.line, -call.end_line)))


def _read_node(node: ast.AST) -> Iterator[SourceCall]:
    match node:
        case ast.Call():
            name = _function_name(node)
            if _SCHEMA_CALL.fullmatch(name):
                keywords = tuple(keyword.arg for keyword in node.keywords if keyword.arg)
                arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
                yield _source_call(name, node, tuple(_read_strings(arguments)), keywords)
        case ast.With() | ast.AsyncWith():
            yield _source_call("with", node)
        case ast.Constant(value=str(text)) if _SQL.match(text):
            yield _source_call("", node, (text,))


def _source_call(
    name: str, node: ast.expr | ast.stmt, strings: tuple[str, ...] = (), keywords: tuple[str, ...] = ()
) -> SourceCall:
    return SourceCall(name, node.lineno, node.end_lineno or node.lineno, strings, keywords)


def _function_name(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _read_strings(arguments: Sequence[ast.expr]) -> Iterator[str]:
    """The literal strings among the arguments, in their order."""
    for argument in arguments:
        match argument:
            case ast.Constant(value=str(text)):
                yield text
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                yield from _read_strings(parts)
            case ast.Call(args=parts) if _function_name(argument) in _WRAPPERS:
                yield from _read_strings(parts)
