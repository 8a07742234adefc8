"""Where names without a schema lead in a migration's session, and where its version table is."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .catalog_snapshot import execute_unseen
from .deferred_methods import dataclass

VERSION_TABLE_SCHEMA = """
select n.nspname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = pg_catalog.to_regclass(pg_catalog.quote_ident('%s'))
"""


@dataclass(frozen=True)
class SessionPlace:
    """Where names without a schema lead, in a migration's session before its first step."""

    search_path: str
    default_schema: str
    version_table_schema: str
    """of the version table, wherever it is"""
    schema_translation: Optional[Mapping[Optional[str], Optional[str]]]
    """the connection's schema_translate_map"""


def find_session_place(context: Any) -> SessionPlace:
    """Asked before the first step: a migration may set another search_path, for itself and what follows."""
    connection = context.connection
    search_path, schema = _read_search_path(connection)
    translation = connection.get_execution_options().get("schema_translate_map")
    table_schema = (translation or {}).get(context.version_table_schema, context.version_table_schema)
    if table_schema is None:
        # Alembic has created its table by now, or has found it in any schema of the search_path.
        name = context.version_table.replace("'", "''")
        rows = execute_unseen(connection, VERSION_TABLE_SCHEMA % name)
        table_schema = rows[0][0] if rows else schema
    return SessionPlace(search_path, schema or "public", table_schema or "public", translation)


def find_default_schema(connection: Any, search_path: str) -> Optional[str]:
    """Where this search_path leads now: a migration may have created its first schema."""
    current_path, schema = _read_search_path(connection)
    if current_path == search_path:
        return _optional_name(schema)
    _set_search_path(connection, search_path)
    schema = execute_unseen(connection, "select current_schema()")[0][0]
    _set_search_path(connection, current_path)
    return _optional_name(schema)


def _read_search_path(connection: Any) -> tuple[str, Optional[str]]:
    """The search_path of the session, and the schema that it leads to, if that exists."""
    query = "select current_setting('search_path'), current_schema()"
    search_path, schema = execute_unseen(connection, query)[0]
    return search_path, schema


def _set_search_path(connection: Any, search_path: str) -> None:
    quoted = search_path.replace("'", "''")
    execute_unseen(connection, "select set_config('search_path', '%s', false)" % quoted)


def _optional_name(value: Any) -> Optional[str]:
    return None if value is None else str(value)
