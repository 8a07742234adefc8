"""What models cannot express, and only the database has: listed, so that a reader knows of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from migration_gate.drift.comparison_scope import ComparisonScope
from migration_gate.drift.difference import CatalogDifference, make_described_difference
from migration_gate.drift.object_pairs import (
    ObjectT,
    is_copied,
    pair_objects,
    without_identifiers,
)
from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
    Extension,
    Grant,
    Index,
    OtherObject,
    Routine,
    Schema,
    Snapshot,
    View,
)


def find_unmanaged_differences(scope: ComparisonScope) -> Iterator[CatalogDifference]:
    """Views, routines, triggers, policies, rules, grants, extensions, schemas and the rest."""
    database, models = scope.database, scope.models
    shared_views = _view_names(database) & _view_names(models)
    relations = scope.shared_tables | shared_views
    # What belongs to a table or view is compared only if both sides have that: it comes and goes with it.
    yield from _compare_objects(_unmodelled_schemas(scope), models.schemas)
    yield from _compare_objects(database.extensions, models.extensions)
    yield from _compare_objects(database.routines, models.routines)
    tables = {(table.schema, table.name) for table in models.tables}
    # Where the models have a table, that is a difference.
    views = (view for view in database.views if (view.schema, view.name) not in tables)
    yield from _compare_objects(views, models.views)
    yield from _compare_objects(
        _indexes_of_views(database, shared_views), _indexes_of_views(models, shared_views)
    )
    for field in ("triggers", "policies", "rules"):
        yield from _compare_objects(
            _attached_to(relations, getattr(database, field)), _attached_to(relations, getattr(models, field))
        )
    yield from _compare_objects(database.others, models.others)
    yield from _compare_objects(_grants_on(relations, database), _grants_on(relations, models))


def _view_names(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(view.full_name for view in snapshot.views)


def _unmodelled_schemas(scope: ComparisonScope) -> Iterator[Schema]:
    """Schemas without a modelled table; of all others, which come with a table, only the comment counts."""
    modelled = {table.partition(".")[0] for table in scope.shared_tables} | {"public"}
    models_comments = {schema.name: schema.comment for schema in scope.models.schemas}
    for schema in scope.database.schemas:
        if schema.name not in modelled:
            yield schema
        elif schema.name in models_comments and models_comments[schema.name] != schema.comment:
            yield replace(schema, oid=0)


def _indexes_of_views(snapshot: Snapshot, views: frozenset[str]) -> Iterator[Index]:
    return (index for index in snapshot.indexes if index.on_view and index.full_table_name in views)


def _attached_to(relations: frozenset[str], attached: Iterable[AttachedObject]) -> Iterator[AttachedObject]:
    return (item for item in attached if item.full_table_name in relations)


def _grants_on(relations: frozenset[str], snapshot: Snapshot) -> Iterator[Grant]:
    """The grants, but for those on tables, views and columns that are not compared."""
    for grant in snapshot.grants:
        match grant.kind:
            case "table":
                is_compared = grant.name in relations
            case "column":
                is_compared = grant.name.rpartition(".")[0] in relations
            case _:
                is_compared = True
        if is_compared:
            yield grant


def _compare_objects(database: Iterable[ObjectT], models: Iterable[ObjectT]) -> Iterator[CatalogDifference]:
    """Objects that differ, or that the models' database has only because it began as a copy."""
    for pair in pair_objects(database, models):
        yield from _compare_pair(pair.database, pair.models)


def _compare_pair(
    database: CatalogObject | None, models: CatalogObject | None
) -> Iterator[CatalogDifference]:
    if database is None:
        # The models' schemas are made for their tables.
        if models is not None and not isinstance(models, Schema):
            yield _make_unmanaged(None, models)
    elif models is None or is_copied(database, models):
        yield _make_unmanaged(database, None)
    elif without_identifiers(database) != without_identifiers(models):
        yield _make_unmanaged(database, models)


def _make_unmanaged(database: CatalogObject | None, models: CatalogObject | None) -> CatalogDifference:
    noun = _object_noun(database if database is not None else models)
    return make_described_difference("unmanaged", database, models, _definition_text, object_noun=noun)


def _object_noun(item: CatalogObject | None) -> str:
    """What the object is, in the words of SQL: `materialized view`, `policy`, `extension`."""
    match item:
        case AttachedObject() | View() | Routine() | OtherObject():
            return item.kind
        case _:
            return type(item).__name__.lower()


def _definition_text(item: CatalogObject) -> str:
    """What a reader sees of the object: its definition if it has one."""
    match item:
        case AttachedObject():
            return item.definition if item.enabled == "origin" else f"{item.definition} ({item.enabled})"
        case View() | Routine() | OtherObject() | Index():
            return item.definition.strip()
        case Extension():
            return f"{item.version} in schema {item.schema}"
        case Schema():
            return item.comment or item.name
        case Grant():
            return ", ".join(item.acl)
        case _:
            return str(item)
