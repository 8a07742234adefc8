"""Reads a Python file of the project as a syntax tree, and writes parts of one as code."""

from __future__ import annotations

import ast
from pathlib import Path

from migration_gate.python_parser import parse_module

NESTS_TOO_DEEPLY = "…"


def parse_source(file: Path) -> ast.Module | None:
    """The file's syntax tree; None if it cannot be read, or is no Python that this one can parse."""
    try:
        return parse_module(file.read_bytes()) if file.is_file() else None  # (a link may lead to /dev/zero)
    except (SyntaxError, ValueError, OSError, RecursionError, MemoryError):  # RecursionError: a very long sum
        return None


def unparse_code(node: ast.AST) -> str:
    """The code of a part of a tree; `…` for one that nests too deeply: a sum of hundreds of strings."""
    try:
        return ast.unparse(node)
    except RecursionError:
        return NESTS_TOO_DEEPLY
