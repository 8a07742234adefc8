"""Which observed statements checks judge, and what each of them made of a table."""

from __future__ import annotations

from migration_gate.facts import (
    ColumnState,
    DdlCommand,
    Facts,
    NamedDefinition,
    ObservedStatement,
    Replay,
    StoredRelation,
)
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TypeChange:
    """A column with its types before and after."""

    column: ColumnState
    old_type: str


@dataclass(frozen=True, slots=True)
class TableChange:
    """A table before and after a statement, as far as the DDL log tells."""

    before: DdlCommand | None = None
    after: DdlCommand | None = None

    @property
    def new_columns(self) -> tuple[ColumnState, ...]:
        """Those that the statement added."""
        if self.after is None or self.before is None:
            return ()
        numbers = {column.number for column in self.before.columns}
        return tuple(column for column in self.after.columns if column.number not in numbers)

    @property
    def type_changes(self) -> tuple[TypeChange, ...]:
        """Columns that had another type, or another collation."""
        return tuple(
            TypeChange(column, old.type)
            for old, column in self._list_pairs()
            if (old.type, old.collation) != (column.type, column.collation)
        )

    @property
    def new_not_null(self) -> tuple[ColumnState, ...]:
        """Columns that accepted NULL before."""
        return tuple(column for old, column in self._list_pairs() if old.nullable and not column.nullable)

    @property
    def new_constraints(self) -> tuple[NamedDefinition, ...]:
        """Those that were not there, or not under that name."""
        return self._list_new(self.before.constraints if self.before else (), self.after, "constraints")

    @property
    def new_indexes(self) -> tuple[NamedDefinition, ...]:
        """Those that were not there, or not under that name."""
        return self._list_new(self.before.indexes if self.before else (), self.after, "indexes")

    @staticmethod
    def _list_new(
        old: tuple[NamedDefinition, ...], after: DdlCommand | None, part: str
    ) -> tuple[NamedDefinition, ...]:
        names = {item.name for item in old}
        new: tuple[NamedDefinition, ...] = getattr(after, part) if after is not None else ()
        return tuple(item for item in new if item.name not in names)

    def _list_pairs(self) -> list[tuple[ColumnState, ColumnState]]:
        """The columns that stayed, before and after."""
        if self.after is None or self.before is None:
            return []
        old = {column.number: column for column in self.before.columns}
        return [(old[column.number], column) for column in self.after.columns if column.number in old]


def list_judged(facts: Facts) -> tuple[ObservedStatement, ...]:
    """The observed statements of revisions that production has yet to run.

    A revision of the base that a change only edits has run there already; edited-migration is about it.
    """
    observation = facts.replay.observation
    base = facts.base.history if facts.base is not None else None
    if observation.scope == "all" or base is None:
        return observation.statements
    return tuple(item for item in observation.statements if base.find_revision(item.revision) is None)


def find_table_change(replay: Replay, statement: ObservedStatement, relation: StoredRelation) -> TableChange:
    """What the statement made of the table; empty if the DDL log does not have the statement."""
    query = statement.client_sql or statement.sql
    states = replay.find_states(relation.schema, relation.table or relation.name, statement.step, query)
    return TableChange(states.before, states.after)


def find_current_name(replay: Replay, relation: StoredRelation) -> tuple[str, str]:
    """Schema and name that a relation has at the end: looked-at revisions may have renamed it."""
    name = relation.table or relation.name
    commands = replay.commands_on_named(relation.schema, name)
    oids = [command.oid for command in commands if command.table is not None]
    if not oids:
        return relation.schema, name
    states = [command.table for command in replay.commands_on(oids[0]) if command.table is not None]
    return states[-1].schema, states[-1].name
