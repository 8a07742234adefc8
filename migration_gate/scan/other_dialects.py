"""Signs that code works with another database than Postgres, whose tables are not the project's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

_NAMES = (
    "sqlite|duckdb|mysql|mariadb|clickhouse|snowflake|bigquery|redshift|oracle|mssql|sqlserver|databricks"
    "|trino|presto|hive|athena|cassandra|spark|starrocks|teradata|vertica|synapse|dynamo|elastic|exasol"
    "|firebolt|cockroach|tsql|kuzu|milvus|oceanbase|druid|rqlite|tidb|spanner"
)
_NAME = re.compile(_NAMES, re.IGNORECASE)
_CONNECTION = re.compile(rf"(?:{_NAMES})\w*\.connect|['\"](?:{_NAMES})[\w+]*://|:memory:", re.IGNORECASE)
_DRIVER = re.compile(
    rf"^(?:aio|a?py|google\.cloud\.)?(?:{_NAMES}|mysqldb|odbc|mssql|cx_oracle|chdb|apsw)", re.IGNORECASE
)
_REACHES_POSTGRES = re.compile(
    r"^(?:sqlalchemy|psycopg2?|asyncpg|pg8000|alembic|sqlmodel|flask_sqlalchemy|flask_migrate|databases|aiopg)\b"
)


def names_other_database(text: str) -> bool:
    """Whether a name (of a file, a class, a variable) or a condition is about another database."""
    return _NAME.search(text) is not None and "postgres" not in text.lower()


def connects_to_other_database(source: str) -> bool:
    """Whether source code connects to one: `sqlite3.connect(...)`, `create_engine("sqlite://")`."""
    return _CONNECTION.search(source) is not None


def imports_only_other_drivers(nodes: Iterable[ast.AST]) -> bool:
    """Whether a module imports another database's driver, and nothing that reaches Postgres."""
    modules = list(_imported_modules(nodes))
    if any(_REACHES_POSTGRES.match(module) for module in modules):
        return False
    return any(_DRIVER.match(module) for module in modules)


def _imported_modules(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
