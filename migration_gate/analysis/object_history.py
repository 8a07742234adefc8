"""How an object of the database came to be what it is: its states in the log of DDL commands, followed back.

Each function returns the command after which some properties have had, without interruption, the values
that they have at the end of the replay. It returns None if the log does not explain the end: no revision
is named rather than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from migration_gate.facts import (
    Column,
    Constraint,
    DdlCommand,
    EnumType,
    Index,
    NamedDefinition,
    NamedType,
    Replay,
    Table,
    View,
)
from migration_gate.facts import Sequence as DatabaseSequence
from migration_gate.lazy_dataclass import dataclass

Properties: TypeAlias = Sequence[str]
"""fields of a catalog object"""
StandaloneObject: TypeAlias = DatabaseSequence | View | EnumType | NamedType


def find_change_of_table(replay: Replay, table: Table, properties: Properties) -> DdlCommand | None:
    """The command that gave the table these properties; if there are none, the one that created it."""
    commands = [command for command in replay.commands_on(table.oid) if command.table is not None]
    if not properties:
        return commands[0] if commands else None
    expected = [getattr(table, name) for name in properties]
    return find_start_of_last_run(
        commands, lambda c: [getattr(c.table, name) for name in properties] == expected
    )


def find_change_of_column(replay: Replay, column: Column, properties: Properties) -> DdlCommand | None:
    """The command that gave the column these properties; if there are none, the one that created it."""
    expected = [getattr(column, name) for name in properties]

    def has_values(command: DdlCommand) -> bool:
        state = next((state for state in command.columns if state.number == column.number), None)
        return state is not None and [getattr(state, name) for name in properties] == expected

    return find_start_of_last_run(commands_on_table(replay, column.schema, column.table), has_values)


def find_change_of_object(
    replay: Replay, standalone: StandaloneObject, properties: Properties
) -> DdlCommand | None:
    """The command that gave a sequence, view or type these properties."""
    commands = [command for command in replay.commands_on(standalone.oid) if command.object is not None]
    expected = [getattr(standalone, name) for name in properties]

    def has_values(command: DdlCommand) -> bool:
        state = command.object
        return type(state) is type(standalone) and [getattr(state, name) for name in properties] == expected

    return find_start_of_last_run(commands, has_values)


_DOMAIN_CLAUSE = re.compile(r" (?=CONSTRAINT |DEFAULT |NOT NULL|COLLATE )")


def find_change_of_domain(replay: Replay, domain: NamedType, definition: str) -> DdlCommand | None:
    """The command that gave a domain the clauses in which it differs from the models' definition."""
    commands = [command for command in replay.commands_on(domain.oid) if command.object is not None]
    differing = _split_domain(domain.definition) ^ _split_domain(definition)
    expected = _split_domain(domain.definition) & differing

    def has_clauses(command: DdlCommand) -> bool:
        state = command.object
        return isinstance(state, NamedType) and _split_domain(state.definition) & differing == expected

    return find_start_of_last_run(commands, has_clauses)


def _split_domain(definition: str) -> frozenset[str]:
    """The clauses of a domain. A CHECK that holds such words is split as well, on all sides alike."""
    return frozenset(_DOMAIN_CLAUSE.split(definition))


def find_start_of_last_run(
    commands: Iterable[DdlCommand], holds: Callable[[DdlCommand], bool]
) -> DdlCommand | None:
    """The first command of the last unbroken run of commands for which it holds."""
    start: DdlCommand | None = None
    for command in commands:
        if not holds(command):
            start = None
        elif start is None:
            start = command
    return start


def commands_on_table(replay: Replay, schema: str, name: str) -> list[DdlCommand]:
    """The commands after which the log holds the state of the table that has the name now."""
    table = replay.catalog.find_table(schema, name)
    return [command for command in replay.commands_on(table.oid) if command.columns] if table else []


# Constraints and indexes.


@dataclass(frozen=True, slots=True)
class _PartState:
    """A constraint or index after a command."""

    command: DdlCommand
    state: NamedDefinition


def find_change_of_part(
    replay: Replay, part: Constraint | Index, properties: Properties
) -> DdlCommand | None:
    """The command that gave a constraint or index these properties: definition, name, comment, valid.

    The definition is the same after something that it spells (a column, a table) got another name; the
    revision that renamed that did not change the constraint.
    """
    states = _follow_part(_commands_of_part(replay, part), part)
    first = next(states, None)
    if first is None or not _agrees_with(first.state, part, properties):
        return None
    origin, later = first.command, first.state
    for earlier in states:
        if not _are_equal(earlier.state, later, properties):
            break
        origin, later = earlier.command, earlier.state
    return origin


def _commands_of_part(replay: Replay, part: Constraint | Index) -> list[DdlCommand]:
    if isinstance(part, Index) and part.on_view:
        view = next(
            (v for v in replay.catalog.views if (v.schema, v.name) == (part.schema, part.table)), None
        )
        return list(replay.commands_on(view.oid)) if view else []
    return commands_on_table(replay, part.schema, part.table)


def _follow_part(commands: Sequence[DdlCommand], part: Constraint | Index) -> Iterator[_PartState]:
    """The states of a part, the last one first, back to the command that made it."""
    name, oid = part.name, part.oid
    for command in reversed(commands):
        states = command.constraints if isinstance(part, Constraint) else command.indexes
        # By oid first, which follows it through renames. By name if Postgres made it anew, with another oid,
        # as it does with the indexes and constraints of a column whose type changes.
        state = next((s for s in states if oid and s.oid == oid), None)
        state = state or next((s for s in states if s.name == name), None)
        if state is None:
            return
        name, oid = state.name, state.oid
        yield _PartState(command, state)


def _agrees_with(state: NamedDefinition, part: Constraint | Index, properties: Properties) -> bool:
    """Whether the log's last state is that of the end of the replay."""
    return all(getattr(state, name) == getattr(part, name) for name in properties)


def _are_equal(earlier: NamedDefinition, later: NamedDefinition, properties: Properties) -> bool:
    return all(
        _have_same_definition(earlier, later)
        if name == "definition"
        else getattr(earlier, name) == getattr(later, name)
        for name in properties
    )


def _have_same_definition(earlier: NamedDefinition, later: NamedDefinition) -> bool:
    if earlier.definition == later.definition:
        return True
    is_same_object = bool(later.oid) and earlier.oid == later.oid
    return is_same_object and bool(later.structure) and earlier.structure == later.structure


# What is gone.


@dataclass(frozen=True, slots=True)
class LoggedObject:
    """An object in the log, whatever its name."""

    oid: int
    """of the table, sequence, view or type"""
    part: int | None = None
    """the number of a column, or the oid of a constraint or index, if it is a part of the table"""


Identify: TypeAlias = Callable[[DdlCommand], LoggedObject | None]
"""the object that is sought, if the command left it in place"""


def find_loss(commands: Sequence[DdlCommand], identify: Identify) -> DdlCommand | None:
    """The command after which something existed no longer; None if it never did, or still exists.

    It may exist in several tables, one after the other. Where it only got another name, and was dropped under
    that name, it is the command that dropped it.
    """
    loss = _find_last_loss(commands, identify)
    if loss is None:
        return None
    later = _find_last_loss(commands, lambda command: _find_by_number(command, loss.lost))
    return later.command if later is not None else loss.command


@dataclass(frozen=True, slots=True)
class _Loss:
    """A command and the object that was gone after it."""

    command: DdlCommand
    lost: LoggedObject


def _find_last_loss(commands: Iterable[DdlCommand], identify: Identify) -> _Loss | None:
    existing: dict[int, LoggedObject] = {}
    """where it exists, by oid of the table, sequence or type"""
    loss: _Loss | None = None
    for command in commands:
        if not _has_state(command):
            continue
        left_in_place = None if command.dropped else identify(command)
        if left_in_place is not None:
            existing[command.oid] = left_in_place
        elif command.oid in existing:
            lost = existing.pop(command.oid)
            loss = loss if existing else _Loss(command, lost)
    return None if existing else loss


def _has_state(command: DdlCommand) -> bool:
    """Whether the log says what the command left: of some (GRANT, COMMENT) it holds only that they ran."""
    return bool(command.dropped or command.table or command.object)


def _find_by_number(command: DdlCommand, sought: LoggedObject) -> LoggedObject | None:
    """The object itself, under whatever name the command left it."""
    if command.oid != sought.oid:
        return None
    parts = {state.number for state in command.columns}
    parts |= {state.oid for state in (*command.constraints, *command.indexes)}
    return sought if sought.part is None or sought.part in parts else None


def find_table_named(command: DdlCommand, schema: str, name: str) -> LoggedObject | None:
    """The table of that name, if the command left one."""
    table = command.table
    is_named = table is not None and (table.schema, table.name) == (schema, name)
    return LoggedObject(command.oid) if is_named else None


def find_column_named(command: DdlCommand, name: str) -> LoggedObject | None:
    """The column of that name of the table that the command was about."""
    numbers = (state.number for state in command.columns if state.name == name)
    number = next(numbers, None)
    return None if number is None else LoggedObject(command.oid, number)
