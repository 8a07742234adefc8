"""The words for a default that is no call although one was meant: a string is evaluated once, or never."""

from __future__ import annotations

FROZEN = 'the moment of the DDL (a string such as "now()" is evaluated once)'
"""in place of the moment, which is another one in every run"""
QUOTED = "the text of a call, not its value: "


def is_evaluated_default(text: str | None) -> bool:
    """Whether a side of a difference is such a default."""
    return text is not None and (text == FROZEN or text.startswith(QUOTED))
