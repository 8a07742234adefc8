"""SQLAlchemy's types for the types that Postgres prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeEngine

from migration_gate.drift.type_names import list_spellings
from migration_gate.facts import Column, EnumType, Snapshot

SqlAlchemyType: TypeAlias = TypeEngine[Any]
"""of whatever Python type the values are"""

_TYPE = re.compile(r"^(?P<name>[a-z0-9 ]+?)(?:\((?P<sizes>[0-9,]+)\))?(?P<zone> with(?:out)? time zone)?$")
_BUILTIN_COLLATION = re.compile(r'pg_catalog\."([^"]+)"')

_TEXT_CLASSES: Mapping[str, type[sa.String]] = {
    "text": sa.Text,
    "character varying": sa.String,
    "character": sa.CHAR,
}
_CLASSES: Mapping[str, Callable[..., SqlAlchemyType]] = {
    **_TEXT_CLASSES,
    "smallint": sa.SmallInteger,
    "integer": sa.Integer,
    "bigint": sa.BigInteger,
    "numeric": sa.Numeric,
    "real": sa.REAL,
    "double precision": pg.DOUBLE_PRECISION,
    "boolean": sa.Boolean,
    "date": sa.Date,
    "interval": pg.INTERVAL,
    "bytea": sa.LargeBinary,
    "uuid": sa.UUID,
    "json": sa.JSON,
    "jsonb": pg.JSONB,
    "inet": pg.INET,
    "cidr": pg.CIDR,
    "macaddr": pg.MACADDR,
    "macaddr8": pg.MACADDR8,
    "money": pg.MONEY,
    "oid": pg.OID,
    "regclass": pg.REGCLASS,
    "tsvector": pg.TSVECTOR,
    "tsquery": pg.TSQUERY,
    "int4range": pg.INT4RANGE,
    "int8range": pg.INT8RANGE,
    "numrange": pg.NUMRANGE,
    "tsrange": pg.TSRANGE,
    "tstzrange": pg.TSTZRANGE,
    "daterange": pg.DATERANGE,
    "bit": pg.BIT,
}
"""by the type's name; the sizes in its parentheses are the arguments"""


def make_sqlalchemy_type(column: Column, snapshot: Snapshot) -> SqlAlchemyType | None:
    """The type of a column, or None if SQLAlchemy has no name for it: a domain, an extension's type."""
    if column.collation is None:
        return _make_type(column.type, snapshot)
    collation = _BUILTIN_COLLATION.fullmatch(column.collation)
    return _make_collated_type(column.type, collation[1]) if collation else None


def _make_type(type_name: str, snapshot: Snapshot) -> SqlAlchemyType | None:
    if type_name.endswith("[]"):
        element = _make_type(type_name[:-2], snapshot)
        return pg.ARRAY(element) if element is not None else None
    enum = find_enum(type_name, snapshot)
    if enum is not None:
        schema = None if enum.schema == "public" else enum.schema
        return pg.ENUM(*enum.labels, name=enum.name, schema=schema, create_type=False)
    return _make_builtin_type(type_name)


def find_enum(type_name: str, snapshot: Snapshot) -> EnumType | None:
    """The enum that Postgres prints so."""
    for enum in snapshot.enums:
        if type_name in list_spellings(enum.schema, enum.name):
            return enum
    return None


def _make_builtin_type(type_name: str) -> SqlAlchemyType | None:
    match = _TYPE.match(type_name)
    if match is None:
        return None
    name, sizes = match["name"], _read_sizes(match)
    if name in ("timestamp", "time"):
        return _make_time_type(name, sizes, with_timezone=match["zone"] == " with time zone")
    if name == "bit varying":
        return pg.BIT(length=sizes[0] if sizes else None, varying=True)
    return _CLASSES[name](*sizes) if name in _CLASSES else None


def _read_sizes(match: re.Match[str]) -> list[int]:
    return [int(size) for size in match["sizes"].split(",")] if match["sizes"] else []


def _make_time_type(name: str, sizes: list[int], *, with_timezone: bool) -> SqlAlchemyType:
    precision = sizes[0] if sizes else None
    if name == "timestamp":
        if precision is None:
            return sa.DateTime(timezone=with_timezone)
        return pg.TIMESTAMP(timezone=with_timezone, precision=precision)
    if precision is None:
        return sa.Time(timezone=with_timezone)
    return pg.TIME(timezone=with_timezone, precision=precision)


def _make_collated_type(type_name: str, collation: str) -> SqlAlchemyType | None:
    """A type of text that is not an array, with another collation than its own."""
    match = _TYPE.match(type_name)
    text_class = _TEXT_CLASSES.get(match["name"]) if match else None
    if match is None or text_class is None:
        return None
    sizes = _read_sizes(match)
    return text_class(length=sizes[0] if sizes else None, collation=collation)
