"""What the text of an observed statement says of it: its kind, its parts, the tables that it changes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.sql.statements import split_statements

CONTROL = re.compile(
    r"\s*(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction"
    r"|deallocate|discard|show|close|set|reset)\b",
    re.IGNORECASE,
)
CLEANUP = re.compile(r"\s*deallocate\b", re.IGNORECASE)
TRANSACTION_END = re.compile(
    r"\s*(commit|end|rollback|abort|prepare\s+transaction)\b(?!\s+(to|prepared)\b)", re.IGNORECASE
)
FIRST_WORDS = re.compile(r"(?:--[^\n]*\n|/\*.*?\*/|\s)*([A-Za-z]+)(?:\s+([A-Za-z]+))?", re.DOTALL)
ROW_TAGS = ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY")
TWO_WORD_TAGS = ("CREATE", "ALTER", "DROP", "LOCK", "REFRESH")
TRUNCATION = re.compile(
    r"\btruncate\b|^\s*refresh\s+materialized\s+view\b.*\bwith\s+no\s+data\b", re.IGNORECASE | re.DOTALL
)
WHERE = re.compile(r"\bWHERE\b", re.IGNORECASE)
CHANGED_TABLE = re.compile(
    r"\b(?:insert\s+into|update|delete\s+from|merge\s+into|copy)\s+(?:only\s+)?"
    r'(?:(?P<schema>"[^"]+"|[A-Za-z_][\w$]*)\s*\.\s*)?(?P<name>"[^"]+"|[A-Za-z_][\w$]*)',
    re.IGNORECASE,
)


def controls_session(sql: str) -> bool:
    """Whether it is about the transaction or the session: it locks nothing, and does no work."""
    return CONTROL.match(sql) is not None and not drop_control(sql)


def is_cleanup(sql: str) -> bool:
    """Whether it only forgets prepared statements: psycopg sends that behind an ALTER, DROP or ROLLBACK."""
    return CLEANUP.match(sql) is not None and controls_session(sql)


def drop_control(sql: str) -> list[str]:
    """The statements of a text that are about something else than the transaction or the session."""
    if CONTROL.match(sql) is not None and ";" not in sql.strip().rstrip(";"):
        return []
    return [part for part in split_parts(sql) if CONTROL.match(part) is None]


def ends_transaction(sql: str) -> bool:
    """Whether the locks are gone after it."""
    return TRANSACTION_END.match(sql) is not None


def split_parts(sql: str) -> list[str]:
    """The statements of a text of the client's."""
    return [statement.text for statement in split_statements(sql)]


def take_part(parts: list[str], tag: str) -> tuple[list[str], str]:
    """The first of the statements that may be a command with the tag; it and those before it are removed.

    Returns those before it that change rows, and the statement; '' if none fits.
    """
    word = tag.partition(" ")[0]
    for position, part in enumerate(parts):
        if find_tag(part).partition(" ")[0] == word:
            skipped = parts[:position]
            del parts[: position + 1]
            return [text for text in skipped if find_tag(text) in ROW_TAGS], part
    return [], ""


def find_row_part(parts: list[str]) -> str:
    """The one of these statements that most probably goes through rows; '' without any."""
    order = ("UPDATE", "DELETE", "MERGE", "INSERT", "COPY")
    by_tag = {find_tag(part): part for part in reversed(parts)}
    known = (by_tag[tag] for tag in order if tag in by_tag)
    return next(known, parts[-1] if parts else "")


def find_tag(sql: str) -> str:
    """How Postgres calls the statement, as far as its first words tell; '' if it has none."""
    match = FIRST_WORDS.match(sql)
    if match is None:
        return ""
    first, second = match[1].upper(), (match[2] or "").upper()
    if first == "WITH":
        return next((tag for tag in ROW_TAGS if re.search(rf"\b{tag}\b", sql, re.IGNORECASE)), "SELECT")
    return f"{first} {second}".strip() if first in TWO_WORD_TAGS else first


def find_changed_names(sql: str) -> Iterator[tuple[str, str]]:
    """Schema ('' if it has none) and name of the tables whose rows the statement changes."""
    for match in CHANGED_TABLE.finditer(sql):
        yield _unquote(match["schema"]), _unquote(match["name"])


def _unquote(name: str | None) -> str:
    if not name:
        return ""
    return name[1:-1] if name.startswith('"') else name.lower()
