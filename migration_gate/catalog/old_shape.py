"""What tables were like before the revisions of a change: values put there now should fit that, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from migration_gate.catalog.comparable_catalog import RevisionChanges
from migration_gate.facts import CatalogObject, Column, Constraint, EnumType, Index, Table
from migration_gate.lazy_dataclass import dataclass

_RULES = ("check", "unique", "exclusion", "foreign key", "primary key")


@dataclass(frozen=True)
class OldShape:
    """What the revisions removed from the catalog, those in front first."""

    removed: tuple[CatalogObject, ...] = ()
    touched: frozenset[tuple[str, str]] = frozenset()
    """schema and name of the tables that they are about"""
    new_tables: frozenset[tuple[str, str]] = frozenset()
    """of those, the ones that were not there"""

    def find_column(self, schema: str, table: str, name: str) -> Column | None:
        """The column as it was; None if it was not there, or was the same."""
        return self._columns.get((schema, table, name))

    def find_table(self, schema: str, name: str) -> Table | None:
        """The table as it was; None if it was not there, or was the same."""
        return self._tables.get((schema, name))

    def find_labels(self, enum: str) -> tuple[str, ...] | None:
        """The labels that an enum type (`schema.name`) had; None if it had the same, or was not there."""
        return self._labels.get(enum)

    def list_rules(self, schema: str, table: str) -> tuple[Constraint, ...]:
        """The constraints that a table does not have any more."""
        return tuple(
            item
            for item in self.removed
            if isinstance(item, Constraint)
            and (item.schema, item.table) == (schema, table)
            and item.kind in _RULES
        )

    def list_unique_indexes(self, schema: str, table: str) -> tuple[Index, ...]:
        """The unique indexes that a table does not have any more, but those of constraints."""
        return tuple(
            item
            for item in self.removed
            if isinstance(item, Index)
            and (item.schema, item.table) == (schema, table)
            and item.unique
            and item.constraint is None
        )

    @cached_property
    def _columns(self) -> Mapping[tuple[str, str, str], Column]:
        columns = [item for item in self.removed if isinstance(item, Column)]
        return {(item.schema, item.table, item.name): item for item in reversed(columns)}

    @cached_property
    def _tables(self) -> Mapping[tuple[str, str], Table]:
        tables = [item for item in self.removed if isinstance(item, Table)]
        return {(item.schema, item.name): item for item in reversed(tables)}

    @cached_property
    def _labels(self) -> Mapping[str, tuple[str, ...]]:
        enums = [item for item in self.removed if isinstance(item, EnumType)]
        return {item.full_name: item.labels for item in reversed(enums)}


def describe_old_shape(changes: Sequence[RevisionChanges]) -> OldShape:
    """What the revisions of these changes, in their order, found."""
    removed = tuple(item for change in changes for item in sorted(change.removed, key=repr))
    touched = frozenset(
        key for change in changes for item in (*change.removed, *change.added) for key in _table_of(item)
    )
    before = {(item.schema, item.name) for item in removed if isinstance(item, Table)}
    added = (item for change in changes for item in change.added if isinstance(item, Table))
    return OldShape(removed, touched, frozenset((item.schema, item.name) for item in added) - before)


def loosens(change: RevisionChanges) -> bool:
    """Whether a table that stays may have other values after a revision than before it."""
    before = {(item.schema, item.name) for item in change.removed if isinstance(item, Table)}
    dropped = before - {(item.schema, item.name) for item in change.added if isinstance(item, Table)}
    added = {(type(item), str(item)): item for item in change.added}
    return any(
        _is_loosened(item, added.get((type(item), str(item))))
        for item in change.removed
        if dropped.isdisjoint(_table_of(item))
    )


def _is_loosened(earlier: CatalogObject, later: CatalogObject | None) -> bool:
    if isinstance(earlier, Column) and isinstance(later, Column):
        return earlier.nullable < later.nullable or earlier.type != later.type
    if isinstance(earlier, EnumType):
        return later is not None
    if isinstance(earlier, Constraint):
        return earlier.kind in _RULES
    return isinstance(earlier, Index) and earlier.unique


def _table_of(item: CatalogObject) -> Iterator[tuple[str, str]]:
    if isinstance(item, Table):
        yield item.schema, item.name
    table = getattr(item, "table", None)
    if table is not None:
        yield getattr(item, "schema", ""), table
