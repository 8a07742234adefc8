"""Enums that one side lacks, or whose labels differ."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_described_difference
from migration_gate.drift.difference_text import labels_text
from migration_gate.drift.named_type_differences import find_type_comment_difference
from migration_gate.drift.object_pairs import is_copied, pair_objects
from migration_gate.drift.type_use import is_used, make_unmodelled_difference


def find_enum_differences(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    """Enums that differ. One that is a column's type in the models, but not defined there, is unmanaged."""
    for database, models in pair_objects(scope.database.enums, scope.models.enums):
        if database is not None and (models is None or is_copied(database, models)):
            has_users = is_used(database, *scope.sides)
            yield make_unmodelled_difference("enum", database, labels_text, has_users=has_users)
        elif database is None or models is None or database.labels != models.labels:
            yield make_described_difference("enum", database, models, labels_text)
        yield from find_type_comment_difference(database, models)
