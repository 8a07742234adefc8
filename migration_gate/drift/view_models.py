"""Models of views: no table is missing there, but a column may be."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.drift.difference import Drift, describe, found
from migration_gate.drift.scope import Scope


def mapped(scope: Scope) -> Iterator[Drift]:
    """The columns of such models that the view's definition never names."""
    definitions = {(view.schema, view.name): view.definition for view in scope.before.views}
    for column in scope.of_views:
        definition = definitions[column.schema, column.table]
        if not re.search(rf"(?<!\w){re.escape(column.name)}(?!\w)", definition):
            yield found("column", None, column, (None, describe(column)))
