"""Makes room for the models in the copy of the replayed database: what they create is dropped there."""

from __future__ import annotations

from typing import Any

from . import private_api
from .env_context import EnvContext
from .model_types import find_mapped_types

FIND_RELATIONS = """
select quote_ident(n.nspname) || '.' || quote_ident(c.relname), cast(c.relkind as text)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate')
and c.relkind in ('r', 'p', 'v', 'm', 'f')
and not exists (select 1 from pg_depend e
  where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
"""
RELATION_NOUNS = {"r": "table", "p": "table", "v": "view", "m": "materialized view", "f": "foreign table"}
"""what DROP calls a relation, by its relkind"""
FIND_EVENT_TRIGGERS = """
select cast(evtname as text), quote_ident(evtname) from pg_event_trigger
where evtenabled <> 'D' and evtname not like 'migration\\_gate%'
order by evtname
"""
FIND_ROUTINES = """
select p.oid, pg_get_functiondef(p.oid)
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate')
and p.prokind <> 'a'
and not exists (select 1 from pg_depend e
  where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
"""


def disable_event_triggers(connection: Any) -> tuple[str, ...]:
    """Disable those of the migrations: they would act on what the models create. Their names.

    One that this role may not alter stays as it is.
    """
    disabled = []
    for name, quoted in execute_text(connection, FIND_EVENT_TRIGGERS).fetchall():
        if try_statement(connection, "alter event trigger %s disable" % quoted):
            disabled.append(str(name))
    return tuple(disabled)


def try_statement(connection: Any, statement: str) -> bool:
    """Whether a statement without parameters succeeds; what was done before stays."""
    try:
        with connection.begin_nested():
            execute_text(connection, statement)
    except Exception:
        return False
    return True


def execute_text(connection: Any, statement: str) -> Any:
    """Execute a statement that has no parameters, whatever it contains."""
    if connection.dialect.driver == "pg8000":  # the others take a % as it is if nothing can replace it
        statement = statement.replace("%", "%%")
    return connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


class LostRoutines:
    """The functions that a drop takes with it: those that take a table's row or an enum, for example."""

    def __init__(self) -> None:
        self._definitions: dict[int, str] = {}

    def remember(self, connection: Any) -> None:
        """Keep the definitions of the project's functions, before the drop."""
        # Without a search_path, Postgres writes every type with its schema.
        with SearchPath(connection, ""):
            rows = execute_text(connection, FIND_ROUTINES).fetchall()
        self._definitions = {int(oid): str(definition) for oid, definition in rows}

    def keep_lost(self, connection: Any) -> None:
        """Forget those that are still there, after the drop."""
        if self._definitions:
            for (oid,) in execute_text(connection, "select oid from pg_proc").fetchall():
                self._definitions.pop(int(oid), None)

    def restore(self, connection: Any) -> None:
        """Create those again that can be created by now; the others at a later call."""
        if not self._definitions:
            return
        with SearchPath(connection, ""):
            # A body may name tables that are not there yet.
            execute_text(connection, "set local check_function_bodies = off")
            while self._restore_some(connection):
                pass  # one may need another one

    def _restore_some(self, connection: Any) -> bool:
        """Whether any could be created."""
        restored = [oid for oid, text in self._definitions.items() if try_statement(connection, text)]
        for oid in restored:
            del self._definitions[oid]
        return bool(restored)


class SearchPath:
    """A search_path for the statements of a block."""

    def __init__(self, connection: Any, search_path: str) -> None:
        self._connection = connection
        self._search_path = search_path
        self._previous = ""

    def __enter__(self) -> None:
        query = "select current_setting('search_path')"
        self._previous = str(execute_text(self._connection, query).scalar())
        self._set_path(self._search_path)

    def __exit__(self, *_: object) -> None:
        self._set_path(self._previous)

    def _set_path(self, search_path: str) -> None:
        quoted = search_path.replace("'", "''")
        execute_text(self._connection, "select set_config('search_path', '%s', false)" % quoted)


def drop_ddl_log(connection: Any) -> None:
    """Drop the gate's own schema, of which the project knows nothing."""
    connection.exec_driver_sql("drop schema if exists migration_gate cascade")


def drop_relations(connection: Any) -> None:
    """Drop every table and view, and the DDL log; types, sequences, functions and extensions stay."""
    drop_ddl_log(connection)
    names: dict[str, list[str]] = {}
    for name, relkind in connection.exec_driver_sql(FIND_RELATIONS).fetchall():
        names.setdefault(RELATION_NOUNS[relkind], []).append(name)
    for noun, relations in names.items():
        # One statement for all: the server then looks for dependent objects once.
        execute_text(connection, "drop %s if exists %s cascade" % (noun, ", ".join(relations)))


def drop_types_and_sequences(connection: Any, context: EnvContext) -> None:
    """Drop the types and sequences that the models define, found with the session's search_path."""
    preparer = connection.dialect.identifier_preparer
    for metadata in context.metadatas:
        items = [("sequence", sequence) for sequence in private_api.find_sequences(metadata)]
        mapped_types = find_mapped_types(metadata, connection.dialect)
        items += [("type", mapped_type.type) for mapped_type in mapped_types]
        for noun, item in items:
            schema = context.translate_schema(item.schema)
            prefix = preparer.quote_schema(schema) + "." if schema else ""
            name = prefix + preparer.quote(item.name)
            execute_text(connection, "drop %s if exists %s cascade" % (noun, name))
