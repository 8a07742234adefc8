"""Enums, domains and other named types, and sequences that differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from migration_gate.drift.difference import Drift, found, sequence_text
from migration_gate.drift.normalize import plain
from migration_gate.drift.scope import Scope
from migration_gate.drift.snapshot_diff import bare, pairs
from migration_gate.facts.catalog import EnumType, NamedType, Sequence
from migration_gate.facts.history import DifferenceKind

_BASE = re.compile(r"^AS (.*?)(?: COLLATE| DEFAULT| NOT NULL| CONSTRAINT|$)")
_NAME = re.compile(r'CONSTRAINT (?:"(?:[^"]|"")*"|\S+) ')


def labels(enum: EnumType) -> str:
    """The labels as they stand in CREATE TYPE."""
    return "(" + ", ".join("'" + label.replace("'", "''") + "'" for label in enum.labels) + ")"


def carried(before: EnumType | NamedType | Sequence | None, after: object) -> bool:
    """Whether the models' database has the object only because it is a copy: no model makes it."""
    if before is None or after is None:
        return after is None
    return before.oid != 0 and before.oid == getattr(after, "oid", 0)


def enums(scope: Scope) -> Iterator[Drift]:
    """Enums with other labels, or that one side lacks."""
    for before, after in pairs(scope.before.enums, scope.after.enums):
        sides = (labels(before) if before else None, labels(after) if after else None)
        if carried(before, after):
            yield found("unmanaged", before, None, (sides[0], None), what="enum")
        elif before is None or after is None or before.labels != after.labels:
            yield found("enum", before, after, sides)
        yield from _comment(before, after)


def types(scope: Scope) -> Iterator[Drift]:
    """Domains, composite types and ranges."""
    for before, after in pairs(scope.before.types, scope.after.types):
        sides = (before.definition if before else None, after.definition if after else None)
        if carried(before, after):
            what = before.kind if before else ""
            yield found("unmanaged", before, None, (sides[0], None), what=what)
        elif before is None or after is None or before.kind != after.kind:
            yield found("type definition", before, after, sides)
        elif _plain(before) != _plain(after):
            kind: DifferenceKind = "name-only" if _unnamed(before) == _unnamed(after) else "type definition"
            yield found(kind, before, after, sides)
        yield from _comment(before, after)


def domain_base(domain: NamedType) -> str:
    """The type that a domain stands on."""
    match = _BASE.match(domain.definition)
    return match[1] if match else domain.definition


def _plain(type_: NamedType) -> str:
    return plain(type_.definition, {"VALUE": domain_base(type_)} if type_.kind == "domain" else {})


def _unnamed(type_: NamedType) -> str:
    return _plain(replace(type_, definition=_NAME.sub("", type_.definition)))


def _comment(before: EnumType | NamedType | None, after: EnumType | NamedType | None) -> Iterator[Drift]:
    if before and after and before.comment != after.comment:
        yield found("unmanaged", before, after, (before.comment, after.comment), what="comment")


def sequences(scope: Scope) -> Iterator[Drift]:
    """Sequences: those of a column follow it, the others go by name."""
    mine = {s.owner: s for s in scope.before.sequences if s.owner}
    theirs = {s.owner: s for s in scope.after.sequences if s.owner}
    types = tuple(
        {f"{c.schema}.{c.table}.{c.name}": c for c in side.columns} for side in (scope.before, scope.after)
    )
    matched: set[tuple[str, str]] = set()
    for owner in mine.keys() & theirs.keys():
        before, after = mine[owner], theirs[owner]
        matched |= {(before.schema, before.name), (after.schema, after.name)}
        left, right = types[0].get(owner), types[1].get(owner)
        if left is None or right is None or before.identity != after.identity:
            continue
        # Where the column's type differs, its sequence's type is a part of that difference.
        yield from _options(before, after, typed=left.type == right.type)
        if (before.schema, before.name) != (after.schema, after.name):
            yield found("name-only", before, after, (str(before), str(after)))

    def rest(sequences: Iterable[Sequence], columns: dict[str, object]) -> Iterator[Sequence]:
        for sequence in sequences:
            alone = sequence.owner is None or sequence.owner in columns
            if (sequence.schema, sequence.name) not in matched and alone:
                yield sequence

    shared: dict[str, object] = dict.fromkeys(types[0].keys() & types[1].keys())
    for one, other in pairs(rest(scope.before.sequences, shared), rest(scope.after.sequences, shared)):
        yield from _free(one, other)


def _free(before: Sequence | None, after: Sequence | None) -> Iterator[Drift]:
    if before is not None and after is not None and not carried(before, after):
        yield from _options(before, after, typed=True)
        if before.comment != after.comment:
            yield found("unmanaged", before, after, (before.comment, after.comment), what="comment")
    elif before is not None and before.owner is None:
        yield found("unmanaged", before, None, (sequence_text(before), None), what="sequence")
    elif after is not None and after.owner is None and before is None:
        yield found("sequence", None, after, (None, sequence_text(after)))


def _options(before: Sequence, after: Sequence, *, typed: bool) -> Iterator[Drift]:
    def told(sequence: Sequence) -> Sequence:
        same = bare(replace(sequence, schema="", name="", comment=None))
        return same if typed else replace(same, type="", minimum=0, maximum=0)

    if told(before) != told(after):
        yield found("sequence", before, after, (sequence_text(before), sequence_text(after)))
