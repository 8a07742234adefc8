"""Texts as SQL literals."""

from __future__ import annotations


def quote_literal(text: str) -> str:
    """The text as an SQL string that reads the same whatever `standard_conforming_strings` says."""
    escaped = text.replace("'", "''")
    if "\\" not in text:
        return f"'{escaped}'"
    escaped = escaped.replace("\\", "\\\\")
    return f"E'{escaped}'"
