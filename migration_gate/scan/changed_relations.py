"""Which tables, indexes, views and types a schema statement changes, by the words of the statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from migration_gate.sql.lexer import Syntax, Token, TokenKind
from migration_gate.sql.statements import split_statements

DDL_IN_BODY = re.compile(
    r"\b(?:CREATE|ALTER|DROP)\s+(?:\w+\s+){0,4}?(?:TABLE|INDEX|TYPE|VIEW|TRIGGER)\b", re.IGNORECASE
)
"""schema statements inside of a body in quotes: that of DO"""
_BODY_STATEMENT = 600
"""characters of a body's statement that are read for its name"""
_ADJECTIVES = frozenset(
    {"OR", "REPLACE", "GLOBAL", "LOCAL", "UNLOGGED", "UNIQUE", "MATERIALIZED", "RECURSIVE", "CONSTRAINT"}
    | {"FOREIGN", "CONCURRENTLY", "EXTERNAL", "TRUSTED", "PROCEDURAL", "EVENT"}
)
"""words between CREATE and the kind of object"""
_BEFORE_NAME = frozenset({"IF", "NOT", "EXISTS", "ONLY", "CONCURRENTLY"})
_PARTITION_WITHIN = 8
"""words behind a name among which PARTITION stands, if it is about one"""
_COMMENTED = frozenset({"TABLE", "COLUMN", "VIEW", "INDEX", "TYPE"})
_NAME_KINDS = frozenset({TokenKind.WORD, TokenKind.QUOTED_NAME, TokenKind.PLACEHOLDER})


@dataclass(frozen=True, slots=True)
class _Statement:
    tokens: Sequence[Token]
    words: Sequence[str]
    """of each token the word in capitals, or empty text"""

    def name_at(self, index: int) -> str | None:
        """The possibly qualified name that begins at this token, as written; None where there is none."""
        parts = ""
        end = -1
        for token in self.tokens[index:]:
            is_joined = token.start == end or token.text == "." or parts.endswith(".")
            is_part = token.kind in _NAME_KINDS or token.text == "."
            if not is_part or (parts and not is_joined):
                break
            parts += token.text
            end = token.end
        return parts if parts.strip(".") and not parts.endswith(".") else None

    def names_at(self, index: int) -> Iterator[str]:
        """The name that begins at this token, where there is one."""
        name = self.name_at(index)
        if name is not None:
            yield name


def find_changed_relations(tokens: Sequence[Token]) -> tuple[str, ...]:
    """The relations that a schema statement changes, as written, each once; those of partitions are none."""
    statement = _Statement(tokens, [token.keyword for token in tokens])
    read = _BY_FIRST_WORD.get(statement.words[0]) if tokens else None
    return tuple(dict.fromkeys(read(statement))) if read else ()


def _read_do(statement: _Statement) -> Iterator[str]:
    body = next((token.text for token in statement.tokens if token.kind is TokenKind.STRING), "")
    for match in DDL_IN_BODY.finditer(body):
        text = body[match.start() : match.start() + _BODY_STATEMENT].replace("'", " ")
        first = next(split_statements(text, Syntax.FILE), None)
        if first is not None:
            yield from find_changed_relations(first.tokens)


def _read_select(statement: _Statement) -> Iterator[str]:
    """SELECT ... INTO makes a table."""
    if "INTO" in statement.words:
        index = statement.words.index("INTO") + 1
        is_adjective = statement.words[index : index + 1] in (["UNLOGGED"], ["TABLE"])
        yield from statement.names_at(index + is_adjective)


def _read_comment(statement: _Statement) -> Iterator[str]:
    kind = statement.words[2] if len(statement.words) > 2 else ""
    if kind in _COMMENTED:
        for name in statement.names_at(3):
            yield name.rpartition(".")[0] if kind == "COLUMN" else name


def _read_definition(statement: _Statement) -> Iterator[str]:
    """CREATE, ALTER or DROP."""
    index = _skip_words(statement, 1, _ADJECTIVES)
    if index < len(statement.words):
        read = _BY_OBJECT.get(statement.words[index])
        if read:
            yield from read(statement, index + 1)


_BY_FIRST_WORD: dict[str, Callable[[_Statement], Iterator[str]]] = {
    "DO": _read_do,
    "SELECT": _read_select,
    "COMMENT": _read_comment,
    **dict.fromkeys(("CREATE", "ALTER", "DROP"), _read_definition),
}


def _skip_words(statement: _Statement, index: int, words: frozenset[str]) -> int:
    while index < len(statement.words) and statement.words[index] in words:
        index += 1
    return index


def _read_named_object(statement: _Statement, index: int) -> Iterator[str]:
    """An object whose name comes next; DROP may name several."""
    index = _skip_words(statement, index, _BEFORE_NAME)
    name = statement.name_at(index)
    rest = statement.words[index:]
    if name is None or _is_about_partition(statement, rest) or _changes_no_schema(statement, rest):
        return
    yield name
    if statement.words[0] == "DROP":
        for position in range(index, len(statement.tokens)):
            if statement.tokens[position].text == ",":
                yield from statement.names_at(position + 1)


def _is_about_partition(statement: _Statement, rest: Sequence[str]) -> bool:
    """Partitions come and go with the data: they belong to operation, not to a revision."""
    near = set(rest[:_PARTITION_WITHIN])
    return "PARTITION" in near and (statement.words[0] == "CREATE" or bool({"ATTACH", "DETACH"} & near))


def _changes_no_schema(statement: _Statement, rest: Sequence[str]) -> bool:
    """ALTER SEQUENCE ... RESTART, and triggers that are switched off for a while."""
    switches_trigger = "TRIGGER" in rest and ("ENABLE" in rest or "DISABLE" in rest)
    return statement.words[0] == "ALTER" and ("RESTART" in rest or switches_trigger)


def _read_owner_after(*prepositions: str) -> Callable[[_Statement, int], Iterator[str]]:
    """For an object that belongs to a table: the table's name stands behind ON (or TO, or FROM)."""

    def read(statement: _Statement, index: int) -> Iterator[str]:
        for position in range(index, len(statement.words)):
            if statement.words[position] in prepositions:
                yield from statement.names_at(_skip_words(statement, position + 1, frozenset({"ONLY"})))
                return

    return read


_read_owner_after_on = _read_owner_after("ON")


def _read_index(statement: _Statement, index: int) -> Iterator[str]:
    """CREATE INDEX changes its table; ALTER and DROP name the index alone."""
    read = _read_owner_after_on if statement.words[0] == "CREATE" else _read_named_object
    return read(statement, index)


_BY_OBJECT: dict[str, Callable[[_Statement, int], Iterator[str]]] = {
    **dict.fromkeys(("TABLE", "VIEW", "TYPE", "DOMAIN", "SEQUENCE"), _read_named_object),
    **dict.fromkeys(("TRIGGER", "POLICY"), _read_owner_after_on),
    "RULE": _read_owner_after("TO", "ON"),
    "STATISTICS": _read_owner_after("FROM"),
    "INDEX": _read_index,
}
