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
    origins = ColumnOrigins(facts.replay)
    for statement in list_judged(facts):
        if statement.revision in failed:
            continue
        for work in statement.works:
            if work.kind is WorkKind.VERIFICATION:
                yield from _find_columns(origins, statement, work.relation)


def _find_columns(
    origins: ColumnOrigins, statement: ObservedStatement, relation: StoredRelation
) -> Iterator[RequiredColumn]:
    change = find_table_change(origins.replay, statement, relation)
    for column in change.new_columns:
        if not (column.nullable or column.default or column.generated or column.identity):
            yield RequiredColumn(statement, relation, column, "without-default")
    for column in change.new_not_null:
        if origins.is_new(relation, column) and not origins.is_filled(statement, relation, column):
            yield RequiredColumn(statement, relation, column, "without-backfill")


class ColumnOrigins:
    """Where the columns of tables come from, read once for each table: statements may be ten thousand."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        looked_at = {step.number for step in replay.steps if step.revision in replay.observation.revisions}
        self._looked_at = looked_at | {statement.step for statement in replay.observation.statements}
        self._first_written: dict[StoredRelation, int] = {}
        for statement in replay.observation.statements:
            for relation in statement.written:
                self._first_written.setdefault(relation, statement.number)
        self._old_columns: dict[StoredRelation, frozenset[int] | None] = {}
        self._first_states: dict[StoredRelation, dict[int, ColumnState]] = {}

    def is_new(self, relation: StoredRelation, column: ColumnState) -> bool:
        """Whether a looked-at revision has added the column."""
        if relation not in self._old_columns:
            self._old_columns[relation] = self._read_old_columns(relation)
        old = self._old_columns[relation]
        return old is not None and column.number not in old

    def is_filled(self, statement: ObservedStatement, relation: StoredRelation, column: ColumnState) -> bool:
        """Whether rows may have a value: by a default when it was added, or by a statement since then."""
        if relation not in self._first_states:
            self._first_states[relation] = self._read_first_states(relation)
        first = self._first_states[relation].get(column.number)
        if first is not None and (first.default or first.generated or first.identity):
            return True
        return self._first_written.get(relation, statement.number) < statement.number

    def _read_old_columns(self, relation: StoredRelation) -> frozenset[int] | None:
        """The numbers of the columns before the looked-at revisions; None if nothing is known of then."""
        commands = self.replay.commands_on_named(relation.schema, relation.name)
        earlier = [command for command in commands if command.table and command.step not in self._looked_at]
        return frozenset(state.number for state in earlier[-1].columns) if earlier else None

    def _read_first_states(self, relation: StoredRelation) -> dict[int, ColumnState]:
        """The state in which each column of the table was first seen, by the columns' numbers."""
        states: dict[int, ColumnState] = {}
        for command in self.replay.commands_on_named(relation.schema, relation.name):
            for state in command.columns:
                states.setdefault(state.number, state)
        return states
