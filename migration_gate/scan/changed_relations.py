"""Which tables, indexes, views and types a schema statement changes, by the words of the statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from migration_gate.scan.statement_words import BEFORE_NAME, StatementWords
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
_PARTITION_WITHIN = 8
"""words behind a name among which PARTITION stands, if it is about one"""
_COMMENTED = frozenset({"TABLE", "COLUMN", "VIEW", "INDEX", "TYPE"})


def find_changed_relations(tokens: Sequence[Token]) -> tuple[str, ...]:
    """The relations that a schema statement changes, as written, each once; those of partitions are none."""
    statement = StatementWords.from_tokens(tokens)
    read = _BY_FIRST_WORD.get(statement.keyword_at(0))
    return tuple(dict.fromkeys(filter(None, read(statement)))) if read else ()


def _read_do(statement: StatementWords) -> Iterator[str]:
    body = next((token.text for token in statement.tokens if token.kind is TokenKind.STRING), "")
    for match in DDL_IN_BODY.finditer(body):
        text = body[match.start() : match.start() + _BODY_STATEMENT].replace("'", " ")
        first = next(split_statements(text, Syntax.FILE), None)
        if first is not None:
            yield from find_changed_relations(first.tokens)


def _read_select(statement: StatementWords) -> Iterator[str]:
    """SELECT ... INTO makes a table."""
    if "INTO" in statement.keywords:
        index = statement.keywords.index("INTO") + 1
        is_adjective = statement.keyword_at(index) in ("UNLOGGED", "TABLE")
        yield statement.name_at(index + is_adjective)


def _read_comment(statement: StatementWords) -> Iterator[str]:
    kind = statement.keyword_at(2)
    if kind in _COMMENTED:
        name = statement.name_at(3)
        yield name.rpartition(".")[0] if kind == "COLUMN" else name


def _read_definition(statement: StatementWords) -> Iterator[str]:
    """CREATE, ALTER or DROP."""
    index = statement.skip(1, _ADJECTIVES)
    read = _BY_OBJECT.get(statement.keyword_at(index))
    if read:
        yield from read(statement, index + 1)


_BY_FIRST_WORD: dict[str, Callable[[StatementWords], Iterator[str]]] = {
    "DO": _read_do,
    "SELECT": _read_select,
    "COMMENT": _read_comment,
    **dict.fromkeys(("CREATE", "ALTER", "DROP"), _read_definition),
}


def _read_named_object(statement: StatementWords, index: int) -> Iterator[str]:
    """An object whose name comes next; DROP may name several."""
    index = statement.skip(index, BEFORE_NAME)
    name = statement.name_at(index)
    rest = statement.keywords[index:]
    if not name or _is_about_partition(statement, rest) or _changes_no_schema(statement, rest):
        return
    yield name
    if statement.keyword_at(0) == "DROP":
        for position in range(index, len(statement.tokens)):
            if statement.tokens[position].text == ",":
                yield statement.name_at(position + 1)


def _is_about_partition(statement: StatementWords, rest: Sequence[str]) -> bool:
    """Partitions come and go with the data: they belong to operation, not to a revision."""
    near = set(rest[:_PARTITION_WITHIN])
    return "PARTITION" in near and (statement.keyword_at(0) == "CREATE" or bool({"ATTACH", "DETACH"} & near))


def _changes_no_schema(statement: StatementWords, rest: Sequence[str]) -> bool:
    """ALTER SEQUENCE ... RESTART, and triggers that are switched off for a while."""
    switches_trigger = "TRIGGER" in rest and ("ENABLE" in rest or "DISABLE" in rest)
    return statement.keyword_at(0) == "ALTER" and ("RESTART" in rest or switches_trigger)


def _read_owner_after(*prepositions: str) -> Callable[[StatementWords, int], Iterator[str]]:
    """For an object that belongs to a table: the table's name stands behind ON (or TO, or FROM)."""

    def read(statement: StatementWords, index: int) -> Iterator[str]:
        yield statement.name_after(prepositions, index)

    return read


_read_owner_after_on = _read_owner_after("ON")


def _read_index(statement: StatementWords, index: int) -> Iterator[str]:
    """CREATE INDEX changes its table; ALTER and DROP name the index alone."""
    read = _read_owner_after_on if statement.keyword_at(0) == "CREATE" else _read_named_object
    return read(statement, index)


_BY_OBJECT: dict[str, Callable[[StatementWords, int], Iterator[str]]] = {
    **dict.fromkeys(("TABLE", "VIEW", "TYPE", "DOMAIN", "SEQUENCE"), _read_named_object),
    **dict.fromkeys(("TRIGGER", "POLICY"), _read_owner_after_on),
    "RULE": _read_owner_after("TO", "ON"),
    "STATISTICS": _read_owner_after("FROM"),
    "INDEX": _read_index,
}
