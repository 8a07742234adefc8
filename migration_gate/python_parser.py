"""Parses Python, one text at a time.

While Python 3.11 builds a tree for one thread, another one that parses can confuse its count of levels (both
use one counter), and a SystemError is raised.
"""

from __future__ import annotations

import ast
from threading import Lock

_TURN = Lock()


def parse_module(source: str | bytes, filename: str = "<unknown>") -> ast.Module:
    """The tree. Raises what `ast.parse` does: SyntaxError, ValueError, RecursionError, MemoryError."""
    with _TURN:
        return ast.parse(source, filename)
