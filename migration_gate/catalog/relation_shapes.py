"""Tables and views as statements see them, in the catalogs before and after a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from migration_gate.facts import Column, Snapshot, Table, View
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True)
class RelationShape:
    """A table or a view, with its columns."""

    schema: str
    name: str
    columns: Mapping[str, Column]
    """by name"""
    table: Table | None = None
    """None for a view"""
    view: View | None = None


class Shapes:
    """The relations of one catalog."""

    def __init__(self, catalog: Snapshot) -> None:
        self.catalog = catalog

    def find(self, schema: str, name: str) -> RelationShape | None:
        """The table or view of that name, if it is there."""
        table = self.catalog.find_table(schema, name)
        if table is not None:
            columns = {column.name: column for column in self.catalog.columns_of(table)}
            return RelationShape(schema, name, columns, table)
        view = self._views.get((schema, name))
        if view is None:
            return None
        types = zip(view.column_names, view.column_types, strict=True)
        return RelationShape(
            schema,
            name,
            {column: Column(schema, name, column, type_text) for column, type_text in types},
            view=view,
        )

    def list_labels(self, type_text: str) -> tuple[str, ...] | None:
        """The labels of an enum, as a column's type names it; None for another type."""
        return self._labels.get(_base_type(type_text))

    def find_attributes(self, type_text: str) -> str | None:
        """The attributes of a composite type, as a column's type names it; None for another type."""
        return self._attributes.get(_base_type(type_text))

    def describe(self, shape: RelationShape) -> frozenset[object]:
        """All that decides what statements the relation takes: equal if nothing of it changed."""
        place = (shape.schema, shape.name)
        catalog = self.catalog
        attached = (*catalog.triggers, *catalog.policies, *catalog.rules)
        own = [item for item in attached if (item.schema, item.table) == place]
        parts: list[object] = [replace(column, position=0, number=0) for column in shape.columns.values()]
        parts += [replace(item, oid=0) for item in catalog.constraints_in(*place)]
        parts += [replace(item, oid=0) for item in catalog.indexes_in(*place) if item.unique]
        parts += own
        parts += [self._types.get(_base_type(column.type)) for column in shape.columns.values()]
        if shape.view is not None:
            parts.append(shape.view.definition)
        if shape.table is not None:
            parts.append((shape.table.row_security, shape.table.force_row_security))
        if own:  # a trigger may call whatever function there is
            parts += [replace(item, oid=0) for item in catalog.routines]
        return frozenset(parts)

    @cached_property
    def _views(self) -> Mapping[tuple[str, str], View]:
        return {(view.schema, view.name): view for view in self.catalog.views}

    @cached_property
    def _labels(self) -> Mapping[str, tuple[str, ...]]:
        return {enum.full_name: enum.labels for enum in self.catalog.enums}

    @cached_property
    def _attributes(self) -> Mapping[str, str]:
        return {item.full_name: item.definition for item in self.catalog.types if item.kind == "composite"}

    @cached_property
    def _types(self) -> Mapping[str, str | tuple[str, ...]]:
        domains = {item.full_name: item.definition for item in self.catalog.types}
        return {**self._labels, **domains}


def _base_type(type_text: str) -> str:
    return type_text.replace('"', "").removesuffix("[]")
