"""How an EXCLUDE constraint can be had without building its index under a lock."""

from __future__ import annotations

import re

from migration_gate.analysis import safe_operations as code
from migration_gate.analysis.safe_way_request import SafeWay, SafeWayRequest
from migration_gate.analysis.table_copies import TableCopy
from migration_gate.facts import ColumnState, NamedDefinition
from migration_gate.sql.identifiers import qualified_name, quote_identifier, truncate_identifier
from migration_gate.sql.lexer import TokenKind, tokenize

EQUALITY = re.compile(r"EXCLUDE USING \w+ \((?P<elements>.+?)\)(?P<condition> WHERE \(.*\))?")
WITH_EQUALS = " WITH ="
BUILT_UNDER_LOCK = "The index of an EXCLUDE constraint is built under a lock that blocks reads and writes"
AS_UNIQUE = (
    "With `=` alone an EXCLUDE constraint says what a unique index says, which is built while others read "
    "and write. Write it like that in the model, too."
)
IN_COPY = (
    f"{BUILT_UNDER_LOCK}, whatever is done. A new table has none to wait for it: keep the columns of the "
    "rule in one of their own, which has the constraint, and which a trigger keeps in step. A row that "
    "breaks the rule fails as it would with the constraint on `{table}`. If that is too much for a table of "
    "this size, add the constraint when nobody works, with a `lock_timeout`."
)
WITHOUT_KEY = (
    f"{BUILT_UNDER_LOCK}, whatever is done: add it when nobody works, with a `lock_timeout`. With a primary "
    "key, a table of its own could have the rule, kept in step by a trigger."
)


def describe_exclusion(request: SafeWayRequest, constraint: NamedDefinition | None) -> SafeWay:
    """A unique index that says the same; else a table with the columns of the rule, and the constraint."""
    if constraint is None:
        return SafeWay(WITHOUT_KEY)
    unique = _find_unique_index(request, constraint)
    if unique:
        way = code.build_index(request.schema, constraint.name, unique)
        return SafeWay(AS_UNIQUE, way)
    key = request.primary_key
    if not key:
        return SafeWay(WITHOUT_KEY)
    return SafeWay(
        IN_COPY.format(table=request.item.work.relation.table_name), _keep_copy(request, constraint, key)
    )


def _find_unique_index(request: SafeWayRequest, constraint: NamedDefinition) -> str:
    """The definition of a unique index that allows the same rows; '' if none does."""
    match = EQUALITY.fullmatch(constraint.definition)
    elements = match["elements"].split(", ") if match is not None else []
    if match is None or not all(element.endswith(WITH_EQUALS) for element in elements):
        return ""
    columns = [element.removesuffix(WITH_EQUALS) for element in elements]
    if set(columns) != {quote_identifier(column) for column in constraint.columns}:
        return ""  # an expression, or an operator class
    relation = request.item.work.relation
    table = qualified_name(relation.schema, relation.name)
    return (
        f"CREATE UNIQUE INDEX {quote_identifier(constraint.name)} ON {table} USING btree "
        f"({', '.join(columns)}){match['condition'] or ''}"
    )


def _keep_copy(request: SafeWayRequest, constraint: NamedDefinition, key: tuple[str, ...]) -> str:
    """A table with the key and the columns of the rule, a trigger that keeps it in step, and its rows."""
    columns = [column.name for column in _list_columns(request, constraint, key)]
    table = request.item.work.relation.name
    copy = TableCopy(request.schema, table, truncate_identifier(f"{table}_{constraint.name}"), columns, key)
    keys = ", ".join(map(quote_identifier, key))
    name = quote_identifier(constraint.name)
    creation = f"CREATE TABLE {copy.target} AS SELECT {copy.listed_columns} FROM {copy.source} WITH NO DATA"  # noqa: S608 - nobody runs it here
    return code.join_code(
        code.execute(creation),
        code.execute(f"ALTER TABLE {copy.target} ADD PRIMARY KEY ({keys})"),
        code.execute(f"ALTER TABLE {copy.target} ADD CONSTRAINT {name} {constraint.definition}"),
        copy.keep_in_step(),
    )


def _list_columns(
    request: SafeWayRequest, constraint: NamedDefinition, key: tuple[str, ...]
) -> list[ColumnState]:
    """The columns of the key, and those that the rule names."""
    named = {
        token.name
        for token in tokenize(constraint.definition)
        if token.kind in (TokenKind.WORD, TokenKind.QUOTED_NAME)
    }
    after = request.item.change.after
    columns = after.columns if after is not None else ()
    return [column for column in columns if column.name in named or column.name in key]
