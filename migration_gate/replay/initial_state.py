"""Prepares the ephemeral database: what it holds before the first revision runs."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migration_gate.config.settings import PrepareStep, Settings
from migration_gate.errors import Misconfigured, PostgresNotFound
from migration_gate.postgres.shared_leftovers import drop_shared_objects, list_made_since
from migration_gate.progress import Progress
from migration_gate.replay.ddl_log import install_ddl_log
from migration_gate.replay.dump_restore import restore_dump
from migration_gate.replay.observation_log import install_observation, is_observed
from migration_gate.replay.older_models import create_older_models
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.skipped_creations import install_skipped_creations

if TYPE_CHECKING:
    import psycopg

MISSING_ON_SERVER = ("0A000", "58P01")
"""feature_not_supported and undefined_file: CREATE EXTENSION of an extension that the server lacks"""
DISABLE_LOGS = b"""
do $$ declare log record; begin
    for log in select evtname from pg_catalog.pg_event_trigger where left(evtname, 14) = 'migration_gate' loop
        execute format('alter event trigger %I disable', log.evtname);
    end loop;
end $$
"""
SHOWN_SQL = 500
"""characters of a failed statement that an error shows"""


def prepare_database(setup: ReplaySetup) -> Generator[Progress, None, tuple[str, ...]]:
    """Install the DDL log, run the SQL of `prepare:`, and carry out `start_from:`.

    Yields its progress, returns notes for the report. Raises Misconfigured, PostgresNotFound, and what a
    worker raises. Python files and commands of `prepare:` run later, in the worker. A checkpoint was made
    after all of that.
    """
    if setup.restored is not None:
        if is_observed(setup):
            with setup.server.connect(setup.database) as connection:
                install_observation(connection, setup.server)
        return setup.restored.state.record.preparation_notes
    _install_logs(setup)
    if _prepares_with_sql(setup.settings):
        with setup.server.connect(setup.database) as connection:
            run_prepare_sql(connection, setup.settings.prepare)
        _prepare_other_databases(setup)
    notes = yield from _start_from(setup)
    if _has_content(setup.settings):
        setup.server.copy_used_database(setup.database, setup.initial_database)
    return notes


def restore_database(setup: ReplaySetup) -> None:
    """Have the databases as `prepare_database` left them, and no more roles or tablespaces than then."""
    has_content = _has_content(setup.settings)
    leftovers = list_made_since(setup.server, setup.initial_database if has_content else setup.database)
    if has_content:
        setup.server.copy_used_database(setup.initial_database, setup.database)
        with setup.server.connect(setup.database) as connection:
            set_statement_timeout(connection, setup.settings.statement_seconds)
    else:
        setup.server.recreate_database(setup.database)
        _install_logs(setup)
    for _, database in setup.other_databases:
        setup.server.recreate_database(database)
    drop_shared_objects(setup.server, leftovers)
    if _prepares_with_sql(setup.settings):
        _prepare_other_databases(setup)


def prepare_copy(setup: ReplaySetup, name: str) -> None:
    """Make a further database that is as `prepare_database` left the first one."""
    if _has_content(setup.settings):
        setup.server.copy_used_database(setup.initial_database, name)
    else:
        setup.server.recreate_database(name)
    with setup.server.connect(name) as connection:
        if not _has_content(setup.settings):
            install_ddl_log(connection, setup.server)
            install_skipped_creations(connection, setup.server)
        set_statement_timeout(connection, setup.settings.statement_seconds)


def copy_for_rollback(setup: ReplaySetup) -> None:
    """Copy the replayed database for the downgrades, and keep a copy of the copy.

    The replayed database cannot be copied later: that ends the sessions of those who compare the models with
    it, of the change and of its base.
    """
    setup.server.copy_used_database(setup.database, setup.rollback_database)
    prepare_trials(setup, setup.rollback_database)
    setup.server.copy_used_database(setup.rollback_database, setup.prefix_database)


def copy_for_rollback_again(setup: ReplaySetup) -> None:
    """Have the copy for the downgrades as it was; before the history up to a revision is needed."""
    setup.server.copy_used_database(setup.prefix_database, setup.rollback_database)
    prepare_trials(setup, setup.rollback_database)


def limit_statements(setup: ReplaySetup, name: str) -> None:
    """Have later sessions in a copy keep to the time limit: such a setting is not copied."""
    with setup.server.connect(name) as connection:
        set_statement_timeout(connection, setup.settings.statement_seconds)


def prepare_trials(setup: ReplaySetup, name: str) -> None:
    """Have functions of revisions run in this copy, within the time limit, and without logs of the gate's."""
    with setup.server.connect(name) as connection:
        if setup.server.superuser:
            connection.execute(DISABLE_LOGS)
        set_statement_timeout(connection, setup.settings.statement_seconds)


def _has_content(settings: Settings) -> bool:
    """Whether something that may not run twice prepares the database: it creates roles, for example."""
    return settings.start_from is not None or _prepares_with_sql(settings)


def _prepares_with_sql(settings: Settings) -> bool:
    return any(entry.kind in ("sql", "sql_file") for entry in settings.prepare)


def _install_logs(setup: ReplaySetup) -> None:
    with setup.server.connect(setup.database) as connection:
        install_ddl_log(connection, setup.server)
        install_skipped_creations(connection, setup.server)
        if is_observed(setup):
            install_observation(connection, setup.server)
        set_statement_timeout(connection, setup.settings.statement_seconds)


def _prepare_other_databases(setup: ReplaySetup) -> None:
    for _, database in setup.other_databases:
        # What is made for the whole cluster is there already.
        with setup.server.connect(database) as connection, contextlib.suppress(Misconfigured):
            run_prepare_sql(connection, setup.settings.prepare)


def _start_from(setup: ReplaySetup) -> Generator[Progress, None, tuple[str, ...]]:
    start = setup.settings.start_from
    if start is None:
        return ()
    yield Progress("prepare", "start_from")
    if start.create_all is not None:
        return create_older_models(setup, start.create_all, start.stamp)
    if start.dump is not None:
        return restore_dump(start.dump, setup.server, setup.database, setup.settings.root)
    return ()


def set_statement_timeout(connection: psycopg.Connection[Any], seconds: float) -> None:
    """Limit each statement of later sessions in this database, and nothing else."""
    from psycopg import sql  # noqa: PLC0415 - loaded while the server starts

    command = sql.SQL("alter database {} set statement_timeout = {}").format(
        sql.Identifier(connection.info.dbname), sql.Literal(int(seconds * 1000))
    )
    connection.execute(command)
    let_sessions_wait(connection)


def let_sessions_wait(connection: psycopg.Connection[Any]) -> None:
    """Have later sessions in this database stay: they wait for the gate, whatever is set for all roles."""
    from psycopg import sql  # noqa: PLC0415 - as above

    command = sql.SQL("alter database {} set idle_in_transaction_session_timeout = 0")
    connection.execute(command.format(sql.Identifier(connection.info.dbname)))


def run_prepare_sql(connection: psycopg.Connection[Any], entries: tuple[PrepareStep, ...]) -> None:
    """Run the SQL texts and SQL files among the entries of `prepare:`, in their order."""
    for entry in entries:
        if entry.kind == "sql":
            _execute_entry(connection, entry.text)
        elif entry.kind == "sql_file":
            _execute_entry(connection, _read_sql_file(Path(entry.text)), file=entry.text)


def _execute_entry(connection: psycopg.Connection[Any], text: str, file: str = "") -> None:
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    try:
        connection.execute(text.encode())
    except psycopg.Error as error:
        message = f"A statement of `prepare:` failed: {error.diag.message_primary or error}"
        if error.sqlstate in MISSING_ON_SERVER:
            raise PostgresNotFound(
                message,
                where=file,
                evidence=text[:SHOWN_SQL],
                advice="Choose a server that has it, for example `postgres: postgis/postgis:17-3.5` or "
                "`postgres: pgvector/pgvector:pg17`.",
            ) from error
        raise Misconfigured(
            message, where=file, evidence=text[:SHOWN_SQL], advice="Fix it, or remove it."
        ) from error


def _read_sql_file(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            f"A file of `prepare:` could not be read: {error}",
            where=str(file),
            advice="Fix its permissions, or save it as UTF-8 text.",
        ) from error
