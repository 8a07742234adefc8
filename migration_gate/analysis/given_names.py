"""The names that Postgres gave to constraints and indexes which a revision makes without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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
from migration_gate.lazy_dataclass import dataclass

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
    """What the table has after the last command of the revision, and did not have before its first one."""
    commands = replay.commands_on_named(schema, table)
    own = [
        number
        for number, command in enumerate(commands)
        if replay.find_revision_of_step(command.step) == file.revision
    ]
    kept = [number for number in own if not commands[number].dropped]
    if not kept:
        return
    before = {item.name for item in _list_parts(commands[own[0] - 1])} if own[0] else set()
    made = [item for item in _list_parts(commands[kept[-1]]) if item.name not in before]
    made.sort(key=lambda item: item.oid)
    yield from filter(None, map(_make_given_name, made))


def _make_given_name(item: NamedDefinition) -> GivenName | None:
    """None for the index of a constraint, and for a constraint that no revision drops by its name."""
    kind = _find_kind(item)
    return GivenName(item.name, kind, item.columns) if kind and item.constraint is None else None


def _list_parts(command: DdlCommand) -> tuple[NamedDefinition, ...]:
    return (*command.constraints, *command.indexes)


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
    return frozenset(text for call in file.find_calls() for text in call.strings)


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
