"""Keys of rows that are not there yet, where foreign keys lead around a circle or to the row itself."""

from __future__ import annotations

from collections.abc import Collection

from migration_gate.catalog.needed_values import NeededValues
from migration_gate.catalog.trial_row import PendingRow, Values
from migration_gate.facts import Snapshot, Table


class PlannedKeys:
    """The keys of one database's rows on trial."""

    def __init__(self, catalog: Snapshot, needed: NeededValues) -> None:
        self._catalog = catalog
        self._needed = needed

    def promise_row(
        self, pending: PendingRow, table: Table, known: Values, names: Collection[str], *, made: int
    ) -> Values:
        """The key of a row of the table that is made after the pending one, which references it.

        `known`: values that it has to have. `names`: the columns of its key. `made`: rows that the table has.
        """
        columns = self._catalog.columns_of(table)
        number = made + len(pending.promised) + 1
        key = {
            column.name: known.get(column.name, self._needed.make_value(column, number))
            for column in columns
            if column.name in names
        }
        pending.promised.append((table, key))
        return key

    def plan_key(self, waiting: PendingRow, names: Collection[str]) -> Values:
        """The values of a row that is inserted later, with its key: one references it, or it does itself."""
        for name in names:
            column = self._catalog.find_column(waiting.table, name)
            if column is not None and name not in waiting.values:
                waiting.chosen[name] = waiting.values[name] = self._needed.make_value(column, waiting.number)
                waiting.overrides = waiting.overrides or column.identity is not None
        return waiting.values
