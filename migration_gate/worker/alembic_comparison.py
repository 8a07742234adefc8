"""Alembic's own comparison: what the project's filters leave out, and tables that were not created."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Collection, Optional

from .env_context import EnvContext, follow_search_path
from .protocol import AlembicDifference, FilteredObject, UncreatedKind, UncreatedPart

COMPARER_KINDS = {"compare_type": "type", "compare_server_default": "default"}
"""options of `context.configure` that decide about a property of columns"""
OWN_SCHEMA = "migration_gate"
"""of the log of DDL commands: the project's filters know nothing of it"""
OPERATION_SUFFIXES: dict[UncreatedKind, str] = {
    "foreign key": "_fk",
    "index": "_index",
    "check": "_constraint",
    "unique": "_constraint",
    "comment": "_comment",
}
"""how Alembic's operations on such a part end: `remove_fk`, `add_constraint`"""


# What the project's own filters leave out.


def find_filtered_objects(context: EnvContext, connection: Any) -> list[FilteredObject]:
    """What include_object, include_name, compare_type and compare_server_default leave out of comparisons.

    The functions are asked by a comparison whose result is not used.
    """
    left_out = _find_fetched_values(context) + [
        FilteredObject(kind, "*", "*", "*", option)
        for option, kind in COMPARER_KINDS.items()
        if context.explicit_options.get(option) is False
    ]
    filters = FilterRecorder(context.default_schema)
    wrapped = {
        option: wrap(context.options[option])
        for option, wrap in filters.make_wrappers().items()
        if callable(context.options.get(option))
    }
    if not wrapped:
        return left_out
    from alembic.autogenerate import compare_metadata

    migration_context = _make_migration_context(context, connection, **wrapped)
    compare_metadata(migration_context, context.options["target_metadata"])
    flagged = _find_flagged_tables(context)
    left_out += [
        dataclasses.replace(item, is_flagged=item.kind == "table" and (item.schema, item.name) in flagged)
        for item in sorted(filters.left_out, key=str)
    ]
    return left_out


def _find_flagged_tables(context: EnvContext) -> set[tuple[str, str]]:
    """Schema and name of the models' tables with a flag in their `info`, which a filter may look at.

    `skip_autogenerate` is the name in Alembic's documentation; `is_view` and others are as common.
    """
    return {
        (context.translate_schema(table.schema) or context.default_schema, str(table.name))
        for metadata in context.metadatas
        for table in metadata.tables.values()
        if any(value is True for value in table.info.values())
    }


def _find_fetched_values(context: EnvContext) -> list[FilteredObject]:
    """The columns whose model says only that the server gives a value, `FetchedValue()`: any default fits."""
    from sqlalchemy import schema

    with_expression = (schema.DefaultClause, schema.Computed, schema.Identity)
    metadata = context.options.get("target_metadata")
    return [
        FilteredObject("default", str(table.schema or context.default_schema), table.name, column.name)
        for one in (metadata if isinstance(metadata, (list, tuple)) else [metadata])
        for table in getattr(one, "tables", {}).values()
        for column in table.columns
        if isinstance(column.server_default, schema.FetchedValue)
        and not isinstance(column.server_default, with_expression)
    ]


class FilterRecorder:
    """Wraps the project's filters, and keeps what they leave out."""

    def __init__(self, default_schema: str) -> None:
        self._default_schema = default_schema
        self.left_out: set[FilteredObject] = set()

    def make_wrappers(self) -> dict[str, Callable[[Any], Any]]:
        """What wraps the function of an option, by the name of the option."""
        return {
            "include_object": self._wrap_include_object,
            "include_name": self._wrap_include_name,
            "compare_type": lambda function: self._wrap_comparer(function, "type"),
            "compare_server_default": lambda function: self._wrap_comparer(function, "default"),
        }

    def _wrap_include_object(self, function: Any) -> Any:
        def include_object(item: Any, name: Any, kind: str, reflected: bool, other: Any) -> Any:
            is_included = function(item, name, kind, reflected, other)
            if not is_included:
                table = item if kind == "table" else getattr(item, "table", None)
                schema, table_name = getattr(table, "schema", None), getattr(table, "name", None)
                self._add_filtered("include_object", kind, schema, table_name, name)
            return is_included

        return include_object

    def _wrap_include_name(self, function: Any) -> Any:
        def include_name(name: Any, kind: str, parents: dict[str, Any]) -> Any:
            is_included = function(name, kind, parents)
            if not is_included:
                # For the default schema, Alembic gives no name.
                name = (name or self._default_schema) if kind == "schema" else name
                schema = name if kind == "schema" else parents.get("schema_name")
                table = name if kind == "table" else parents.get("table_name")
                self._add_filtered("include_name", kind, schema, table, name)
            return is_included

        return include_name

    def _wrap_comparer(self, function: Any, kind: str) -> Any:
        def compare_property(migration_context: Any, inspected_column: Any, column: Any, *more: Any) -> Any:
            is_different = function(migration_context, inspected_column, column, *more)
            if is_different is False:
                option = {"type": "compare_type"}.get(kind, "compare_server_default")
                self._add_filtered(option, kind, column.table.schema, column.table.name, column.name)
            return is_different

        return compare_property

    def _add_filtered(self, option: str, kind: str, schema: Any, table: Any, name: Any) -> None:
        filtered = FilteredObject(
            kind, str(schema or self._default_schema), _optional_text(table), _optional_text(name), option
        )
        if filtered.schema != OWN_SCHEMA:
            self.left_out.add(filtered)


def _optional_text(name: Any) -> Optional[str]:
    """A name of SQLAlchemy's as plain text: it may be a symbol that only looks like text."""
    return None if name is None else str(name)


# What Alembic sees in tables that were not created.


def find_alembic_differences(
    context: EnvContext, tables: Collection[str], connection: Any
) -> list[AlembicDifference]:
    """What Alembic's comparison finds in `tables` (`schema.name`)."""
    from alembic.autogenerate import compare_metadata

    migration_context = _make_migration_context(context, connection)
    differences = []
    for entry in compare_metadata(migration_context, context.options["target_metadata"]):
        for row in entry if isinstance(entry, list) else [entry]:  # a list: the changes of one column
            table = _table_name(row, context.default_schema)
            if table in tables:
                differences.append(AlembicDifference(str(row[0]), table, _describe_row(row)))
    return differences


def is_about(difference: AlembicDifference, part: UncreatedPart) -> bool:
    """Whether the difference is about the part: about its table, or about a key or an index of its name."""
    if part.table != difference.table:
        return False
    if part.kind == "table":
        return True
    suffix = OPERATION_SUFFIXES.get(part.kind)
    if suffix is None or not difference.operation.endswith(suffix):
        return False
    return (part.name or ", ".join(part.columns)) in difference.text


def _make_migration_context(context: EnvContext, connection: Any, **changed_options: Any) -> Any:
    """A MigrationContext with env.py's options, for a connection of ours."""
    from alembic.migration import MigrationContext

    follow_search_path(connection, context)
    options = {name: value for name, value in context.options.items() if name != "fn"}
    return MigrationContext.configure(connection=connection, opts={**options, **changed_options})


def _table_name(row: Any, default_schema: str) -> str:
    """`schema.name` of the table that a row of `compare_metadata` is about."""
    operation = row[0]
    if operation.startswith("modify_") or operation in ("add_column", "remove_column"):
        return "%s.%s" % (row[1] or default_schema, row[2])
    table = row[1].table if _belongs_to_table(row[1]) else row[1]
    return "%s.%s" % (table.schema or default_schema, table.name)


def _belongs_to_table(item: Any) -> bool:
    """Whether it is a key or an index, not a table itself."""
    return hasattr(item, "table") or not hasattr(item, "columns") or not hasattr(item, "metadata")


def _describe_row(row: Any) -> str:
    """The difference as text, without the addresses of objects."""
    operation = row[0]
    if operation.startswith("modify_"):
        return "%s: %s -> %s" % (row[3], row[5], row[6])
    item = row[3] if operation in ("add_column", "remove_column") else row[1]
    name = str(getattr(item, "name", item))
    columns = [str(column.name) for column in getattr(item, "columns", [])]
    return "%s (%s)" % (name, ", ".join(columns)) if columns else name
