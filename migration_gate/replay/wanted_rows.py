"""Which rows the tables of a rehearsal get: plainer ones for a table after each failure that it may cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migration_gate.catalog.row_source import RowVariety
from migration_gate.facts import FailingRows, Failure, Snapshot, Table
from migration_gate.replay.own_rows import OwnRows

NOT_NULL_VIOLATION = "23502"


class WantedRows:
    """The rows that the next copy of the base is filled with."""

    def __init__(self, own_rows: OwnRows) -> None:
        self._own_rows = own_rows
        self._failed_with_own_rows = ""
        """the revision that is tried without them"""
        self.varieties: dict[str, RowVariety] = {}
        """of tables whose usual rows a revision did not survive, by `schema.name`"""
        self.others = RowVariety.EXTREME
        """of all other tables"""

    @property
    def are_any(self) -> bool:
        """Whether there are rows that a revision can fail with."""
        return self.others is not RowVariety.NONE or self._own_rows.is_active

    def choose_plainer(
        self, revision: str, failure: Failure, involved: Sequence[Table], snapshot: Snapshot
    ) -> FailingRows | None:
        """Want plainer rows after a failure of the revision, and say with which rows it failed.

        `involved`: tables that the failure may be about; without any, or where it fails without their rows,
        too, all tables get plainer rows. None: it failed where no table had rows.
        """
        if self._own_rows.is_active:
            # Without them it shows whose rows are to blame; what fails with any needs none of the project's.
            self._own_rows.is_left_out, self._failed_with_own_rows = True, revision
            return "own"
        if self._failed_with_own_rows == revision:
            self._own_rows.is_left_out = False
        level = self._find_level(involved)
        if level is RowVariety.NONE and self.others is not RowVariety.NONE:
            # A trigger, a function or a view leads to tables that nothing names.
            level, involved = self.others, ()
        if level is RowVariety.NONE:
            self.varieties = {}
            return None
        if level is RowVariety.PLAIN and failure.sqlstate == NOT_NULL_VIOLATION:
            level = RowVariety.BARE  # a plain row has a value in every column but those that are new
        plainer = RowVariety(level - 1)
        if not involved:
            self.others = plainer
            self.varieties = self.varieties if plainer else {}
        # A row that references another one would bring it back.
        changed = involved if plainer else _list_referencing(snapshot, involved)
        for table in changed:
            self.varieties[table.full_name] = plainer
        return _describe_level(level)

    def _find_level(self, involved: Sequence[Table]) -> RowVariety:
        """Which rows the tables had."""
        levels = [self.varieties.get(table.full_name, self.others) for table in involved]
        return max(levels, default=self.others)


def _list_referencing(snapshot: Snapshot, tables: Sequence[Table]) -> list[Table]:
    """The tables, and all whose foreign keys lead to them."""
    names = {table.full_name for table in tables}
    keys = [key for key in snapshot.constraints if key.kind == "foreign key"]
    while True:
        further = {key.full_table_name for key in keys if key.references in names} - names
        if not further:
            return [table for table in snapshot.tables if table.full_name in names]
        names |= further


def _describe_level(level: RowVariety) -> FailingRows:
    names: Mapping[RowVariety, FailingRows] = {
        RowVariety.BARE: "plain",
        RowVariety.PLAIN: "filled",
        RowVariety.UNUSUAL: "unusual",
    }
    return names.get(level, "extreme")
