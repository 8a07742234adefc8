"""What a difference goes from and to, on one line: `text` in the migrations, `json` in the models."""

from __future__ import annotations

import re

from migration_gate.facts import Difference

LONGEST_SIDE = 40
"""characters that a sentence has room for; longer texts stand in the evidence only"""
_SHORT_TYPES = (
    (re.compile(r"\bcharacter varying\b"), "varchar"),
    (re.compile(r"\b(timestamp|time)(\(\d+\))? without time zone\b"), r"\1\2"),
    (re.compile(r"\b(timestamp|time)(\(\d+\))? with time zone\b"), r"\1tz\2"),
)
"""Postgres' own short names of types that it prints in many words"""


def describe_sides(difference: Difference) -> str:
    """Both sides as code; empty if one is missing or too long, or if they look alike."""
    database, models = (_shorten_side(difference, text) for text in (difference.database, difference.models))
    if not database or not models or database == models:
        return ""
    models_side = "declared" if difference.kind == "declared" else "in the models"
    return f"`{database}` in the migrations, `{models}` {models_side}"


def describe_only_side(difference: Difference) -> str:
    """The side that is there, as code in parentheses after a space; empty if it is too long."""
    texts = (difference.database, difference.models)
    text = next((text for text in texts if text is not None), None)
    side = _shorten_side(difference, text)
    return f" (`{side}`)" if side else ""


def _shorten_side(difference: Difference, text: str | None) -> str:
    """The text, if a sentence can hold it as code; else nothing."""
    if text is None:
        return ""
    if difference.kind == "type":
        for pattern, name in _SHORT_TYPES:
            text = pattern.sub(name, text)
    has_room = len(text) <= LONGEST_SIDE and "`" not in text and text.isprintable()
    return text if has_room else ""


def find_unique_side(difference: Difference) -> str:
    """The side that alone makes values unique, where the other has a plain index; empty otherwise."""
    if difference.kind not in ("unique", "index"):
        return ""
    sides = {"migrations": difference.database, "models": difference.models}
    unique = [side for side, text in sides.items() if _makes_unique(text or "")]
    return unique[0] if len(unique) == 1 else ""


def _makes_unique(definitions: str) -> bool:
    parts = definitions.split("; ")
    return any(part.startswith(("UNIQUE", "CREATE UNIQUE")) for part in parts)


def find_value_noun(difference: Difference) -> str:
    """What a column has in the place of a default, on each side that has something; empty for defaults."""
    sides = [text for text in (difference.database, difference.models) if text]
    if difference.kind != "default" or not sides:
        return ""
    if all(text.startswith("GENERATED ALWAYS AS (") for text in sides):
        return "generating expression"
    return "identity" if all(text.endswith(" AS IDENTITY") for text in sides) else ""
