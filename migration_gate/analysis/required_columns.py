"""Columns of the change that rows cannot have: NOT NULL, and nothing gives them a value."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.analysis.observed_changes import find_table_change, list_judged
from migration_gate.facts import ColumnState, Facts, ObservedStatement, Replay, StoredRelation, WorkKind
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RequiredColumn:
    """A new column of a table that stood before."""

    statement: ObservedStatement
    relation: StoredRelation
    column: ColumnState
    kind: str
    """without-default: it is added NOT NULL; without-backfill: it is made so later"""


def find_required_columns(facts: Facts) -> Iterator[RequiredColumn]:
    """Those whose statement reads all rows, to find that one of them has no value.

    If the rehearsal with rows has failed on it, fails-on-rows says more.
    """
    failed = {item.revision for item in facts.replay.rehearsal.revisions if item.failure is not None}
    for statement in list_judged(facts):
        if statement.revision in failed:
            continue
        for work in statement.works:
            if work.kind is WorkKind.VERIFICATION:
                yield from _find_columns(facts, statement, work.relation)


def _find_columns(
    facts: Facts, statement: ObservedStatement, relation: StoredRelation
) -> Iterator[RequiredColumn]:
    change = find_table_change(facts.replay, statement, relation)
    for column in change.new_columns:
        if not (column.nullable or column.default or column.generated or column.identity):
            yield RequiredColumn(statement, relation, column, "without-default")
    for column in change.new_not_null:
        if _is_new(facts.replay, relation, column) and not _is_filled(facts, statement, relation, column):
            yield RequiredColumn(statement, relation, column, "without-backfill")


def _is_new(replay: Replay, relation: StoredRelation, column: ColumnState) -> bool:
    """Whether a looked-at revision has added the column."""
    looked_at = {step.number for step in replay.steps if step.revision in replay.observation.revisions}
    looked_at |= {statement.step for statement in replay.observation.statements}
    commands = replay.commands_on_named(relation.schema, relation.name)
    earlier = [command for command in commands if command.table and command.step not in looked_at]
    return bool(earlier) and all(state.number != column.number for state in earlier[-1].columns)


def _is_filled(
    facts: Facts, statement: ObservedStatement, relation: StoredRelation, column: ColumnState
) -> bool:
    """Whether rows may have a value: from a default when it was added, or from a statement since then."""
    commands = facts.replay.commands_on_named(relation.schema, relation.name)
    states = (state for command in commands for state in command.columns)
    first = next((state for state in states if state.number == column.number), None)
    if first is not None and (first.default or first.generated or first.identity):
        return True
    return any(
        relation in earlier.written
        for earlier in facts.replay.observation.statements
        if earlier.number < statement.number
    )
