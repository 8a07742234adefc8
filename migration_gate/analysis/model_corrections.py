"""What to change in the sources where the migrations and the models disagree, if that is plain."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.analysis.difference_location import DifferenceLocation
from migration_gate.analysis.evaluated_defaults import is_evaluated_default, write_call
from migration_gate.analysis.model_part_locations import find_definition, find_own_column, find_own_key
from migration_gate.analysis.op_code import quote_python
from migration_gate.facts import (
    COLUMN_FUNCTIONS,
    FOREIGN_KEY_FUNCTIONS,
    Correction,
    Difference,
    Facts,
    ModelDefinition,
    ModelPart,
    Replay,
    SetKeyword,
    SetTypeArguments,
)
from migration_gate.lazy_dataclass import dataclass

IN_MODEL = "If the migrations are right, correct the model:"
_CALL_IN_MODEL = "In the model, a call in place of the string:"
_CALL_IN_REVISION = "In the revision, which is part of this change, as well:"
_DEFAULT_FUNCTIONS = ("Column", "mapped_column", "MappedColumn")
"""functions of a column that take `server_default`"""
_SIZED_TYPES = {
    "character varying": ("String", "VARCHAR", "Unicode"),
    "numeric": ("Numeric", "NUMERIC", "DECIMAL"),
}
_SIZED = re.compile(r"(?P<type>character varying|numeric)\((?P<arguments>\d+(?:,\d+)?)\)")
_SIZE = re.compile(r"\(\d+(?:,\d+)?\)$")
_ON_DELETE = re.compile(r" ON DELETE (?P<action>CASCADE|SET NULL|SET DEFAULT|RESTRICT)(?= |$)")
_PLAIN_INDEX = re.compile(r'CREATE INDEX \S+ ON \S+ USING btree \("?(?P<column>\w+)"?\)')


@dataclass(frozen=True, slots=True)
class CorrectableColumn:
    """A column that differs, and where its model writes it."""

    difference: Difference
    name: str
    definition: ModelDefinition
    part: ModelPart


def list_drift_corrections(
    facts: Facts, difference: Difference, source: DifferenceLocation
) -> tuple[Correction, ...]:
    """The corrections of one difference.

    It is the model that is corrected, unless the change edits that line alone: then a revision is missing.
    A default that is no call, although one was meant, is corrected in both.
    """
    column = _find_column(facts, difference)
    if column is None:
        return ()
    if is_evaluated_default(difference.models) or is_evaluated_default(difference.database):
        return tuple(_give_call(facts.replay, column, source))
    if _is_edited_alone(facts.replay, column, source):
        return ()
    return tuple(_correct_model(column))


def _find_column(facts: Facts, difference: Difference) -> CorrectableColumn | None:
    """The column that the difference, its key or its index is about alone."""
    name = difference.column or (difference.columns[0] if len(difference.columns) == 1 else None)
    definition = find_definition(facts.replay.models, facts.tree, difference.table)
    if name is None or definition is None:
        return None
    part = find_own_column(definition, name)
    return CorrectableColumn(difference, name, definition, part) if part is not None else None


def _is_edited_alone(replay: Replay, column: CorrectableColumn, source: DifferenceLocation) -> bool:
    """Whether the change has the line of the model, and not the revision's statement."""
    if source.is_of_model or replay.find_changed_line(column.part.location) is None:
        return source.is_of_model
    return source.statement is None or source.statement.file not in replay.changed_files


def _correct_model(column: CorrectableColumn) -> Iterator[Correction]:
    """The property of the column as the migrations have it."""
    difference = column.difference
    match difference.kind:
        case "nullability":
            is_nullable = "NOT NULL" not in (difference.database or "").upper()
            yield _set_on_column(column, "nullable", str(is_nullable))
        case "type":
            yield from _size_type(column)
        case "foreign key":
            yield from _set_on_delete(column)
        case "index" if difference.models is None:
            yield from _add_index(column)


def _set_on_column(column: CorrectableColumn, keyword: str, value: str) -> Correction:
    return SetKeyword(column.part.location, COLUMN_FUNCTIONS, keyword, value, column.name, IN_MODEL)


def _give_call(replay: Replay, column: CorrectableColumn, source: DifferenceLocation) -> Iterator[Correction]:
    """The call in the place of the string, on each side that has a string; a revision only if it is new."""
    call = write_call(column.difference)
    if is_evaluated_default(column.difference.models):
        location = column.part.location
        yield SetKeyword(location, _DEFAULT_FUNCTIONS, "server_default", call, column.name, _CALL_IN_MODEL)
    statement = source.statement
    is_new = statement is not None and replay.find_changed_line(statement) is not None
    if statement is not None and is_new and is_evaluated_default(column.difference.database):
        functions = (*_DEFAULT_FUNCTIONS, "alter_column")
        yield SetKeyword(statement, functions, "server_default", call, column.name, _CALL_IN_REVISION)


def _size_type(column: CorrectableColumn) -> Iterator[Correction]:
    """The length, or precision and scale, if nothing else of the type differs."""
    database = _SIZED.fullmatch(column.difference.database or "")
    models = _SIZE.sub("", column.difference.models or "")
    if database is not None and models == database["type"]:
        arguments = tuple(map(int, database["arguments"].split(",")))
        types = _SIZED_TYPES[models]
        yield SetTypeArguments(column.part.location, column.name, types, arguments, IN_MODEL)


def _set_on_delete(column: CorrectableColumn) -> Iterator[Correction]:
    """The ON DELETE of a key, if nothing else of it differs."""
    database, models = column.difference.database, column.difference.models
    key = find_own_key(column.definition, column.name)
    if database is None or models is None or key is None:
        return
    if _ON_DELETE.sub("", database) == _ON_DELETE.sub("", models):
        action = _ON_DELETE.search(database)
        value = quote_python(action["action"]) if action else "None"
        yield SetKeyword(key.location, FOREIGN_KEY_FUNCTIONS, "ondelete", value, introduction=IN_MODEL)


def _add_index(column: CorrectableColumn) -> Iterator[Correction]:
    """`index=True`, if it makes the very index of the migrations, by SQLAlchemy's usual name for it."""
    difference = column.difference
    index = _PLAIN_INDEX.fullmatch(difference.database or "")
    usual_name = f"ix_{column.definition.table}_{column.name}"
    is_usual = difference.object.rpartition(".")[2] == usual_name
    if index is not None and index["column"] == column.name and is_usual:
        yield _set_on_column(column, "index", "True")
