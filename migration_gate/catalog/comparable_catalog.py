"""A catalog as a set of objects that are equal whenever they are alike, however often they were made anew."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from migration_gate.catalog.snapshot_reader import Row, build_objects, is_hidden, read_catalog_text
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


def read_catalog_set(connection: psycopg.Connection[Any], version_tables: Collection[str]) -> CatalogSet:
    """The catalog of the connection's database, without the tables in `version_tables` (`schema.name`)."""
    return parse_catalog_set(read_catalog_text(connection), version_tables)


def parse_catalog_set(text: str, version_tables: Collection[str]) -> CatalogSet:
    """What `read_catalog_text` read, as a set."""
    return _build_set(json.loads(text), version_tables)


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
        kept = [_without_identity(row) for row in rows if not is_hidden(kind, row, hidden)]
        objects.update(build_objects(kind, kept))
    return frozenset(objects)


def _without_identity(row: Row) -> Row:
    for name in _NEW_WHEN_MADE:
        if name in row:
            row[name] = 0
    if row.get("kind") == "not null":
        # Postgres 18 names it after the table and the column as they are called when it is made.
        row["name"] = "not null"
    return row
