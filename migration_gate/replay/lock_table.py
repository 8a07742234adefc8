"""A migration that needs more locks than its server has room for: that is about the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from migration_gate.errors import DatabaseRefused
from migration_gate.facts import Failure
from migration_gate.postgres.server import Server
from migration_gate.postgres.server_settings import SHARED_SETTINGS
from migration_gate.replay.worker_answer import AnswerReader

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
    failed_parts = [item.object for item in answer.unchecked() if MESSAGE in item.why]
    if error is None and not failed_parts:
        return
    with server.connect() as connection:
        row: Any = connection.execute(READ_ROOM).fetchone()
    locks, connections, prepared = row
    what = f"the migrations{f' (revision {error.revision})' if error is not None and error.revision else ''}"
    raise DatabaseRefused(
        f"The server has no room for another lock: {what} hold all that they take until their transaction "
        f"ends. Its {SETTING} is {locks}, which is room for {locks * (connections + prepared):,} locks of "
        "all sessions together, and little more.",
        advice=_advise(server, locks),
        where=str(error.location or "") if error is not None else "",
        evidence="\n".join(filter(None, (error.statement, error.hint))) if error is not None else "",
    )


def _advise(server: Server, locks: int) -> str:
    own = int(SHARED_SETTINGS[SETTING])
    if server.token:
        return (
            "A server with Postgres' default has room for a sixteenth of that. Let the migration commit in "
            "between: split the revision and set `transaction_per_migration=True`, or use `with "
            "op.get_context().autocommit_block():`."
        )
    wanted = own if locks < own else 4 * locks
    servers = ", as the gate's own servers have it," if wanted == own else ""
    return (
        f"Set `{SETTING} = {wanted}` in the server's postgresql.conf{servers} and restart it. Where "
        "production's has a smaller one, the migration fails there, too."
    )


def _is_about_locks(error: Failure) -> bool:
    return error.sqlstate == OUT_OF_MEMORY and (SETTING in (error.hint or "") or MESSAGE in error.message)


def _list_errors(answer: AnswerReader) -> Iterator[Failure]:
    """Errors that the migrations caught, and the one that ended them."""
    for step in answer.steps():
        yield from (statement.error for statement in step.statements if statement.error is not None)
    failed = answer.failure()
    if failed is not None:
        if failed.failure.first_error is not None:
            yield failed.failure.first_error
        yield failed.failure
