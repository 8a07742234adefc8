"""Which relations of the replayed schema the names in a statement mean, by Postgres's rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from migration_gate.facts import Snapshot
from migration_gate.sql.identifiers import split_qualified_name

RelationNames = Mapping[tuple[str | None, str], str]
"""schema (None for any) and name of a relation or enum, and its name as reports show it"""

_PLACEHOLDER = re.compile(r"[$%]?\{+[^{}]*\}+")
"""`{schema}`, `${schema}`: a part that only the running program knows"""
_UNKNOWN = "\0"


def index_relation_names(catalog: Snapshot) -> RelationNames:
    """Every relation and enum of the schema, with and without its schema; of one name, tables come first."""
    names: dict[tuple[str | None, str], str] = {}
    for objects in (catalog.enums, catalog.indexes, catalog.views, catalog.sequences, catalog.tables):
        for relation in objects:
            names[relation.schema, relation.name] = str(relation)
            names[None, relation.name] = str(relation)
    return names


def find_relations(written_names: Iterable[str], known_names: RelationNames) -> tuple[str, ...]:
    """The relations that the written names mean; those of other schemas and databases are left out."""
    relations = (_find_relation(name, known_names) for name in written_names)
    return tuple(dict.fromkeys(relation for relation in relations if relation))


def _find_relation(written_name: str, known_names: RelationNames) -> str | None:
    parts = split_qualified_name(_PLACEHOLDER.sub(_UNKNOWN, written_name))
    if not parts or _UNKNOWN in parts[-1]:
        return None
    schema = parts[-2] if len(parts) > 1 and _UNKNOWN not in parts[-2] else None
    return known_names.get((schema, parts[-1]))
