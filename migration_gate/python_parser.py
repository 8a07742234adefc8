"""Parses Python, one text at a time.

While Python 3.11 builds a tree for one thread, another one that parses can confuse its count of levels (both
use one counter), and a SystemError is raised.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from threading import Lock

_TURN = Lock()


def parse_module(source: str | bytes, filename: str = "<unknown>") -> ast.Module:
    """The tree. Raises what `ast.parse` does: SyntaxError, ValueError, RecursionError, MemoryError."""
    with _TURN:
        return ast.parse(source, filename)


def walk_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it: as `ast.walk`, but in no order, without `Load` and the like, and faster."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for value in vars(node).values():
            if isinstance(value, list):
                waiting += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
                waiting.append(value)
