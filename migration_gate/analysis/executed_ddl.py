"""What the statements of the revisions made, renamed and dropped, read from their text.

For failures only: the transaction that fails takes the server's log of DDL commands with it. What a function
or a DO block does is not seen, so that nothing may be concluded from what is missing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Literal

from migration_gate.facts import Replay, Statement
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.lexer import Token
from migration_gate.sql.statements import split_statements

Verb = Literal["made", "renamed", "dropped"]

_KINDS = {
    *("TABLE", "INDEX", "TYPE", "DOMAIN", "SEQUENCE", "SCHEMA", "VIEW", "FUNCTION", "PROCEDURE", "EXTENSION"),
    *("TRIGGER", "ROLE", "POLICY", "COLLATION", "AGGREGATE", "STATISTICS"),
}
_BEFORE_KIND = {
    *("OR", "REPLACE", "TEMP", "TEMPORARY", "UNLOGGED", "UNIQUE", "MATERIALIZED", "GLOBAL", "LOCAL"),
    *("FOREIGN", "CONSTRAINT", "RECURSIVE"),
}
_BEFORE_NAME = {"CONCURRENTLY", "IF", "NOT", "EXISTS", "ONLY"}
_RENAMED_PARTS = {"CONSTRAINT": "constraint", "VALUE": "label", "ATTRIBUTE": "attribute"}
"""by the word behind RENAME; every other word is the name of a column, or COLUMN"""
_TABLE_CONSTRAINTS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE"}


@dataclass(frozen=True, slots=True)
class DdlEvent:
    """Something that a statement did with one object."""

    verb: Verb
    kind: str
    """table, column, constraint, index, type..."""
    name: str
    """before a rename; without schema"""
    revision: str
    schema: str = ""
    """empty if the statement names none"""
    table: str = ""
    """of a column or constraint"""
    new_name: str = ""
    """after a rename"""


@dataclass
class ExecutedDdl:
    """The events in their order, and the columns that the tables have after them."""

    events: list[DdlEvent] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    """of the tables whose CREATE TABLE was read; without schema"""

    def find_last(self, name: str, *kinds: str, table: str | None = None) -> DdlEvent | None:
        """The last event that an object of that name had or got; of any kind if none is given."""
        for event in reversed(self.events):
            is_of_kind = not kinds or event.kind in kinds
            is_in_table = table is None or event.table == table
            if name in (event.name, event.new_name) and is_of_kind and is_in_table:
                return event
        return None

    def add(self, event: DdlEvent) -> None:
        """Take the event over into the columns."""
        self.events.append(event)
        match event.kind, event.verb:
            case "table", "dropped":
                self.columns.pop(event.name, None)
            case "table", "renamed":
                if event.name in self.columns:
                    self.columns[event.new_name] = self.columns.pop(event.name)
            case "column", "made":
                self.columns.get(event.table, []).append(event.name)
            case "column", "dropped" | "renamed":
                names = self.columns.get(event.table, [])
                if event.name in names:
                    position = names.index(event.name)
                    names[position : position + 1] = [event.new_name] if event.new_name else []


def read_executed_ddl(replay: Replay) -> ExecutedDdl:
    """What the revisions that ran did, and the one that failed before it failed."""
    executed = ExecutedDdl()
    failed = replay.failure.revision if replay.failure else None
    steps = [(step.revision, step.list_run()) for step in replay.steps]
    for revision, statements in (*steps, (failed or "", replay.failed_statements)):
        for statement in statements:
            for event in _read_statement(statement, revision):
                executed.add(event)
                # Its columns follow as events. Those of a table without CREATE TABLE here are not collected:
                # what an ALTER TABLE adds to it would look like all that it has.
                if event.kind == "table" and event.verb == "made":
                    executed.columns[event.name] = []
    return executed


def _read_statement(statement: Statement, revision: str) -> Iterator[DdlEvent]:
    if statement.error is not None:
        return
    for raw in split_statements(statement.sql):
        tokens = raw.tokens
        match tokens[0].keyword:
            case "CREATE":
                yield from _read_create(tokens, revision)
            case "DROP":
                yield from _read_drop(tokens, revision)
            case "ALTER":
                yield from _read_alter(tokens, revision)


def _read_create(tokens: Sequence[Token], revision: str) -> Iterator[DdlEvent]:
    target = _read_target(tokens)
    if target is None:
        return
    yield DdlEvent("made", target.kind, target.name, revision, schema=target.schema)
    if target.kind == "table":
        for element in _split_list(tokens, target.end):
            yield from _read_addition(element, target.name, revision)


def _read_addition(element: Sequence[Token], table: str, revision: str) -> Iterator[DdlEvent]:
    """A column or a named constraint of CREATE TABLE, or of ADD."""
    if element[0].keyword == "CONSTRAINT" and len(element) > 1:
        yield DdlEvent("made", "constraint", element[1].name, revision, table=table)
    elif element[0].keyword not in _TABLE_CONSTRAINTS and element[0].name:
        yield DdlEvent("made", "column", element[0].name, revision, table=table)


def _read_drop(tokens: Sequence[Token], revision: str) -> Iterator[DdlEvent]:
    target = _read_target(tokens)
    while target is not None:
        yield DdlEvent("dropped", target.kind, target.name, revision, schema=target.schema)
        is_followed = target.end < len(tokens) and tokens[target.end].text == ","
        target = _read_named_target(tokens, target.kind, target.end + 1) if is_followed else None


def _read_alter(tokens: Sequence[Token], revision: str) -> Iterator[DdlEvent]:
    target = _read_target(tokens)
    if target is None:
        return
    for action in _split_at_commas(tokens[target.end :]):
        yield from _read_action(action, target, revision)


def _read_action(action: Sequence[Token], target: _Target, revision: str) -> Iterator[DdlEvent]:
    keywords = [token.keyword for token in action]
    match target.kind, keywords[0]:
        case _, "RENAME" if "TO" in keywords:
            yield _read_rename(action, keywords, target, revision)
        case "table", "ADD":
            position = _skip_words(action, 1, {"COLUMN", "IF", "NOT", "EXISTS"})
            if position < len(action):
                yield from _read_addition(action[position:], target.name, revision)
        case "table", "DROP":
            yield from _read_dropped_part(action, keywords, target.name, revision)


def _read_dropped_part(
    action: Sequence[Token], keywords: Sequence[str], table: str, revision: str
) -> Iterator[DdlEvent]:
    part = "constraint" if keywords[1:2] == ["CONSTRAINT"] else "column"
    position = _skip_words(action, 1, {"COLUMN", "CONSTRAINT", "IF", "EXISTS"})
    if position < len(action):
        yield DdlEvent("dropped", part, action[position].name, revision, table=table)


def _read_rename(
    action: Sequence[Token], keywords: Sequence[str], target: _Target, revision: str
) -> DdlEvent:
    """RENAME TO, RENAME CONSTRAINT a TO b, RENAME [COLUMN] a TO b."""
    position = keywords.index("TO")
    new_name = action[position + 1].name if position + 1 < len(action) else ""
    if position == 1:
        return DdlEvent("renamed", target.kind, target.name, revision, new_name=new_name)
    part = _RENAMED_PARTS.get(keywords[1], "column")
    old_name = action[position - 1].name
    return DdlEvent("renamed", part, old_name, revision, table=target.name, new_name=new_name)


# Tokens.


@dataclass(frozen=True, slots=True)
class _Target:
    """The object that a statement names behind CREATE, DROP or ALTER."""

    kind: str
    """in small letters"""
    schema: str
    """empty if none is named"""
    name: str
    end: int
    """the position behind the name"""


def _read_target(tokens: Sequence[Token]) -> _Target | None:
    """The (first) object of a statement; None for a kind of which nothing is recorded."""
    position = _skip_words(tokens, 1, _BEFORE_KIND)
    kind = tokens[position].keyword if position < len(tokens) else ""
    if kind not in _KINDS:
        return None
    return _read_named_target(tokens, kind.lower(), _skip_words(tokens, position + 1, _BEFORE_NAME))


def _read_named_target(tokens: Sequence[Token], kind: str, position: int) -> _Target | None:
    names, end = _read_name(tokens, position)
    if not names:
        return None
    return _Target(kind, names[-2] if len(names) > 1 else "", names[-1], end)


def _skip_words(tokens: Sequence[Token], position: int, words: set[str]) -> int:
    while position < len(tokens) and tokens[position].keyword in words:
        position += 1
    return position


def _read_name(tokens: Sequence[Token], position: int) -> tuple[tuple[str, ...], int]:
    """The parts of a name that may be qualified, and where it ends; no parts if none is there."""
    parts: list[str] = []
    while position < len(tokens) and tokens[position].name:
        parts.append(tokens[position].name)
        position += 1
        if position >= len(tokens) or tokens[position].text != ".":
            break
        position += 1
    return tuple(parts), position


def _split_list(tokens: Sequence[Token], position: int) -> list[list[Token]]:
    """The elements of the list in brackets that begins there; none if no list does."""
    if position >= len(tokens) or tokens[position].text != "(":
        return []
    depth = 0
    for end in range(position, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[end].text, 0)
        if depth == 0:
            return _split_at_commas(tokens[position + 1 : end])
    return []


def _split_at_commas(tokens: Sequence[Token]) -> list[list[Token]]:
    depth = 0
    parts: list[list[Token]] = [[]]
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.text == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]
