"""Signs that code talks to another database than Postgres, whose tables are none of ours."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

_WORD = (
    "sqlite|duckdb|mysql|mariadb|clickhouse|snowflake|bigquery|redshift|oracle|mssql|sqlserver|databricks"
    "|trino|presto|hive|athena|cassandra|spark|starrocks|teradata|vertica|synapse|dynamo|elastic|exasol"
    "|firebolt|cockroach|tsql|kuzu|milvus|oceanbase|druid|rqlite|tidb|spanner"
)
_NAMED = re.compile(_WORD, re.IGNORECASE)
_CALLED = re.compile(rf"(?:{_WORD})\w*\.connect|['\"](?:{_WORD})[\w+]*://|:memory:", re.IGNORECASE)
_DRIVER = re.compile(
    rf"^(?:aio|a?py|google\.cloud\.)?(?:{_WORD}|mysqldb|odbc|mssql|cx_oracle|chdb|apsw)", re.IGNORECASE
)
_OURS = re.compile(
    r"^(?:sqlalchemy|psycopg2?|asyncpg|pg8000|alembic|sqlmodel|flask_sqlalchemy|flask_migrate|databases|aiopg)\b"
)


def named(text: str) -> bool:
    """Whether a name (of a file, a class, a variable) or a condition speaks of another database."""
    return bool(_NAMED.search(text)) and "postgres" not in text.lower()


def opened(source: str) -> bool:
    """Whether source code connects to one: `sqlite3.connect(...)`, `create_engine("sqlite://")`."""
    return bool(_CALLED.search(source))


def imported_alone(nodes: Iterable[ast.AST]) -> bool:
    """Whether a module imports another database's driver, and nothing that reaches Postgres."""
    names = list(_imports(nodes))
    return any(_DRIVER.match(name) for name in names) and not any(_OURS.match(name) for name in names)


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
