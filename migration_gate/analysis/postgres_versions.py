"""Functions, types and syntax that PostgreSQL has not always had, with the majors that have them.

From the release notes of PostgreSQL 10 to 18.
"""

from __future__ import annotations

import re

FUNCTIONS_SINCE: dict[int, tuple[str, ...]] = {
    18: ("uuidv7", "uuidv4", "casefold", "array_sort", "array_reverse", "crc32", "crc32c", "gamma", "lgamma"),
    17: (
        *("json_exists", "json_query", "json_value", "json_scalar", "json_serialize", "to_bin", "to_oct"),
        *("xmltext", "uuid_extract_timestamp", "uuid_extract_version", "unicode_version"),
    ),
    16: (
        *("any_value", "array_sample", "array_shuffle", "random_normal", "erf", "erfc", "date_add"),
        *("date_subtract", "pg_input_is_valid", "pg_input_error_info", "json_arrayagg", "json_objectagg"),
    ),
    15: ("regexp_count", "regexp_instr", "regexp_like", "regexp_substr"),
    14: (
        "bit_count",
        "date_bin",
        "range_agg",
        "range_intersect_agg",
        "string_to_table",
        "trim_array",
        "unistr",
    ),
    13: ("gcd", "lcm", "gen_random_uuid", "is_normalized", "jsonb_set_lax", "min_scale", "trim_scale"),
    12: (
        "jsonb_path_query",
        "jsonb_path_exists",
        "jsonb_path_match",
        "jsonb_path_query_array",
        "sinh",
        "cosh",
    ),
    11: ("sha256", "sha512", "websearch_to_tsquery"),
}
TYPES_SINCE: dict[int, tuple[str, ...]] = {
    14: (
        "int4multirange",
        "int8multirange",
        "nummultirange",
        "tsmultirange",
        "tstzmultirange",
        "datemultirange",
    ),
    13: ("xid8", "pg_snapshot", "regcollation"),
    12: ("jsonpath",),
}
SYNTAX_SINCE: tuple[tuple[int, str, str], ...] = (
    (18, r"WITHOUT\s+OVERLAPS", "WITHOUT OVERLAPS"),
    (18, r"\bPERIOD\s+\w+\s*\)", "PERIOD in a foreign key"),
    (18, r"NOT\s+ENFORCED", "NOT ENFORCED"),
    (18, r"GENERATED\s+ALWAYS\s+AS\s*\([\s\S]*\)\s*VIRTUAL", "virtual generated columns"),
    (18, r"ADD\s+(CONSTRAINT\s+\S+\s+)?NOT\s+NULL\s+\w+", "NOT NULL as a constraint of a table"),
    (18, r"RETURNING[\s\S]*\b(old|new)\.", "OLD and NEW in RETURNING"),
    (17, r"\bJSON_TABLE\s*\(", "JSON_TABLE"),
    (17, r"\bMERGE\b[\s\S]*\b(RETURNING|NOT\s+MATCHED\s+BY\s+SOURCE)\b", "RETURNING and BY SOURCE of MERGE"),
    (17, r"ALTER\s+(COLUMN\s+)?\S+\s+SET\s+EXPRESSION", "SET EXPRESSION"),
    (17, r"\bON_ERROR\b", "ON_ERROR of COPY"),
    (16, r"\bIS\s+(NOT\s+)?JSON\b", "IS JSON"),
    (16, r"\bCREATE\b[\s\S]*\bSTORAGE\s+(PLAIN|EXTERNAL|EXTENDED|MAIN|DEFAULT)\b", "STORAGE in CREATE TABLE"),
    (15, r"NULLS\s+(NOT\s+)?DISTINCT", "NULLS NOT DISTINCT"),
    (15, r"^\s*(WITH\b[\s\S]*)?MERGE\s+INTO", "MERGE"),
    (15, r"ON\s+DELETE\s+SET\s+(NULL|DEFAULT)\s*\(", "ON DELETE SET NULL with columns"),
    (15, r"\bsecurity_invoker\b", "security_invoker"),
    (14, r"CREATE\s+OR\s+REPLACE\s+(CONSTRAINT\s+)?TRIGGER", "CREATE OR REPLACE TRIGGER"),
    (14, r"\bBEGIN\s+ATOMIC\b", "BEGIN ATOMIC"),
    (14, r"\bCOMPRESSION\s+(pglz|lz4|default)\b", "COMPRESSION of a column"),
    (14, r"DETACH\s+PARTITION\s+\S+\s+CONCURRENTLY", "DETACH PARTITION CONCURRENTLY"),
    (13, r"DROP\s+EXPRESSION", "DROP EXPRESSION"),
    (12, r"GENERATED\s+ALWAYS\s+AS\s*\([\s\S]*\)\s*STORED", "generated columns"),
    (12, r"REINDEX[\s\S]*CONCURRENTLY", "REINDEX CONCURRENTLY"),
    (11, r"\bINCLUDE\s*\(", "INCLUDE of an index"),
    (11, r"CREATE\s+PROCEDURE|^\s*CALL\b", "procedures"),
)
"""the first major, a pattern of the statement, and what to call it"""
REMOVED: tuple[tuple[int, str, str], ...] = (
    (11, r"WITH\s+OIDS|\bOIDS\s*=\s*TRUE|WITH\s*\(\s*OIDS\s*\)", "WITH OIDS"),
    (11, r"\b(abstime|reltime|tinterval)\b", "the types abstime, reltime and tinterval"),
    (12, r"\bRETURNS\s+opaque\b", "the type opaque"),
    (14, r"\bpg_start_backup\b|\bpg_stop_backup\b", "pg_start_backup and pg_stop_backup"),
    (9, r"\bpg_(current|switch|last)_xlog\w*|\bpg_xlogfile_name\b", "the functions named xlog"),
    (14, r"\bplpython2?u\b", "plpythonu and plpython2u"),
    (16, r"\badminpack\b", "the extension adminpack"),
    (16, r"\bold_snapshot\b", "the extension old_snapshot"),
    (15, r"\bforce_parallel_mode\b", "force_parallel_mode"),
    (15, r"\bvacuum_defer_cleanup_age\b", "vacuum_defer_cleanup_age"),
)
"""the last major, a pattern of the statement, and what to call it"""


def find_first_major(name: str) -> int | None:
    """The first major with a function or type of that name; None if it is of none of Postgres's own."""
    for table in (FUNCTIONS_SINCE, TYPES_SINCE):
        for major, names in table.items():
            if name.lower() in names:
                return major
    return None


def find_newer_syntax(statement: str, major: int) -> tuple[int, str] | None:
    """The first major that understands the statement, and what is new in it; None for nothing newer."""
    for since, pattern, label in SYNTAX_SINCE:
        if since > major and re.search(pattern, statement, re.IGNORECASE):
            return since, label
    return None


def find_removed(text: str, major: int) -> tuple[int, str] | None:
    """The last major that had something in the text, and what; None if this one has it all."""
    for last, pattern, label in REMOVED:
        if last < major and re.search(pattern, text, re.IGNORECASE):
            return last, label
    return None
