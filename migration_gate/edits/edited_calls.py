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
    calls = [
        call
        for call in _list_calls(source, location)
        if last_name(call.func) in names and (not column or column in _list_columns(source, call))
    ]
    return calls[0] if len(calls) == 1 else None


def last_name(function: ast.expr) -> str:
    """The last part of a function's or type's name: `Column` of `sa.Column`; empty if it has none."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _list_calls(source: SourceText, location: Location) -> Iterator[ast.Call]:
    """Those that begin on its lines."""
    if location.line is None:
        return
    for line in range(location.line, (location.last_line or location.line) + 1):
        yield from (node for node in source.nodes_by_line.get(line, ()) if isinstance(node, ast.Call))


def _list_columns(source: SourceText, call: ast.Call) -> set[str]:
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
    return set(_list_attributes(source, call))


def _read_string(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _list_attributes(source: SourceText, call: ast.Call) -> Iterator[str]:
    """The attribute to which a class gives the value of the call, or something around it."""
    child: ast.AST = call
    for parent in source.list_parents(call):
        match parent, child:
            case ast.ClassDef(), (
                ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name))
            ):
                yield name
        child = parent
