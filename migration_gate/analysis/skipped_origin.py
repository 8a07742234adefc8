"""Which DDL command made the object that stood in the way of a skipped statement."""

from __future__ import annotations

from collections.abc import Iterable

from migration_gate.facts import DdlCommand, Replay, SkippedCreation


def find_creator(replay: Replay, skipped: SkippedCreation, column: str | None) -> DdlCommand | None:
    """The command that made it as it was then; None where the log does not know it.

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
        return _first_of_last_run(_column_states(commands, column))
    if skipped.kind in ("index", "constraint"):
        return _first_of_last_run(_definitions(commands, skipped))
    return commands[-1] if commands else None


def _column_states(commands: Iterable[DdlCommand], name: str) -> Iterable[tuple[DdlCommand, object]]:
    for command in commands:
        if command.columns:
            states = (state for state in command.columns if state.name == name)
            state = next(states, None)
            yield command, state and (state.type, state.nullable, state.default)


def _definitions(
    commands: Iterable[DdlCommand], skipped: SkippedCreation
) -> Iterable[tuple[DdlCommand, object]]:
    for command in commands:
        if command.columns:
            parts = command.indexes if skipped.kind == "index" else command.constraints
            yield command, next((part.definition for part in parts if part.name == skipped.name), None)


def _first_of_last_run(states: Iterable[tuple[DdlCommand, object]]) -> DdlCommand | None:
    """The first command of those after which the state was what it was last, without a break."""
    origin: DdlCommand | None = None
    last: object = None
    for command, state in states:
        if state is None:
            origin = None
        elif origin is None or state != last:
            origin = command
        last = state
    return origin
