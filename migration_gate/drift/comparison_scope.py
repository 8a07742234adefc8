"""What of the two databases is compared: not what the project filters out, and no partitions or views."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import field, replace
from typing import TypeVar

from migration_gate.drift.frozen_defaults import FrozenDefaults
from migration_gate.drift.object_filter import ObjectFilter
from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.facts import Column, FilteredObject, Index, Models, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass

PartT = TypeVar("PartT", Column, Index)


@dataclass(frozen=True, slots=True)
class ComparisonScope:
    """The parts of both databases that are compared."""

    database: Snapshot
    """of the replayed database"""
    models: Snapshot
    """of the database that the models made"""
    shared_tables: frozenset[str]
    """`schema.name` of tables on both sides"""
    view_model_columns: tuple[Column, ...] = ()
    """columns of models that represent a view of the database"""
    view_model_indexes: tuple[Index, ...] = ()
    """indexes of such models"""
    view_indexes: tuple[Index, ...] = ()
    """of the database's materialized views"""
    frozen: FrozenDefaults = field(default_factory=FrozenDefaults)

    @property
    def sides(self) -> tuple[Snapshot, Snapshot]:
        """The database, then the models."""
        return (self.database, self.models)


def limit_scope(replayed: Snapshot, models: Models) -> ComparisonScope:
    """The comparable part of the replayed database and of the one that the models made.

    Left out are what the project filters, tables that Postgres did not create from the models, partitions
    without a model, and the tables of models that represent a view.
    """
    created = models.snapshot or Snapshot()
    views = _view_models(replayed, created)
    with_views = _make_filter(replayed, created, models)
    without_views = replace(with_views, hidden_tables=with_views.hidden_tables | views)
    uncompared = _find_uncompared(replayed, created, without_views)
    database_side = _filter_snapshot(replayed, without_views, uncompared)
    models_side = _filter_snapshot(created, without_views, uncompared)
    return ComparisonScope(
        database_side,
        models_side,
        _table_names(database_side.tables) & _table_names(models_side.tables),
        tuple(_list_kept(created.columns, views, with_views)),
        tuple(_list_kept(_free_indexes(created), views, with_views)),
        tuple(index for index in replayed.indexes if index.on_view),
    )


def _make_filter(replayed: Snapshot, created: Snapshot, models: Models) -> ObjectFilter:
    """What is left out of both sides, but for the models of views."""
    filtered_objects = _filters_with_schema(models)
    partitions = _unmodelled_partitions(replayed, _table_names(created.tables))
    return ObjectFilter(
        hidden_tables=partitions | _uncreated_tables(models),
        filtered_tables=_filtered_tables(filtered_objects),
        hidden_schemas=frozenset(item.name for item in filtered_objects if item.kind == "schema"),
        filtered_objects=filtered_objects,
        refused_parts=tuple(item for item in models.uncreated_objects if item.kind != "table"),
    )


def _list_kept(parts: Iterable[PartT], tables: frozenset[str], objects: ObjectFilter) -> Iterator[PartT]:
    """The columns or indexes of these tables that are not left out."""
    return (part for part in parts if part.full_table_name in tables and objects.keeps(part))


def _free_indexes(snapshot: Snapshot) -> Iterator[Index]:
    """The indexes that belong to no constraint."""
    return (index for index in snapshot.indexes if index.constraint is None)


def _view_models(replayed: Snapshot, created: Snapshot) -> frozenset[str]:
    """Tables of the models that represent a view of the database.

    Such a model has a primary key, because the ORM wants one, and no further key; nothing references it. Only
    that of a materialized view can have indexes.
    """
    candidates = _table_names(created.tables) - _tables_with_keys(created)
    with_indexes = {index.full_table_name for index in _free_indexes(created)}
    names = set()
    for view in replayed.views:
        name = view.full_name
        can_be_it = view.kind == "materialized view" or name not in with_indexes
        if name in candidates and can_be_it:
            names.add(name)
    return frozenset(names)


def _tables_with_keys(snapshot: Snapshot) -> set[str | None]:
    """Tables with a further constraint than a primary or foreign key, and those that others reference."""
    constraints = snapshot.constraints
    with_keys = {c.full_table_name for c in constraints if c.kind in ("unique", "check", "exclusion")}
    return with_keys | {c.references for c in constraints if c.references != c.full_table_name}


def _table_names(tables: Iterable[Table]) -> frozenset[str]:
    return frozenset(table.full_name for table in tables)


def _unmodelled_partitions(replayed: Snapshot, modelled: frozenset[str]) -> frozenset[str]:
    """Partitions without a model of their own."""
    return _table_names(table for table in replayed.tables if table.partition_bound is not None) - modelled


def _uncreated_tables(models: Models) -> frozenset[str]:
    """Tables that Postgres did not create from the models; a name without schema is in `public`."""
    names = {item.table or item.object for item in models.uncreated_objects if item.kind == "table"}
    return frozenset(names) | {f"public.{name}" for name in names if "." not in name}


def _filters_with_schema(models: Models) -> frozenset[FilteredObject]:
    """What the project filters out; Alembic gives no schema for what is in `public`."""
    left_out = (*models.filtered_objects, *models.dismissed_objects)
    return frozenset(replace(item, schema=item.schema or "public") for item in left_out)


def _filtered_tables(filtered_objects: Iterable[FilteredObject]) -> frozenset[str]:
    """`schema.name` of the tables among them."""
    return frozenset(
        f"{item.schema}.{item.name}"
        for item in filtered_objects
        if item.kind == "table" and item.table in (None, item.name)
    )


_PartName = tuple[str, str, str]
"""schema, table and name of a constraint or an index"""


def _name_of(part: ConstraintOrIndex) -> _PartName:
    return (part.schema, part.table, part.name)


def _find_uncompared(replayed: Snapshot, created: Snapshot, objects: ObjectFilter) -> Set[_PartName]:
    """The constraints and indexes of columns that are left out: a filter names the columns only.

    On the other side one of the same name may be about other columns. A key or an index is compared then, as
    Alembic does; another constraint on neither side, as it would seem to be missing on this one.
    """
    of_database = _parts_of_left_out_columns(replayed, objects)
    of_models = _parts_of_left_out_columns(created, objects)
    on_both_sides = _list_compared_names(replayed) & _list_compared_names(created)
    return (of_database | of_models) - ((of_database ^ of_models) & on_both_sides)


def _parts_of_left_out_columns(snapshot: Snapshot, objects: ObjectFilter) -> Set[_PartName]:
    left_out = {(c.schema, c.table, c.name) for c in snapshot.columns if not objects.keeps(c)}
    return {
        _name_of(part)
        for part in _list_parts(snapshot)
        if any((part.schema, part.table, column) in left_out for column in part.columns)
    }


def _list_compared_names(snapshot: Snapshot) -> Set[_PartName]:
    """The constraints and indexes that Alembic compares by their columns."""
    others = {_name_of(item) for item in snapshot.constraints if item.kind not in ("unique", "foreign key")}
    return {_name_of(part) for part in _list_parts(snapshot)} - others


def _list_parts(snapshot: Snapshot) -> tuple[ConstraintOrIndex, ...]:
    return (*snapshot.constraints, *snapshot.indexes)


def _filter_snapshot(snapshot: Snapshot, objects: ObjectFilter, uncompared: Set[_PartName]) -> Snapshot:
    """The snapshot without what is left out, and without these constraints and indexes."""

    def keeps_part(part: ConstraintOrIndex) -> bool:
        return _name_of(part) not in uncompared and objects.keeps(part)

    return replace(
        snapshot,
        tables=tuple(filter(objects.keeps, snapshot.tables)),
        columns=tuple(filter(objects.keeps, snapshot.columns)),
        constraints=tuple(filter(keeps_part, snapshot.constraints)),
        indexes=tuple(filter(keeps_part, snapshot.indexes)),
        sequences=tuple(filter(objects.keeps, snapshot.sequences)),
        triggers=tuple(filter(objects.keeps, snapshot.triggers)),
        policies=tuple(filter(objects.keeps, snapshot.policies)),
        rules=tuple(filter(objects.keeps, snapshot.rules)),
        grants=tuple(filter(objects.keeps, snapshot.grants)),
    )
