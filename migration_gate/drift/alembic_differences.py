"""Alembic's own differences, for the tables that Postgres did not create from the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from migration_gate.drift.difference import CatalogDifference
from migration_gate.facts import AlembicDifference, Difference, DifferenceKind, Models

_KINDS: Mapping[str, DifferenceKind] = {
    "table_comment": "comment",
    "table": "table",
    "column": "column",
    "type": "type",
    "nullable": "nullability",
    "default": "default",
    "comment": "comment",
    "index": "index",
    "fk": "foreign key",
    "constraint": "unique",
}
"""our kind by the end of the name of Alembic's operation (`add_fk`); the first that fits counts"""


def list_alembic_differences(models: Models) -> Iterator[CatalogDifference]:
    """The differences in Alembic's words, without catalog objects."""
    for item in models.alembic_differences:
        if item.operation.startswith("modify_"):
            yield CatalogDifference(_describe_change(item))
            continue
        is_removed = item.operation.startswith("remove")
        difference = Difference(
            kind=_find_kind(item),
            object=item.table.removeprefix("public."),
            database=item.text if is_removed else None,
            models=None if is_removed else item.text,
            table=item.table,
        )
        yield CatalogDifference(difference)


def _describe_change(item: AlembicDifference) -> Difference:
    """The change of a column, whose text is `column: database -> models`."""
    column, _, sides = item.text.partition(": ")
    database, _, models = sides.partition(" -> ")
    return Difference(
        kind=_find_kind(item),
        object=f"{item.table.removeprefix('public.')}.{column}",
        database=database,
        models=models,
        table=item.table,
        column=column,
    )


def _find_kind(item: AlembicDifference) -> DifferenceKind:
    kinds = (kind for ending, kind in _KINDS.items() if item.operation.endswith(ending))
    return next(kinds, "table option")
