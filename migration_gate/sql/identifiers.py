"""Names in SQL: quoted where Postgres needs it, qualified, split and cut to length.

Pure, so that checks and fixes share it. The rules are those of Postgres's `quote_ident`.
"""

from __future__ import annotations

import re

MAXIMUM_BYTES = 63
"""NAMEDATALEN - 1: Postgres cuts longer names"""

_KEYWORDS = """
all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean
both case cast char character check coalesce collate collation column concurrently constraint create
cross current_catalog current_date current_role current_schema current_time current_timestamp
current_user dec decimal default deferrable desc distinct do else end except exists extract false
fetch float for foreign freeze from full grant greatest group grouping having ilike in initially
inner inout int integer intersect interval into is isnull join json json_array json_arrayagg
json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value
lateral leading least left like limit localtime localtimestamp merge_action national natural nchar
none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
placing position precision primary real references returning right row select session_user setof
similar smallint some substring symmetric system_user table tablesample then time timestamp to
trailing treat trim true union unique user using values varchar variadic verbose when where window
with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
xmlserialize xmltable
"""
QUOTED_KEYWORDS = frozenset(_KEYWORDS.split())
"""Every keyword of Postgres 15 to 18 that `pg_get_keywords()` does not call unreserved.

Each release adds some; a name that an older server would take bare is quoted as well, which is harmless.
"""

_BARE_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_NAME_PART = re.compile(r'"((?:[^"]|"")*)"|([^\s."]+)')


def quote_identifier(name: str) -> str:
    """The name as SQL takes it: in double quotes, unless Postgres reads it back unchanged without them."""
    if _BARE_NAME.fullmatch(name) and name not in QUOTED_KEYWORDS:
        return name
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def qualified_name(schema: str, name: str) -> str:
    """The name with its schema, as SQL takes it: `public."like"`."""
    return f"{quote_identifier(schema)}.{quote_identifier(name)}"


def name_on_search_path(schema: str, name: str) -> str:
    """The name as SQL takes it where `public` is on the search path, as it is by default."""
    return quote_identifier(name) if schema == "public" else qualified_name(schema, name)


def split_qualified_name(text: str) -> tuple[str, ...]:
    """The parts of a name that stands in SQL, without quotes; what had none is folded to lower case.

    `App."Like"` gives `("app", "Like")`. The inverse of `qualified_name`.
    """
    return tuple(
        quoted.replace('""', '"') if quoted else fold_identifier(bare)
        for quoted, bare in _NAME_PART.findall(text)
    )


def fold_identifier(name: str) -> str:
    """A name without quotes as Postgres stores it: its ASCII letters in lower case."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


def truncate_identifier(name: str) -> str:
    """The name cut as Postgres would cut it: at 63 bytes of UTF-8, never inside a character."""
    return name.encode()[:MAXIMUM_BYTES].decode(errors="ignore")
