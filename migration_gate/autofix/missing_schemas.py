"""Schemas that only the models have: created with the first object in them, and dropped with it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from migration_gate.autofix.execute_call import execute_call
from migration_gate.drift.difference import CatalogDifference
from migration_gate.facts import Difference, EnumType, NamedType, Sequence, Snapshot, Table
from migration_gate.sql.identifiers import quote_identifier

STAYS = "# The schema stays: other fixes create objects in it, too."


def lacks_schema(schema: str, snapshot: Snapshot) -> bool:
    """Whether the database is known not to have the schema."""
    return bool(snapshot.schemas) and all(item.name != schema for item in snapshot.schemas)


def create_schema(schema: str) -> str:
    """The line that creates it if no other fix has."""
    return execute_call(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)}")


def drop_schema(schema: str) -> str:
    """The line that drops it, empty as it is then."""
    return execute_call(f"DROP SCHEMA {quote_identifier(schema)}")


def add_schemas(
    fixes: Iterable[Difference],
    catalog_differences: Mapping[Difference, CatalogDifference],
    differences: Iterable[Difference],
    replayed: Snapshot,
) -> Iterator[Difference]:
    """The fixes of these differences, in their order; those in a missing schema create it first."""
    seen: set[str] = set()
    for fix, difference in zip(fixes, differences, strict=True):
        schema = _find_new_schema(catalog_differences.get(difference))
        if schema is None or not fix.upgrade or not lacks_schema(schema, replayed):
            yield fix
            continue
        # Downgrades run in the reverse order: the fix that created it first, drops it last.
        end = STAYS if schema in seen else drop_schema(schema)
        seen.add(schema)
        yield replace(
            fix, upgrade=f"{create_schema(schema)}\n{fix.upgrade}", downgrade=f"{fix.downgrade}\n{end}"
        )


def _find_new_schema(difference: CatalogDifference | None) -> str | None:
    """The schema that something is created in or moved to, if it is no part of a table."""
    created = difference.models if difference is not None else None
    return created.schema if isinstance(created, Table | EnumType | NamedType | Sequence) else None
