"""Tables that one side lacks, and each option in which a table differs.

`_OPTIONS` lists the options that a fix can change, `_UNMANAGED_PROPERTIES` what models cannot express.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from migration_gate.analysis.storage_parameters import without_default_options
from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_described_difference, make_difference
from migration_gate.drift.difference_text import columns_text, comment_text
from migration_gate.drift.object_pairs import pair_objects
from migration_gate.facts import Snapshot, Table, View


def find_table_differences(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    """Tables that one side lacks, and options of those that both have."""
    views = {(view.schema, view.name): view for view in scope.database.views}
    for database, models in pair_objects(scope.database.tables, scope.models.tables):
        view = views.get((models.schema, models.name)) if models is not None else None
        if database is None and models is not None and view is not None:
            yield _view_difference(view, models, scope)
        elif database is None or models is None:
            yield make_difference(
                "table",
                database,
                models,
                database_text=_columns_of(database, scope.database),
                models_text=_columns_of(models, scope.models),
            )
        else:
            yield from find_option_differences(database, models)
            yield from _find_comment_difference(database, models)
            yield from _find_unmanaged_differences(database, models)


def _view_difference(view: View, table: Table, scope: ComparisonScope) -> CatalogDifference:
    """The difference between a view of the database and the table of that name in the models."""
    item = make_difference(
        "table",
        view,
        table,
        database_text=f"{view.kind}: {view.definition.strip()}",
        models_text=_columns_of(table, scope.models),
    )
    return replace(item, difference=replace(item.difference, table=table.full_name))


def _columns_of(table: Table | None, snapshot: Snapshot) -> str | None:
    """The columns of a table that only one side has, as the text of that side."""
    return columns_text(snapshot.columns_of(table)) if table else None


def find_option_differences(database: Table, models: Table) -> Iterator[CatalogDifference]:
    """One difference for each option; its fix changes this option alone."""
    for field, describe in _OPTIONS.items():
        if describe(database) != describe(models):
            only_this_changed = replace(database, **{field: getattr(models, field)})
            yield make_described_difference(
                "table option", database, only_this_changed, describe, object_noun=field
            )


def _partition_key_text(table: Table) -> str:
    return f"PARTITION BY {table.partition_key}" if table.partition_key else "not partitioned"


def _partition_bound_text(table: Table) -> str:
    return table.partition_bound or "no partition"


def _parents_text(table: Table) -> str:
    return f"INHERITS ({', '.join(table.inherits)})"


def _storage_parameters_text(table: Table) -> str:
    options = without_default_options(table.options)
    return f"WITH ({', '.join(options)})" if options else "no storage parameters"


def _kind_text(table: Table) -> str:
    """Whether it is a foreign table; its partition key shows whether it is partitioned."""
    return "foreign table" if table.kind == "foreign table" else "table"


_OPTIONS: Mapping[str, Callable[[Table], str]] = {
    "persistence": lambda table: table.persistence,
    "partition_key": _partition_key_text,
    "partition_bound": _partition_bound_text,
    "inherits": _parents_text,
    "options": _storage_parameters_text,
    "kind": _kind_text,
}
"""by field of `Table`: the option in words, in which two tables are compared"""


def _find_comment_difference(database: Table, models: Table) -> Iterator[CatalogDifference]:
    if database.comment != models.comment:
        yield make_described_difference("comment", database, models, comment_text)


def _find_unmanaged_differences(database: Table, models: Table) -> Iterator[CatalogDifference]:
    for object_noun, describe in _UNMANAGED_PROPERTIES.items():
        if describe(database) != describe(models):
            yield make_described_difference("unmanaged", database, models, describe, object_noun=object_noun)


def _row_security_text(table: Table) -> str:
    settings = []
    if table.row_security:
        settings.append("ENABLE")
    if table.force_row_security:
        settings.append("FORCE")
    return f"{', '.join(settings)} ROW LEVEL SECURITY" if settings else "no row security"


_UNMANAGED_PROPERTIES: Mapping[str, Callable[[Table], str]] = {
    "row security": _row_security_text,
    "replica identity": lambda table: table.replica_identity,
}
"""what models cannot express"""
