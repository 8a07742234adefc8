"""Indexes as Alembic's operation, or as SQL if only SQL can express them."""

from __future__ import annotations

import re
from typing import TypedDict

import sqlalchemy as sa
from alembic.operations import ops

from migration_gate.autofix.alembic_renderer import (
    exact_name,
    is_rendered_unchanged,
    render_operation,
    schema_argument,
)
from migration_gate.autofix.ddl_clauses import create_index_statement
from migration_gate.autofix.execute_call import execute_call
from migration_gate.facts import Index
from migration_gate.sql.identifiers import quote_identifier

_DEFINITION = re.compile(
    r'^CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+) ON .+? USING (?P<method>\w+) \((?P<columns>.*?)\)'
    r"(?: WHERE \((?P<where>.*)\))?$",
    re.DOTALL,
)


class _IndexOptions(TypedDict, total=False):
    postgresql_using: str
    postgresql_where: sa.TextClause


def create_index(index: Index) -> list[str]:
    """The lines that create it, without its comment."""
    definition = _DEFINITION.match(index.definition)
    columns = [column for column in index.columns if column is not None]
    if definition is None or not _is_plain(index, columns, definition):
        return [execute_call(create_index_statement(index))]
    options: _IndexOptions = {}
    if definition["method"] != "btree":
        options["postgresql_using"] = definition["method"]
    if definition["where"]:
        options["postgresql_where"] = sa.text(definition["where"])
    return render_operation(
        ops.CreateIndexOp(
            exact_name(index.name),
            index.table,
            columns,
            schema=schema_argument(index.schema),
            unique=index.unique,
            **options,
        )
    )


def _is_plain(index: Index, columns: list[str], definition: re.Match[str]) -> bool:
    """Whether it is an index of columns only, with a condition that Alembic's renderer does not change."""
    if len(columns) != len(index.columns):
        return False
    printed_columns = ", ".join(map(quote_identifier, columns))
    return definition["columns"] == printed_columns and is_rendered_unchanged(definition["where"])
