"""Tells an error that the project's own objects cause in a trial of the gate's from the end of the server.

A trigger, a default or a setting of a role can end the gate's session, or its statement: that is about the
project, ends the trial alone, and is said in Postgres' words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration_gate.catalog.trial_statements import describe_error
from migration_gate.postgres.server import Server
from migration_gate.replay.runs_channel import QUERY_CANCELED
from migration_gate.replay.server_watch import TERMINATING_FUNCTION

if TYPE_CHECKING:
    import psycopg

OWN_STATEMENT = "a statement of the gate's own was ended"
ADVICE = "See what triggers, functions and settings of roles do with a session that is not the application's"
CALLS_FUNCTION = """
select exists (
    select from pg_catalog.pg_proc p
    where p.pronamespace <> 'pg_catalog'::regnamespace and p.prokind in ('f', 'p')
        and position(%(name)s in pg_catalog.pg_get_functiondef(p.oid)) > 0
) or exists (
    select from pg_catalog.pg_attrdef d
    where position(%(name)s in pg_catalog.pg_get_expr(d.adbin, d.adrelid)) > 0
) or exists (
    select from pg_catalog.pg_constraint c
    where c.contype = 'c' and position(%(name)s in pg_catalog.pg_get_constraintdef(c.oid)) > 0
) or exists (
    select from pg_catalog.pg_rewrite r
    where r.oid >= 16384 and position(%(name)s in pg_catalog.pg_get_ruledef(r.oid)) > 0
)"""


def describe_trial_error(server: Server, database: str, error: psycopg.Error) -> str:
    """Why a trial in the database could not go on, as a clause with Postgres' words.

    Raises the error again if the server is not there any more, or if something else ended the session.
    """
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    if isinstance(error, psycopg.errors.AdminShutdown) and not _ends_sessions(server, database, error):
        raise error
    try:
        server.connect().close()
    except psycopg.OperationalError:
        raise error from None
    if isinstance(error, psycopg.errors.QueryCanceled):
        return f"{QUERY_CANCELED} ({describe_error(error)})"
    return f"{OWN_STATEMENT}: {describe_error(error)}"


def _ends_sessions(server: Server, database: str, error: psycopg.Error) -> bool:
    """Whether the project's own objects do: nobody else sends signals to the gate's sessions then."""
    import psycopg  # noqa: PLC0415 - as above

    try:
        with server.connect(database) as connection:
            row = connection.execute(CALLS_FUNCTION, {"name": TERMINATING_FUNCTION}).fetchone()
    except psycopg.Error:
        raise error from None
    return row == (True,)
