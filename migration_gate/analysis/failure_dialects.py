"""SQL that this server does not understand: of another major of PostgreSQL, of MySQL or of SQLite."""

from __future__ import annotations

import re

from migration_gate.analysis.failure_message import NAME, find_in_message
from migration_gate.analysis.postgres_versions import find_first_major, find_newer_syntax, find_removed
from migration_gate.facts import Failure, Replay
from migration_gate.wording import code_block

SYNTAX_ERROR, UNDEFINED_FUNCTION = "42601", "42883"
"""SQLSTATEs"""
MYSQL_TYPES = frozenset(
    {
        *("blob", "datetime", "double", "longblob", "longtext", "mediumblob", "mediumint", "mediumtext"),
        *("tinyblob", "tinyint", "tinytext", "year", "varbinary", "binary"),
    }
)
GENERIC_TYPES = {
    **dict.fromkeys(("TINYTEXT", "MEDIUMTEXT", "LONGTEXT"), "sa.Text()"),
    **dict.fromkeys(("TINYBLOB", "MEDIUMBLOB", "LONGBLOB"), "sa.LargeBinary()"),
    **dict.fromkeys(("TINYINT", "YEAR"), "sa.SmallInteger()"),
    "MEDIUMINT": "sa.Integer()",
}
"""SQLAlchemy's, by its type for MySQL that stands for the same values"""
MYSQL_FUNCTIONS = frozenset(
    {
        *("curdate", "curtime", "date_format", "find_in_set", "from_unixtime", "group_concat", "if"),
        *("ifnull", "isnull", "json_extract", "last_insert_id", "rand", "str_to_date", "sysdate"),
        *("unix_timestamp", "utc_timestamp", "uuid", "uuid_to_bin", "bin_to_uuid"),
    }
)
SQLITE_FUNCTIONS = frozenset(
    {
        *("datetime", "julianday", "last_insert_rowid", "randomblob", "strftime", "total_changes", "typeof"),
        *("hex", "ifnull", "group_concat", "json_extract", "unixepoch"),
    }
)
MYSQL_SYNTAX = re.compile(
    r"`|\bAUTO_INCREMENT\b|\bENGINE\s*=|\bON DUPLICATE KEY\b|\bUNSIGNED\b|\bMODIFY (COLUMN )?\w+ \w|"
    r"\bCHANGE COLUMN\b|\bALTER TABLE [^;]*\bADD (COLUMN )?\S+ [^,;]*\b(AFTER \w+|FIRST)\s*(,|$)|"
    r"\bON UPDATE (CURRENT_TIMESTAMP|NOW\b)|\bCHARACTER SET\b|\bCHARSET\s*=|\bCOLLATE\s*=|"
    r"\butf8mb[34]\w*|\bINSERT IGNORE\b|\bREPLACE INTO\b|\bSHOW (TABLES|COLUMNS|INDEX|CREATE)\b|"
    r"\bFOREIGN_KEY_CHECKS\b|\bFULLTEXT (KEY|INDEX)\b|\bADD (UNIQUE )?KEY\b|"
    r"\bDROP (FOREIGN KEY|KEY|INDEX) \w+\s*$|"
    r"\bTINYINT\b|\bMEDIUMTEXT\b|\bLONGTEXT\b|\bSTRAIGHT_JOIN\b|\bDATETIME\b|\bALGORITHM\s*=\s*(INPLACE|INSTANT)",
    re.IGNORECASE,
)
SQLITE_SYNTAX = re.compile(
    r"\bPRAGMA\b|\bAUTOINCREMENT\b|\bINSERT OR (IGNORE|REPLACE|ABORT|FAIL|ROLLBACK)\b|\bWITHOUT ROWID\b|"
    r"\bsqlite_(master|schema|sequence)\b|\bATTACH DATABASE\b|\bCOLLATE NOCASE\b",
    re.IGNORECASE,
)
_WRITE_FOR_POSTGRES = (
    "The statement is {dialect}'s SQL, not PostgreSQL's. Write it for both: ask "
    "`op.get_bind().dialect.name`, or use Alembic's operations instead of text."
)


def find_major(replay: Replay) -> int | None:
    """The major version of the run's server."""
    version = re.search(r"(?:^|\s)(\d+)(?:\.|$)", replay.find_version("postgres"))
    return int(version[1]) if version else None


def choose_major(failure: Failure, replay: Replay) -> str | None:
    """For a function, type or syntax that another major of PostgreSQL has."""
    major = find_major(replay)
    if major is None:
        return None
    name = find_in_message(rf"(?:function|type) {NAME}", failure).rpartition(".")[2]
    since = find_first_major(name) if name else None
    if since is not None and since > major:
        is_function = failure.sqlstate == UNDEFINED_FUNCTION
        return _ask_for_newer(f"`{name}` is", since, major, can_be_made=is_function)
    statement = failure.statement or ""
    newer = find_newer_syntax(statement, major)
    if newer is not None:
        return _ask_for_newer(f"The statement has {newer[1]}:", newer[0], major)
    removed = find_removed(f"{statement}\n{failure.message}", major)
    if removed is not None:
        last, label = removed
        return (
            f"PostgreSQL {last} was the last version with {label}; this server is {major}. Write the "
            f"revision without it, as production must before its next upgrade; or, while production is "
            f"{last}, name a server of that version:{code_block(f'postgres: {last}')}"
        )
    return None


def _ask_for_newer(subject: str, since: int, major: int, *, can_be_made: bool = False) -> str:
    made = "\nOr create the function in a revision before this one." if can_be_made else ""
    return (
        f"{subject} of PostgreSQL {since}; this server is {major}: set the version that production has:"
        f"{code_block(f'postgres: {since}')}{made}"
    )


def replace_type(failure: Failure, _replay: Replay) -> str | None:
    """For a type of another dialect of SQLAlchemy's."""
    name = find_in_message(r"can't render element of type (?P<name>\w+)", failure)
    generic = GENERIC_TYPES.get(name.upper())
    if generic is None:
        return None
    return (
        f"`{name}` is a type of MySQL's, which SQLAlchemy does not write for PostgreSQL. Give the column the "
        f'generic type `{generic}`, or, for both, `{generic}.with_variant(mysql.{name}(), "mysql")`.'
    )


def write_for_postgres(failure: Failure, replay: Replay) -> str | None:
    """For SQL that only MySQL or SQLite accepts."""
    dialect = find_dialect(failure)
    return _WRITE_FOR_POSTGRES.format(dialect=dialect) if dialect else None


def find_dialect(failure: Failure) -> str | None:
    """`MySQL` or `SQLite`, if only that one understands the statement which failed."""
    name = find_in_message(rf"(?:type|function|collation|relation) {NAME}", failure).lower()
    if failure.sqlstate == UNDEFINED_FUNCTION:
        return _find_dialect_of_function(name)
    return _find_dialect_of_statement(failure, name)


def _find_dialect_of_function(name: str) -> str | None:
    if name in MYSQL_FUNCTIONS:
        return "MySQL"
    return "SQLite" if name in SQLITE_FUNCTIONS else None


def _find_dialect_of_statement(failure: Failure, name: str) -> str | None:
    """By the syntax of the statement, or by the name that Postgres does not know."""
    statement = failure.statement or ""
    if SQLITE_SYNTAX.search(f"{statement}\n{name}"):
        return "SQLite"
    is_mysql_type = name in MYSQL_TYPES and failure.message.startswith("type")
    is_mysql = is_mysql_type or (_is_refused_by_parser(failure, name) and MYSQL_SYNTAX.search(statement))
    return "MySQL" if is_mysql else None


def _is_refused_by_parser(failure: Failure, name: str) -> bool:
    """Whether Postgres does not understand the statement; then signs of another dialect mean something."""
    if failure.sqlstate in (SYNTAX_ERROR, None) or "syntax error" in failure.message:
        return True
    return "utf8" in name or "configuration parameter" in failure.message
