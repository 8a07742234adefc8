"""A value of the simplest kind for any type, as text that the type's input function takes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence

from migration_gate.facts import EnumType, NamedType
from migration_gate.lazy_dataclass import dataclass

ROUND_NUMBER = 1200
"""divisible by 100 and by 60: a revision may turn cents or seconds into another unit and back"""
_LENGTH = re.compile(r"\((\d+)\)")
_PRECISION = re.compile(r"\((\d+),(-?\d+)\)")
_DOMAIN_BASE = re.compile(r"AS (.+?)(?: COLLATE | DEFAULT | NOT NULL| CONSTRAINT |$)")

_ATTRIBUTE = re.compile(r'(?:"(?:[^"]|"")*"|[^\s",]+) (?P<type>(?:"(?:[^"]|"")*"|\([^)]*\)|[^,"(])+)(?:, |$)')
"""name and type, as `definition` lists them"""


@dataclass(frozen=True)
class NamedTypes:
    """The enums, domains and composite types of a database, by the names that `format_type` prints."""

    labels: Mapping[str, tuple[str, ...]]
    domain_bases: Mapping[str, str]
    attributes: Mapping[str, tuple[str, ...]]
    """the types of a composite type's attributes"""


def collect_named_types(enums: tuple[EnumType, ...], types: tuple[NamedType, ...]) -> NamedTypes:
    """Those of a snapshot."""
    bases = {
        item.full_name: match[1]
        for item in types
        if item.kind == "domain" and (match := _DOMAIN_BASE.match(item.definition))
    }
    attributes = {item.full_name: _list_attributes(item) for item in types if item.kind == "composite"}
    return NamedTypes({enum.full_name: enum.labels for enum in enums}, bases, attributes)


def _list_attributes(composite: NamedType) -> tuple[str, ...]:
    text = composite.definition.removeprefix("AS (").removesuffix(")")
    return tuple(match["type"] for match in _ATTRIBUTE.finditer(text))


def make_simple_value(type_text: str, number: int, named: NamedTypes, *, small: bool = False) -> str | None:
    """The value of a row's number (from 1) for a type as `format_type` prints it; None if none is known.

    `small`: numbers are as small as the row's own.
    """
    plain = type_text.replace('"', "")
    if plain.endswith("[]"):
        element = make_simple_value(plain[:-2], number, named, small=small)
        return None if element is None else _make_array(element)
    if plain in named.labels:
        labels = named.labels[plain]
        return labels[(number - 1) % len(labels)] if labels else None
    if plain in named.domain_bases:
        return make_simple_value(named.domain_bases[plain], number, named, small=small)
    if plain in named.attributes:
        return _make_composite(
            [
                make_simple_value(attribute, number, named, small=small)
                for attribute in named.attributes[plain]
            ]
        )
    return _make_plain_value(plain, number, small=small)


def is_text(type_text: str) -> bool:
    """Whether a type, as `format_type` prints it, holds any text."""
    return type_text.partition("(")[0].strip() in ("text", "character varying", "citext")


def is_built_in(type_text: str) -> bool:
    """Whether it is one of Postgres' own types other than texts, or an array of one."""
    base = re.sub(r"\([\d,]+\)", "", type_text.removesuffix("[]")).strip()
    return base in _NUMBERS_AND_BITS or (base in _PATTERNS and base not in _OF_EXTENSIONS)


def tag_uuid(value: str, table: str) -> str:
    """The UUID of a table (`schema.name`): no two tables of an application share a key."""
    return f"{zlib.crc32(table.encode()):08x}{value[8:]}"


def list_usual_values(type_text: str, named: NamedTypes) -> tuple[str, ...]:
    """Values that rules about a column of this type often ask for; every label of an enum."""
    plain = type_text.replace('"', "")
    plain = named.domain_bases.get(plain, plain).replace('"', "")
    if plain in named.labels:
        return named.labels[plain]
    if plain.endswith("[]"):
        return ("{}",)
    base = _without_schema(plain.partition("(")[0].strip())
    for beginnings, values in _USUAL_VALUES.items():
        if base.startswith(beginnings):
            return values
    return ()


def _make_array(element: str) -> str:
    escaped = element.replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + escaped + '"}'


def _make_composite(values: Sequence[str | None]) -> str:
    """A row as its input function takes it; what is not known is NULL."""
    parts = ("" if value is None else _quote_part(value) for value in values)
    return f"({','.join(parts)})"


def _quote_part(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _make_plain_value(plain: str, number: int, *, small: bool) -> str | None:
    """The value for a type that is neither an array, nor an enum, nor a domain."""
    base = plain.partition("(")[0].strip()
    if base.startswith(("character", "text", "citext", "name", "bpchar")) or base.endswith("citext"):
        return _make_text(plain, number)
    if base in ("smallint", "integer", "bigint", "numeric", "real", "double precision", "money"):
        return _make_number(plain, number, small=small)
    if base == "boolean":
        return "true" if number % 2 else "false"
    if base.startswith("bit"):
        length = _LENGTH.search(plain)
        return format(number, "b").zfill(int(length[1]) if length and base == "bit" else 1)
    pattern = _PATTERNS.get(_without_schema(base)) or _PATTERNS.get(re.sub(r"\(\d+\)", "", plain))
    return None if pattern is None else pattern.format(n=number)


def _without_schema(name: str) -> str:
    return name.rpartition(".")[2]


def _make_text(type_text: str, number: int) -> str:
    length = _LENGTH.search(type_text)
    longest = int(length[1]) if length else (1 if type_text == "character" else 63)
    text = f"text {number}"
    return text if len(text) <= longest else str(number)[-longest:]


def _make_number(type_text: str, number: int, *, small: bool) -> str:
    value = number if small else number * ROUND_NUMBER
    precision = _PRECISION.search(type_text)
    if precision is None:
        return str(value)
    digits = int(precision[1]) - int(precision[2])
    if digits <= 0:
        return f"0.{'0' * (int(precision[2]) - int(precision[1]))}{number}"
    return str(value) if len(str(value)) <= digits else str(number)


_PATTERNS = {
    "uuid": "00000000-0000-4000-8000-{n:012d}",
    "date": "2024-01-{n:02d}",
    "timestamp without time zone": "2024-01-{n:02d} 12:00:00",
    "timestamp with time zone": "2024-01-{n:02d} 12:00:00+00",
    "time without time zone": "12:00:{n:02d}",
    "time with time zone": "12:00:{n:02d}+00",
    "interval": "{n} days",
    "json": '{{"n": {n}}}',
    "jsonb": '{{"n": {n}}}',
    "jsonpath": "$.n{n}",
    "bytea": "\\x0{n}",
    "inet": "10.0.0.{n}",
    "cidr": "10.0.{n}.0/24",
    "macaddr": "08:00:2b:01:02:{n:02d}",
    "macaddr8": "08:00:2b:01:02:03:04:{n:02d}",
    "xml": "<n>{n}</n>",
    "tsvector": "text{n}",
    "tsquery": "text{n}",
    "oid": "{n}",
    "pg_lsn": "0/{n}",
    "point": "({n},{n})",
    "box": "(({n},{n}),(0,0))",
    "lseg": "[(0,0),({n},{n})]",
    "line": "{{1,1,{n}}}",
    "path": "((0,0),({n},{n}))",
    "polygon": "((0,0),({n},{n}),(0,{n}))",
    "circle": "<(0,0),{n}>",
    "int4range": "[{n}00,{n}10)",
    "int8range": "[{n}00,{n}10)",
    "numrange": "[{n}00,{n}10)",
    "daterange": "[2024-0{n}-01,2024-0{n}-10)",
    "tsrange": "[2024-0{n}-01,2024-0{n}-10)",
    "tstzrange": "[2024-0{n}-01 00:00+00,2024-0{n}-10 00:00+00)",
    "int4multirange": "{{[{n}00,{n}10)}}",
    "int8multirange": "{{[{n}00,{n}10)}}",
    "nummultirange": "{{[{n}00,{n}10)}}",
    "datemultirange": "{{[2024-0{n}-01,2024-0{n}-10)}}",
    "hstore": "n=>{n}",
    "ltree": "n.n{n}",
    "cube": "({n})",
    "geometry": "POINT({n} {n})",
    "geography": "POINT({n} {n})",
}
"""types whose values do not depend on their modifiers"""

_NUMBERS_AND_BITS = frozenset({
    "smallint", "integer", "bigint", "numeric", "real", "double precision", "money", "boolean", "bit",
    "bit varying",
})  # fmt: skip
_OF_EXTENSIONS = frozenset({"hstore", "ltree", "cube", "geometry", "geography"})

_TEXTS = """a A abc 1 123 a@example.com https://example.com/a /a AB ABC a.b a-b a_b abcdefghij 0123456789
+12025550123 #aabbcc 12:00 2024-01-01 {} 00000000-0000-4000-8000-000000000001"""
_NUMBERS = "1 0 2 5 10 50 100 1000 0.5 -1 2024"
_USUAL_VALUES = {
    ("character", "text", "citext", "name", "bpchar"): (
        *_TEXTS.split(),
        "",
        "a" * 32,
        "0123456789abcdef" * 4,
        "a" * 128,
    ),
    ("smallint", "integer", "bigint", "numeric", "real", "double", "money"): tuple(_NUMBERS.split()),
    ("boolean",): ("true", "false"),
    ("date", "timestamp"): ("2024-01-02", "2000-01-01", "2100-01-01", "now", "infinity"),
    ("json",): ("{}", "[]", '"a"', "1", "[1]"),
    ("interval",): ("1 hour", "0", "1 year"),
    ("time",): ("00:00", "23:59"),
    ("bytea",): ("", "\\x" + "00" * 16, "\\x" + "00" * 32),
}
"""by the beginnings of the types' names; the first that fits counts"""
