"""Alembic's own comparison: for what the project filters out, and for tables that could not be created."""

from __future__ import annotations

from typing import Any, Optional

from .protocol import AlembicDifference, FilteredObject, UncreatedPart

FILTERS = ("include_object", "include_name")
COMPARERS = {"compare_type": "type", "compare_server_default": "default"}


def follow_search_path(connection: Any, context: dict[str, Any]) -> None:
    """Look where the migrations looked."""
    if context["search_path"]:
        quoted = context["search_path"].replace("'", "''")
        connection.exec_driver_sql("select set_config('search_path', '%s', false)" % quoted)


def _context(connection: Any, context: dict[str, Any], **changed: Any) -> Any:
    from alembic.migration import MigrationContext

    follow_search_path(connection, context)
    options = {key: value for key, value in context["opts"].items() if key != "fn"}
    options.update(changed)
    return MigrationContext.configure(connection=connection, opts=options)


def filtered(context: dict[str, Any], connection: Any) -> list[FilteredObject]:
    """What the project's own filters leave out of comparisons."""
    options, explicit = context["opts"], context["explicit"]
    out = [
        FilteredObject(kind, "*", "*", "*")
        for option, kind in COMPARERS.items()
        if explicit.get(option) is False
    ]
    callables = {name: options[name] for name in (*FILTERS, *COMPARERS) if callable(options.get(name))}
    if not callables:
        return out
    seen: set[FilteredObject] = set()
    wrapped = {name: _wrap(name, function, seen, context) for name, function in callables.items()}
    from alembic.autogenerate import compare_metadata

    compare_metadata(_context(connection, context, **wrapped), options["target_metadata"])
    return out + sorted(seen, key=str)


def _wrap(name: str, function: Any, seen: set[FilteredObject], context: dict[str, Any]) -> Any:
    default = context["default_schema"]

    def include_object(item: Any, label: Any, kind: str, reflected: bool, other: Any) -> Any:
        kept = function(item, label, kind, reflected, other)
        if not kept:
            table = item if kind == "table" else getattr(item, "table", None)
            seen.add(
                _filtered_object(
                    kind, getattr(table, "schema", None) or default, getattr(table, "name", None), label
                )
            )
        return kept

    def include_name(label: Any, kind: str, parents: dict[str, Any]) -> Any:
        kept = function(label, kind, parents)
        if not kept:
            schema = label if kind == "schema" else parents.get("schema_name")
            table = label if kind == "table" else parents.get("table_name")
            seen.add(_filtered_object(kind, schema or default, table, label))
        return kept

    def compare(migration: Any, inspected: Any, column: Any, *more: Any) -> Any:
        verdict = function(migration, inspected, column, *more)
        if verdict is False:
            seen.add(
                _filtered_object(
                    COMPARERS[name], column.table.schema or default, column.table.name, column.name
                )
            )
        return verdict

    return {"include_object": include_object, "include_name": include_name}.get(name, compare)


KINDS = {
    "foreign key": "_fk",
    "index": "_index",
    "check": "_constraint",
    "unique": "_constraint",
    "comment": "_comment",
}


def _filtered_object(kind: Any, schema: Any, table: Any, name: Any) -> FilteredObject:
    """SQLAlchemy's names may be objects that only look like text."""

    def text(value: Any) -> Optional[str]:
        return None if value is None else str(value)

    return FilteredObject(str(kind), str(schema), text(table), text(name))


def concerns(row: AlembicDifference, part: UncreatedPart) -> bool:
    """Whether Alembic's difference `row` is about the uncreated `part`: its table, or a key of that name."""
    if part.table != row.table:
        return False
    if part.kind == "table":
        return True
    name = part.name or ", ".join(part.columns)
    return row.operation.endswith(KINDS.get(part.kind, "?")) and name in row.text


def alembic_differences(
    context: dict[str, Any], tables: set[str], connection: Any
) -> list[AlembicDifference]:
    """What Alembic's comparison finds in `tables` (`schema.name`)."""
    from alembic.autogenerate import compare_metadata

    default = context["default_schema"]
    rows = []
    for found in compare_metadata(_context(connection, context), context["opts"]["target_metadata"]):
        for row in found if isinstance(found, list) else [found]:
            table = _table(row, default)
            if table in tables:
                rows.append(AlembicDifference(str(row[0]), table, _text(row)))
    return rows


def _table(row: tuple[Any, ...], default: str) -> str:
    """The table that a difference is about."""
    if row[0].startswith("modify_"):
        return "%s.%s" % (row[1] or default, row[2])
    if row[0] in ("add_column", "remove_column"):
        return "%s.%s" % (row[1] or default, row[2])
    item = row[1]
    table = (
        item
        if hasattr(item, "columns") and hasattr(item, "metadata") and not hasattr(item, "table")
        else item.table
    )
    return "%s.%s" % (table.schema or default, table.name)


def _text(row: tuple[Any, ...]) -> str:
    """The difference without object addresses."""
    if row[0].startswith("modify_"):
        return "%s: %s -> %s" % (row[3], row[5], row[6])
    item = row[3] if row[0] in ("add_column", "remove_column") else row[1]
    names = [column.name for column in getattr(item, "columns", [])] if hasattr(item, "columns") else []
    return "%s%s" % (getattr(item, "name", item), " (%s)" % ", ".join(map(str, names)) if names else "")
