"""What env.py's text tells of its `-x` arguments, where an error does not: their names, and known values."""

from __future__ import annotations

import ast

from migration_gate.python_parser import walk_nodes
from migration_gate.replay.setting_uses import reads_x_arguments


def list_argument_names(tree: ast.Module) -> list[str]:
    """Names by which the module looks into what `-x` gives."""
    holders = _list_holders(tree)
    nodes = sorted(_list_lookups(tree, holders), key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(str(node.value) for node in nodes))


def list_keys_at_line(tree: ast.Module, line: int) -> list[str]:
    """The keys of the dicts, in the code or held by a variable of the module, that a line looks into."""
    nodes = list(walk_nodes(tree))
    dicts = {
        target.id: node.value
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    lookups = [node.value for node in nodes if isinstance(node, ast.Subscript) and node.lineno == line]
    found = [dicts.get(value.id) if isinstance(value, ast.Name) else value for value in lookups]
    keys = [key for value in found if isinstance(value, ast.Dict) for key in value.keys]
    return [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def _list_holders(tree: ast.Module) -> set[str]:
    """Variables that hold the arguments, or a mapping made of them."""
    holders: set[str] = set()
    assignments = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    for assignment in sorted(assignments, key=lambda node: node.lineno):
        is_lookup = any(True for _ in _list_lookups(assignment.value, holders))
        if _holds_arguments(assignment.value, holders) and not is_lookup:
            holders.update(target.id for target in assignment.targets if isinstance(target, ast.Name))
    return holders


def _holds_arguments(expression: ast.AST, holders: set[str]) -> bool:
    """`context.get_x_argument()`, `config.cmd_opts.x`, or an expression with one of the variables."""
    return any(
        reads_x_arguments(node) or (isinstance(node, ast.Name) and node.id in holders)
        for node in walk_nodes(expression)
    )


def _list_lookups(tree: ast.AST, holders: set[str]) -> list[ast.Constant]:
    """The names in `x["name"]`, `x.get("name")` and `"name" in x`."""
    lookups = []
    for node in walk_nodes(tree):
        container, name = _read_lookup(node)
        is_text = isinstance(name, ast.Constant) and isinstance(name.value, str)
        if container is not None and is_text and _holds_arguments(container, holders):
            lookups.append(name)
    return [name for name in lookups if isinstance(name, ast.Constant)]


def _read_lookup(node: ast.AST) -> tuple[ast.AST | None, ast.AST | None]:
    match node:
        case ast.Subscript(value=container, slice=name):
            return container, name
        case ast.Call(func=ast.Attribute(value=container, attr="get" | "pop"), args=[name, *_]):
            return container, name
        case ast.Compare(left=name, ops=[ast.In() | ast.NotIn()], comparators=[container]):
            return container, name
        case _:
            return None, None
