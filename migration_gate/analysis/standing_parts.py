"""Which indexes and constraints of the schema stand when a statement runs: some are made behind it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from migration_gate.analysis.observed_changes import TableChange
from migration_gate.facts import Constraint, Index, ObservedStatement, Replay
from migration_gate.lazy_dataclass import dataclass

Key = tuple[str, str, str]


@dataclass(frozen=True)
class StandingParts:
    """Those of one replay that are there in the end."""

    replay: Replay

    def list_indexes(self, schema: str, table: str, statement: ObservedStatement) -> list[Index]:
        """The indexes of the table that help the statement."""
        indexes = self.replay.catalog.indexes_in(schema, table)
        return [index for index in indexes if index.valid and self.stands(index, statement)]

    def stands(self, part: Constraint | Index, statement: ObservedStatement) -> bool:
        """Whether no later statement makes it."""
        return self._makers.get((part.schema, part.table, part.name), 0) < statement.number

    @cached_property
    def _makers(self) -> Mapping[Key, int]:
        """The numbers of the statements that make them."""
        makers: dict[Key, int] = {}
        histories = self.replay.table_histories
        for statement in self.replay.observation.statements:
            query = statement.client_sql or statement.sql
            for oid in histories.list_oids(statement.step, query):
                states = histories.find_states({oid}, statement.step, query)
                change = TableChange(states.before, states.after)
                table = states.after.table if states.after is not None else None
                if table is not None:
                    parts = (*change.new_constraints, *change.new_indexes)
                    keys = ((table.schema, table.name, part.name) for part in parts)
                    makers.update(dict.fromkeys(keys, statement.number))
        return makers
