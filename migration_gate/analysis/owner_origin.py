"""Which revision made an owner column what it is: that dropped what it lacks, or else added it."""

from __future__ import annotations

from migration_gate.analysis.object_history import LoggedObject, find_column_named
from migration_gate.analysis.origin import find_loss_in_table, find_origin
from migration_gate.analysis.ownership import OwnerColumn
from migration_gate.facts import DdlCommand, Facts, Origin, Replay, Table


def find_origin_of_missing_index(replay: Replay, owned: OwnerColumn) -> Origin:
    """The revision to blame for an owner column that no index starts with."""

    def find_index(command: DdlCommand) -> LoggedObject | None:
        oids = (index.oid for index in command.indexes if index.columns[:1] == (owned.column.name,))
        return _part_of(command, next(oids, None))

    return find_loss_in_table(replay, owned.table, find_index) or find_origin(replay, owned.column, ())


def find_origin_of_missing_key(replay: Replay, owned: OwnerColumn) -> Origin:
    """The revision to blame for an owner column without a foreign key, or with one to another table."""
    if owned.other_foreign_keys:
        return find_origin(replay, owned.other_foreign_keys[0])

    def find_key(command: DdlCommand) -> LoggedObject | None:
        keys = (part for part in command.constraints if part.definition.startswith("FOREIGN KEY"))
        return _part_of(command, next((key.oid for key in keys if owned.column.name in key.columns), None))

    return find_loss_in_table(replay, owned.table, find_key) or find_origin(replay, owned.column, ())


def find_origin_of_missing_owner(facts: Facts, table: Table) -> Origin:
    """The revision to blame for a table without an owner column."""

    def find_owner(command: DdlCommand) -> LoggedObject | None:
        columns = (find_column_named(command, name) for name in facts.owners.columns)
        return next((column for column in columns if column is not None), None)

    return find_loss_in_table(facts.replay, table, find_owner) or find_origin(facts.replay, table)


def _part_of(command: DdlCommand, oid: int | None) -> LoggedObject | None:
    return None if oid is None else LoggedObject(command.oid, oid)
