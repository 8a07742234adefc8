"""The rows that the foreign keys of made rows lead to: which of them a row has, and those that come later."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.catalog.candidate_values import CandidateValues
from migration_gate.catalog.row_source import NEWEST
from migration_gate.catalog.table_order import find_referenced
from migration_gate.catalog.trial_row import Values
from migration_gate.catalog.trial_statements import RowRefused, TrialStatements
from migration_gate.facts import Constraint, Snapshot, Table
from migration_gate.sql.identifiers import qualified_name, quote_identifier

READ_ROWS = 100
"""of a table, as parents"""
CONNECTED_ROWS = 3
"""that get a parent which is made after them"""
ROWS_PER_SAME_PARENT = 4
"""one of so many has the same row at the end of two keys to one table: a sender is seldom the receiver"""
ROWS_PER_SHARED_PARENT = 3
"""one of so many unusual rows has the parent of the first row, where no rule forbids that"""


class RowParents:
    """The parents that rows of one database may have, as they were when they were remembered."""

    def __init__(self, statements: TrialStatements, catalog: Snapshot, values: CandidateValues) -> None:
        self._statements = statements
        self._catalog = catalog
        self._values = values
        self._rows: dict[int, list[Values]] = {}
        """by the oid of their table"""
        self._referenced = {key.references for key in catalog.constraints if key.kind == "foreign key"}

    def __contains__(self, table: Table) -> bool:
        return table.oid in self._rows

    def remember(self, table: Table, newest: int | None = None) -> None:
        """Read the rows of a table, or so many of its newest ones, if a foreign key leads to it."""
        if table.full_name in self._referenced:
            self._rows[table.oid] = self.read_rows(table, newest)

    def forget(self, table: Table) -> None:
        """Have the rows of a table read again when they are needed."""
        self._rows.pop(table.oid, None)

    def list_first(self) -> Iterator[tuple[int, Values]]:
        """One row of each table that has some, with the table's oid."""
        for oid, rows in self._rows.items():
            if rows:
                yield oid, rows[0]

    def read_rows(self, table: Table, newest: int | None = None) -> list[Values]:
        """Rows of the table, as text: the newest ones, or all, those that the migrations have made, too."""
        names = [column.name for column in self._catalog.columns_of(table)]
        columns = ", ".join(f"{quote_identifier(name)}::text" for name in names)
        target = qualified_name(table.schema, table.name)
        choice = f"order by {NEWEST} limit {newest}" if newest else f"limit {READ_ROWS}"
        rows = self._statements.run(f"select {columns or '1'} from {target} {choice}")  # noqa: S608
        return [dict(zip(names, row, strict=False)) for row in rows]

    def choose(
        self, table: Table, number: int, values: dict[str, str | None], *, may_share: bool
    ) -> list[Constraint]:
        """Give the columns of the table's foreign keys values: of parents, or NULL if there are none.

        `number`: the row's, from 1. `may_share`: it may have the parent of the first row. Returns the keys to
        tables without rows.
        """
        late: list[Constraint] = []
        keys = sorted(self._catalog.foreign_keys_of(table), key=lambda key: -len(key.columns))
        for place, key in enumerate(keys):
            earlier = sum(other.references == key.references for other in keys[:place])
            parent = number + earlier * (number % ROWS_PER_SAME_PARENT != 0)
            is_shared = may_share and number % ROWS_PER_SHARED_PARENT == 0
            if is_shared and not self._values.is_unique_key(table, key):
                parent = 1
            if not self._choose_parent(table, key, parent, values):
                late.append(key)
        return late

    def _choose_parent(
        self, table: Table, key: Constraint, number: int, values: dict[str, str | None]
    ) -> bool:
        """Give the key's columns the values of the parent of that number that fits, NULL if none does.

        Whether there are parents at all.
        """
        referenced = find_referenced(self._catalog, key)
        parents = self._rows.get(referenced.oid, []) if referenced is not None else []
        pairs = list(zip(key.columns, key.referenced_columns, strict=False))
        fitting = [
            parent
            for parent in parents
            if all(name not in values or values[name] == parent.get(other) for name, other in pairs)
        ]
        if fitting:
            parent = fitting[(number - 1) % len(fitting)]
            for name, other in pairs:
                values.setdefault(name, parent.get(other))
        else:
            values.update({name: None for name in key.columns if self._is_nullable(table, name)})
        return bool(parents)

    def connect(self, table: Table, key: Constraint) -> None:
        """Let some rows lead to those made after them: of the same table, or of a circle of keys."""
        referenced = find_referenced(self._catalog, key)
        if referenced is None:
            return
        target = qualified_name(table.schema, table.name)
        source = qualified_name(referenced.schema, referenced.name)
        columns = ", ".join(map(quote_identifier, key.columns))
        others = ", ".join(map(quote_identifier, key.referenced_columns))
        is_optional = any(self._is_nullable(table, name) for name in key.columns)
        for number in range(CONNECTED_ROWS):
            # Each has another parent; where all need one, the last parent has the others.
            is_last = number == CONNECTED_ROWS - 1 and not is_optional
            limit = "all" if is_last else 1
            row = f"select ctid from {target} offset {number + 1 if is_optional else number} limit {limit}"  # noqa: S608
            parent = f"select {others} from {source} offset {number} limit 1"  # noqa: S608
            try:
                self._statements.run(
                    f"update {target} set ({columns}) = ({parent}) where ctid = any(array({row}))"  # noqa: S608
                )
            except RowRefused:
                return  # the rows stay without a parent, which they may be

    def _is_nullable(self, table: Table, name: str) -> bool:
        column = self._catalog.find_column(table, name)
        return column is not None and column.nullable
