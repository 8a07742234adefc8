"""Alembic's own comparison, for tables that were not created."""

from __future__ import annotations

from typing import Any, Collection

from .env_context import EnvContext, make_migration_context
from .protocol.model_lines import AlembicDifference, UncreatedKind, UncreatedPart

OPERATION_SUFFIXES: dict[UncreatedKind, str] = {
    "foreign key": "_fk",
    "index": "_index",
    "check": "_constraint",
    "unique": "_constraint",
    "comment": "_comment",
}
"""how Alembic's operations on such a part end: `remove_fk`, `add_constraint`"""


def find_alembic_differences(
    context: EnvContext, tables: Collection[str], connection: Any
) -> list[AlembicDifference]:
    """What Alembic's comparison finds in `tables` (`schema.name`)."""
    from alembic.autogenerate import compare_metadata

    migration_context = make_migration_context(context, connection)
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
        return "%s: %s -> %s" % (row[3], _describe_value(row[5]), _describe_value(row[6]))
    item = row[3] if operation in ("add_column", "remove_column") else row[1]
    name = str(getattr(item, "name", item))
    columns = [str(column.name) for column in getattr(item, "columns", [])]
    return "%s (%s)" % (name, ", ".join(columns)) if columns else name


def _describe_value(value: Any) -> str:
    """A type, a default or another property: a default as its SQL, and a string as it stands in the model."""
    for attribute in ("arg", "sqltext"):  # of DefaultClause, and of Computed
        content = getattr(value, attribute, None)
        if content is not None:
            return repr(content) if isinstance(content, str) else str(content)
    text = str(value)
    return type(value).__name__ if " object at 0x" in text else text
