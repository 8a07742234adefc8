"""Enums, domains and sequences made, dropped and altered."""

from __future__ import annotations

import re

from migration_gate.autofix import constraints_and_indexes
from migration_gate.autofix.sql import (
    executed,
    labels_in,
    literal,
    names_lost_label,
    path,
    quoted,
    relabelled,
    sequence_options,
)
from migration_gate.autofix.state import World, views_on
from migration_gate.facts.catalog import Column, EnumType, NamedType, Sequence

_DOMAIN = re.compile(
    r"^AS (?P<base>.*?)(?: DEFAULT (?P<default>.*?))?(?P<strict> NOT NULL)?(?P<checks>(?: CONSTRAINT .*)?)$",
    re.DOTALL,
)
_CHECK = re.compile(
    r'CONSTRAINT ("(?:[^"]|"")*"|\S+) (CHECK .*?)(?= CONSTRAINT (?:"|\S+ CHECK)|$)', re.DOTALL
)


def enum(have: EnumType | None, want: EnumType | None, world: World) -> list[str]:
    """The lines that lead from the one set of labels to the other."""
    if have is None or want is None:
        if have is not None:
            return [executed(f"DROP TYPE {path(have.schema, have.name)}")]
        return [executed(_create(want))] if want is not None else []
    name = path(have.schema, have.name)
    if (have.schema, have.name) != (want.schema, want.name):
        return _renamed(have, want)
    if _is_subsequence(have.labels, want.labels):
        lines = [executed(f"ALTER TYPE {name} ADD VALUE {place}") for place in _places(have, want)]
        restored = _restored(have, world) if world.undo else []
        used = restored or _are_used(frozenset(want.labels) - frozenset(have.labels), world)
        return [*(_committed(lines) if used else lines), *restored]
    if turned := relabelled(have.labels, want.labels):
        return [executed(f"ALTER TYPE {name} RENAME VALUE {literal(a)} TO {literal(b)}") for a, b in turned]
    return _swapped(have, want, world)


def _renamed(have: EnumType, want: EnumType) -> list[str]:
    lines = []
    if have.schema != want.schema:
        lines.append(f"ALTER TYPE {path(have.schema, have.name)} SET SCHEMA {quoted(want.schema)}")
    if have.name != want.name:
        lines.append(f"ALTER TYPE {path(want.schema, have.name)} RENAME TO {quoted(want.name)}")
    return [executed(line) for line in lines]


def _create(want: EnumType) -> str:
    return f"CREATE TYPE {path(want.schema, want.name)} AS ENUM ({', '.join(map(literal, want.labels))})"


def _is_subsequence(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    rest = iter(long)
    return all(label in rest for label in short)


def _are_used(labels: frozenset[str], world: World) -> bool:
    """Whether a default, a CHECK or an index of the models names one of the labels."""
    texts = [c.default or c.generated or "" for c in world.want.columns]
    texts += [c.definition for c in world.want.constraints if c.kind == "check"]
    texts += [i.definition for i in world.want.indexes]
    return any(not labels.isdisjoint(labels_in(text)) for text in texts)


def _restored(enum: EnumType, world: World) -> list[str]:
    """What went with the labels that are back: defaults, CHECKs and indexes."""
    names = (path(enum.schema, enum.name), f"{enum.schema}.{enum.name}")
    lines: list[str] = []
    columns = [c for c in world.around.columns if c.type.removesuffix("[]") in names]
    for column in columns:
        if names_lost_label(column.default, world):
            alter = f"ALTER TABLE {path(column.schema, column.table)} ALTER COLUMN {quoted(column.name)}"
            lines.append(executed(f"{alter} SET DEFAULT {column.default}"))
    for part in _dependents(columns, names, world):
        if names_lost_label(part.definition, world):
            lines += constraints_and_indexes.made(part)
    return lines


def _committed(lines: list[str]) -> list[str]:
    """The lines in a block of their own: what adds a label cannot use it."""
    return ["with op.get_context().autocommit_block():", *(f"    {line}" for line in lines)]


def _places(have: EnumType, want: EnumType) -> list[str]:
    """The new labels, each before the next one that is there already."""
    places: list[str] = []
    for number, label in enumerate(want.labels):
        if label not in have.labels:
            after = next((known for known in want.labels[number:] if known in have.labels), None)
            places.append(literal(label) + (f" BEFORE {literal(after)}" if after is not None else ""))
    return places


def _swapped(have: EnumType, want: EnumType, world: World) -> list[str]:
    """A new type in the place of the old one: Postgres cannot take labels away."""
    names = (path(have.schema, have.name), f"{have.schema}.{have.name}")
    partitions = {(t.schema, t.name) for t in world.around.tables if t.partition_bound is not None}
    columns = [
        column
        for column in world.around.columns
        if column.type.removesuffix("[]") in names and (column.schema, column.table) not in partitions
    ]
    dependents = _dependents(columns, names, world)
    old = f"{have.name}_old"
    lost = [label for label in have.labels if label not in want.labels]
    lines = [f"# Rows with {', '.join(map(repr, lost))} stop this: change them first."] if lost else []
    lines += dict.fromkeys(line for column in columns for line in views_on(world, column))
    # What names a lost label goes for good, by the lines of its own; on the way back it is not there yet.
    lasting = [part for part in dependents if not names_lost_label(part.definition, world)]
    for part in lasting if world.undo else dependents:
        lines += constraints_and_indexes.dropped(part)
    lines.append(executed(f"ALTER TYPE {names[0]} RENAME TO {quoted(old)}"))
    lines.append(executed(_create(want)))
    for column in columns:
        alter = f"ALTER TABLE {path(column.schema, column.table)} ALTER COLUMN {quoted(column.name)}"
        many = "[]" if column.type.endswith("[]") else ""
        using = f"{quoted(column.name)}::text{many}::{names[0]}{many}"
        kept = column.default is not None and (world.undo or not names_lost_label(column.default, world))
        lines += [executed(f"{alter} DROP DEFAULT")] if column.default is not None else []
        lines.append(executed(f"{alter} TYPE {names[0]}{many} USING {using}"))
        lines += [executed(f"{alter} SET DEFAULT {column.default}")] if kept else []
    lines.append(executed(f"DROP TYPE {path(have.schema, old)}"))
    for part in dependents if world.undo else lasting:
        lines += constraints_and_indexes.made(part)
    return lines


def _dependents(
    columns: list[Column], names: tuple[str, str], world: World
) -> list[constraints_and_indexes.Part]:
    """CHECKs and indexes that name the type: a column with them cannot change its type."""
    tables = {(column.schema, column.table) for column in columns}
    checks: list[constraints_and_indexes.Part] = [
        c for c in world.around.constraints if c.kind in ("check", "exclusion")
    ]
    indexes = [i for i in world.around.indexes if i.constraint is None]
    return [
        part
        for part in (*checks, *indexes)
        if (part.schema, part.table) in tables and any(f"::{name}" in part.definition for name in names)
    ]


def named_type(have: NamedType | None, want: NamedType | None) -> list[str]:
    """The lines that lead from the one definition to the other; none where Postgres cannot."""
    if have is None or want is None:
        made = [] if want is None else [_create_type(want)]
        return [executed(line) for line in (*([_drop_type(have)] if have else []), *made)]
    if have.kind != "domain" or want.kind != "domain":
        return []
    now, then = _DOMAIN.match(have.definition), _DOMAIN.match(want.definition)
    if now is None or then is None or now["base"] != then["base"]:
        return []
    name = f"ALTER DOMAIN {path(have.schema, have.name)}"
    lines: list[str] = []
    if now["default"] != then["default"]:
        lines.append(f"{name} SET DEFAULT {then['default']}" if then["default"] else f"{name} DROP DEFAULT")
    if now["strict"] != then["strict"]:
        lines.append(f"{name} {'SET' if then['strict'] else 'DROP'} NOT NULL")
    old, new = (dict(_CHECK.findall(side["checks"])) for side in (now, then))
    lines += [f"{name} DROP CONSTRAINT {check}" for check, text in old.items() if new.get(check) != text]
    lines += [
        f"{name} ADD CONSTRAINT {check} {text}" for check, text in new.items() if old.get(check) != text
    ]
    return [executed(line) for line in lines]


def _create_type(want: NamedType) -> str:
    noun = "DOMAIN" if want.kind == "domain" else "TYPE"
    return f"CREATE {noun} {path(want.schema, want.name)} {want.definition}"


def _drop_type(have: NamedType) -> str:
    return f"DROP {'DOMAIN' if have.kind == 'domain' else 'TYPE'} {path(have.schema, have.name)}"


def sequence(have: Sequence | None, want: Sequence | None) -> list[str]:
    """The lines that lead from the one sequence to the other."""
    if have is None or want is None:
        if have is not None:
            return [executed(f"DROP SEQUENCE {path(have.schema, have.name)}")]
        if want is None:
            return []
        return [executed(f"CREATE SEQUENCE {path(want.schema, want.name)} {sequence_options(want)}")]
    owner = ""
    if have.owner != want.owner and not want.identity:
        owner = " OWNED BY " + (".".join(map(quoted, want.owner.split(".", 2))) if want.owner else "NONE")
    options = sequence_options(want, typed=have.type != want.type)
    return [executed(f"ALTER SEQUENCE {path(have.schema, have.name)} {options}{owner}")]


def renamed_sequence(have: Sequence, want: Sequence) -> list[str]:
    """The lines that give it its other name."""
    lines = []
    if have.schema != want.schema:
        lines.append(f"ALTER SEQUENCE {path(have.schema, have.name)} SET SCHEMA {quoted(want.schema)}")
    if have.name != want.name:
        lines.append(f"ALTER SEQUENCE {path(want.schema, have.name)} RENAME TO {quoted(want.name)}")
    return [executed(line) for line in lines]
