"""Where names without a schema lead in a migration's session, and where its version table is."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Optional

from .catalog_snapshot import execute_unseen
from .deferred_methods import dataclass

VERSION_TABLE_SCHEMA = """
select n.nspname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = pg_catalog.to_regclass(pg_catalog.quote_ident('%s'))
"""
# "$user" is the session's role (of SET ROLE or SET SESSION AUTHORIZATION), which sessions of our own do not
# have: its name stands in the second value.
SEARCH_PATH = """
select
    search_path,
    case when current_user = login then search_path
        else replace(replace(search_path, '"$user"', '$user'), '$user', quote_ident(current_user)) end,
    current_schema()
from (
    select current_setting('search_path') as search_path, pg_catalog.pg_get_userbyid(usesysid) as login
    from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())
) as settings
"""


class SearchPath(NamedTuple):
    """The search_path of a session, and where it leads."""

    text: str
    lasting_text: str
    """one that leads to the same schemas in a session with another role"""
    schema: Optional[str]
    """for names without one, if it exists"""


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
    path = _read_search_path(connection)
    translation = connection.get_execution_options().get("schema_translate_map")
    table_schema = (translation or {}).get(context.version_table_schema, context.version_table_schema)
    if table_schema is None:
        # Alembic has created its table by now, or has found it in any schema of the search_path.
        name = context.version_table.replace("'", "''")
        rows = execute_unseen(connection, VERSION_TABLE_SCHEMA % name)
        table_schema = rows[0][0] if rows else path.schema
    return SessionPlace(path.lasting_text, path.schema or "public", table_schema or "public", translation)


def find_default_schema(connection: Any, search_path: str) -> Optional[str]:
    """Where this search_path leads now: a migration may have created its first schema."""
    current_path = _read_search_path(connection)
    if current_path.lasting_text == search_path:
        return current_path.schema
    _set_search_path(connection, search_path)
    schema = _read_search_path(connection).schema
    _set_search_path(connection, current_path.text)
    return schema


def _read_search_path(connection: Any) -> SearchPath:
    return SearchPath(*execute_unseen(connection, SEARCH_PATH)[0])


def _set_search_path(connection: Any, search_path: str) -> None:
    quoted = search_path.replace("'", "''")
    execute_unseen(connection, "select set_config('search_path', '%s', false)" % quoted)
