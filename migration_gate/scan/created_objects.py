"""Which object a schema statement creates, by the words of the statement."""

from __future__ import annotations

from collections.abc import Sequence

from migration_gate.facts import CreatedObject
from migration_gate.scan.statement_words import BEFORE_NAME, StatementWords
from migration_gate.sql.lexer import Token

_ADJECTIVES = frozenset(
    {"OR", "REPLACE", "UNIQUE", "MATERIALIZED", "CONSTRAINT", "RECURSIVE", "UNLOGGED", "TRUSTED"}
    | {"FOREIGN", "PROCEDURAL"}
)
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


def find_created_object(tokens: Sequence[Token]) -> CreatedObject | None:
    """What CREATE, or ALTER TABLE ... ADD CONSTRAINT, makes; None for every other statement."""
    statement = StatementWords.from_tokens(tokens)
    if statement.keyword_at(0) == "CREATE":
        return _read_create(statement)
    is_alter_table = statement.keywords[:2] == ["ALTER", "TABLE"]
    return _read_alter_table(statement) if is_alter_table else None


def _read_create(statement: StatementWords) -> CreatedObject | None:
    index = statement.skip(1, _ADJECTIVES)
    kind = statement.keyword_at(index)
    name = statement.name_at(statement.skip(index + 1, BEFORE_NAME))
    if kind not in _NOUNS or not name:
        return None
    table = statement.name_after({_OWNED[kind]}, index) if kind in _OWNED else ""
    return CreatedObject(_NOUNS[kind], name, table)


def _read_alter_table(statement: StatementWords) -> CreatedObject | None:
    """What the first ADD, or ENABLE ROW LEVEL SECURITY, makes."""
    table = statement.name_at(statement.skip(2, BEFORE_NAME))
    if not table:
        return None
    for index in range(3, len(statement.keywords)):
        match statement.keywords[index : index + 4]:
            case ["ADD", "CONSTRAINT", *_]:
                name = statement.name_at(index + 2)
                return CreatedObject("constraint", name, table) if name else None
            case ["ADD", *_]:
                return _read_added_column(statement, index + 1, table)
            case ["ENABLE" | "FORCE", "ROW", "LEVEL", "SECURITY"]:
                return CreatedObject("row security", table)
    return None


def _read_added_column(statement: StatementWords, index: int, table: str) -> CreatedObject | None:
    """`ADD [COLUMN] [IF NOT EXISTS] name`; None for a constraint without a name."""
    index = statement.skip(index, {"COLUMN", *BEFORE_NAME})
    name = statement.name_at(index)
    if not name or statement.keyword_at(index) in _UNNAMED_CONSTRAINTS:
        return None
    return CreatedObject("column", name, table)
