"""What statements for the mapped classes name: the columns of each, and how the driver sends their values.

Only attributes of Table, Column and Mapper are read: no code of the project's runs, and no mapper is
configured that is not.
"""

from __future__ import annotations

import re
from typing import Any, Iterable, Iterator

from . import private_api
from .env_context import EnvContext
from .protocol.model_lines import MappedColumn, MappedTable

CAST = re.compile(r"::(?P<type>.+)$", re.DOTALL)
"""at the end of a compiled parameter: `%(x)s::VARCHAR`"""


def describe_mapped_tables(context: EnvContext, dialect: Any) -> tuple[MappedTable, ...]:
    """The tables of a context that statements can be made for, in the order of their names."""
    mappers = _group_mappers()
    types = TypeTexts(dialect)
    tables = (table for metadata in context.metadatas for table in metadata.tables.values())
    described = (_describe_table(context, table, mappers.get(id(table), []), types) for table in tables)
    return tuple(sorted(described, key=lambda table: (table.schema, table.name)))


def _group_mappers() -> dict[int, list[Any]]:
    """The mappers of each table, by `id()` of the Table."""
    groups: dict[int, list[Any]] = {}
    for registry in private_api.find_mapper_registries():
        for mapper in registry.mappers:
            groups.setdefault(id(mapper.local_table), []).append(mapper)
    return groups


def _describe_table(context: EnvContext, table: Any, mappers: list[Any], types: TypeTexts) -> MappedTable:
    own = {mapper.class_.__name__: mapper for mapper in mappers}
    return MappedTable(
        schema=str(context.translate_schema(table.schema) or context.default_schema),
        name=str(table.name),
        classes=tuple(sorted(own)),
        columns=tuple(
            _describe_column(table, column, types, is_deferred=_is_deferred(column, mappers))
            for column in _list_columns(table, mappers)
        ),
    )


def _list_columns(table: Any, mappers: Iterable[Any]) -> Iterator[Any]:
    """The columns that a statement may name: those that a class maps, or all if there is no class."""
    mapped = [{id(column) for column in mapper.columns} for mapper in mappers]
    for column in table.columns:
        if not mapped or any(id(column) in ids for ids in mapped):
            yield column


def _is_deferred(column: Any, mappers: list[Any]) -> bool:
    """Whether every class that maps the column leaves it out of its SELECT."""
    answers = [private_api.is_deferred(mapper, column) for mapper in mappers]
    known = [answer for answer in answers if answer is not None]
    return bool(known) and all(known)


def _describe_column(table: Any, column: Any, types: TypeTexts, *, is_deferred: bool) -> MappedColumn:
    is_fixed = column.computed is not None or bool(column.identity is not None and column.identity.always)
    has_default = column.default is not None
    is_left_out = column.server_default is not None or column is private_api.find_autoincrement_column(table)
    return MappedColumn(
        name=str(column.name),
        type=types.describe(column.type),
        cast=types.find_cast(column.type),
        is_loaded=not is_deferred,
        is_inserted=not is_fixed and (has_default or not is_left_out),
        is_updated=not is_fixed and not column.primary_key,
        may_be_null=bool(column.nullable) and not has_default,
        labels=tuple(label for label in getattr(column.type, "enums", ()) if isinstance(label, str)),
        inserted_sql=types.compile_default(column.default),
        updated_sql=types.compile_default(column.onupdate),
    )


class TypeTexts:
    """Types as a dialect writes them. Few of a project's types differ: each text is made once."""

    def __init__(self, dialect: Any) -> None:
        self._dialect = dialect
        self._texts: dict[int, tuple[Any, str]] = {}
        self._casts: dict[tuple[Any, str], str] = {}

    def describe(self, type_: Any) -> str:
        """As in CREATE TABLE; '' for a type that cannot be created."""
        known = self._texts.get(id(type_))
        if known is None:  # with the type itself, whose id is nobody else's as long as it is kept
            known = self._texts[id(type_)] = (type_, self._compile(type_))
        return known[1]

    def _compile(self, type_: Any) -> str:
        try:
            return str(type_.compile(dialect=self._dialect))
        except Exception:  # NullType, and types of the project's that have no such text
            return ""

    def compile_default(self, default: Any) -> str:
        """The expression of a default that the database evaluates; '' if Python does."""
        try:
            if getattr(default, "is_sequence", False):
                expression = default.next_value()
            elif getattr(default, "is_clause_element", False):
                expression = default.arg
            else:
                return ""
            compiled = expression.compile(dialect=self._dialect, compile_kwargs={"literal_binds": True})
            return str(compiled).replace("%%", "%")
        except Exception:  # as above
            return ""

    def find_cast(self, type_: Any) -> str:
        """What the dialect casts each value to; '' if it sends values as they are."""
        key = (type(type_), self.describe(type_))
        if key not in self._casts:
            self._casts[key] = self._compile_cast(type_)
        return self._casts[key]

    def _compile_cast(self, type_: Any) -> str:
        from sqlalchemy import bindparam

        try:
            text = str(bindparam("x", type_=type_).compile(dialect=self._dialect))
        except Exception:  # as above
            return ""
        match = CAST.search(text)
        return match["type"] if match is not None else ""
