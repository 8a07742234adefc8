"""Which revision made an object of the database the way it is now, read from the log of DDL commands."""

from __future__ import annotations

from migration_gate.facts import Column, Constraint, DdlCommand, Index, Origin, Replay, Table
from migration_gate.facts.catalog import CatalogObject, EnumType, NamedType, Routine, Sequence, View
from migration_gate.sql.identifiers import qualified_name


def find_origin(replay: Replay, catalog_object: CatalogObject) -> Origin:
    """The revision that made the object so; an empty origin where no revision did, or none is known.

    For a table it is the revision that created it; for a column, the one that gave it its type and
    nullability; for a constraint or index, the one that gave it its definition; for any other object,
    the last one that changed it.
    """
    command = _find_command(replay, catalog_object)
    revision = replay.find_revision_of_step(command.step) if command else None
    if revision is None:
        return Origin()
    known = replay.history.find_revision(revision)
    return Origin(revision, known.location if known else None)


def _find_command(replay: Replay, catalog_object: CatalogObject) -> DdlCommand | None:
    match catalog_object:
        case Table():
            return next(iter(replay.commands_on(catalog_object.oid)), None)
        case Column():
            return _command_of_column(replay, catalog_object)
        case Constraint() | Index():
            return _command_of_definition(replay, catalog_object)
        case EnumType() | NamedType() | Sequence() | View():
            return _last_command(replay, qualified_name(catalog_object.schema, catalog_object.name))
        case Routine():
            name = qualified_name(catalog_object.schema, catalog_object.name)
            return _last_command(replay, f"{name}({catalog_object.signature})")
        case _:
            return None


def _command_of_column(replay: Replay, column: Column) -> DdlCommand | None:
    """The first command of the last unbroken run of commands after which the column was as it is now."""
    origin: DdlCommand | None = None
    for command in _commands_on_table(replay, column.schema, column.table):
        state = next((state for state in command.columns if state.number == column.number), None)
        if state is None or (state.type, state.nullable) != (column.type, column.nullable):
            origin = None
        elif origin is None:
            origin = command
    return origin


def _command_of_definition(replay: Replay, part: Constraint | Index) -> DdlCommand | None:
    """The last command that gave the constraint or index of that name another definition than before."""
    origin: DdlCommand | None = None
    last_definition: str | None = None
    for command in _commands_on_table(replay, part.schema, part.table):
        states = command.constraints if isinstance(part, Constraint) else command.indexes
        definition = next((state.definition for state in states if state.name == part.name), None)
        if definition is None:
            origin = None
        elif definition != last_definition:
            origin = command
        last_definition = definition
    return origin


def _commands_on_table(replay: Replay, schema: str, name: str) -> list[DdlCommand]:
    """The commands after which the log holds the state of the table."""
    table = replay.catalog.find_table(schema, name)
    return [command for command in replay.commands_on(table.oid) if command.columns] if table else []


def _last_command(replay: Replay, identity: str) -> DdlCommand | None:
    commands = (command for command in reversed(replay.ddl_commands) if command.identity == identity)
    return next(commands, None)
