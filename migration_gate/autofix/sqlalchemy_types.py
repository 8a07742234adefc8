"""SQLAlchemy's types for the types that Postgres prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from migration_gate.autofix.sql import path
from migration_gate.facts.catalog import Column, Snapshot

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

_SHAPE = re.compile(r"^(?P<name>[a-z0-9 ]+?)(?:\((?P<size>[0-9,]+)\))?(?P<zone> with(?:out)? time zone)?$")
_SIMPLE = {
    "smallint": "SmallInteger",
    "integer": "Integer",
    "bigint": "BigInteger",
    "boolean": "Boolean",
    "date": "Date",
    "text": "Text",
    "bytea": "LargeBinary",
    "uuid": "UUID",
    "json": "JSON",
    "real": "REAL",
    "character varying": "String",
    "character": "CHAR",
    "numeric": "Numeric",
}
_DIALECT = {
    "double precision": "DOUBLE_PRECISION",
    "jsonb": "JSONB",
    "json": "JSON",
    "inet": "INET",
    "cidr": "CIDR",
    "macaddr": "MACADDR",
    "macaddr8": "MACADDR8",
    "money": "MONEY",
    "oid": "OID",
    "regclass": "REGCLASS",
    "tsvector": "TSVECTOR",
    "tsquery": "TSQUERY",
    "int4range": "INT4RANGE",
    "int8range": "INT8RANGE",
    "numrange": "NUMRANGE",
    "tsrange": "TSRANGE",
    "tstzrange": "TSTZRANGE",
    "daterange": "DATERANGE",
    "uuid": "UUID",
    "interval": "INTERVAL",
    "bit": "BIT",
}


def sa_type(column: Column, snapshot: Snapshot) -> TypeEngine[Any] | None:
    """The type of a column, or None where SQLAlchemy has no name for it: a domain, an extension's type."""
    collation = column.collation
    if collation is not None:
        if not re.fullmatch(r'pg_catalog\."[^"]+"', collation) or not _is_text(column.type):
            return None
        collation = collation.removeprefix("pg_catalog.").strip('"')
    return _type(column.type, snapshot, collation)


def _is_text(type_: str) -> bool:
    return type_ == "text" or type_.startswith("character")


def _type(type_: str, snapshot: Snapshot, collation: str | None = None) -> TypeEngine[Any] | None:
    from sqlalchemy.dialects import postgresql as pg  # noqa: PLC0415 - only where there is something to mend

    if type_.endswith("[]"):
        inner = _type(type_[:-2], snapshot)
        return pg.ARRAY(inner) if inner is not None else None
    for enum in snapshot.enums:
        if type_ in (path(enum.schema, enum.name), f"{enum.schema}.{enum.name}"):
            schema = None if enum.schema == "public" else enum.schema
            return pg.ENUM(*enum.labels, name=enum.name, schema=schema, create_type=False)
    shape = _SHAPE.match(type_)
    return _builtin(shape, collation) if shape else None


def _builtin(shape: re.Match[str], collation: str | None) -> TypeEngine[Any] | None:
    import sqlalchemy as sa  # noqa: PLC0415 - only where there is something to mend
    from sqlalchemy.dialects import postgresql as pg  # noqa: PLC0415 - only where there is something to mend

    name, zone = shape["name"], shape["zone"] == " with time zone"
    sizes = [int(size) for size in shape["size"].split(",")] if shape["size"] else []
    if name in ("timestamp", "time"):
        if sizes:
            kind = pg.TIMESTAMP if name == "timestamp" else pg.TIME
            return kind(timezone=zone, precision=sizes[0])
        return sa.DateTime(timezone=zone) if name == "timestamp" else sa.Time(timezone=zone)
    if name == "bit varying":
        return pg.BIT(length=sizes[0] if sizes else None, varying=True)
    if collation is not None:
        made = getattr(sa, _SIMPLE[name])(*sizes, collation=collation)
    elif name in _SIMPLE and hasattr(sa, _SIMPLE[name]):
        made = getattr(sa, _SIMPLE[name])(*sizes)
    elif name in _DIALECT:
        made = getattr(pg, _DIALECT[name])(*sizes)
    else:
        return None
    known: TypeEngine[Any] = made
    return known
