"""Domains, composite types and ranges that one side lacks, or that are defined otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from migration_gate.drift.column_types import domain_base
from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_described_difference, make_difference
from migration_gate.drift.difference_text import definition_text
from migration_gate.drift.normalize import normalize_definition
from migration_gate.drift.object_pairs import is_copied, pair_objects
from migration_gate.facts import DifferenceKind, EnumType, NamedType

_CONSTRAINT_NAME = re.compile(r'CONSTRAINT (?:"(?:[^"]|"")*"|\S+) ')


def find_named_type_differences(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    """Types that differ; one that no model uses is unmanaged."""
    for database, models in pair_objects(scope.database.types, scope.models.types):
        if database is not None and (models is None or is_copied(database, models)):
            yield make_described_difference(
                "unmanaged", database, None, definition_text, object_noun=database.kind
            )
        else:
            yield from _find_definition_difference(database, models)
        yield from find_type_comment_difference(database, models)


def _find_definition_difference(
    database: NamedType | None, models: NamedType | None
) -> Iterator[CatalogDifference]:
    kind = _definition_difference_kind(database, models)
    if kind is not None:
        yield make_described_difference(kind, database, models, definition_text)


def _definition_difference_kind(
    database: NamedType | None, models: NamedType | None
) -> DifferenceKind | None:
    """The kind of the difference; None if both definitions mean the same."""
    if database is None or models is None or database.kind != models.kind:
        return "type definition"
    if _normalize_type(database) == _normalize_type(models):
        return None
    if _normalize_type(_without_constraint_names(database)) == _normalize_type(
        _without_constraint_names(models)
    ):
        return "name-only"
    return "type definition"


def _normalize_type(named_type: NamedType) -> str:
    """The normal form of its definition."""
    # The CHECKs of a domain call the value VALUE.
    types = {"VALUE": domain_base(named_type)} if named_type.kind == "domain" else {}
    return normalize_definition(named_type.definition, types)


def _without_constraint_names(named_type: NamedType) -> NamedType:
    return replace(named_type, definition=_CONSTRAINT_NAME.sub("", named_type.definition))


def find_type_comment_difference(
    database: EnumType | NamedType | None, models: EnumType | NamedType | None
) -> Iterator[CatalogDifference]:
    """The comment of a type, which models cannot express."""
    if database and models and database.comment != models.comment:
        yield make_difference(
            "unmanaged",
            database,
            models,
            database_text=database.comment,
            models_text=models.comment,
            object_noun="comment",
        )
