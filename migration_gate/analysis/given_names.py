"""The names that Postgres gave to constraints and indexes which a revision makes without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from migration_gate.analysis.op_code import quote_python
from migration_gate.facts import (
    Correction,
    DdlCommand,
    Location,
    NamedDefinition,
    Replay,
    RevisionFile,
    SetKeyword,
    UnnamedCall,
)

_KINDS = ("foreign key", "unique", "check", "primary key")
"""constraints, by how their definitions begin"""
_INDEX = "index"
_IN_DOWNGRADE = "The name that the database has, in `downgrade()`:"
_IN_UPGRADE = "The same name in `upgrade()`, so that no other server chooses one:"


@dataclass(frozen=True, slots=True)
class GivenName:
    """What a revision made without a name, and the name that it has."""

    name: str
    kind: str
    columns: tuple[str, ...]


def list_given_names(replay: Replay, file: RevisionFile, table: str) -> tuple[GivenName, ...]:
    """What the revision made on the table, in its order; empty if it is not the same in all schemas."""
    by_schema = {
        tuple(_list_made_in(replay, file, schema, table))
        for schema in {item.schema for item in replay.catalog.tables if item.name == table}
    } - {()}
    return by_schema.pop() if len(by_schema) == 1 else ()


def _list_made_in(replay: Replay, file: RevisionFile, schema: str, table: str) -> Iterator[GivenName]:
    steps = {step.number for step in replay.steps if step.revision == file.revision}
    commands = replay.commands_on_named(schema, table)
    first = next((number for number, command in enumerate(commands) if command.step in steps), None)
    if first is None:
        return
    before = set(_list_names(commands[first - 1])) if first else set()
    last = [command for command in commands[first:] if command.step in steps and not command.dropped][-1:]
    for command in last:
        made = [item for item in (*command.constraints, *command.indexes) if item.name not in before]
        for item in sorted(made, key=lambda part: part.oid):
            kind = _find_kind(item)
            if kind and item.constraint is None:
                yield GivenName(item.name, kind, item.columns)


def _list_names(command: DdlCommand) -> Iterator[str]:
    yield from (item.name for item in (*command.constraints, *command.indexes))


def _find_kind(item: NamedDefinition) -> str:
    definition = item.definition.lower()
    if definition.startswith("create "):
        return _INDEX
    return next((kind for kind in _KINDS if definition.startswith(kind)), "")


def name_calls(replay: Replay, file: RevisionFile, drop: UnnamedCall) -> tuple[Correction, ...]:
    """The name in a drop, and in the call that makes what it drops, if the change has that one."""
    name = find_dropped_name(replay, file, drop)
    if name is None:
        return ()
    corrections: list[Correction] = [_set_name(file, drop, name, _IN_DOWNGRADE)]
    creation = _find_creation(file.downgrade.unnamed_creations, drop, name)
    if creation is not None and replay.find_changed_line(_locate(file, creation)) is not None:
        corrections.append(_set_name(file, creation, name, _IN_UPGRADE))
    return tuple(corrections)


def find_dropped_name(replay: Replay, file: RevisionFile, drop: UnnamedCall) -> GivenName | None:
    """What the call is to drop: each drop has one of what the upgrade made, the last one first.

    None if there are more or fewer drops than things of the kind.
    """
    if not drop.table or not drop.kind:
        return None
    drops = [
        other
        for other in file.downgrade.unnamed_drops
        if (other.table, other.kind) == (drop.table, drop.kind)
    ]
    made = [item for item in list_given_names(replay, file, drop.table) if item.kind == drop.kind]
    named_in_text = _list_literals(file)
    made = [item for item in made if item.name not in named_in_text]
    return made[::-1][drops.index(drop)] if len(made) == len(drops) else None


def _list_literals(file: RevisionFile) -> frozenset[str]:
    """What the text of the revision names: a constraint among them was given its name there."""
    return frozenset(text for call in file.calls for text in call.strings)


def _find_creation(
    creations: Iterable[UnnamedCall], drop: UnnamedCall, name: GivenName
) -> UnnamedCall | None:
    """The one call that made it; None if another one may have."""
    alike = [item for item in creations if (item.table, item.kind) == (drop.table, drop.kind)]
    exact = [item for item in alike if item.columns == name.columns]
    chosen: Sequence[UnnamedCall] = exact if name.columns and name.kind != "check" else alike
    return chosen[0] if len(chosen) == 1 else None


def _set_name(file: RevisionFile, call: UnnamedCall, name: GivenName, introduction: str) -> Correction:
    keyword = "index_name" if name.kind == _INDEX else "constraint_name"
    value = quote_python(name.name)
    return SetKeyword(_locate(file, call), (call.function,), keyword, value, introduction=introduction)


def _locate(file: RevisionFile, call: UnnamedCall) -> Location:
    return Location(file.path, call.line, call.last_line)
