"""What the text of a statement asks for, where Postgres made nothing of it: IF NOT EXISTS, COMMIT.

Read as words, with strings, comments and function bodies masked first; what cannot be read gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MASKED = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    re.DOTALL,
)
IDENTIFIER = r'(?:"(?:[^"]|"")+"|\w+)'
NAME = rf"{IDENTIFIER}(?:\s*\.\s*{IDENTIFIER})?"
CREATE_TABLE = re.compile(
    rf"^CREATE\s+(?:UNLOGGED\s+)?TABLE\s+IF\s+NOT\s+EXISTS\s+(?P<name>{NAME})\s*(?P<body>\(.*)", re.I | re.S
)
CREATE_INDEX = re.compile(
    rf"^CREATE\s+(?P<unique>UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?IF\s+NOT\s+EXISTS\s+(?P<name>{NAME})\s+"
    rf"ON\s+(?:ONLY\s+)?(?P<table>{NAME})\s*(?:USING\s+\w+\s*)?(?P<body>\(.*)",
    re.I | re.S,
)
TABLE_LEVEL = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE"}
ENDS = re.compile(
    r"^(?:COMMIT|END|ROLLBACK|ABORT)(?:\s+(?:WORK|TRANSACTION))?(?:\s+AND\s+(?:NO\s+)?CHAIN)?$", re.I
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table or index that a statement would have made."""

    kind: str
    schema: str | None
    name: str
    columns: tuple[str, ...]
    """names of a table's columns; an index's keys as written, without white space"""
    table: str | None = None
    unique: bool = False


def statements(sql: str) -> Iterator[str]:
    """Each statement of the text, comments, strings and function bodies masked."""
    for part in MASKED.sub(_mask, sql).split(";"):
        if part.strip():
            yield part.strip()


def ends_transaction(sql: str) -> str | None:
    """The statement of the text that ends a transaction, if there is one."""
    return next((part for part in statements(sql) if ENDS.match(part)), None)


def wanted(sql: str) -> Iterator[Wanted]:
    """The tables and indexes that the text creates IF NOT EXISTS."""
    for part in statements(sql):
        if found := CREATE_TABLE.match(part):
            words = [piece.split(None, 1)[0] for piece in pieces(found["body"]) if piece]
            columns = tuple(_fold(word) for word in words if word.upper() not in TABLE_LEVEL)
            # LIKE and PARTITION OF bring columns that the text does not name.
            if columns and len(columns) == len({*columns}) and "LIKE" not in (word.upper() for word in words):
                yield Wanted("table", *_split(found["name"]), columns)
        elif found := CREATE_INDEX.match(part):
            keys = tuple(keys_of(found["body"]))
            _, table = _split(found["table"])
            yield Wanted("index", *_split(found["name"]), keys, table, bool(found["unique"]))


def keys_of(body: str) -> Iterator[str]:
    """The keys of an index, folded and without white space: both texts of one key become one."""
    for piece in pieces(body):
        yield re.sub(r"\s+", "", piece).replace('"', "").lower().removesuffix("asc")


def pieces(body: str) -> Iterator[str]:
    """What stands between the first bracket of `body` and its own end, split at its commas."""
    depth, start = 0, 1
    for at, sign in enumerate(body):
        if sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
        if (sign == "," and depth == 1) or (sign == ")" and depth == 0):
            yield body[start:at].strip()
            start = at + 1
        if depth == 0:
            return


def _mask(found: re.Match[str]) -> str:
    """A comment is nothing; a string keeps its place."""
    return " " if found[0].startswith(("--", "/*")) else "''"


def _split(name: str) -> tuple[str | None, str]:
    parts = [_fold(part) for part in re.findall(IDENTIFIER, name)]
    return (parts[0] if len(parts) > 1 else None), parts[-1]


def _fold(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') else word.lower()
