"""A migration that needs more locks than its server has room for: that is about the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migration_gate.errors import DatabaseRefused
from migration_gate.facts import Failure
from migration_gate.postgres.server import Server
from migration_gate.postgres.server_settings import SHARED_SETTINGS
from migration_gate.replay.worker_answer import AnswerReader

if TYPE_CHECKING:
    import psycopg

SETTING = "max_locks_per_transaction"
OUT_OF_MEMORY = "53200"
MESSAGE = "out of shared memory"
READ_ROOM = b"""
select current_setting('max_locks_per_transaction')::int, current_setting('max_connections')::int,
       current_setting('max_prepared_transactions')::int
"""


def verify_lock_table(server: Server, answer: AnswerReader) -> None:
    """Raise DatabaseRefused if a session of the worker's found no room for a lock."""
    error = next(filter(_is_about_locks, _list_errors(answer)), None)
    if error is not None:
        room, locks = _describe_room(server)
        what = f"the migrations{f' (revision {error.revision})' if error.revision else ''}"
        raise DatabaseRefused(
            f"The server has no room for another lock: {what} hold all that they take until their "
            f"transaction ends. {room}",
            advice=_advise(server, locks),
            where=str(error.location or ""),
            evidence=_describe_error(error),
        )
    failed = answer.failure()
    if failed is not None and _is_about_locks(failed.failure):
        raise _refuse_own_session(server, _describe_error(failed.failure))
    if any(MESSAGE in item.why for item in answer.unchecked()):
        raise _refuse_own_session(server, MESSAGE)


@contextmanager
def report_full_lock_table(server: Server) -> Iterator[None]:
    """Inside, a session of the gate's own that finds no room for a lock is an error of the server.

    Raises DatabaseRefused.
    """
    try:
        yield
    except Exception as error:
        full = _find_own_error(error)
        if full is None:
            raise
        raise _refuse_own_session(server, str(full).strip()) from error


def _refuse_own_session(server: Server, evidence: str) -> DatabaseRefused:
    """The migrations found room, and what the gate does with their tables, and with the models', did not."""
    room, locks = _describe_room(server)
    return DatabaseRefused(
        "The server has no room for another lock: the gate makes the tables of the models beside those of "
        f"the migrations, reads them and fills them, and works on many in one transaction. {room}",
        advice=_advise_more_room(server, locks),
        evidence=evidence,
    )


def _describe_error(error: Failure) -> str:
    return "\n".join(filter(None, (error.statement, error.hint)))


def _find_own_error(error: BaseException | None) -> psycopg.Error | None:
    """The driver's error in this one or its causes that says so."""
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    while error is not None:
        if isinstance(error, psycopg.Error) and error.sqlstate == OUT_OF_MEMORY and MESSAGE in str(error):
            return error
        error = error.__cause__
    return None


def _describe_room(server: Server) -> tuple[str, int]:
    """A sentence about the server's locks, and its setting."""
    with server.connect() as connection:
        row: Any = connection.execute(READ_ROOM).fetchone()
    locks, connections, prepared = row
    return (
        f"Its {SETTING} is {locks}, which is room for {locks * (connections + prepared):,} locks of all "
        "sessions together, and little more.",
        locks,
    )


def _advise(server: Server, locks: int) -> str:
    if server.token:
        return (
            "A server with Postgres' default has room for a sixteenth of that. Let the migration commit in "
            "between: split the revision and set `transaction_per_migration=True`, or use `with "
            "op.get_context().autocommit_block():`."
        )
    more_room = _advise_more_room(server, locks)
    return f"{more_room} Where production's has a smaller one, the migration fails there, too."


def _advise_more_room(server: Server, locks: int) -> str:
    own = int(SHARED_SETTINGS[SETTING])
    if server.token:
        return "Give the gate a server with more room: `postgres: postgresql://…`."
    wanted = own if locks < own else 4 * locks
    servers = ", as the gate's own servers have it," if wanted == own else ""
    return f"Set `{SETTING} = {wanted}` in the server's postgresql.conf{servers} and restart it."


def _is_about_locks(error: Failure) -> bool:
    return error.sqlstate == OUT_OF_MEMORY and (SETTING in (error.hint or "") or MESSAGE in error.message)


def _list_errors(answer: AnswerReader) -> Iterator[Failure]:
    """Errors that the migrations caught, and the one that ended them; not those of the models."""
    for step in answer.steps():
        yield from (statement.error for statement in step.statements if statement.error is not None)
    failed = answer.failure()
    if failed is not None and failed.stage != "models":
        if failed.failure.first_error is not None:
            yield failed.failure.first_error
        yield failed.failure
