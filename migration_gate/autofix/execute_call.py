"""`op.execute(…)` for statements that Alembic has no operation for."""

from __future__ import annotations

import re

_PARAMETER_COLON = re.compile(r"(?<!:):(?=\w)|(?<=\\):(?!:)")


def execute_call(statement: str) -> str:
    """The line of a revision that runs the statement as it is; Alembic would take `:name` for a parameter."""
    escaped = _PARAMETER_COLON.sub(r"\\:", statement)
    literal = repr(escaped)
    if '"' not in escaped and literal.startswith("'"):
        literal = '"' + literal[1:-1].replace("\\'", "'") + '"'
    return f"op.execute({literal})"


def execute_calls(statements: list[str]) -> list[str]:
    """A line for each statement."""
    return [execute_call(statement) for statement in statements]
