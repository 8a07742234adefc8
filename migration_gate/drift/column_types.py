"""The types of a side's columns, by table and column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from migration_gate.facts import NamedType, Snapshot

ColumnTypes: TypeAlias = Mapping[str, Mapping[str, str]]
"""the type as Postgres prints it, by table (`schema.name`), then by column"""

_DOMAIN_BASE = re.compile(r"^AS (.*?)(?: COLLATE| DEFAULT| NOT NULL| CONSTRAINT|$)")


def map_column_types(snapshot: Snapshot) -> ColumnTypes:
    """The types as they are declared."""
    types: dict[str, dict[str, str]] = {}
    for column in snapshot.columns:
        types.setdefault(column.full_table_name, {})[column.name] = column.type
    return types


def map_base_types(snapshot: Snapshot) -> ColumnTypes:
    """The types with the base of each domain in its place."""
    domains = {domain.full_name: domain_base(domain) for domain in snapshot.types if domain.kind == "domain"}
    return {
        table: {name: domains.get(type_, type_) for name, type_ in types.items()}
        for table, types in map_column_types(snapshot).items()
    }


def domain_base(domain: NamedType) -> str:
    """The type that a domain restricts."""
    match = _DOMAIN_BASE.match(domain.definition)
    return match[1] if match else domain.definition
