"""Which tables have an owner, and by which column, as the `owners` settings define it.

An owner column has one of the names in `owners.columns`. A table without one, that no setting says must have
one, is owned through its foreign key to `owners.references`; if every such column accepts NULL, through all
of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from fnmatch import fnmatchcase

from migration_gate.facts import Column, Constraint, Facts, Index, NullTrial, Owners, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass

DEFAULT_OWNERS_TABLE = "users"
DEFAULT_OWNERS_KEY = "id"
TYPE_ENDINGS = ("_type", "_kind", "_class", "_table", "_model", "_type_id", "Type", "Kind", "Class", "TypeId")
"""of a column beside an owner's that says which table the owner is in"""


@dataclass(frozen=True, slots=True)
class OwnerColumn:
    """A table, and a column of it that names the owner of a row."""

    table: Table
    column: Column
    foreign_keys: tuple[Constraint, ...]
    """those of the column, to `owners.references` if that is set"""
    other_foreign_keys: tuple[Constraint, ...]
    """those of the column to other tables, if `owners.references` is set"""
    catalog: Snapshot = field(repr=False, compare=False)
    null_trial: NullTrial | None = None
    """what Postgres did with rows without an owner, if a CHECK or a domain has a say in it"""

    @property
    def always_has_owner(self) -> bool:
        """Whether Postgres refuses rows without an owner: by NOT NULL, a CHECK, or the type's own rule."""
        return not self.column.nullable or (self.null_trial is not None and self.null_trial.is_refused)

    @property
    def containing_indexes(self) -> tuple[Index, ...]:
        """The indexes that have the column at any position."""
        indexes = self.catalog.indexes_of(self.table)
        return tuple(index for index in indexes if self.column.name in index.columns)

    @property
    def has_usable_index(self) -> bool:
        """Whether an index finds all rows of an owner."""
        return any(self._is_usable(index) for index in self.catalog.indexes_of(self.table))

    def _is_usable(self, index: Index) -> bool:
        """Whether the index starts with the column or with a foreign key of it, and holds every owned row."""
        if not index.valid or not self._holds_owned_rows(index):
            return False
        keys = [(self.column.name,), *(key.columns for key in self.foreign_keys)]
        if self.is_polymorphic and self.type_column:
            keys.append((self.type_column.name, self.column.name))
        return any(set(index.columns[: len(key)]) == set(key) for key in keys)

    def _holds_owned_rows(self, index: Index) -> bool:
        """Whether its condition, if there is one, leaves out only rows without an owner."""
        only_null_left_out = f"WHERE ({self.column.name} IS NOT NULL)"
        return not index.partial or index.definition.replace('"', "").endswith(only_null_left_out)

    @property
    def type_column(self) -> Column | None:
        """The column that says which table the owner is in: `owner_type` for `owner_id`."""
        names = [f"{self._owner_stem}{ending}" for ending in TYPE_ENDINGS]
        columns = (self.catalog.find_column(self.table, name) for name in names)
        return next((column for column in columns if column is not None and column != self.column), None)

    @property
    def is_polymorphic(self) -> bool:
        """Whether the owner is in one of several tables, as another column says: no foreign key is possible.

        `user_type` beside `user_id` is a user's type, though, if a table of users is there.
        """
        if self.foreign_keys or self.other_foreign_keys or self.type_column is None:
            return False
        stem = self._owner_stem.rstrip("_").lower()
        tables = {table.name.lower() for table in self.catalog.tables}
        return tables.isdisjoint({stem, f"{stem}s", f"{stem}es"})

    @property
    def _owner_stem(self) -> str:
        """The name without its ending for identifiers: `owner` for `owner_id`, `ownerId` and `owner_uuid`."""
        return re.sub("(?:_id|_uuid|_pk|Id|ID|Uuid)$", "", self.column.name)


@dataclass(frozen=True, slots=True)
class OwnersKey:
    """The column that identifies an owner."""

    schema: str
    table: str
    column: str
    type: str | None
    """as Postgres prints it; None if the column is not there"""

    def __str__(self) -> str:
        return f"{self.table_name}.{self.column}"

    @property
    def table_name(self) -> str:
        """The table as reports show it, with its schema unless that is `public`."""
        return self.table if self.schema == "public" else f"{self.schema}.{self.table}"


def list_owner_columns(facts: Facts) -> Iterator[OwnerColumn]:
    """Every owner column of the replayed database, by table and position."""
    catalog = facts.replay.catalog
    for table in list_ownable_tables(facts):
        for column in _columns_of_owner(facts, table):
            keys = [key for key in catalog.foreign_keys_of(table) if column.name in key.columns]
            to_owners = tuple(key for key in keys if _is_owners_table(facts.owners, key.references))
            to_others = tuple(key for key in keys if key not in to_owners)
            trial = facts.replay.find_null_trial(column)
            yield OwnerColumn(table, column, to_owners, to_others, catalog, trial)


def list_ownable_tables(facts: Facts) -> Iterator[Table]:
    """The tables that may have an owner: not the owners' own, no exempt one, partition or foreign table."""
    owners = facts.owners
    for table in facts.replay.catalog.tables:
        # The rows of a partition are judged with its parent; those of a foreign table lie elsewhere.
        if table.partition_bound is not None or table.kind == "foreign table":
            continue
        holds_owners = owners.references is not None and _is_owners_table(owners, table.full_name)
        if not holds_owners and _find_pattern(table, owners.exempt) is None:
            yield table


def find_ownership_reason(facts: Facts, table: Table) -> str | None:
    """Why the table must have an owner column; None when no setting says so."""
    owners = facts.owners
    pattern = _find_pattern(table, owners.tables)
    if pattern is not None:
        return f"`owners.tables` names it by `{pattern}`"
    if not owners.every_reference or not owners.references or _is_association(facts, table):
        return None
    key = next(_foreign_keys_to_owners(facts, table), None)
    return f"`{', '.join(key.columns)}` references `{owners.references}`" if key else None


def find_named_columns(facts: Facts, table: Table) -> tuple[Column, ...]:
    """The columns of the table with an owner's name, without the exempt ones."""
    return tuple(
        column
        for column in facts.replay.catalog.columns_of(table)
        if any(fnmatchcase(column.name, pattern) for pattern in facts.owners.columns)
        and not _is_exempt(facts.owners, column)
    )


def find_owners_key(facts: Facts) -> OwnersKey:
    """The key that owner columns reference most; if none does, that of the table which the settings name."""
    catalog = facts.replay.catalog
    references = Counter(_list_references(facts))
    name, column = max(
        references,
        key=lambda reference: references[reference],
        default=(facts.owners.references or DEFAULT_OWNERS_TABLE, ""),
    )
    schema, _, table = name.rpartition(".")
    owners_table = catalog.find_table(schema or "public", table)
    primary_key = catalog.primary_key_of(owners_table) if owners_table else None
    key_columns = primary_key.columns if primary_key else ()
    column = column or (key_columns[0] if len(key_columns) == 1 else DEFAULT_OWNERS_KEY)
    key = catalog.find_column(owners_table, column) if owners_table else None
    return OwnersKey(schema or "public", table, column, key.type if key else None)


def _list_references(facts: Facts) -> Iterator[tuple[str, str]]:
    """Table and column, once for each foreign key of an owner column to one column."""
    for owned in list_owner_columns(facts):
        for key in owned.foreign_keys:
            if key.references and len(key.referenced_columns) == 1:
                yield key.references, key.referenced_columns[0]


def _columns_of_owner(facts: Facts, table: Table) -> tuple[Column, ...]:
    named_columns = find_named_columns(facts, table)
    if named_columns or facts.owners.references is None or find_ownership_reason(facts, table):
        return named_columns
    return _columns_that_reference_owners(facts, table)


def _columns_that_reference_owners(facts: Facts, table: Table) -> tuple[Column, ...]:
    """The first one that is NOT NULL, which owns the row: the others may be a reviewer. Else all of them."""
    keys = _foreign_keys_to_owners(facts, table)
    names = {key.columns[0] for key in keys if len(key.columns) == 1}
    columns = [column for column in facts.replay.catalog.columns_of(table) if column.name in names]
    first_always_set = [column for column in columns if not column.nullable][:1]
    owners = first_always_set or columns
    return tuple(column for column in owners if not _is_exempt(facts.owners, column))


def _foreign_keys_to_owners(facts: Facts, table: Table) -> Iterator[Constraint]:
    for key in facts.replay.catalog.foreign_keys_of(table):
        if _is_owners_table(facts.owners, key.references):
            yield key


def _is_association(facts: Facts, table: Table) -> bool:
    """Whether a row only links others: there are two foreign keys or more, and no other column."""
    keys = facts.replay.catalog.foreign_keys_of(table)
    linking = {name for key in keys for name in key.columns}
    columns = facts.replay.catalog.columns_of(table)
    return len(keys) > 1 and all(column.name in linking for column in columns)


def _is_owners_table(owners: Owners, name: str | None) -> bool:
    """Whether `name`, as `schema.table`, holds the owners; any table may if no setting names it."""
    return owners.references is None or name in {owners.references, f"public.{owners.references}"}


def _is_exempt(owners: Owners, column: Column) -> bool:
    names = (str(column), column.full_name)
    return any(fnmatchcase(name, pattern) for name in names for pattern in owners.exempt)


def _find_pattern(table: Table, patterns: tuple[str, ...]) -> str | None:
    """The first of the patterns that matches the name of the table, with or without its schema."""
    names = (str(table), table.full_name)
    matching = (pattern for pattern in patterns if any(fnmatchcase(name, pattern) for name in names))
    return next(matching, None)
