"""Whether the replayed schema has an object that some SQL text creates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Protocol

from migration_gate.facts import CreatedObject, Snapshot
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import split_qualified_name

_PLACEHOLDER = re.compile(r"%\([^()]*\)s|[$%]?\{+[^{}]*\}+|%s|%[A-Z_]+%")
"""`%(table)s`, `{schema}`: a part that only the running program knows"""
_UNKNOWN = "\0"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _InSchema(_Named, Protocol):
    @property
    def schema(self) -> str: ...


class _Owned(_InSchema, Protocol):
    @property
    def table(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _NamePattern:
    """A name, `*` for the parts that only the running program knows."""

    schema: str
    name: str

    def matches(self, schema: str, name: str) -> bool:
        """Whether an object is meant; `*` stands for a schema or name that it does not have."""
        is_schema = "*" in (schema, self.schema) or fnmatchcase(schema, self.schema)
        return is_schema and (name == "*" or fnmatchcase(name, self.name))


_ANY = _NamePattern("*", "*")
_OWNED: dict[str, Callable[[Snapshot], Iterable[_Owned]]] = {
    "trigger": lambda catalog: catalog.triggers,
    "policy": lambda catalog: catalog.policies,
    "rule": lambda catalog: catalog.rules,
    "constraint": lambda catalog: catalog.constraints,
    "column": lambda catalog: catalog.columns,
}
"""kinds that belong to a table"""
_IN_SCHEMA: dict[str, Callable[[Snapshot], Iterable[_InSchema]]] = {
    "table": lambda catalog: catalog.tables,
    "index": lambda catalog: catalog.indexes,
    "view": lambda catalog: catalog.views,
    "function": lambda catalog: catalog.routines,
    "type": lambda catalog: (*catalog.enums, *catalog.types),
    "sequence": lambda catalog: catalog.sequences,
    "row security": lambda catalog: [table for table in catalog.tables if table.row_security],
}
_ALONE: dict[str, Callable[[Snapshot], Iterable[_Named]]] = {
    "extension": lambda catalog: catalog.extensions,
    "schema": lambda catalog: catalog.schemas,
}
"""kinds that are in no schema"""


def has_object(catalog: Snapshot, created: CreatedObject) -> bool | None:
    """Whether the catalog has the object; None if that cannot be told from the text."""
    pattern = _read_name(created.name)
    if pattern is None or created.noun not in (_OWNED | _IN_SCHEMA | _ALONE):
        return None
    table = _read_name(created.table) or _ANY
    return any(
        pattern.matches(schema, name) and table.matches(schema, table_name)
        for schema, name, table_name in _list_objects(catalog, created.noun)
    )


def _list_objects(catalog: Snapshot, noun: str) -> Iterator[tuple[str, str, str]]:
    """Schema, name and table of the objects of a kind; `*` if such an object has none."""
    owned = _OWNED.get(noun)
    if owned is not None:
        yield from ((part.schema, part.name, part.table) for part in owned(catalog))
    in_schema = _IN_SCHEMA.get(noun)
    if in_schema is not None:
        yield from ((item.schema, item.name, "*") for item in in_schema(catalog))
    alone = _ALONE.get(noun)
    if alone is not None:
        yield from (("*", item.name, "*") for item in alone(catalog))


def _read_name(written: str) -> _NamePattern | None:
    """A name as it is written in SQL; None if nothing of it is known."""
    parts = split_qualified_name(_PLACEHOLDER.sub(_UNKNOWN, written))
    if not parts or not parts[-1].strip(_UNKNOWN):
        return None
    return _NamePattern(_to_pattern(parts[-2]) if len(parts) > 1 else "*", _to_pattern(parts[-1]))


def _to_pattern(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name).replace(_UNKNOWN, "*")
