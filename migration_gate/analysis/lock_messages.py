"""Locks and the work under them, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migration_gate.check import Evidence
from migration_gate.facts import HeldLock, Observation, ObservedStatement, RowWork, WorkKind
from migration_gate.wording import join_lines

SHOWN_SQL = 400
SHOWN_LOCKS = 6
_WORK_WORDS = {
    WorkKind.REWRITE: "writes every row of `{relation}` anew, and builds its indexes",
    WorkKind.VERIFICATION: "reads every row of `{relation}`",
    WorkKind.FOREIGN_KEY: "looks up every row of `{relation}` for the foreign key `{detail}`",
    WorkKind.INDEX_BUILD: "builds the index `{detail}` from every row of `{relation}`",
    WorkKind.INDEX_REBUILD: "builds the index `{detail}` of `{relation}` anew",
    WorkKind.ROWS: "goes through the rows of `{relation}`",
}


def describe_waiting(lock: HeldLock) -> str:
    """Who waits for a lock."""
    if lock.blocks_reads:
        return "reads and writes wait"
    return "writes wait" if lock.blocks_writes else "nothing waits"


def describe_work(work: RowWork) -> str:
    """What a statement does with rows, as the rest of a sentence."""
    return _WORK_WORDS[work.kind].format(relation=work.relation, detail=work.detail)


def describe_statement(statement: ObservedStatement) -> str:
    """The statement on one line."""
    text = join_lines(statement.sql) or statement.tag
    return text if len(text) <= SHOWN_SQL else f"{text[:SHOWN_SQL]} …"


def collect_evidence(
    observation: Observation, statement: ObservedStatement, locks: Iterable[HeldLock]
) -> Iterator[Evidence]:
    """The statement, its work, and who waits for whom."""
    yield Evidence("statement", describe_statement(statement))
    if statement.client_sql and statement.client_sql != statement.sql:
        yield Evidence("inside of", join_lines(statement.client_sql)[:SHOWN_SQL])
    for work in statement.works[:SHOWN_LOCKS]:
        yield Evidence("work", f"it {describe_work(work)}")
    for lock in list(locks)[:SHOWN_LOCKS]:
        text = f"{lock.mode} on `{lock.relation}`: {describe_waiting(lock)}"
        yield Evidence("lock", text + _describe_start(observation, statement, lock))


def _describe_start(observation: Observation, statement: ObservedStatement, lock: HeldLock) -> str:
    """Since when a lock is held, if that was before the statement."""
    if lock.since == statement.number:
        return ""
    earlier = observation.find_statement(lock.since)
    if earlier is None:
        return ""
    return f", since {earlier.location or earlier.revision}: {describe_statement(earlier)}"
