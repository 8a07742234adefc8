"""What models cannot express, and only the database knows: listed, for a reader to know of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from migration_gate.drift.difference import Drift, found
from migration_gate.drift.scope import Scope
from migration_gate.drift.snapshot_diff import N, bare, pairs
from migration_gate.facts.catalog import (
    AttachedObject,
    Extension,
    Grant,
    Index,
    OtherObject,
    Routine,
    Schema,
    View,
)


def unmanaged(scope: Scope) -> Iterator[Drift]:
    """Views, routines, triggers, policies, rules, grants, extensions, schemas and the rest."""
    before, after = scope.before, scope.after
    yield from _differing(_foreign_schemas(scope), after.schemas)
    yield from _differing(before.extensions, after.extensions)
    yield from _differing(before.routines, after.routines)
    yield from _differing(before.views, after.views)
    views = {(v.schema, v.name) for v in before.views} & {(v.schema, v.name) for v in after.views}
    yield from _differing(_on_views(before.indexes, views), _on_views(after.indexes, views))
    tables = scope.shared | {f"{schema}.{name}" for schema, name in views}
    for mine, theirs in (
        (before.triggers, after.triggers),
        (before.policies, after.policies),
        (before.rules, after.rules),
    ):
        yield from _differing(_on(mine, tables), _on(theirs, tables))
    yield from _differing(before.others, after.others)
    yield from _differing(_grants(before.grants, tables), _grants(after.grants, tables))


def _foreign_schemas(scope: Scope) -> Iterator[Schema]:
    """Schemas without a model of ours: a model's schema is managed with it."""
    modelled = {table.partition(".")[0] for table in scope.shared}
    for schema in scope.before.schemas:
        if schema.name != "public" and schema.name not in modelled:
            yield schema
        else:
            twin = next((s for s in scope.after.schemas if s.name == schema.name), None)
            if twin is not None and twin.comment != schema.comment:
                yield replace(schema, oid=0)


def _on_views(indexes: Iterable[Index], views: set[tuple[str, str]]) -> Iterator[Index]:
    return (index for index in indexes if index.on_view and (index.schema, index.table) in views)


def _on(parts: Iterable[AttachedObject], tables: frozenset[str]) -> Iterator[AttachedObject]:
    return (part for part in parts if f"{part.schema}.{part.table}" in tables)


def _grants(grants: Iterable[Grant], tables: frozenset[str]) -> Iterator[Grant]:
    for grant in grants:
        if grant.kind == "table":
            if grant.name in tables:
                yield grant
        elif grant.kind == "column":
            if grant.name.rpartition(".")[0] in tables:
                yield grant
        else:
            yield grant


def _differing(before: Iterable[N], after: Iterable[N]) -> Iterator[Drift]:
    """Objects that differ, or that the models' database only has as a copy, which its oid tells."""
    for left, right in pairs(before, after):
        if left is None:
            if right is not None and not isinstance(right, Schema):
                yield found("unmanaged", None, right, (None, _text(right)), what=_what(right))
        elif right is None or _copied(left, right):
            yield found("unmanaged", left, None, (_text(left), None), what=_what(left))
        elif bare(left) != bare(right):
            yield found("unmanaged", left, right, (_text(left), _text(right)), what=_what(left))


def _copied(left: object, right: object) -> bool:
    oid: int = getattr(left, "oid", 0)
    return oid != 0 and oid == getattr(right, "oid", 0)


def _what(noun: object) -> str:
    match noun:
        case AttachedObject() | View() | Routine() | OtherObject():
            return noun.kind
        case Grant():
            return "grant"
        case _:
            return type(noun).__name__.lower()


def _text(noun: object) -> str:
    match noun:
        case AttachedObject():
            return noun.definition if noun.enabled == "origin" else f"{noun.definition} ({noun.enabled})"
        case View() | Routine() | OtherObject() | Index():
            return noun.definition.strip()
        case Extension():
            return f"{noun.version} in schema {noun.schema}"
        case Schema():
            return noun.comment or noun.name
        case Grant():
            return ", ".join(noun.acl)
        case _:
            return str(noun)
