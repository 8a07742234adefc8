"""Which revision made an object of the database the way it is, or dropped what is missing; and its line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from migration_gate.analysis import object_history
from migration_gate.analysis.index_definitions import remove_index_name
from migration_gate.analysis.object_history import Identify, LoggedObject
from migration_gate.analysis.step_location import SoughtPart, locate_command
from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
    Column,
    Constraint,
    DdlCommand,
    EnumType,
    Extension,
    Index,
    NamedDefinition,
    NamedType,
    Origin,
    OtherObject,
    Replay,
    Routine,
    Schema,
    Table,
    View,
)
from migration_gate.facts import Sequence as DatabaseSequence
from migration_gate.sql.identifiers import qualified_name, quote_identifier

DEFAULT_PROPERTIES: dict[type[CatalogObject], tuple[str, ...]] = {
    Table: (),
    Column: ("type", "nullable"),
    Constraint: ("name", "definition"),
    Index: ("name", "definition"),
    EnumType: ("schema", "name", "labels"),
    NamedType: ("schema", "name", "definition"),
    View: ("schema", "name", "definition", "options"),
    DatabaseSequence: (
        "schema",
        "name",
        "type",
        "start",
        "increment",
        "minimum",
        "maximum",
        "cache",
        "cycle",
        "owner",
    ),
}
"""whose origin is meant if a caller names no properties; none: the creation"""
_ROUTINE_KINDS = ("function", "procedure", "aggregate")
_TAGS_WITHOUT_CHANGE = ("COMMENT", "GRANT", "REVOKE", "SECURITY LABEL")


def find_origin(
    replay: Replay, catalog_object: CatalogObject, properties: Sequence[str] | None = None
) -> Origin:
    """The revision and line that gave the object its `properties`; an empty origin if none is known.

    `properties` are fields of the object; an empty sequence asks for its creation. Without them it is, for a
    table, its creation; for a column, its type and nullability; for anything else, its name and definition.
    """
    command = find_command(replay, catalog_object, properties)
    return make_origin(replay, command, sought_part(catalog_object, properties or ()))


def find_command(
    replay: Replay, catalog_object: CatalogObject, properties: Sequence[str] | None = None
) -> DdlCommand | None:
    """The command of `find_origin`, which may be one from before the first revision."""
    if properties is None:
        properties = DEFAULT_PROPERTIES.get(type(catalog_object), ())
    match catalog_object:
        case Table():
            return object_history.find_change_of_table(replay, catalog_object, properties)
        case Column():
            return object_history.find_change_of_column(replay, catalog_object, properties)
        case Constraint() | Index():
            return object_history.find_change_of_part(replay, catalog_object, properties)
        case EnumType() | NamedType() | DatabaseSequence() | View():
            return object_history.find_change_of_object(replay, catalog_object, properties)
        case Routine(oid=oid) if oid:
            return _last_change_of_routine(replay, oid)
        case _:
            return _last_command(replay, _printed_identity(catalog_object))


def _last_change_of_routine(replay: Replay, oid: int) -> DdlCommand | None:
    """By its number: the log prints the types of its arguments, the catalog their names as well."""
    commands = (
        command
        for command in reversed(replay.ddl_commands)
        if command.oid == oid and command.kind in _ROUTINE_KINDS and command.tag not in _TAGS_WITHOUT_CHANGE
    )
    return next(commands, None)


def _last_command(replay: Replay, identity: str) -> DdlCommand | None:
    commands = (command for command in reversed(replay.ddl_commands) if command.identity == identity)
    return next(commands, None) if identity else None


def _printed_identity(catalog_object: CatalogObject) -> str:
    """As `pg_identify_object` prints it; empty if the log has no commands on such objects."""
    match catalog_object:
        case Routine(schema=schema, name=name, signature=signature):
            return f"{qualified_name(schema, name)}({signature})"
        case AttachedObject(schema=schema, table=table, name=name):
            return f"{quote_identifier(name)} on {qualified_name(schema, table)}"
        case Schema(name=name) | Extension(name=name):
            return quote_identifier(name)
        case OtherObject(name=name):
            return name
        case _:
            return ""


def make_origin(replay: Replay, command: DdlCommand | None, part: SoughtPart) -> Origin:
    """The revision of a command, and the line of its file that is about the part."""
    revision = replay.find_revision_of_step(command.step) if command else None
    if command is None or revision is None:
        return Origin()
    return Origin(revision, locate_command(replay, command, part))


def sought_part(catalog_object: CatalogObject, properties: Sequence[str]) -> SoughtPart:
    """What to look for in the text of a statement that does more than one thing."""
    changed = tuple(properties)
    match catalog_object:
        case Column(table=table, name=name):
            part = SoughtPart("column", name, table, properties=changed)
        case Constraint(table=table, name=name, kind=kind, columns=columns):
            part = SoughtPart(kind, name, table, columns, changed)
        case Index(table=table, name=name, columns=columns):
            part = SoughtPart("index", name, table, tuple(filter(None, columns)), changed)
        case Table(name=name):
            part = SoughtPart("table", name, name)
        case DatabaseSequence(name=name, owner=str(owner)):
            _, table, column = owner.rsplit(".", 2)
            part = SoughtPart("sequence", name, table, (column,))
        case EnumType(name=name) | NamedType(name=name) | DatabaseSequence(name=name):
            part = SoughtPart("type", name)
        case _:
            part = SoughtPart("other", getattr(catalog_object, "name", str(catalog_object)))
    return part


def find_loss_in_table(replay: Replay, table: Table, identify: Identify) -> Origin:
    """The revision and line after which something was no longer in the table; empty if it never was."""
    commands = object_history.commands_on_table(replay, table.schema, table.name)
    command = object_history.find_loss(commands, identify)
    return make_origin(replay, command, SoughtPart("table", table.name, table.name))


def find_removal(replay: Replay, missing: CatalogObject) -> Origin:
    """The revision and line that dropped or renamed what the models have and the database lacks.

    Empty if no migration ever made it.
    """
    return make_origin(replay, find_removing_command(replay, missing), sought_part(missing, ()))


def find_removing_command(replay: Replay, missing: CatalogObject) -> DdlCommand | None:
    """The command of `find_removal`: the last one after which the object did not exist any more."""
    if isinstance(missing, Routine | AttachedObject | Schema | Extension | OtherObject):
        return _find_drop(replay, missing)
    commands = replay.commands_on_named(*_name_in_log(missing))
    for identify in _identifications(missing):
        command = object_history.find_loss(commands, identify)
        if command is not None:
            return command
    return None


def _find_drop(
    replay: Replay, missing: Routine | AttachedObject | Schema | Extension | OtherObject
) -> DdlCommand | None:
    """The last command on an object of which the log holds no state, if that dropped it."""
    if isinstance(missing, Routine):
        commands = (c for c in reversed(replay.ddl_commands) if _is_command_on_routine(c, missing))
        last = next(commands, None)
    else:
        last = _last_command(replay, _printed_identity(missing))
    return last if last is not None and last.dropped else None


def _is_command_on_routine(command: DdlCommand, routine: Routine) -> bool:
    """Whether the log's `app.f(integer,pg_catalog.text)` is the catalog's `app.f(id integer, name text)`."""
    name, _, logged = command.identity.replace("pg_catalog.", "").partition("(")
    if command.kind not in _ROUTINE_KINDS or name != qualified_name(routine.schema, routine.name):
        return False
    types = logged.removesuffix(")").split(",")
    arguments = routine.signature.split(", ")
    return len(types) == len(arguments) and all(
        argument == type_ or argument.endswith(f" {type_}")
        for argument, type_ in zip(arguments, types, strict=True)
    )


def _name_in_log(missing: CatalogObject) -> tuple[str, str]:
    """Schema and name of what the commands on the object are about: of its table if it is part of one."""
    match missing:
        case Column(schema=schema, table=name) | Constraint(schema=schema, table=name):
            return schema, name
        case Index(schema=schema, table=name) | Table(schema=schema, name=name):
            return schema, name
        case EnumType() | NamedType() | DatabaseSequence() | View():
            return missing.schema, missing.name
        case _:
            return "", ""


def _identifications(missing: CatalogObject) -> list[Identify]:
    """How to find the object in the state that a command left: by its name, then by what it does."""
    match missing:
        case Table(schema=schema, name=name):
            return [lambda command: object_history.find_table_named(command, schema, name)]
        case Column():
            return [lambda command: _identify_column(command, missing)]
        case Constraint() | Index():
            return [partial(_identify_part, missing, is_same) for is_same in _PART_TESTS]
        case EnumType() | NamedType() | DatabaseSequence() | View():
            return [lambda command: _identify_object(command, missing)]
        case _:
            return []


def _identify_column(command: DdlCommand, missing: Column) -> LoggedObject | None:
    if object_history.find_table_named(command, missing.schema, missing.table) is None:
        return None
    return object_history.find_column_named(command, missing.name)


def _identify_object(
    command: DdlCommand, missing: EnumType | NamedType | DatabaseSequence | View
) -> LoggedObject | None:
    state = command.object
    if state is None or type(state) is not type(missing):
        return None
    is_named = (state.schema, state.name) == (missing.schema, missing.name)
    return LoggedObject(command.oid) if is_named else None


def _identify_part(
    missing: Constraint | Index,
    is_same: Callable[[NamedDefinition, Constraint | Index], bool],
    command: DdlCommand,
) -> LoggedObject | None:
    if object_history.find_table_named(command, missing.schema, missing.table) is None:
        return None
    states = command.constraints if isinstance(missing, Constraint) else command.indexes
    oids = (state.oid for state in states if is_same(state, missing))
    oid = next(oids, None)
    return None if oid is None else LoggedObject(command.oid, oid)


def _has_same_name(state: NamedDefinition, part: Constraint | Index) -> bool:
    return state.name == part.name


def _does_same(state: NamedDefinition, part: Constraint | Index) -> bool:
    return remove_index_name(state.definition) == remove_index_name(part.definition)


def _has_same_purpose(state: NamedDefinition, part: Constraint | Index) -> bool:
    """Whether both are of one kind and on the same columns: FOREIGN KEY, UNIQUE, CREATE UNIQUE INDEX..."""
    is_same_kind = state.definition.split(maxsplit=2)[:2] == part.definition.split(maxsplit=2)[:2]
    if isinstance(part, Index):
        return is_same_kind and bool(state.columns) and state.columns == part.columns
    words = (state.definition.partition(" (")[0], part.definition.partition(" (")[0])
    return words[0] == words[1] and bool(state.columns) and set(state.columns) == set(part.columns)


_PART_TESTS = (_has_same_name, _does_same, _has_same_purpose)
