"""The log of DDL commands that the ephemeral database keeps during a replay: installed, and read as facts."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from migration_gate.facts import ColumnState, DdlCommand, NamedDefinition
from migration_gate.postgres.server import Server

if TYPE_CHECKING:
    import psycopg

STEP_BEGINS = "STEP"
"""the tag of a row that no command made: a step begins"""
IS_INSTALLED = "select to_regclass('migration_gate.ddl_log') is not null"
READ_ROWS = """
select id, step, tag, kind, identity, oid::bigint, statement, state from migration_gate.ddl_log order by id
"""


def install_ddl_log(connection: psycopg.Connection[Any], server: Server) -> None:
    """Create the log in an empty database, with event triggers where the server allows them."""
    connection.execute(files(__package__).joinpath("ddl_log.sql").read_bytes())
    if server.superuser:
        connection.execute(files(__package__).joinpath("ddl_log_triggers.sql").read_bytes())


def read_ddl_log(connection: psycopg.Connection[Any]) -> tuple[DdlCommand, ...]:
    """The commands in their order; none where a migration dropped the log, which the worker reports.

    A command of a session without a step number (another connection of the migration, or a session that was
    reset) belongs to the newest step that had begun before it.
    """
    if connection.execute(IS_INSTALLED).fetchone() != (True,):
        return ()
    commands: list[DdlCommand] = []
    newest_step = 0
    for _, step, tag, kind, identity, oid, statement, state in connection.execute(READ_ROWS).fetchall():
        newest_step = max(newest_step, step)
        if tag == STEP_BEGINS:
            continue
        table = state or {}
        commands.append(
            DdlCommand(
                step=step or newest_step,
                tag=tag,
                kind=kind,
                identity=identity,
                oid=oid,
                statement=statement,
                columns=tuple(ColumnState(*row) for row in table.get("columns") or ()),
                constraints=tuple(NamedDefinition(*row) for row in table.get("constraints") or ()),
                indexes=tuple(NamedDefinition(*row) for row in table.get("indexes") or ()),
            )
        )
    return tuple(commands)
