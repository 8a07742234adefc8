"""The database before and after a fix: what the lines that are written depend on."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.facts import Column, Sequence, Snapshot, TablePart
from migration_gate.lazy_dataclass import dataclass

SEQUENCE_MAXIMUMS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
"""the largest value of a sequence of that type, if none is given"""


@dataclass(frozen=True, slots=True)
class AutofixState:
    """Both databases that a revision leads between; its downgrade is the same with both exchanged."""

    current: Snapshot
    target: Snapshot
    is_downgrade: bool = False

    def reversed(self) -> AutofixState:
        """For the other direction."""
        return AutofixState(self.target, self.current, not self.is_downgrade)

    @property
    def replayed(self) -> Snapshot:
        """The database that the history makes.

        While an enum changes, all other objects are as they are there: it changes first in an upgrade, and
        last in a downgrade.
        """
        return self.target if self.is_downgrade else self.current

    @property
    def models(self) -> Snapshot:
        """The database that the models make."""
        return self.current if self.is_downgrade else self.target

    def shared_tables(self) -> frozenset[tuple[str, str]]:
        """Schema and name of the tables on both sides."""
        current, target = (
            frozenset((table.schema, table.name) for table in snapshot.tables)
            for snapshot in (self.current, self.target)
        )
        return current & target

    def new_columns(self, part: TablePart) -> frozenset[str]:
        """The names of the columns that only the target's table has."""
        current, target = (
            frozenset(
                column.name
                for column in snapshot.columns
                if (column.schema, column.table) == (part.schema, part.table)
            )
            for snapshot in (self.current, self.target)
        )
        return target - current


def find_owned_sequence(snapshot: Snapshot, column: Column) -> Sequence | None:
    """The sequence that belongs to a column."""
    owner = column.full_name
    return next((sequence for sequence in snapshot.sequences if sequence.owner == owner), None)


def find_serial_sequence(snapshot: Snapshot, column: Column) -> Sequence | None:
    """The sequence of a serial column; None if the column takes its value from elsewhere."""
    if column.identity is not None or not (column.default or "").startswith("nextval("):
        return None
    return find_owned_sequence(snapshot, column)


def is_serial(snapshot: Snapshot, column: Column) -> bool:
    """Whether the column takes its default from a sequence of its own."""
    return find_serial_sequence(snapshot, column) is not None


def has_plain_identity(snapshot: Snapshot, column: Column) -> bool:
    """Whether an identity column's sequence has the name and the options that Postgres gives by itself."""
    sequence = find_owned_sequence(snapshot, column)
    if sequence is None or sequence.type not in SEQUENCE_MAXIMUMS:
        return False
    plain = Sequence(
        schema=column.schema,
        name=f"{column.table}_{column.name}_seq",
        type=column.type,
        start=1,
        increment=1,
        minimum=1,
        maximum=SEQUENCE_MAXIMUMS[sequence.type],
        cache=1,
        cycle=False,
        owner=sequence.owner,
        identity=True,
    )
    return replace(sequence, oid=plain.oid) == plain


def find_column(snapshot: Snapshot, schema: str, table: str, name: str) -> Column | None:
    """The column of that name."""
    return next((column for column in snapshot.columns_in(schema, table) if column.name == name), None)
