"""Which call of a file a correction is about."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from migration_gate.edits.source_text import SourceText
from migration_gate.facts import Location


def find_call(
    source: SourceText, location: Location, functions: Iterable[str], column: str = ""
) -> ast.Call | None:
    """The one call of these functions at a location, or in the code that begins there.

    None if there is no such call, or more than one: which of them is meant is not known then. With `column`,
    only a call that makes the column of that name counts.
    """
    names = frozenset(functions)
    tree = source.find_statement(location.line or 0)
    if tree is None:
        return None
    calls = [
        call
        for call in _walk_calls(tree)
        if last_name(call.func) in names
        and _is_at(call, location)
        and (not column or column in _list_columns(tree, call))
    ]
    return calls[0] if len(calls) == 1 else None


def last_name(function: ast.expr) -> str:
    """The last part of a function's or type's name: `Column` of `sa.Column`; empty if it has none."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _walk_calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_at(call: ast.Call, location: Location) -> bool:
    if location.line is None:
        return False
    last = location.last_line or location.line
    return location.line <= call.lineno <= last


def _list_columns(tree: ast.stmt, call: ast.Call) -> set[str]:
    """The names that the column of a call may have: in its arguments, else that of its attribute.

    `alter_column` names the table first, but on a batch.
    """
    names = [name for argument in call.args if (name := _read_string(argument)) is not None]
    if last_name(call.func) == "alter_column":
        return set(names[:2][-1:])
    keyword = next((keyword.value for keyword in call.keywords if keyword.arg == "name"), None)
    if keyword is not None:
        return {_read_string(keyword) or ""}
    if call.args and isinstance(call.args[0], ast.Constant):
        return set(names[:1])
    return set(_list_attributes(tree, call))


def _read_string(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _list_attributes(tree: ast.stmt, call: ast.Call) -> Iterator[str]:
    """The attribute to which a class gives the value of the call, or something around it."""
    for class_ in ast.walk(tree):
        if not isinstance(class_, ast.ClassDef):
            continue
        for statement in class_.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ):
                    if any(node is call for node in ast.walk(value)):
                        yield name
