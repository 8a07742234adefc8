"""Which tables are owned, by which column, and what keeps that column honest.

An owner column bears one of the names in `owners.columns`. In a table that has none, and that no setting says
must have one, a foreign key to `owners.references` serves: if every such column accepts NULL, all are named.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from migration_gate.facts import Column, Constraint, Facts, Index, Table


@dataclass(frozen=True, slots=True)
class OwnerColumn:
    """A table and one column that names the owner of its rows."""

    table: Table
    column: Column
    foreign_keys: tuple[Constraint, ...]
    """its foreign keys, to `owners.references` where that is set"""
    other_foreign_keys: tuple[Constraint, ...]
    """its foreign keys to other tables, where `owners.references` is set"""


class OwnedTables:
    """The replayed database, asked who owns what; build it once per check."""

    def __init__(self, facts: Facts) -> None:
        self.owners = facts.owners
        self.tables = facts.replay.catalog.tables
        self.columns: dict[tuple[str, str], list[Column]] = defaultdict(list)
        self.constraints: dict[tuple[str, str], list[Constraint]] = defaultdict(list)
        self.indexes: dict[tuple[str, str], list[Index]] = defaultdict(list)
        for column in facts.replay.catalog.columns:
            self.columns[column.schema, column.table].append(column)
        for constraint in facts.replay.catalog.constraints:
            self.constraints[constraint.schema, constraint.table].append(constraint)
        for index in facts.replay.catalog.indexes:
            self.indexes[index.schema, index.table].append(index)

    def owner_columns(self) -> Iterator[OwnerColumn]:
        """Every owner column of the replayed database, by table and position."""
        for table in self.ownable_tables():
            for column in self._columns(table):
                keys = [key for key in self.foreign_keys(table) if column.name in key.columns]
                right = tuple(key for key in keys if self.is_owner_table(key.references))
                yield OwnerColumn(table, column, right, tuple(key for key in keys if key not in right))

    def ownable_tables(self) -> Iterator[Table]:
        """The tables that may be owned: neither the owners' own, nor a partition, nor rows kept elsewhere."""
        for table in self.tables:
            own = self.owners.references is not None and self.is_owner_table(f"{table.schema}.{table.name}")
            elsewhere = table.partition_bound is not None or table.kind == "foreign table"
            if not own and not elsewhere and not _matches(table, self.owners.exempt):
                yield table

    def reason_for_owner(self, table: Table) -> str | None:
        """Why the table must have an owner column; None when no setting says so."""
        if pattern := next((p for p in self.owners.tables if _matches(table, (p,))), None):
            return f"`owners.tables` names it by `{pattern}`"
        if self.owners.every_reference and self.owners.references and not self._association(table):
            keys = (key for key in self.foreign_keys(table) if self.is_owner_table(key.references))
            if key := next(keys, None):
                return f"`{', '.join(key.columns)}` references `{self.owners.references}`"
        return None

    def owner_named_columns(self, table: Table) -> tuple[Column, ...]:
        """The columns that bear an owner's name, the exempted ones left out."""
        return tuple(
            column
            for column in self.columns[table.schema, table.name]
            if any(fnmatchcase(column.name, pattern) for pattern in self.owners.columns)
            and not self._exempt(table, column)
        )

    def foreign_keys(self, table: Table) -> tuple[Constraint, ...]:
        """The foreign keys of the table."""
        return tuple(c for c in self.constraints[table.schema, table.name] if c.kind == "foreign key")

    def leading_indexes(self, owned: OwnerColumn) -> tuple[Index, ...]:
        """The valid indexes that find what an owner has: led by the column, or by all of its key, whole."""
        there = f"WHERE ({owned.column.name} IS NOT NULL)"
        led = [
            frozenset(names) for names in ((owned.column.name,), *(key.columns for key in owned.foreign_keys))
        ]
        return tuple(
            index
            for index in self.indexes[owned.table.schema, owned.table.name]
            if index.valid and any(frozenset(index.columns[: len(names)]) == names for names in led)
            if not index.partial or index.definition.replace('"', "").endswith(there)
        )

    def type_column(self, owned: OwnerColumn) -> Column | None:
        """The column beside it that says which table it means: `owner_type` for `owner_id`."""
        name = re.sub(r"(_id|Id|ID)$", lambda end: "_type" if end[0] == "_id" else "Type", owned.column.name)
        columns = self.columns[owned.table.schema, owned.table.name]
        return next((c for c in columns if c.name == name != owned.column.name), None)

    def containing_indexes(self, owned: OwnerColumn) -> tuple[Index, ...]:
        """The indexes that hold the column anywhere."""
        indexes = self.indexes[owned.table.schema, owned.table.name]
        return tuple(index for index in indexes if owned.column.name in index.columns)

    def refuses_null(self, owned: OwnerColumn) -> bool:
        """Postgres refuses a NULL there: by NOT NULL, or by a CHECK that says just that."""
        says = f"CHECK (({owned.column.name} IS NOT NULL))"
        checks = (c for c in self.constraints[owned.table.schema, owned.table.name] if c.kind == "check")
        forbidden = any(c.validated and c.definition.replace('"', "") == says for c in checks)
        return forbidden or not owned.column.nullable

    def is_owner_table(self, name: str | None) -> bool:
        """`name`, as `schema.table`, is the table of owners, or no setting says which that is."""
        wanted = self.owners.references
        return wanted is None or name in {wanted, f"public.{wanted}"}

    def owners_key(self) -> tuple[str, str]:
        """The table of owners and its key: what owner columns reference most, else what the settings say."""
        keys = Counter(
            (key.references.removeprefix("public."), key.referenced_columns[0])
            for one in self.owner_columns()
            for key in one.foreign_keys
            if key.references and len(key.referenced_columns) == 1
        )
        return keys.most_common(1)[0][0] if keys else (self.owners.references or "users", "id")

    def type_of(self, table: str, column: str) -> str | None:
        """The type of a column, as Postgres prints it; `table` as people say it."""
        schema, _, name = table.rpartition(".")
        columns = self.columns.get((schema or "public", name), ())
        return next((c.type for c in columns if c.name == column), None)

    def _columns(self, table: Table) -> tuple[Column, ...]:
        if (
            (columns := self.owner_named_columns(table))
            or self.owners.references is None
            or self.reason_for_owner(table)
        ):
            return columns
        linked = {
            key.columns[0]
            for key in self.foreign_keys(table)
            if self.is_owner_table(key.references) and len(key.columns) == 1
        }
        columns = tuple(c for c in self.columns[table.schema, table.name] if c.name in linked)
        # One that is always there owns the row; the others then say something else, a reviewer for example.
        always = tuple(column for column in columns if not column.nullable)[:1]
        return tuple(column for column in always or columns if not self._exempt(table, column))

    def _association(self, table: Table) -> bool:
        """Every column belongs to a foreign key, and there are two: the row is the link itself."""
        keys = self.foreign_keys(table)
        linked = {name for key in keys for name in key.columns}
        return len(keys) > 1 and all(c.name in linked for c in self.columns[table.schema, table.name])

    def _exempt(self, table: Table, column: Column) -> bool:
        names = (str(column), f"{table.schema}.{table.name}.{column.name}")
        return any(fnmatchcase(name, pattern) for name in names for pattern in self.owners.exempt)


def _matches(table: Table, patterns: tuple[str, ...]) -> bool:
    names = (str(table), f"{table.schema}.{table.name}")
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
