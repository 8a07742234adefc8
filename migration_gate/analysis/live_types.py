"""Which types the models of the live release have for columns whose type in the database is another one.

A change that makes the database agree with its models changes nothing for their code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from migration_gate.facts import Column, Replay, Snapshot

ColumnKey = tuple[str, str, str]
"""schema, table and column"""
_DOMAIN_BASE = re.compile(r"^AS (.*?)(?: COLLATE| DEFAULT| NOT NULL| CONSTRAINT|$)")
_CATEGORIES = {
    name: category
    for category, names in {
        "number": ("smallint", "integer", "bigint", "numeric", "real", "double precision", "money"),
        "text": ("text", "character varying", "character", "citext", "name"),
        "JSON": ("json", "jsonb"),
        "point in time": ("timestamp without time zone", "timestamp with time zone"),
    }.items()
    for name in names
}
"""of types between which values stay what they are for a program"""


def find_live_types(base: Replay) -> Mapping[ColumnKey, str]:
    """The types of the models that the base's drift names, as Postgres prints them."""
    types: dict[ColumnKey, str] = {}
    for difference in base.differences:
        if difference.kind == "type" and difference.table and difference.column and difference.models:
            schema, _, table = difference.table.partition(".")
            types[schema, table, difference.column] = difference.models
    return types


def use_live_types(base: Replay, later: Snapshot) -> Snapshot:
    """The base's catalog, in which columns that become another kind of type, their models', are so already.

    A type that stays, or a longer text, is left alone: the models' drift is not the change's.
    """
    types = find_live_types(base)
    if not types:
        return base.catalog
    columns = tuple(_use_live_type(column, types, later) for column in base.catalog.columns)
    return replace(base.catalog, columns=columns)


def _use_live_type(column: Column, types: Mapping[ColumnKey, str], later: Snapshot) -> Column:
    live = types.get(find_key(column))
    table = later.find_table(column.schema, column.table)
    after = later.find_column(table, column.name) if table is not None else None
    if live is None or after is None:
        return column
    old, new = name_category(column.type, later), name_category(after.type, later)
    return replace(column, type=live) if name_category(live, later) == new != old else column


def find_key(column: Column) -> ColumnKey:
    """By which its type is found."""
    return column.schema, column.table, column.name


def name_category(type_text: str, catalog: Snapshot) -> str:
    """Of types that are alike for a program, the same name; `catalog` knows the domains."""
    plain = _find_base_type(type_text, catalog).replace('"', "")
    suffix = "[]" if plain.endswith("[]") else ""
    name = plain.removesuffix("[]")
    start, parenthesis, rest = name.partition("(")
    base = f"{start}{rest.partition(')')[2]}" if parenthesis else name
    return _CATEGORIES.get(base, base) + suffix


def _find_base_type(type_text: str, catalog: Snapshot) -> str:
    """The type below a domain."""
    name = type_text.replace('"', "")
    domains = (item for item in catalog.types if item.kind == "domain" and item.full_name == name)
    matches = (_DOMAIN_BASE.match(domain.definition) for domain in domains)
    return next((match[1] for match in matches if match is not None), type_text)
