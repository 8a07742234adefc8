"""Enums that have another name on the other side, told once and not for every column of the type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from migration_gate.drift.difference import Drift, found
from migration_gate.drift.scope import Scope
from migration_gate.drift.snapshot_diff import pairs
from migration_gate.facts.catalog import EnumType, Snapshot

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def renamed(scope: Scope) -> Iterator[Drift]:
    """A pair for each enum whose labels stand under another name, where no other enum could be meant."""
    lone = [
        (left, right) for left, right in pairs(scope.before.enums, scope.after.enums) if not (left and right)
    ]
    mine = [left for left, _ in lone if left is not None]
    theirs = [right for _, right in lone if right is not None]
    for after in theirs:
        twins = [before for before in mine if before.labels == after.labels]
        alike = [other for other in theirs if other.labels == after.labels]
        if len(twins) == len(alike) == 1 and twins[0].labels:
            yield found("enum", twins[0], after, (_printed(twins[0]), _printed(after)))


def unified(scope: Scope, drifts: tuple[Drift, ...]) -> Scope:
    """The scope with these enums under their new names on both sides."""
    before = scope.before
    for drift in drifts:
        if isinstance(drift.before, EnumType) and isinstance(drift.after, EnumType):
            before = _under(before, drift.before, drift.after)
    return replace(scope, before=before)


def _printed(enum: EnumType) -> str:
    names = (enum.schema, enum.name)
    return ".".join(name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"' for name in names)


def _under(snapshot: Snapshot, old: EnumType, new: EnumType) -> Snapshot:
    name = re.compile(rf"(?<![\w.\"]){re.escape(_printed(old))}(?![\w\"])")

    def turned(text: str | None) -> str | None:
        return None if text is None else name.sub(lambda _: _printed(new), text)

    def sure(text: str) -> str:
        return turned(text) or text

    return _rewritten(snapshot, old, new, turned, sure)


def _rewritten(
    snapshot: Snapshot,
    old: EnumType,
    new: EnumType,
    turned: Callable[[str | None], str | None],
    sure: Callable[[str], str],
) -> Snapshot:
    return replace(
        snapshot,
        enums=tuple(
            replace(enum, schema=new.schema, name=new.name) if enum == old else enum
            for enum in snapshot.enums
        ),
        columns=tuple(
            replace(c, type=sure(c.type), default=turned(c.default), generated=turned(c.generated))
            for c in snapshot.columns
        ),
        constraints=tuple(replace(c, definition=sure(c.definition)) for c in snapshot.constraints),
        indexes=tuple(replace(i, definition=sure(i.definition)) for i in snapshot.indexes),
    )
