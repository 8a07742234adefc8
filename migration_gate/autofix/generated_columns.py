"""Generated columns that use a column whose type changes: Postgres changes it only while they are gone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.autofix.autofix_state import AutofixState, find_column
from migration_gate.autofix.column_add_and_drop import add_column, drop_column, parts_of_table
from migration_gate.autofix.part_add_and_drop import add_part
from migration_gate.drift.column_dependence import depends_on_columns
from migration_gate.facts import Column
from migration_gate.sql.identifiers import quote_identifier


def around_generated_columns(lines: list[str], column: Column, state: AutofixState) -> list[str]:
    """The lines that change the type, between those that drop and add what is computed from the column."""
    before: list[str] = []
    after: list[str] = []
    for current, target in _find_generated(column, state):
        before += drop_column(current)
        after += add_column(target, state)
        for part in parts_of_table(state.replayed, target):
            if depends_on_columns(part, frozenset({target.name})):
                after += add_part(part)
    if not before:
        return lines
    return ["# The values of the generated column are computed again.", *before, *lines, *after]


def _find_generated(column: Column, state: AutofixState) -> Iterator[tuple[Column, Column]]:
    """The generated columns on both sides whose expression names the column."""
    name = re.compile(rf"(?<![\w\"]){re.escape(quote_identifier(column.name))}(?![\w\"(])")
    for current in state.current.columns_in(column.schema, column.table):
        if not current.generated:
            continue
        target = find_column(state.target, current.schema, current.table, current.name)
        if target is not None and target.generated and name.search(current.generated):
            yield current, target
