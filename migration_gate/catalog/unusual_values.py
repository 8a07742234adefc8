"""The unusual values of a table's columns: which of them each row has, and which one a refusal is about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from migration_gate.catalog.candidate_values import CandidateValues
from migration_gate.facts import Column, RowRefusal, Snapshot, Table

CHECK_VIOLATION = "23514"


class UnusualValues:
    """Those of one table. What was refused once is left out."""

    def __init__(
        self, catalog: Snapshot, values: CandidateValues, table: Table, columns: Sequence[Column]
    ) -> None:
        """`columns`: those of the table that get values."""
        self._catalog = catalog
        self._values = values
        self._table = table
        self._columns = columns
        self._banned: set[tuple[str, str | None]] = set()

    @property
    def has_extremes(self) -> bool:
        """Whether a column has values at the ends of its type."""
        return any(self._values.list_extreme(self._table, column) for column in self._columns)

    def choose(
        self, place: int, pinned: Collection[str], *, is_extreme: bool
    ) -> Iterator[tuple[str, str | None]]:
        """Values of columns; another one in each row, and in some rows a plain one.

        `place`: the row's among the unusual ones, from 0. `pinned`: columns that get none.
        """
        for index, column in enumerate(self._columns):
            if column.name in pinned:
                continue
            extremes = self._values.list_extreme(self._table, column) if is_extreme else None
            values = extremes or self._values.list_unusual(self._table, column)
            choices = [value for value in values if (column.name, value) not in self._banned]
            if place == 0 and None in choices:
                yield column.name, None  # one row has nothing that is optional
                continue
            turn = (place - 1 + index) % (len(choices) + 1)
            if turn < len(choices):
                yield column.name, choices[turn]

    def ban(self, column: str, value: str | None) -> None:
        """Have no further row with this value."""
        self._banned.add((column, value))

    def allow_all(self) -> None:
        """Have the banned values tried again."""
        self._banned.clear()

    def find_blamed(self, refusal: RowRefusal, unusual: Collection[str]) -> list[str]:
        """The columns with unusual values that a refusal is about; all of them if it does not say so.

        The rule of a domain is refused by its own name.
        """
        named = {refusal.column} & set(unusual)
        constraints = [(rule.name, rule.columns) for rule in self._catalog.constraints_of(self._table)]
        indexes = [(index.name, index.columns) for index in self._catalog.indexes_of(self._table)]
        for name, columns in (*constraints, *indexes):
            if refusal.constraint and name == refusal.constraint:
                named.update(column for column in columns if column is not None and column in unusual)
        return sorted(named or self._list_of_domains(refusal, unusual) or unusual)

    def _list_of_domains(self, refusal: RowRefusal, unusual: Collection[str]) -> list[str]:
        """The columns of domains, if a rule is refused that is none of the table's."""
        domains = {item.full_name for item in self._catalog.types if item.kind == "domain"}
        return [
            column.name
            for column in self._columns
            if refusal.sqlstate == CHECK_VIOLATION
            and column.name in unusual
            and column.type.replace('"', "").removesuffix("[]") in domains
        ]
