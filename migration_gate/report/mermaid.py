"""Labels for Mermaid, the language of GitHub's diagrams."""

from __future__ import annotations

from migration_gate.report.printable_text import escape_unprintable

LABEL_LENGTH = 36
"""characters"""
PLAIN_CHARACTERS = " _-.,/…()"
"""characters, beside letters and digits, that have no meaning in a label"""
LOOKALIKES = {'"': "'", "'": "'", "=": "=", "*": "*", "+": "+", ":": "∶"}
"""what stands for a character in a label that knows no entities"""
OTHER_CHARACTER = "·"


def escape_label(text: str, limit: int = LABEL_LENGTH) -> str:
    """`text` for a label in double quotes: each character that could end it becomes an entity."""
    if len(text) > limit:
        text = f"{text[: limit - 1]}…"
    return "".join(_escape_character(character) for character in escape_unprintable(text))


def plain_label(text: str, limit: int = LABEL_LENGTH) -> str:
    """`text` for a label of a gantt chart, which knows no quotes and no entities: like it, not equal."""
    if len(text) > limit:
        text = f"{text[: limit - 1]}…"
    label = "".join(_replace_character(character) for character in escape_unprintable(text))
    return label if label.strip() else OTHER_CHARACTER


def _replace_character(character: str) -> str:
    if character.isalnum() or character in PLAIN_CHARACTERS:
        return character
    return LOOKALIKES.get(character, OTHER_CHARACTER)


def _escape_character(character: str) -> str:
    if character.isalnum() or character in PLAIN_CHARACTERS:
        return character
    return f"#{ord(character)};"
