"""The parts of one ALTER TABLE: which do work with rows, and which take a moment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import fold_identifier
from migration_gate.sql.lexer import Token, TokenKind, tokenize

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_WORKS_ON_ROWS = re.compile(
    r"VALIDATE\s+CONSTRAINT\b|SET\s+(?:LOGGED|UNLOGGED|TABLESPACE|ACCESS\s+METHOD)\b"
    r"|ADD\b(?!.*\b(?:NOT\s+VALID|USING\s+INDEX)\b)"
    rf"|ALTER\s+(?:COLUMN\s+)?{_NAME}\s+(?:SET\s+NOT\s+NULL|(?:SET\s+DATA\s+)?TYPE\b)",
    re.IGNORECASE | re.DOTALL,
)
_VALIDATION = re.compile(r"VALIDATE\s+CONSTRAINT\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AlterTable:
    """The statement, in parts."""

    target: str
    """`ALTER TABLE ONLY app.item`"""
    actions: tuple[str, ...]
    """as they are written"""

    def write(self, actions: Sequence[str]) -> str:
        """The statement with these actions; '' without any."""
        return f"{self.target} {', '.join(actions)}" if actions else ""

    @property
    def validations(self) -> tuple[str, ...]:
        """The actions that hold rows against a rule which stands already."""
        return tuple(action for action in self.actions if _VALIDATION.match(action))

    def split_quick(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The actions that take a moment: those before the first one with work, and those behind it."""
        before: list[str] = []
        behind: list[str] = []
        has_work = False
        for action in self.actions:
            if _WORKS_ON_ROWS.match(action):
                has_work = True
            else:
                (behind if has_work else before).append(action)
        return tuple(before), tuple(behind)


def split_alter_table(sql: str) -> AlterTable | None:
    """The parts of the statement; None if it is no ALTER TABLE with actions."""
    tokens = list(tokenize(sql))
    if [token.keyword for token in tokens[:2]] != ["ALTER", "TABLE"]:
        return None
    start = _find_actions(tokens)
    actions = tuple(_split_actions(sql, tokens[start:]))
    return AlterTable(sql[tokens[0].start : tokens[start - 1].end], actions) if actions else None


def changes_column(action: str, names: Sequence[str]) -> bool:
    """Whether the action is an ALTER COLUMN of one of the columns."""
    tokens = list(tokenize(action))
    words = [token for token in tokens[1:3] if token.keyword != "COLUMN"]
    if not words or tokens[0].keyword != "ALTER":
        return False
    first = words[0]
    quoted = first.kind is TokenKind.QUOTED_NAME
    name = first.text[1:-1].replace('""', '"') if quoted else fold_identifier(first.text)
    return name in names


def _find_actions(tokens: Sequence[Token]) -> int:
    """The position of the first action: behind the table's name."""
    position = 2
    while position < len(tokens) and tokens[position].keyword in ("IF", "EXISTS", "ONLY"):
        position += 1
    position += 1
    while position < len(tokens) and tokens[position].text == ".":
        position += 2
    return position + (position < len(tokens) and tokens[position].text == "*")


def _split_actions(sql: str, tokens: Sequence[Token]) -> Iterator[str]:
    depth, action = 0, list[Token]()
    for token in tokens:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if depth == 0 and token.text in (",", ";"):
            if action:
                yield sql[action[0].start : action[-1].end]
            action = []
            if token.text == ";":
                return
        else:
            action.append(token)
    if action:
        yield sql[action[0].start : action[-1].end]
