"""A catalog as a set of objects that are equal whenever they are alike, however often they were made anew."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from migration_gate.catalog.catalog_rows import read_catalog_again
from migration_gate.catalog.snapshot_reader import (
    CatalogRows,
    Row,
    build_objects,
    is_hidden,
)
from migration_gate.facts import CatalogObject
from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import psycopg

CatalogSet: TypeAlias = frozenset[CatalogObject]
_NEW_WHEN_MADE = ("oid", "number", "position")
"""fields that differ if an object was dropped and made again; the order of columns is one of them"""


@dataclass(frozen=True, slots=True)
class RevisionChanges:
    """What one revision made of the catalog."""

    removed: CatalogSet
    added: CatalogSet


class CatalogReader:
    """Reads catalogs that differ little: an object that was read before is the same fact again."""

    def __init__(self, version_tables: Collection[str]) -> None:
        """`version_tables` (`schema.name`) are left out."""
        self._hidden = frozenset(version_tables)
        self._objects: dict[tuple[str, str], CatalogSet] = {}

    def read(self, connection: psycopg.Connection[Any]) -> CatalogSet:
        """The catalog of the connection's database, as its transaction sees it."""
        return self.make_set(read_catalog_again(connection))

    def make_set(self, rows: CatalogRows) -> CatalogSet:
        """What was read, as a set."""
        objects: set[CatalogObject] = set()
        for row in rows:
            found = self._objects.get(row)
            if found is None:
                field, text = row
                # As a set: what goes from one set into another is not hashed again.
                made = _make_objects(field, [json.loads(text)], self._hidden)
                found = self._objects[row] = frozenset(made)
            objects.update(found)
        return frozenset(objects)


def parse_changes(text: str, version_tables: Collection[str] = ()) -> RevisionChanges:
    """What the worker sent of a revision. Raises ValueError if the text is nothing of that kind."""
    answer = json.loads(text)
    try:
        removed = _build_set({kind: rows[0] for kind, rows in answer.items()}, version_tables)
        added = _build_set({kind: rows[1] for kind, rows in answer.items()}, version_tables)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"expected rows of the catalog: {error}") from error
    return RevisionChanges(removed - added, added - removed)


def _build_set(rows_by_kind: Mapping[str, list[Row]], version_tables: Collection[str]) -> CatalogSet:
    hidden = frozenset(version_tables)
    objects: set[CatalogObject] = set()
    for kind, rows in rows_by_kind.items():
        objects.update(_make_objects(kind, rows, hidden))
    return frozenset(objects)


def _make_objects(kind: str, rows: list[Row], hidden: frozenset[str]) -> tuple[CatalogObject, ...]:
    return build_objects(kind, [_without_identity(row) for row in rows if not is_hidden(kind, row, hidden)])


def _without_identity(row: Row) -> Row:
    for name in _NEW_WHEN_MADE:
        if name in row:
            row[name] = 0
    if row.get("kind") == "not null":
        # Postgres 18 names it after the table and the column as they are called when it is made.
        row["name"] = "not null"
    return row
