"""The statement of a module that failed, by its line, and the blocks around it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

ENDING_CALLS = frozenset({"exit", "_exit", "abort", "quit", "fail", "die"})
"""names of functions that end a program"""
_PARTS = (ast.stmt, ast.ExceptHandler)


def list_path(tree: ast.AST, line: int) -> Iterator[ast.stmt | ast.ExceptHandler]:
    """The statements and handlers around the line, outermost first; last the one that stands there."""
    node: ast.AST | None = tree
    while node is not None:
        parts = ast.iter_child_nodes(node)
        node = next((part for part in parts if isinstance(part, _PARTS) and holds_line(part, line)), None)
        if node is not None:
            yield node


def holds_line(node: ast.stmt | ast.ExceptHandler | ast.expr, line: int) -> bool:
    """Whether the line is one of the node's."""
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def ends_program(node: ast.AST) -> bool:
    """Whether the statement raises an error, or calls a function that ends the program."""
    match node:
        case ast.Raise() | ast.Assert():
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))):
            return name in ENDING_CALLS
    return False
