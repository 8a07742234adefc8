"""The bodies of a revision's functions as text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

NO_DOWNGRADE = 'raise NotImplementedError("this cannot be undone")'
_IDENTIFIER_LENGTH = 12
"""hexadecimal digits, as Alembic's own"""


def make_identifier(texts: Iterable[str]) -> str:
    """A revision's id that follows from its content, so that it is the same in every run."""
    content = "\0".join(texts)
    return hashlib.sha256(content.encode()).hexdigest()[:_IDENTIFIER_LENGTH]


def has_code(body: str) -> bool:
    """Whether it is more than comments."""
    return bool(_list_code_lines(body))


def has_statement(body: str) -> bool:
    """Whether it is more than comments and `pass`."""
    return any(line != "pass" for line in _list_code_lines(body))


def complete_body(body: str) -> str:
    """The body, which Python wants to have a statement."""
    return body if has_code(body) else NO_DOWNGRADE


def _list_code_lines(body: str) -> list[str]:
    lines = (line.strip() for line in body.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
