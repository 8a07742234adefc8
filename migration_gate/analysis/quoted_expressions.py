"""A default that is an expression in the quotes of a string: Postgres reads it as a value, and refuses it."""

from __future__ import annotations

import re

from migration_gate.analysis.op_code import quote_python
from migration_gate.facts import Failure, Replay

_REFUSED = re.compile(r'invalid input syntax for (?:type )?[\w ]+: "(.+)"', re.DOTALL)
_EXPRESSION = re.compile(
    r"(?:current_(?:timestamp|date|time|user)|localtime(?:stamp)?|session_user)(?:\(\d\))?|[\w.]+\(.*\)",
    re.IGNORECASE | re.DOTALL,
)
_CURRENT_TIME = re.compile(r"(?:now\(\)|current_timestamp)", re.IGNORECASE)


def advise_on_quoted_expression(message: str) -> str | None:
    """The default as it is to be written, if Postgres took an expression for text; no full stop."""
    match = _REFUSED.search(message)
    if match is None or _EXPRESSION.fullmatch(match[1].strip()) is None:
        return None
    expression = quote_python(match[1].strip())
    is_current_time = _CURRENT_TIME.fullmatch(match[1].strip()) is not None
    written = "sa.func.now()" if is_current_time else f"sa.text({expression})"
    return (
        f"`server_default={expression}` is a string, which Postgres takes for a value and not for an "
        f"expression: write `server_default={written}`"
    )


def unquote_default(failure: Failure, replay: Replay) -> str | None:
    """For a revision that gives such a default."""
    advice = advise_on_quoted_expression(failure.message)
    is_ddl = re.match(r"\s*(?:CREATE|ALTER)\b", failure.statement or "", re.IGNORECASE) is not None
    return f"{advice}." if advice and is_ddl else None
