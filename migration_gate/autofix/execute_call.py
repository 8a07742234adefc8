"""`op.execute(…)` for statements that Alembic has no operation for."""

from __future__ import annotations

import re

# op.execute() makes a `sa.text()` of a string. The two colons of a cast are none of its parameters. A
# backslash before a colon is taken for an escape, so that this colon needs one of its own.
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
