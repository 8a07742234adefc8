"""Parses sources that are newer, or older, than the Python the gate runs on.

The project's interpreter is another one. Its syntax is written back to what this one knows, and a line that
still cannot be parsed is left out, unless it is itself about a schema: then the file counts as unread.
"""

from __future__ import annotations

import ast
import re

_TRIES = 25
"""lines of one file that may be left out"""
_BRACKETS = r"\[(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*\])*\])*\]"
_WRITTEN_BACK = (
    # 3.14: `except A, B:`
    (
        re.compile(r"^([ \t]*except\*?[ \t]+)([\w.]+(?:,[ \t]*[\w.]+)+)[ \t]*:", re.MULTILINE),
        r"\1(\2):",
    ),
    # 3.12: `def f[T](x)`, `class A[T]:`, `type X[T] = ...`
    (re.compile(rf"^([ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w+){_BRACKETS}", re.MULTILINE), r"\1"),
    (re.compile(rf"^([ \t]*)type[ \t]+(\w+)(?:{_BRACKETS})?[ \t]*=", re.MULTILINE), r"\1\2 ="),
)
_SPEAKS_OF_A_SCHEMA = re.compile(
    r"create_all|drop_all|\.create\(|\.drop\(|\b(?:create|alter|drop|comment\s+on)\s+\w+"
    r"|(?:Create|Drop)(?:Table|Index)|(?:Add|Drop)Constraint",
    re.IGNORECASE,
)


def parse(data: bytes | str, filename: str) -> ast.Module | None:
    """The tree without the lines that this Python cannot parse; None where too much would be lost."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    for pattern, replacement in _WRITTEN_BACK:
        text = pattern.sub(replacement, text)
    lines = text.split("\n")
    tried: dict[int, int] = {}
    for _ in range(_TRIES):
        try:
            return ast.parse("\n".join(lines), filename=filename)
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            if not 0 <= at < len(lines) or _SPEAKS_OF_A_SCHEMA.search(lines[at]) or tried.get(at, 0) > 1:
                return None
            lines[at] = _filler(lines[at]) if at not in tried else ""
            tried[at] = tried.get(at, 0) + 1
    return None


def _filler(line: str) -> str:
    """A line that stands for `line` in the same block, and opens one where it did."""
    indent = line[: len(line) - len(line.lstrip())]
    return indent + ("if 1:" if line.rstrip().endswith(":") else "pass")
