"""Everything of Alembic and SQLAlchemy that is private, or replaced, with the versions that have it.

Looked up in the repositories of both: Alembic 1.8 to 1.20, SQLAlchemy 1.4 to 2.1. When a new version breaks
the worker, this is the module to look at first.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any, Callable, Iterable

# Alembic.


def plan_upgrade(script: Any, target: str, heads: Any) -> list[Any]:
    """The steps from `heads` to `target`, in their order.

    `ScriptDirectory._upgrade_revs`, since Alembic 0.3: what `alembic upgrade` itself uses.
    """
    return list(script._upgrade_revs(target, heads))


def list_required_revisions(revision: Any) -> tuple[str, ...]:
    """Ids of the revisions that have to run before this one.

    `Revision._all_down_revisions`, since Alembic 0.7.
    """
    return tuple(revision._all_down_revisions)


def plan_stamp(script: Any, revision: str, heads: Any) -> list[Any]:
    """The steps that write `revision` into the version table.

    `ScriptDirectory._stamp_revs`, since Alembic 0.7: what `alembic stamp` itself uses.
    """
    return list(script._stamp_revs(revision, heads))


def make_step(script: Any, revision: str, direction: str) -> Any:
    """The step that runs one function of a revision, and then changes the version table.

    `RevisionStep` of `alembic.runtime.migration`, since Alembic 0.7: what the plans of `upgrade` and
    `downgrade` consist of. Raises AttributeError if the revision's file lacks the function.
    """
    from alembic.runtime.migration import RevisionStep

    return RevisionStep(script.revision_map, script.get_revision(revision), direction == "upgrade")


def find_version_folders(script: Any) -> tuple[str, ...]:
    """Real paths of the folders with revisions.

    `ScriptDirectory._version_locations`, since Alembic 0.7: texts, and since 1.16 paths.
    """
    return tuple(os.path.realpath(folder) for folder in script._version_locations)


def resolved_dependencies(revision: Any) -> tuple[str, ...]:
    """Ids that a revision depends on; `dependencies`, the public attribute, may hold labels.

    `Revision._resolved_dependencies`, since Alembic 0.8.
    """
    return tuple(revision._resolved_dependencies or ())


def wrap_run_env(module: Any, wrap: Callable[[Any, Callable[[], Any]], Any]) -> None:
    """Have `wrap(script, run)` do what Alembic's commands do with env.py; `module` is alembic.script.base.

    `ScriptDirectory.run_env`, public since Alembic 0.1.
    """
    run_env = module.ScriptDirectory.run_env

    def wrapped_run_env(script: Any) -> Any:
        return wrap(script, lambda: run_env(script))

    module.ScriptDirectory.run_env = wrapped_run_env


def wrap_migration_function(step: Any, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Run `wrap(function)` in the place of a step's `upgrade()`.

    `MigrationStep.migration_fn`, since Alembic 0.1; it has no underscore, but no documentation either.
    """
    step.migration_fn = wrap(step.migration_fn)


def wrap_foreign_comparators(wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Callable[[], None]:
    """Have Alembic's comparisons call `wrap(function)` for each function that is not its own.

    Returns what undoes it. `Dispatcher._registry`, since Alembic 0.7: lists of functions; since 1.18 of
    functions with their group, and plug-ins have dispatchers of their own (`plugins._all_plugins`).
    """
    undo: list[Callable[[], None]] = []
    for registry in _comparator_registries():
        for functions in registry.values():
            undo.append(partial(functions.__setitem__, slice(None), functions[:]))
            functions[:] = [_wrap_entry(entry, wrap) for entry in functions]

    def undo_all() -> None:
        for restore in undo:
            restore()

    return undo_all


def has_foreign_comparators() -> bool:
    """Whether the project or a plug-in has registered functions for Alembic's comparisons."""
    entries = (entry for registry in _comparator_registries() for rows in registry.values() for entry in rows)
    return any(_is_foreign(entry) for entry in entries)


def _comparator_registries() -> list[dict[Any, list[Any]]]:
    from alembic.autogenerate.compare import comparators

    dispatchers = [comparators]
    try:
        from alembic.runtime import plugins
    except ImportError:
        pass
    else:
        dispatchers += [plugin.autogenerate_comparators for plugin in plugins._all_plugins.values()]
    return [dispatcher._registry for dispatcher in dispatchers]


def _wrap_entry(entry: Any, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Any:
    if not _is_foreign(entry):
        return entry
    return (wrap(entry[0]), *entry[1:]) if isinstance(entry, tuple) else wrap(entry)


def _is_foreign(entry: Any) -> bool:
    function = entry[0] if isinstance(entry, tuple) else entry
    module = str(getattr(function, "__module__", None) or "")
    return module != "alembic" and not module.startswith("alembic.")


# SQLAlchemy.


def find_sequences(metadata: Any) -> list[Any]:
    """Sequences that belong to the metadata: `MetaData._sequences`, since SQLAlchemy 0.1."""
    return list(metadata._sequences.values())


def find_mapper_registries() -> Iterable[Any]:
    """Every `registry` with mapped classes: `sqlalchemy.orm.mapper._all_registries`, since SQLAlchemy 1.4.

    Empty if the ORM cannot be imported, or a later SQLAlchemy keeps them elsewhere: then classes of the
    models are not named in the report, and nothing else is lost.
    """
    try:
        from sqlalchemy.orm import mapperlib

        registries: Iterable[Any] = mapperlib._all_registries()
    except (ImportError, AttributeError):
        return ()
    return registries


def is_deferred(mapper: Any, column: Any) -> bool | None:
    """Whether a class loads the column only when it is asked for; None if it does not map the column.

    A class with heirs in the same table (single table inheritance) does not map their columns.

    `Mapper._columntoproperty`, since SQLAlchemy 0.5, and `ColumnProperty.deferred`, since 0.4: the public
    `Mapper.attrs` would configure the mappers. False if a later SQLAlchemy keeps them elsewhere.
    """
    try:
        mapped = mapper._columntoproperty.get(column)  # of SQLAlchemy's dict, `[]` raises errors of its own
        return None if mapped is None else bool(mapped.deferred)
    except AttributeError:
        return False


def find_autoincrement_column(table: Any) -> Any:
    """The column whose values come from a sequence of its own; None without any.

    `Table._autoincrement_column`, since SQLAlchemy 0.3.
    """
    return getattr(table, "_autoincrement_column", None)


def replace_creators(connect: Callable[[Any], Any]) -> None:
    """Have every engine with a creator or a pool of its own use `connect(engine)` for a new connection.

    The event `do_connect` is never raised for these. Needs three private things:
    `Dialect.engine_created`, since SQLAlchemy 1.0.3: a hook for dialects, replaced here in their base class;
    `Pool._creator`, which can be set (a property with a setter since 1.4);
    the function `connect` inside `create_engine`, since 1.4 in `sqlalchemy/engine/create.py`: a creator that
    is not this one is the project's.
    """
    from sqlalchemy.engine.default import DefaultDialect

    def engine_created(cls: Any, engine: Any) -> None:
        if not _is_create_engines_own(engine.pool._creator):
            engine.pool._creator = lambda record=None: connect(engine)

    DefaultDialect.engine_created = classmethod(engine_created)  # type: ignore[method-assign, assignment]


def _is_create_engines_own(creator: Any) -> bool:
    code = getattr(creator, "__code__", None)
    if code is None or code.co_name != "connect":
        return False
    return "/sqlalchemy/engine/" in code.co_filename.replace(os.sep, "/")


def replace_make_url(adapt_url: Callable[[Any, Callable[[Any], Any]], Any]) -> None:
    """Have `create_engine(text)` use `adapt_url(text, make_url)`, with SQLAlchemy's own `make_url`.

    `create_engine` looks up `make_url` in `sqlalchemy.engine.url` at each call, since SQLAlchemy 1.4.
    """
    from sqlalchemy.engine import url

    real_make_url = url.make_url

    def make_url(name_or_url: Any) -> Any:
        return adapt_url(name_or_url, real_make_url)

    url.make_url = make_url  # type: ignore[assignment]


def wrap_create_async_engine(engine_module: Any, wrap: Callable[[Callable[[], Any]], Any]) -> None:
    """Have `create_async_engine(…)` return `wrap(create)`, where `create()` does what was asked.

    `sqlalchemy.ext.asyncio.engine`, since SQLAlchemy 1.4. To be called when this module has just been
    imported: the package `sqlalchemy.ext.asyncio` then takes the function over.
    """
    real_create_async_engine = engine_module.create_async_engine

    def create_async_engine(*positional: Any, **keywords: Any) -> Any:
        return wrap(lambda: real_create_async_engine(*positional, **keywords))

    engine_module.create_async_engine = create_async_engine


def driver_connection(connection: Any) -> Any:
    """The driver's connection below SQLAlchemy's.

    `dbapi_connection` of the pool's proxy, since SQLAlchemy 1.4.24; `connection` before.
    """
    proxy = connection.connection
    return getattr(proxy, "dbapi_connection", None) or getattr(proxy, "connection", proxy)


def execute_with_libpq(connection: Any, statement: str) -> bool:
    """Run a statement in the connection of libpq below psycopg 3's; raises the driver's error.

    False, and nothing is run, for another driver, and where psycopg is in its pipeline mode.
    `Connection.pgconn` with `exec_`, since psycopg 3.0; psycopg2 has a `pgconn_ptr` alone.
    """
    pgconn: Any = getattr(driver_connection(connection), "pgconn", None)
    if not hasattr(pgconn, "exec_") or getattr(pgconn, "pipeline_status", False):
        return False
    from psycopg import errors, pq

    result = pgconn.exec_(statement.encode("utf-8"))
    if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
        raise errors.error_from_result(result)
    return True


def open_pipeline(connection: Any) -> Any:
    """What enters the pipeline mode of libpq and leaves it, in a `with`; None if the driver has none.

    `psycopg.Connection.pipeline`, since psycopg 3.1, where its libpq is of version 14 or newer.
    """
    driver = driver_connection(connection)
    if not hasattr(driver, "pgconn") or not hasattr(driver, "pipeline"):
        return None
    from psycopg import Pipeline

    return driver.pipeline() if Pipeline.is_supported() else None


def is_ddl_element(item: Any) -> bool:
    """Whether it is a DDL construct, SQLAlchemy's or Alembic's: `sqlalchemy.schema.DDLElement`, since 0.7."""
    from sqlalchemy.schema import DDLElement

    return isinstance(item, DDLElement)


def observe_ddl_compilation(observe: Callable[[Any, Any], None]) -> None:
    """Call `observe(element, compiled)` for each DDL construct that is compiled.

    Replaces `DDLElement.compile`: `Connection._execute_ddl` calls it too, since SQLAlchemy 1.4.
    """
    from sqlalchemy.schema import DDLElement

    real_compile = DDLElement.compile

    def compile_element(self: Any, *positional: Any, **keywords: Any) -> Any:
        compiled = real_compile(self, *positional, **keywords)
        observe(self, compiled)
        return compiled

    DDLElement.compile = compile_element  # type: ignore[method-assign]


def remember_column_sources(remember: Callable[[Any, Any], None]) -> None:
    """Call `remember(copied, column)`, a guarded `set_column_source`, for each copy of a column.

    `Column._copy`, since SQLAlchemy 1.4: `Table.to_metadata`, `Column.copy` and Alembic's operations use it.
    """
    from sqlalchemy import Column

    real_copy = getattr(Column, "_copy", None)
    if real_copy is None:
        return

    def copy_column(self: Any, *positional: Any, **keywords: Any) -> Any:
        copied = real_copy(self, *positional, **keywords)
        remember(copied, self)
        return copied

    Column._copy = copy_column  # type: ignore[method-assign]


def find_shared_types() -> Iterable[Any]:
    """Instances of types that SQLAlchemy uses itself in many places: constants of `sqltypes`, since 0.6."""
    from sqlalchemy.sql import sqltypes

    return [value for value in vars(sqltypes).values() if isinstance(value, sqltypes.TypeEngine)]


def has_callbacks(context: Any) -> bool:
    """Whether env.py has something called after each step (`on_version_apply`, since Alembic 0.9.3)."""
    return bool(getattr(context, "on_version_apply_callbacks", ()))


def supports_pipeline(connection: Any) -> bool:
    """Whether the driver has a pipeline mode that can be used: see `open_pipeline`."""
    return open_pipeline(connection) is not None


def is_idle(driver: Any) -> bool:
    """Whether psycopg 3 has begun no transaction yet: `Connection.info`, since psycopg 3.0."""
    return bool(driver.info.transaction_status.name == "IDLE")


def is_in_pipeline(driver: Any) -> bool:
    """Whether psycopg 3 is in its pipeline mode: `PGconn.pipeline_status`, since psycopg 3.1."""
    return bool(getattr(getattr(driver, "pgconn", None), "pipeline_status", False))


ANSWERLESS_DDL = frozenset({
    *("CreateTable", "DropTable", "CreateIndex", "DropIndex", "AddConstraint", "DropConstraint"),
    *("CreateSequence", "DropSequence", "CreateSchema", "DropSchema", "SetTableComment", "DropTableComment"),
    *("SetColumnComment", "DropColumnComment", "SetConstraintComment", "DropConstraintComment"),
    *("CreateEnumType", "DropEnumType", "CreateDomainType", "DropDomainType"),
})  # fmt: skip
"""classes of SQLAlchemy's whose statement has no rows and no count of rows: `CreateTableAs` has one"""


def is_answerless_ddl(execution: Any) -> bool:
    """Whether it is a DDL construct of SQLAlchemy's or Alembic's own whose answer nobody reads.

    `ExecutionContext.isddl` and `compiled`, since SQLAlchemy 0.6; `alembic.ddl`, since 0.1.
    """
    if not getattr(execution, "isddl", False) or execution.compiled is None:
        return False
    element = type(execution.compiled.statement)
    package = element.__module__.partition(".")[0]
    return element.__module__.startswith("alembic.ddl.") or (
        package == "sqlalchemy" and element.__name__ in ANSWERLESS_DDL
    )


def version_table(context: Any) -> Any:
    """The Table of Alembic's version table: `MigrationContext._version`, since Alembic 0.7."""
    return context._version


def is_update_of(table: Any, execution: Any) -> bool:
    """Whether it is an UPDATE of the table, built with SQLAlchemy; Alembic alone has that of its own."""
    if not getattr(execution, "isupdate", False) or execution.compiled is None:
        return False
    return getattr(execution.compiled.statement, "table", None) is table


def distrust_row_counts(dialect: Any) -> Callable[[], None]:
    """Have Alembic not ask how many rows its UPDATE has changed; returns what undoes that.

    `Dialect.supports_sane_rowcount`, since SQLAlchemy 0.5: an attribute of the class.
    """
    name = "supports_sane_rowcount"
    own = {key: value for key, value in vars(dialect).items() if key == name}
    setattr(dialect, name, False)

    def undo() -> None:
        vars(dialect).pop(name, None)
        vars(dialect).update(own)

    return undo


CURSOR_EVENTS = (
    "before_cursor_execute",
    "after_cursor_execute",
    "before_execute",
    "after_execute",
    "handle_error",
)
DIALECT_EVENTS = ("do_execute", "do_execute_no_params", "do_executemany")


def count_listeners(connection: Any) -> int:
    """How many listeners a connection's statements have, those of its engine and its dialect with it.

    `dispatch`, since SQLAlchemy 0.7: a collection for each event.
    """
    dialect = connection.dialect.dispatch
    return _count(connection.dispatch, CURSOR_EVENTS) + _count(dialect, DIALECT_EVENTS)


def count_listeners_of_engines() -> int:
    """How many listeners each connection of any engine has: an engine that was never set up tells."""
    from sqlalchemy.engine import Engine

    return _count(Engine.__new__(Engine).dispatch, CURSOR_EVENTS)


def _count(dispatch: Any, events: Iterable[str]) -> int:
    return sum(len(getattr(dispatch, name, ())) for name in events)


def watch_driver_access(note: Callable[[], None]) -> None:
    """Call `note()` before other code than SQLAlchemy's, Alembic's and the gate's gets a driver's connection.

    Replaces the property `Connection.connection`, public since SQLAlchemy 0.2.
    """
    from sqlalchemy.engine import Connection

    known = ("sqlalchemy", "alembic", __name__.partition(".")[0])
    real = Connection.connection

    def connection(self: Any) -> Any:
        caller = str(sys._getframe(1).f_globals.get("__name__", ""))
        if caller.partition(".")[0] not in known:
            note()
        return real.__get__(self, type(self))

    Connection.connection = property(connection)  # type: ignore[assignment, method-assign]
