"""Tells what of a DDL element belongs to the models, by its objects: tables, columns, types."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Sequence

from . import column_sources, private_api
from .protocol.model_lines import ModelObject

MAX_NESTING = 4
"""of types inside types"""


class ModelOrigins:
    """Tells whether an object belongs to the models, or was copied from them."""

    def __init__(self, metadatas: Iterable[Any]) -> None:
        # A project may empty its metadata at the end: its tables still name it.
        self._metadatas = list(metadatas)
        self._metadata_ids = {id(metadata) for metadata in self._metadatas}
        columns = list(_list_columns(self._metadatas))
        self._column_ids = {id(column_sources.find_column_source(column)) for column in columns}
        # Types that SQLAlchemy shares between all columns say nothing about where one comes from.
        shared = {id(type_) for type_ in private_api.find_shared_types()}
        self._type_columns: dict[int, set[tuple[str, str]]] = {}
        """the table and the column that have a type, by the type's `id()`"""
        for column in columns:
            if id(column.type) not in shared:
                self._type_columns.setdefault(id(column.type), set()).add((column.table.name, column.name))
        self._enums: dict[int, Any] = {}
        """by `id()`"""
        self._enum_classes: set[Any] = set()
        for column in columns:
            self._remember_enums(column.type)

    def _remember_enums(self, type_: Any) -> None:
        for inner in _unwrap_type(type_):
            if hasattr(inner, "enums"):
                self._enums[id(inner)] = inner
            enum_class = getattr(inner, "enum_class", None)
            if enum_class is not None:
                self._enum_classes.add(enum_class)

    def list_model_objects(self, element: Any, dialect: Any) -> Iterator[ModelObject]:
        """What of a DDL element is the models'; the dialect is the one that compiled it."""
        for item in list_items(element):
            if _is_table(item):
                yield from self._list_in_table(item)
            elif _is_column(item):
                yield from self._list_in_column(item, _name_altered_table(element) or str(item.table))
            elif _is_type(item):
                yield from self._list_in_type(item, element, dialect)
            elif self._is_of_models(getattr(item, "table", None)) or self._has_metadata(item):
                yield ModelObject("part", _name_item(item))

    def _list_in_table(self, table: Any) -> Iterator[ModelObject]:
        if self._is_of_models(table):
            yield ModelObject("table", _qualify(table.schema, table.name))
            return
        for column in table.columns:
            yield from self._list_in_column(column, _qualify(table.schema, table.name))

    def _list_in_column(self, column: Any, table: str) -> Iterator[ModelObject]:
        name = "%s.%s" % (table, column.name)
        if self._is_model_column(column):
            yield ModelObject("column", name)
            return
        for type_ in _unwrap_type(column.type):
            if self._has_labels_of_models(type_):
                yield ModelObject("labels", name, _name_class(type_))
                return
        if id(column.type) in self._type_columns:
            yield ModelObject("type", name)

    def _list_in_type(self, type_: Any, element: Any, dialect: Any) -> Iterator[ModelObject]:
        """A type of its own: `CREATE TYPE`, or the new type of a column."""
        column = getattr(element, "column_name", None)
        if column:
            name = "%s.%s" % (_name_altered_table(element), column)
        else:
            name = _qualify(getattr(type_, "schema", None), getattr(type_, "name", None) or str(type_))
        for inner in _unwrap_type(type_):
            if self._has_labels_of_models(inner) or self._is_implementation(inner, dialect):
                yield ModelObject("labels", name, _name_class(inner))
                return
        if id(type_) in self._type_columns:
            yield ModelObject("type", name)

    def _is_of_models(self, table: Any) -> bool:
        """Whether most of a table's columns are the models' or copies of theirs, or each is made like one."""
        if table is None:
            return False
        if self._has_metadata(table):
            return True
        columns = list(table.columns)
        copied = sum(self._is_model_column(column) for column in columns)
        return (copied > 0 and copied * 2 >= len(columns)) or self._has_types_of_same_table(columns)

    def _has_types_of_same_table(self, columns: Sequence[Any]) -> bool:
        """Whether each column has the type of the model's column of that name, which no other column has.

        (A loop over the model's columns does that. A type of the project's that many columns share does not.)
        """
        return len(columns) > 1 and all(
            self._type_columns.get(id(column.type)) == {(column.table.name, column.name)}
            for column in columns
        )

    def _has_metadata(self, item: Any) -> bool:
        return id(getattr(item, "metadata", None)) in self._metadata_ids

    def _is_model_column(self, column: Any) -> bool:
        source = column_sources.find_column_source(column)
        return id(source) in self._column_ids or self._has_metadata(getattr(source, "table", None))

    def _has_labels_of_models(self, type_: Any) -> bool:
        if getattr(type_, "enum_class", None) is not None:
            return type_.enum_class in self._enum_classes
        return id(type_) in self._enums

    def _is_implementation(self, type_: Any, dialect: Any) -> bool:
        """Whether it is what a dialect uses in the place of an enum of the models."""
        if not hasattr(type_, "enums"):
            return False
        return any(known.dialect_impl(dialect) is type_ for known in self._enums.values())


def _list_columns(metadatas: Iterable[Any]) -> Iterator[Any]:
    for metadata in metadatas:
        for table in metadata.tables.values():
            yield from table.columns


def list_items(element: Any) -> Iterator[Any]:
    """The objects that an element is about: SQLAlchemy's have one `element`, Alembic's a column or a type."""
    for attribute in ("element", "column", "type_"):
        item = getattr(element, attribute, None)
        if item is not None and not isinstance(item, str):
            yield item


def _is_table(item: Any) -> bool:
    return hasattr(item, "columns") and hasattr(item, "primary_key")


def _is_column(item: Any) -> bool:
    return hasattr(item, "server_default") and hasattr(item, "type")


def _is_type(item: Any) -> bool:
    return hasattr(item, "dialect_impl")


def _unwrap_type(type_: Any) -> Iterator[Any]:
    """The type, the type of an array's elements, and what a TypeDecorator is made of."""
    seen = 0
    while hasattr(type_, "dialect_impl") and not isinstance(type_, type) and seen < MAX_NESTING:
        yield type_
        # `impl` of a class of types is a class, of which there is nothing to unwrap; of an instance, another.
        inner = getattr(type_, "item_type", None)
        type_ = inner if inner is not None else getattr(type_, "impl", None)
        seen += 1


def _name_altered_table(element: Any) -> str:
    """The table of an Alembic operation on a column; '' for other elements."""
    return _qualify(getattr(element, "schema", None), getattr(element, "table_name", None))


def _name_class(type_: Any) -> str:
    enum_class = getattr(type_, "enum_class", None)
    return "" if enum_class is None else "%s.%s" % (enum_class.__module__, enum_class.__qualname__)


def _name_item(item: Any) -> str:
    table = getattr(item, "table", None)
    name = getattr(item, "name", None)
    if name is None:
        return str(getattr(table, "name", item))
    return _qualify(getattr(table, "schema", None) or getattr(item, "schema", None), name)


def _qualify(schema: Any, name: Any) -> str:
    """`schema.name`, as the models write it; '' for no name."""
    if name is None:
        return ""
    return "%s.%s" % (schema, name) if schema else str(name)
