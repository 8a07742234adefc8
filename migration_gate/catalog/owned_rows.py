"""Rows that belong to an owner, made on trial: whose they are, and whether they are complete."""

from __future__ import annotations

from migration_gate.catalog.single_rows import SingleRows
from migration_gate.catalog.trial_row import MadeRow, Values
from migration_gate.facts import Column, Constraint, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass

CHECK_AND_DEFER = "set constraints all immediate; set constraints all deferred"


@dataclass(frozen=True, slots=True)
class TriedColumn:
    """An owner column, and the key in which an owner is found."""

    table: Table
    column: Column
    owners_table: Table
    owners_columns: tuple[str, ...]
    columns: tuple[str, ...]
    """of the table; they hold the values of the owners' columns"""
    key: Constraint | None
    """the foreign key, if there is one"""

    @property
    def deletes_rows(self) -> bool:
        """Whether the key deletes a row with its owner."""
        return self.key is not None and self.key.on_delete == "cascade"

    def values_for(self, owner: MadeRow) -> dict[str, str | None]:
        """The columns of a row that belongs to the owner."""
        return {
            name: owner.values.get(key) for name, key in zip(self.columns, self.owners_columns, strict=True)
        }


class OwnedRows:
    """Makes rows that are complete: deferred constraints are checked as well."""

    def __init__(self, rows: SingleRows, catalog: Snapshot) -> None:
        self._rows = rows
        self._has_deferrable = any(key.deferrable for key in catalog.constraints) or any(
            "CONSTRAINT TRIGGER" in trigger.definition for trigger in catalog.triggers
        )

    def make_row(self, table: Table, given: Values) -> MadeRow:
        """A row with these values, which others do not reference by themselves. Raises RowRefused."""
        row = self._rows.make_row(table, given, is_referable=False)
        self.check_deferred()
        return row

    def check_deferred(self) -> None:
        """Check what was deferred, and defer it again. Raises RowRefused."""
        if self._has_deferrable:
            self._rows.run(CHECK_AND_DEFER)
