"""Differences of models that represent a view: a column that the view lacks, or has with another type.

Nullability, defaults and keys are not compared: a view has none, and the ORM wants a primary key of a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis.index_definitions import remove_index_name
from migration_gate.analysis.type_width import is_same_family
from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_described_difference, make_difference
from migration_gate.drift.difference_text import column_text, definition_text
from migration_gate.facts import Column

SAME_FAMILY = "a view returns what its query computes, and both are of one kind"


def find_view_model_differences(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    """The columns and indexes of such models that the view does not have so."""
    types = {
        (view.schema, view.name): dict(zip(view.column_names, view.column_types, strict=True))
        for view in scope.database.views
    }
    for column in scope.view_model_columns:
        type_name = types[column.schema, column.table].get(column.name)
        if type_name is None:
            yield make_described_difference("column", None, column, column_text)
        elif type_name != column.type:
            yield _make_type_difference(column, type_name)
    definitions = {remove_index_name(index.definition) for index in scope.view_indexes}
    for index in scope.view_model_indexes:
        if remove_index_name(index.definition) not in definitions:
            yield make_described_difference("index", None, index, definition_text)


def _make_type_difference(column: Column, type_name: str) -> CatalogDifference:
    column_of_view = replace(column, type=type_name, default=None)
    item = make_difference("type", column_of_view, column, database_text=type_name, models_text=column.type)
    if is_same_family(type_name, column.type) and type_name.endswith("[]") == column.type.endswith("[]"):
        return replace(item, difference=replace(item.difference, harmless_because=SAME_FAMILY))
    return item
