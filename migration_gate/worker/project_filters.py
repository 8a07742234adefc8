"""What the project's own filters leave out: functions that it gives to `context.configure`."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Optional

from .env_context import EnvContext
from .protocol.model_lines import FilteredObject

COMPARER_KINDS = {"compare_type": "type", "compare_server_default": "default"}
"""options of `context.configure` that decide about a property of columns"""
OWN_SCHEMA = "migration_gate"
"""of the log of DDL commands: the project's filters know nothing of it"""


def find_switched_off(context: EnvContext) -> list[FilteredObject]:
    """The properties that no column is compared in, and the columns whose default is the server's affair."""
    return _find_fetched_values(context) + [
        FilteredObject(kind, "*", "*", "*", option)
        for option, kind in COMPARER_KINDS.items()
        if context.explicit_options.get(option) is False
    ]


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

    with_expression = (schema.DefaultClause, schema.Computed, schema.Identity)  # kinds of FetchedValue too
    fetched: list[FilteredObject] = []
    for metadata in context.metadatas:
        for table in metadata.tables.values():
            schema_name = str(table.schema or context.default_schema)
            for column in table.columns:
                default = column.server_default
                if isinstance(default, schema.FetchedValue) and not isinstance(default, with_expression):
                    fetched.append(FilteredObject("default", schema_name, table.name, column.name))
    return fetched


class FilterRecorder:
    """Wraps the project's filters, and keeps what they leave out."""

    def __init__(self, default_schema: str) -> None:
        self._default_schema = default_schema
        self.left_out: set[FilteredObject] = set()

    def wrap_options(self, context: EnvContext) -> dict[str, Callable[..., Any]]:
        """The functions that the context has, wrapped, by the name of their option."""
        wrappers: dict[str, Callable[[Any], Callable[..., Any]]] = {
            "include_object": self._wrap_include_object,
            "include_name": self._wrap_include_name,
            "compare_type": lambda function: self._wrap_comparer(function, "type"),
            "compare_server_default": lambda function: self._wrap_comparer(function, "default"),
        }
        return {
            option: wrap(context.options[option])
            for option, wrap in wrappers.items()
            if callable(context.options.get(option))
        }

    def list_left_out(self, context: EnvContext) -> list[FilteredObject]:
        """What they left out, sorted."""
        flagged = _find_flagged_tables(context)
        return [
            dataclasses.replace(item, is_flagged=item.kind == "table" and (item.schema, item.name) in flagged)
            for item in sorted(self.left_out, key=str)
        ]

    def _wrap_include_object(self, function: Any) -> Any:
        def include_object(item: Any, name: Any, kind: str, reflected: bool, other: Any) -> Any:
            is_included = function(item, name, kind, reflected, other)
            if not is_included:
                table = item if kind == "table" else getattr(item, "table", None)
                schema, table_name = getattr(table, "schema", None), getattr(table, "name", None)
                columns = list_key_columns(item) if kind.endswith("_constraint") and name is None else ()
                self._add_filtered("include_object", kind, schema, table_name, name, columns=columns)
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

    def _add_filtered(
        self, option: str, kind: str, schema: Any, table: Any, name: Any, *, columns: tuple[str, ...] = ()
    ) -> None:
        filtered = FilteredObject(
            kind,
            str(schema or self._default_schema),
            _optional_text(table),
            _optional_text(name),
            option,
            columns=columns,
        )
        if filtered.schema != OWN_SCHEMA:
            self.left_out.add(filtered)


def list_key_columns(constraint: Any) -> tuple[str, ...]:
    """The names of a constraint's own columns, which tell keys without a name apart."""
    return tuple(str(column.name) for column in getattr(constraint, "columns", ()))


def _optional_text(name: Any) -> Optional[str]:
    """A name of SQLAlchemy's as plain text: it may be a symbol that only looks like text."""
    return None if name is None else str(name)
