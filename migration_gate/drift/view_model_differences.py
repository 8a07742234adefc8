"""Differences of models that represent a view: the table is not missing, but a column may be."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_difference
from migration_gate.drift.difference_text import column_text


def find_view_model_differences(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    """The columns of such models whose name does not occur in the view's definition."""
    definitions = {(view.schema, view.name): view.definition for view in scope.database.views}
    for column in scope.view_model_columns:
        definition = definitions[column.schema, column.table]
        if not re.search(rf"(?<!\w){re.escape(column.name)}(?!\w)", definition):
            yield make_difference("column", None, column, database_text=None, models_text=column_text(column))
