"""Which object a schema statement creates, by the words of the statement."""

from __future__ import annotations

from collections.abc import Sequence

from migration_gate.facts import CreatedObject
from migration_gate.sql.lexer import Token, TokenKind

_ADJECTIVES = frozenset(
    {"OR", "REPLACE", "UNIQUE", "MATERIALIZED", "CONSTRAINT", "RECURSIVE", "UNLOGGED", "TRUSTED"}
    | {"FOREIGN", "PROCEDURAL"}
)
_BEFORE_NAME = frozenset({"IF", "NOT", "EXISTS", "CONCURRENTLY", "ONLY"})
_NOUNS = {
    "TABLE": "table",
    "INDEX": "index",
    "VIEW": "view",
    "FUNCTION": "function",
    "PROCEDURE": "function",
    "AGGREGATE": "function",
    "TRIGGER": "trigger",
    "POLICY": "policy",
    "RULE": "rule",
    "TYPE": "type",
    "DOMAIN": "type",
    "SEQUENCE": "sequence",
    "EXTENSION": "extension",
    "SCHEMA": "schema",
    "STATISTICS": "statistics object",
}
_OWNED = {"TRIGGER": "ON", "POLICY": "ON", "RULE": "TO"}
"""kinds that belong to a table, and the word before its name"""
_UNNAMED_CONSTRAINTS = frozenset({"PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE"})
_ROW_SECURITY = ["ROW", "LEVEL", "SECURITY"]
_NAME_KINDS = frozenset({TokenKind.WORD, TokenKind.QUOTED_NAME, TokenKind.PLACEHOLDER})


def find_created_object(tokens: Sequence[Token]) -> CreatedObject | None:
    """What CREATE, or ALTER TABLE ... ADD CONSTRAINT, makes; None for every other statement."""
    words = [token.keyword for token in tokens]
    if words[:1] == ["CREATE"]:
        return _read_create(tokens, words)
    return _read_alter_table(tokens, words) if words[:2] == ["ALTER", "TABLE"] else None


def _read_create(tokens: Sequence[Token], words: Sequence[str]) -> CreatedObject | None:
    index = _skip_words(words, 1, _ADJECTIVES)
    word = words[index] if index < len(words) else ""
    if word not in _NOUNS:
        return None
    name = _name_at(tokens, _skip_words(words, index + 1, _BEFORE_NAME))
    if not name:
        return None
    table = _name_behind(tokens, words, _OWNED[word], index) if word in _OWNED else ""
    return CreatedObject(_NOUNS[word], name, table)


def _read_alter_table(tokens: Sequence[Token], words: Sequence[str]) -> CreatedObject | None:
    table = _name_at(tokens, _skip_words(words, 2, _BEFORE_NAME))
    if not table:
        return None
    for index in range(3, len(words)):
        if words[index : index + 2] == ["ADD", "CONSTRAINT"]:
            name = _name_at(tokens, index + 2)
            return CreatedObject("constraint", name, table) if name else None
        if words[index] == "ADD":
            return _read_added_column(tokens, words, index + 1, table)
        if words[index] in ("ENABLE", "FORCE") and words[index + 1 : index + 4] == _ROW_SECURITY:
            return CreatedObject("row security", table)
    return None


def _read_added_column(
    tokens: Sequence[Token], words: Sequence[str], index: int, table: str
) -> CreatedObject | None:
    """`ADD [COLUMN] [IF NOT EXISTS] name`; None for a constraint without a name."""
    index += words[index : index + 1] == ["COLUMN"]
    index = _skip_words(words, index, _BEFORE_NAME)
    name = _name_at(tokens, index) if index < len(words) else ""
    is_constraint = index < len(words) and words[index] in _UNNAMED_CONSTRAINTS
    return None if is_constraint or not name else CreatedObject("column", name, table)


def _skip_words(words: Sequence[str], index: int, skipped: frozenset[str]) -> int:
    while index < len(words) and words[index] in skipped:
        index += 1
    return index


def _name_at(tokens: Sequence[Token], index: int) -> str:
    """The possibly qualified name that begins at this token, as written; empty where there is none."""
    parts = ""
    end = -1
    for token in tokens[index:]:
        is_joined = token.start == end or token.text == "." or parts.endswith(".")
        is_part = token.kind in _NAME_KINDS or token.text == "."
        if not is_part or (parts and not is_joined):
            break
        parts += token.text
        end = token.end
    return parts


def _name_behind(tokens: Sequence[Token], words: Sequence[str], word: str, index: int) -> str:
    for position in range(index, len(words)):
        if words[position] == word:
            return _name_at(tokens, _skip_words(words, position + 1, _BEFORE_NAME))
    return ""
