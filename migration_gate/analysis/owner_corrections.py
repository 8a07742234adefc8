"""What to change in the sources where an owner column lacks something: in the revision and in the model."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.analysis.model_part_locations import find_definition, find_own_column, find_own_key
from migration_gate.analysis.op_code import quote_python
from migration_gate.analysis.origin import find_origin
from migration_gate.facts import (
    COLUMN_FUNCTIONS,
    FOREIGN_KEY_FUNCTIONS,
    Column,
    Correction,
    Facts,
    Location,
    ModelDefinition,
    Origin,
    SetKeyword,
)

IN_REVISION = "In the revision, which is part of this change:"
_IN_REVISION_OF_OLD_TABLE = (
    "In the revision, which is part of this change; the rows that the table has need an owner before it:"
)
IN_MODEL = "In the model, together with the revision:"


def forbid_null(facts: Facts, column: Column, origin: Origin) -> tuple[Correction, ...]:
    """`nullable=False` in the revision that accepts NULL, if it is new, and in the model."""
    in_revision = IN_REVISION if _is_of_new_table(facts, column, origin) else _IN_REVISION_OF_OLD_TABLE
    return tuple(
        _set_on_column(facts, column, origin, "nullable", "False", "alter_column", in_revision=in_revision)
    )


def index_column(facts: Facts, column: Column, origin: Origin) -> tuple[Correction, ...]:
    """`index=True`, unless the model has an index that starts with the column."""
    definition = _find_definition(facts, column)
    parts = definition.parts if definition is not None else ()
    if any(part.kind == "index" and part.columns[:1] == (column.name,) for part in parts):
        return ()
    return tuple(_set_on_column(facts, column, origin, "index", "True"))


def set_on_delete(facts: Facts, column: Column, origin: Origin, action: str) -> tuple[Correction, ...]:
    """`ondelete=` of the foreign key of the column; `action` as in `set null`."""
    value = quote_python(action.upper())
    return tuple(_set_on_key(facts, column, origin, value))


def _set_on_column(
    facts: Facts,
    column: Column,
    origin: Origin,
    keyword: str,
    value: str,
    *functions: str,
    in_revision: str = IN_REVISION,
) -> Iterator[Correction]:
    """`functions` are those that may hold the keyword beside a column's own."""
    if statement := _find_new_statement(facts, origin):
        names = (*COLUMN_FUNCTIONS, *functions)
        yield SetKeyword(statement, names, keyword, value, column.name, in_revision)
    definition = _find_definition(facts, column)
    part = find_own_column(definition, column.name) if definition is not None else None
    if part is not None:
        yield SetKeyword(part.location, COLUMN_FUNCTIONS, keyword, value, column.name, IN_MODEL)


def _set_on_key(facts: Facts, column: Column, origin: Origin, value: str) -> Iterator[Correction]:
    if statement := _find_new_statement(facts, origin):
        yield SetKeyword(statement, FOREIGN_KEY_FUNCTIONS, "ondelete", value, introduction=IN_REVISION)
    definition = _find_definition(facts, column)
    key = find_own_key(definition, column.name) if definition is not None else None
    if key is not None:
        yield SetKeyword(key.location, FOREIGN_KEY_FUNCTIONS, "ondelete", value, introduction=IN_MODEL)


def _is_of_new_table(facts: Facts, column: Column, origin: Origin) -> bool:
    """Whether the revision makes the table as well, which has no rows then."""
    table = facts.replay.catalog.find_table(column.schema, column.table)
    return table is not None and find_origin(facts.replay, table, ()).revision == origin.revision


def _find_new_statement(facts: Facts, origin: Origin) -> Location | None:
    """The statement of the revision, if the change has it: no database has run it yet."""
    location = origin.location
    is_new = location is not None and facts.replay.find_changed_line(location) is not None
    return location if is_new else None


def _find_definition(facts: Facts, column: Column) -> ModelDefinition | None:
    return find_definition(facts.replay.models, facts.tree, column.full_table_name)
