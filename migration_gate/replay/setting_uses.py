"""Whether a line of env.py's depends on a setting that was asked for in vain, by the text of the module."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Set

from migration_gate.python_parser import walk_nodes
from migration_gate.replay.failed_statement import ends_program, holds_line, list_path

Function = ast.FunctionDef | ast.AsyncFunctionDef
IsSource = Callable[[ast.AST], bool]
"""whether a node of the tree reads the setting"""


def depends_on(tree: ast.Module, line: int, is_source: IsSource) -> bool:
    """Whether the statement at this line reads the setting, or uses a variable of it alone.

    A variable that is given something else as well has a fallback. What ends the program in an `if` that
    asks for the setting depends on it, too.
    """
    path = list(list_path(tree, line))
    if not path:
        return False
    parts = list(walk_nodes(path[-1]))
    if hasattr(path[-1], "body"):  # the line is the head of a block
        parts = [part for part in parts if isinstance(part, ast.expr) and holds_line(part, line)]
    if ends_program(path[-1]):
        parts += [part for node in path if isinstance(node, ast.If) for part in walk_nodes(node.test)]
    is_source = _include_functions(tree, is_source)
    scopes = [tree, *(node for node in path if isinstance(node, Function))]
    holders = {holder for scope in scopes for holder in _list_holders(scope, is_source)}
    return _has_source(parts, is_source, holders)


def reads_attribute(name: str) -> IsSource:
    """`config.attributes["name"]` or `config.attributes.get("name")`."""

    def is_source(node: ast.AST) -> bool:
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

    return is_source


def reads_x_arguments(node: ast.AST) -> bool:
    """`context.get_x_argument` or `config.cmd_opts.x`."""
    match node:
        case (
            ast.Attribute(attr="get_x_argument")
            | ast.Attribute(attr="x", value=ast.Attribute(attr="cmd_opts"))
        ):
            return True
        case _:
            return False


def _include_functions(tree: ast.Module, is_source: IsSource) -> IsSource:
    """The same, also for calls of functions of the module that return the setting."""
    functions = {
        function.name
        for function in walk_nodes(tree)
        if isinstance(function, Function)
        for node in _walk_scope(function)
        if isinstance(node, ast.Return)
        and _has_source(walk_nodes(node), is_source, _list_holders(function, is_source))
    }

    def is_source_or_call(node: ast.AST) -> bool:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
            return True
        return is_source(node)

    return is_source_or_call


def _list_holders(scope: ast.Module | Function, is_source: IsSource) -> Set[str]:
    """The variables of a module or a function that hold the setting, or what is made of it, alone."""
    nodes = list(_walk_scope(scope))
    stored = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    assignments = [node for node in nodes if isinstance(node, ast.Assign)]
    assignments.sort(key=lambda node: node.lineno)
    holders: set[str] = set()
    others: set[str] = set()
    for _ in range(2):  # the second time without what is made of a variable that has a fallback
        holders = set()
        assigned: set[int] = set()
        for assignment in assignments:
            if _has_source(walk_nodes(assignment.value), is_source, holders):
                targets = [target for target in assignment.targets if isinstance(target, ast.Name)]
                assigned.update(map(id, targets))
                holders |= {target.id for target in targets} - others
        others = {name.id for name in stored if id(name) not in assigned}
    return holders - others


def _walk_scope(scope: ast.Module | Function) -> Iterator[ast.AST]:
    """The nodes of a module or a function without those of the functions in it."""
    waiting: list[ast.AST] = [*scope.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function):
            waiting += ast.iter_child_nodes(node)


def _has_source(parts: Iterable[ast.AST], is_source: IsSource, holders: Set[str]) -> bool:
    return any(
        is_source(part)
        or (isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id in holders)
        for part in parts
    )
