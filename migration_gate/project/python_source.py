"""Reads a Python file of the project as a syntax tree."""

from __future__ import annotations

import ast
from pathlib import Path


def parse_source(file: Path) -> ast.Module | None:
    """The file's syntax tree; None if it cannot be read, or is no Python that this one can parse."""
    try:
        return ast.parse(file.read_bytes()) if file.is_file() else None  # (a link may lead to /dev/zero)
    except (SyntaxError, ValueError, OSError, RecursionError, MemoryError):  # RecursionError: a very long sum
        return None
