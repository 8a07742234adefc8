"""Whether a line of env.py's depends on an attribute of the configuration, by the text of the module."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Set

from migration_gate.python_parser import walk_nodes
from migration_gate.replay.failed_statement import ends_program, holds_line, list_path

Function = ast.FunctionDef | ast.AsyncFunctionDef


def uses_attribute(tree: ast.Module, line: int, name: str) -> bool:
    """Whether the statement at this line looks `config.attributes[name]` up, or uses a variable of it.

    A variable that is given something else as well has a fallback. What ends the program in an `if` that
    asks for the attribute depends on it, too.
    """
    path = list(list_path(tree, line))
    if not path:
        return False
    parts = list(walk_nodes(path[-1]))
    if hasattr(path[-1], "body"):  # the line is the head of a block
        parts = [part for part in parts if isinstance(part, ast.expr) and holds_line(part, line)]
    if ends_program(path[-1]):
        parts += [part for node in path if isinstance(node, ast.If) for part in walk_nodes(node.test)]
    scopes = [tree, *(node for node in path if isinstance(node, Function))]
    holders = {holder for scope in scopes for holder in _list_holders(scope, name)}
    return _depends_on(parts, name, holders)


def _list_holders(scope: ast.Module | Function, name: str) -> frozenset[str]:
    """The variables of a module or a function that are assigned the attribute, and nothing else."""
    nodes = list(_walk_scope(scope))
    assigned = {
        id(target): target.id
        for node in nodes
        if isinstance(node, ast.Assign) and any(_looks_up(part, name) for part in walk_nodes(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    others = {
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in assigned
    }
    return frozenset(assigned.values()) - others


def _walk_scope(scope: ast.Module | Function) -> Iterator[ast.AST]:
    """The nodes of a module or a function without those of the functions in it."""
    waiting: list[ast.AST] = [*scope.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function):
            waiting += ast.iter_child_nodes(node)


def _depends_on(parts: Iterable[ast.AST], name: str, holders: Set[str]) -> bool:
    return any(
        _looks_up(part, name)
        or (isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id in holders)
        for part in parts
    )


def _looks_up(node: ast.AST, name: str) -> bool:
    """`config.attributes["name"]` or `config.attributes.get("name")`."""
    match node:
        case ast.Subscript(value=ast.Attribute(attr="attributes"), slice=ast.Constant(value=key)):
            return bool(key == name)
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute(attr="attributes"), attr="get" | "pop"),
            args=[ast.Constant(value=key), *_],
        ):
            return bool(key == name)
        case _:
            return False
