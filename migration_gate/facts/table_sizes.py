"""How large the tables of production are, and how fast such work was on the machine of this run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from migration_gate.facts.object_names import display_name
from migration_gate.facts.observation import WorkKind
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TableSize:
    """The size of one table, a partitioned one with its partitions; at least one of the two is known."""

    schema: str
    name: str
    rows: int | None = None
    bytes: int | None = None
    """of the table with its TOAST, without indexes"""
    origin: str = ""
    """where it stands: `.migration-gate.yml:12`, or the file and its date"""

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True)
class TableSizes:
    """What the settings know of the sizes of tables; nothing by default."""

    tables: tuple[TableSize, ...] = ()
    small_rows: int | None = 100_000
    """tables with fewer are small; None: rows have no say"""
    small_bytes: int | None = 10 << 20
    """the same in bytes"""
    file: str = ""
    """that holds them, as the settings name it; '' without one"""
    written: str = ""
    """the date of the statistics in that file, as 2027-01-31"""
    configured: tuple[str, ...] = ()
    """names of those that the configuration itself holds, as reports show them"""

    def find(self, schema: str, name: str) -> TableSize | None:
        """The size of a table, if it is known."""
        return self._by_name.get((schema, name))

    def are_small(self, sizes: Iterable[TableSize]) -> bool:
        """Whether tables are small, all of them together: in every measure that has a limit and is known.

        Not without such a measure, and not where only some of them have it.
        """
        sizes = tuple(sizes)
        measures = (
            (self.small_rows, [size.rows for size in sizes]),
            (self.small_bytes, [size.bytes for size in sizes]),
        )
        answers = [
            None not in values and sum(value or 0 for value in values) < limit
            for limit, values in measures
            if limit is not None and any(value is not None for value in values)
        ]
        return bool(answers) and all(answers)

    def list_small(self) -> tuple[str, ...]:
        """Names of the tables that are small by themselves, as reports show them."""
        return tuple(sorted(str(size) for size in self.tables if self.are_small([size])))

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], TableSize]:
        return {(size.schema, size.name): size for size in self.tables}


@dataclass(frozen=True, slots=True)
class WorkRate:
    """How fast one kind of work was on this machine; of ROWS: an UPDATE of every row."""

    kind: WorkKind
    rows_per_second: float
    bytes_per_second: float


@dataclass(frozen=True, slots=True)
class WorkRates:
    """The rates that were measured; none where no finding needed any."""

    rates: tuple[WorkRate, ...] = ()

    def find(self, kind: WorkKind) -> WorkRate | None:
        """The rate of that kind of work, if it was measured."""
        return next((rate for rate in self.rates if rate.kind is kind), None)
