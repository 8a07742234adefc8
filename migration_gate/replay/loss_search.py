"""Finds the statement that changed rows by the rows after each statement, where its text does not tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from migration_gate.catalog.row_losses import describe_row, list_changed_rows
from migration_gate.catalog.row_state import RowState
from migration_gate.catalog.stored_rows import StoredRows
from migration_gate.facts import RowChange, RowLoss
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.loss_causes import LossCauses, list_executed
from migration_gate.replay.row_watch import WatchedState
from migration_gate.worker.protocol.rollback_lines import FinishedRun
from migration_gate.worker.protocol.step_lines import ExecutedStatement

SEARCHED_KINDS: frozenset[RowLoss] = frozenset(
    {"lost rows", "merged values", "emptied values", "other values", "repeated rows"}
)
"""what is dropped is named by the statement that drops it"""
MOST_STATEMENTS = 200
"""of a revision that is run again"""


@dataclass(frozen=True, slots=True)
class NumberedStatement:
    """A statement, and the first state of a watched run that may show what it did."""

    number: int
    statement: ExecutedStatement


def number_statements(run: FinishedRun) -> Iterator[NumberedStatement]:
    """Those that succeeded, in their order; what a driver's own cursor ran shows in the next one's state."""
    number = 0
    by_sqlalchemy = {id(item) for item in run.statements}
    for statement in list_executed(run):
        if statement.error is not None:
            continue
        is_counted = id(statement) in by_sqlalchemy
        number += is_counted
        yield NumberedStatement(number if is_counted else number + 1, statement)


class LossSearch:
    """One revision, which has run again."""

    def __init__(
        self,
        before: RowState,
        tracked: Mapping[int, StoredRows],
        states: Sequence[WatchedState],
        statements: Sequence[NumberedStatement],
        functions: Sequence[str] = (),
    ) -> None:
        """`tracked`: the rows of `before` that are followed; `functions`: names of the database's own."""
        self._before = before
        self._tracked = tracked
        self._states = states
        self._statements = statements
        self._functions = functions

    def locate(self, change: RowChange) -> Sequence[RowChange]:
        """The change with its statement; lost rows for each statement that lost some.

        As it was given, if no statement shows it.
        """
        table = self._find_table(change)
        if table is None or change.kind not in SEARCHED_KINDS:
            return [change]
        positions = self._find_positions(change, table)
        if change.kind == "lost rows" and len(positions) == change.count:
            return list(self._divide(change, table, positions))
        rows = [row for row in table.rows if id(row) in positions]
        shown = next((row for row in rows if describe_row(table, row) == change.row), None)
        known = {positions[id(shown)]} if shown is not None else set(positions.values())
        # Of other rows than before, if all are of one statement.
        return [self._name_statement(change, *known) if len(known) == 1 else change]

    def _divide(
        self, change: RowChange, table: StoredRows, positions: Mapping[int, int]
    ) -> Iterator[RowChange]:
        """One change for each statement; those of a loop have one line."""
        parts: dict[str | int, RowChange] = {}
        for position in sorted(set(positions.values())):
            rows = [row for row in table.rows if positions.get(id(row)) == position]
            part = replace(change, count=len(rows), row=describe_row(table, rows[0]))
            part = self._name_statement(part, position)
            place = part.line or part.statement
            earlier = parts.get(place)
            parts[place] = replace(earlier, count=earlier.count + part.count) if earlier else part
        yield from parts.values()

    def _find_table(self, change: RowChange) -> StoredRows | None:
        return next(
            (
                table
                for table in self._tracked.values()
                if (table.schema, table.name) == (change.schema, change.table)
            ),
            None,
        )

    def _find_positions(self, change: RowChange, table: StoredRows) -> Mapping[int, int]:
        """Of the changed rows, by their `id`: the first state from which on it is always changed.

        What another session has done is seen there first; what the revision's own has, not before it commits.
        """
        texts = [item.statement.sql for item in self._statements]
        changed_by_state: dict[int, set[int]] = {}
        positions: dict[int, int] = {}
        later: set[int] | None = None
        for position, state in reversed(list(enumerate(self._states))):
            key = id(state.rows)
            if key not in changed_by_state:
                rows = list_changed_rows(self._before, state.rows, table, change, texts)
                changed_by_state[key] = {id(row) for row in rows}
            changed = changed_by_state[key] if later is None else later & changed_by_state[key]
            if state.is_own:
                later = changed
            positions.update(dict.fromkeys(changed, position))
        return positions

    def _name_statement(self, change: RowChange, position: int) -> RowChange:
        """The change with the statement between two states; of several, the one whose text fits best."""
        earliest = self._states[position - 1].number if position else 0
        latest = self._states[position].number
        between = [item.statement for item in self._statements if earliest < item.number <= latest]
        if len(between) == 1:
            return replace(change, statement=between[0].sql, line=between[0].line)
        unnamed = replace(change, statement="", line=None)
        found = LossCauses(between, self._functions).find_cause(unnamed)
        return found if found.statement else change
