"""Alembic's own comparison, for tables that were not created."""

from __future__ import annotations

from typing import Any, Collection, Optional

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
                differences.append(_describe_row(row, table))
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
    if part.name:
        return part.name == difference.name
    return part.columns == difference.columns


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


def _describe_row(row: Any, table: str) -> AlembicDifference:
    """The difference with both sides as text, without the addresses of objects."""
    operation = str(row[0])
    if operation.startswith("modify_"):
        describe = _describe_nullability if operation == "modify_nullable" else _describe_value
        return AlembicDifference(operation, table, str(row[3]), describe(row[5]), describe(row[6]))
    columns: tuple[str, ...] = ()
    if operation in ("add_column", "remove_column"):
        name, text = str(row[3].name), _describe_column(row[3])
    else:
        columns = tuple(str(column.name) for column in getattr(row[1], "columns", []))
        name = "" if operation.endswith("_table") else str(getattr(row[1], "name", None) or "")
        text = _describe_part(row[1], operation, columns)
    database, models = (text, None) if operation.startswith("remove_") else (None, text)
    return AlembicDifference(operation, table, name, database, models, columns)


def _describe_column(column: Any) -> str:
    return "%s%s" % (column.type, "" if column.nullable else " NOT NULL")


def _describe_part(item: Any, operation: str, columns: tuple[str, ...]) -> str:
    """A key, an index or a table by its columns: `UNIQUE (name)`."""
    if operation.endswith("_fk"):
        targets = ", ".join(str(element.target_fullname) for element in getattr(item, "elements", ()))
        return "FOREIGN KEY (%s) REFERENCES %s" % (", ".join(columns), targets)
    if operation.endswith("_index"):
        return "%sINDEX (%s)" % ("UNIQUE " if item.unique else "", ", ".join(columns))
    if operation.endswith("_constraint"):
        return "UNIQUE (%s)" % ", ".join(columns)
    comment = str(getattr(item, "comment", None) or "")
    return comment if operation.endswith("comment") else "(%s)" % ", ".join(columns)


def _describe_nullability(value: Any) -> str:
    return "NULL" if value else "NOT NULL"


def _describe_value(value: Any) -> Optional[str]:
    """A type, a default or another property: a default as its SQL, and a string as it stands in the model."""
    if value is None or value is False:
        return None
    for attribute in ("arg", "sqltext"):  # of DefaultClause, and of Computed
        content = getattr(value, attribute, None)
        if content is not None:
            return repr(content) if isinstance(content, str) else str(content)
    text = str(value)
    return type(value).__name__ if " object at 0x" in text else text
