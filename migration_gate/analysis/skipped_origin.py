"""Which DDL command made the object that stood in the way of a skipped statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from migration_gate.analysis.object_history import find_start_of_last_run
from migration_gate.facts import DdlCommand, Replay, SkippedCreation


def find_creator(replay: Replay, skipped: SkippedCreation, column: str | None) -> DdlCommand | None:
    """The command that made it as it was then; None if the log does not know it.

    For a column the one that gave it its type, nullability and default; for an index or a constraint its
    definition; for a table the one that created it; for what else there is the last one that touched it.
    """
    commands = [
        command
        for command in replay.ddl_commands[: skipped.commands_before]
        if command.oid == skipped.oid and command.identity
    ]
    if skipped.kind == "table":
        return next(iter(commands), None)
    if column is not None:
        return _find_last_change(commands, lambda command: _read_column(command, column))
    if skipped.kind in ("index", "constraint"):
        return _find_last_change(commands, lambda command: _read_definition(command, skipped))
    return commands[-1] if commands else None


def _read_column(command: DdlCommand, name: str) -> object:
    """What the command left of the column; None if it left none."""
    states = (state for state in command.columns if state.name == name)
    state = next(states, None)
    return state and (state.type, state.nullable, state.default)


def _read_definition(command: DdlCommand, skipped: SkippedCreation) -> object:
    parts = command.indexes if skipped.kind == "index" else command.constraints
    return next((part.definition for part in parts if part.name == skipped.name), None)


def _find_last_change(
    commands: Sequence[DdlCommand], read: Callable[[DdlCommand], object]
) -> DdlCommand | None:
    """The command after which the object was what it was last, without a break; None if it was gone."""
    with_state = [command for command in commands if command.columns]
    last = read(with_state[-1]) if with_state else None
    if last is None:
        return None
    return find_start_of_last_run(with_state, lambda command: read(command) == last)
