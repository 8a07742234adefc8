"""The line of a revision's text that is about one part of what a statement does.

`op.create_table("users", sa.Column("email", ...))` is one statement of several lines; what is said about
`email` is best shown at the line of its `sa.Column`. The text counts only if it leaves no doubt: where two
lines could be meant, it is the line of the statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from migration_gate.facts import SourceCall
from migration_gate.lazy_dataclass import dataclass

MAX_COMPARED = 2000
"""characters of a statement that are compared: what is recorded of a longer one is cut"""
_COLUMN_CALLS = frozenset({"Column", "alter_column", "add_column", "drop_column"})
_PROPERTY_KEYWORDS: Mapping[str, str] = {
    "type": "type_",
    "collation": "type_",
    "nullable": "nullable",
    "default": "server_default",
    "generated": "server_default",
    "identity": "server_default",
    "comment": "comment",
    "name": "new_column_name",
}
"""the argument of `alter_column` that changes a property"""
_UNIQUE_CALLS = frozenset({"UniqueConstraint", "create_unique_constraint", "drop_constraint"})
_INDEX_CALLS = frozenset({"Index", "create_index", "drop_index"})
_CONSTRAINT_CALLS: Mapping[str, frozenset[str]] = {
    "primary key": frozenset({"PrimaryKeyConstraint", "create_primary_key", "drop_constraint"}),
    "foreign key": frozenset({"ForeignKeyConstraint", "ForeignKey", "create_foreign_key", "drop_constraint"}),
    "unique": _UNIQUE_CALLS | _INDEX_CALLS,
    "check": frozenset({"CheckConstraint", "create_check_constraint", "drop_constraint", "Enum", "Boolean"}),
    "exclusion": frozenset({"ExcludeConstraint", "create_exclude_constraint", "drop_constraint"}),
    "index": _UNIQUE_CALLS | _INDEX_CALLS,
    "type": frozenset({"Enum", "ENUM", "DOMAIN", "Sequence"}),
    "sequence": frozenset({"Sequence", "Identity"}),
}
"""the calls that make or drop such a part, by its kind"""
_COLUMN_KEYWORDS: Mapping[str, str] = {"primary key": "primary_key", "unique": "unique", "index": "index"}
"""the argument of `Column` that makes such a part of that column alone"""


@dataclass(frozen=True, slots=True)
class SoughtPart:
    """What a finding is about, in the words of a revision's text."""

    kind: str
    """column, table, type, sequence, index, or a kind of constraint"""
    name: str
    table: str | None = None
    """its name without the schema"""
    columns: tuple[str, ...] = ()
    """of a constraint, an index or the owner of a sequence"""
    properties: tuple[str, ...] = ()
    """fields of the catalog object that changed, if not all of it did"""


Test: TypeAlias = Callable[[SourceCall], bool]


def find_part_line(calls: Sequence[SourceCall], line: int | None, part: SoughtPart) -> int | None:
    """The line inside of the statement at `line` that is about the part; None if no single line is.

    Without a line, the whole file is searched.
    """
    inside = calls if line is None else _list_calls_inside(calls, line)
    for test in _part_tests(part):
        matches = [call for call in inside if test(call)]
        if matches:
            return _only_line(_narrow_to_key(matches, inside) if part.kind == "foreign key" else matches)
    return None


def _list_calls_inside(calls: Sequence[SourceCall], line: int) -> Sequence[SourceCall]:
    """The calls of the statement at the line; none if no statement is there."""
    span = _find_span(calls, line)
    if span is None:
        return ()
    return [call for call in calls if span.line <= call.line <= call.end_line <= span.end_line]


def _narrow_to_key(matches: Sequence[SourceCall], inside: Iterable[SourceCall]) -> Sequence[SourceCall]:
    """The one `ForeignKey` in a `Column` that was found in its place."""
    column = matches[0]
    keys = [
        call for call in inside if call.name == "ForeignKey" and column.line <= call.line <= column.end_line
    ]
    return keys if len(matches) == len(keys) == 1 else matches


def _only_line(calls: Iterable[SourceCall]) -> int | None:
    """The line of all these calls; None if they have several."""
    lines = {call.line for call in calls}
    return lines.pop() if len(lines) == 1 else None


def _find_span(calls: Iterable[SourceCall], line: int) -> SourceCall | None:
    """The longest call, or `with` block, that begins at the line; else the longest call around it."""
    around = [call for call in calls if call.line <= line <= call.end_line]
    candidates = [call for call in around if call.line == line]
    candidates = candidates or [call for call in around if call.name != "with"]
    return max(candidates, key=lambda call: call.end_line - call.line, default=None)


def _part_tests(part: SoughtPart) -> list[Test]:
    """How to recognise the call, the surest test first."""
    match part.kind:
        case "column":
            return _column_tests(part)
        case "table" | "other":
            return []
        case _:
            return _constraint_tests(part)


def _column_tests(part: SoughtPart) -> list[Test]:
    keywords = {_PROPERTY_KEYWORDS[name] for name in part.properties if name in _PROPERTY_KEYWORDS}

    def names_column(call: SourceCall) -> bool:
        return call.name in _COLUMN_CALLS and part.name in call.strings and _is_on_table(call, part)

    def changes_property(call: SourceCall) -> bool:
        return names_column(call) and call.name == "alter_column" and not keywords.isdisjoint(call.keywords)

    return [
        lambda call: call.name == "Column" and call.strings[:1] == (part.name,),
        changes_property,
        names_column,
    ]


def _is_on_table(call: SourceCall, part: SoughtPart) -> bool:
    """Whether the first of its arguments is the table, or it is one of a batch, which names no table."""
    return part.table in call.strings[:1] or call.strings[:1] == (part.name,)


def _constraint_tests(part: SoughtPart) -> list[Test]:
    calls = _CONSTRAINT_CALLS.get(part.kind, frozenset())
    tests: list[Test] = [lambda call: call.name in calls and part.name in call.strings]
    if part.columns:
        columns = set(part.columns)
        tests.append(lambda call: call.name in calls and columns <= set(call.strings))
    if len(part.columns) == 1:
        column, keyword = part.columns[0], _COLUMN_KEYWORDS.get(part.kind)

        def is_column(call: SourceCall) -> bool:
            return call.name in ("Column", "add_column") and column in call.strings[:2]

        tests.append(lambda call: is_column(call) and keyword in call.keywords)
        tests.append(is_column)
    return tests


def find_literal_line(calls: Sequence[SourceCall], sql: str) -> int | None:
    """The line of the one literal in the text that is this statement, run by a driver's own cursor."""
    statement = normalize_statement(sql)
    for is_call in (True, False):
        matches = [call for call in calls if bool(call.name) == is_call and _holds_statement(call, statement)]
        if matches:
            return _only_line(matches)
    return None


def index_literals(calls: Sequence[SourceCall]) -> Mapping[str, int]:
    """What `find_literal_line` finds, for all literals at once: by the statement's beginning."""
    lines: dict[bool, dict[str, set[int]]] = {True: {}, False: {}}
    for call in calls:
        for text in call.strings:
            if " " in text:
                lines[bool(call.name)].setdefault(normalize_statement(text), set()).add(call.line)
    found = lines[False] | lines[True]
    return {statement: min(places) for statement, places in found.items() if len(places) == 1}


def _holds_statement(call: SourceCall, statement: str) -> bool:
    return any(" " in text and normalize_statement(text) == statement for text in call.strings)


def normalize_statement(sql: str) -> str:
    """The beginning of a statement; what a driver was given and what the server got are the same text."""
    return re.sub(r"\s+", " ", sql.replace("%%", "%")).strip(" ;")[:MAX_COMPARED]
