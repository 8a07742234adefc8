"""Parses Python sources, also those that are newer or older than the Python the gate runs on.

The project's interpreter is another one. Its syntax is rewritten to what this one knows, and a line that
still cannot be parsed is left out, unless it mentions a schema change: then the file counts as unread.
"""

from __future__ import annotations

import ast
import re
import warnings

from migration_gate.python_parser import parse_module

_FILE = "migration-gate-reads-only"
"""the file name under which sources are parsed, so that warnings about them can be told apart"""
_MAX_LEFT_OUT = 25
"""lines of one file that may be left out"""
_BRACKETS = r"\[(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*\])*\])*\]"
_REWRITES = (
    # 3.14: `except A, B:`
    (
        re.compile(r"^([ \t]*except\*?[ \t]+)([\w.]+(?:,[ \t]*[\w.]+)+)[ \t]*:", re.MULTILINE),
        r"\1(\2):",
    ),
    # 3.12: `def f[T](x)`, `class A[T]:`, `type X[T] = ...`
    (re.compile(rf"^([ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w+){_BRACKETS}", re.MULTILINE), r"\1"),
    (re.compile(rf"^([ \t]*)type[ \t]+(\w+)(?:{_BRACKETS})?[ \t]*=", re.MULTILINE), r"\1\2 ="),
)
_MENTIONS_SCHEMA_CHANGE = re.compile(
    r"create_all|drop_all|\.create\(|\.drop\(|\b(?:create|alter|drop|comment\s+on)\s+\w+"
    r"|(?:Create|Drop)(?:Table|Index)|(?:Add|Drop)Constraint",
    re.IGNORECASE,
)


def parse_python(data: bytes | str) -> ast.Module | None:
    """The tree of a source file; None if it cannot be parsed. Nothing is run."""
    # Old sources have invalid escapes. The filter is for this one name, so that it hides no other warning.
    warnings.filterwarnings("ignore", module=_FILE)
    filename = f"{_FILE}.py"
    try:
        try:
            return parse_module(data, filename)
        except SyntaxError:
            return parse_other_syntax(data, filename)
    except (ValueError, RecursionError, MemoryError):
        return None


def parse_other_syntax(data: bytes | str, filename: str) -> ast.Module | None:
    """The tree without the lines that this Python cannot parse; None if too much would be lost."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    lines = text.split("\n")
    attempts: dict[int, int] = {}
    for _ in range(_MAX_LEFT_OUT):
        try:
            return parse_module("\n".join(lines), filename)
        except SyntaxError as error:
            index = (error.lineno or 0) - 1
            if not _may_leave_out(lines, index, attempts):
                return None
            lines[index] = "" if index in attempts else _make_filler(lines[index])
            attempts[index] = attempts.get(index, 0) + 1
    return None


def _may_leave_out(lines: list[str], index: int, attempts: dict[int, int]) -> bool:
    """Whether the line can go: it exists, mentions no schema change, and did not go twice already."""
    if not 0 <= index < len(lines) or attempts.get(index, 0) > 1:
        return False
    return _MENTIONS_SCHEMA_CHANGE.search(lines[index]) is None


def _make_filler(line: str) -> str:
    """A line that stands for `line` in the same block, and opens a block where it did."""
    indent = line[: len(line) - len(line.lstrip())]
    return indent + ("if 1:" if line.rstrip().endswith(":") else "pass")
