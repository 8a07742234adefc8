"""What puts rows into tables of a database that is nobody's, so that it shows what becomes of rows.

`SimpleRows`, in `simple_rows`, makes the simplest ones; `FullRows`, in `full_rows`, unusual ones as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

from migration_gate.catalog.old_shape import OldShape
from migration_gate.catalog.single_rows import SingleRows
from migration_gate.facts import Snapshot, Table
from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import psycopg

NEWEST = "tableoid desc, ctid desc"
"""order of rows in a database from which nothing was removed: the last one that was inserted comes first"""


class RowVariety(IntEnum):
    """Which rows a table gets; each has those of the ones before it."""

    NONE = 0
    BARE = 1
    """NULL wherever it is allowed; no other rows"""
    PLAIN = 2
    """a value in every column; no bare rows beside them"""
    UNUSUAL = 3
    EXTREME = 4


@dataclass(frozen=True, slots=True)
class FilledTable:
    """A table, and the rows that it was given."""

    schema: str
    name: str
    oid: int
    rows: int = 0
    refusal: str = ""
    """Postgres's words, if it took none"""
    fits_old_types: bool = True
    """each value could be one of the column's earlier type"""

    @property
    def is_filled(self) -> bool:
        """Whether it has rows."""
        return self.rows > 0


class RowSource(Protocol):
    """Makes rows."""

    def fill_tables(
        self,
        connection: psycopg.Connection[Any],
        catalog: Snapshot,
        tables: Sequence[Table],
        old: OldShape,
    ) -> tuple[FilledTable, ...]:
        """Put rows into the tables, and into those that they reference; all of these.

        The rows fit what `old` says of the tables' earlier shape as well. The connection autocommits.
        """
        ...

    def add_unusual(
        self,
        connection: psycopg.Connection[Any],
        catalog: Snapshot,
        tables: Sequence[FilledTable],
        old: OldShape,
        variety: RowVariety,
    ) -> tuple[FilledTable, ...]:
        """Add unusual rows, up to a variety, to tables that have rows; what each got, or why it got none.

        They fit `old` as well. Nothing else is changed in the database. The connection autocommits.
        """
        ...

    def start_rows(self, connection: psycopg.Connection[Any], catalog: Snapshot) -> SingleRows:
        """What makes single rows in the open transaction, whose values are partly given."""
        ...
