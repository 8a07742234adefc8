"""A statement goes through rows, or sleeps, while a lock of an earlier statement is held.

A lock ends with its transaction. What takes a moment by itself blocks others for as long as the slow
statement after it, on the same table or on another one. By default Alembic runs all pending revisions
in one transaction, so a revision of its own does not help. Where `tables` or `sizes` say that all tables
of the statement are small, it is a warning. A loop in Python that changes rows is seen in the rehearsal, as
there are no rows where locks are observed.

Instead, let the lock go first: in an `autocommit_block()`, or with `transaction_per_migration=True`. A
`pg_sleep()` under a lock makes others wait for nothing: take it out.
"""

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis import lock_messages
from migration_gate.analysis.alike_findings import fold_repeated
from migration_gate.analysis.blocking_works import WorkUnderLock, find_works_under_lock
from migration_gate.analysis.locked_sleeps import find_sleeps
from migration_gate.analysis.safe_ways import describe_release
from migration_gate.analysis.sized_facts import SizedFacts
from migration_gate.analysis.work_extent import weigh_work_under_lock
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts
from migration_gate.wording import join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.OBSERVED
KINDS = ("backfill", "scan", "loop", "sleep")
LOOP_FIX = (
    "Let the lock go before the loop: run it in `with op.get_context().autocommit_block():`, which commits "
    "what was done before it, and each of its statements; or in a revision of its own, if `env.py` gives "
    "each revision a transaction (`transaction_per_migration=True`)."
)
SLEEP_FIX = (
    "Take the sleep out of the transaction that holds the lock: nobody gains by it, and everybody who waits "
    "for the lock waits longer. A pause between batches belongs after the COMMIT of each batch, where "
    "nothing is locked."
)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each statement; many alike as one."""
    sized = SizedFacts(facts)
    pairs = (
        (item, weigh_work_under_lock(sized, _describe_work(facts, item), item, SEVERITY))
        for item in find_works_under_lock(facts)
    )
    for item, finding in fold_repeated(pairs):
        yield replace(finding, fix=LOOP_FIX if item.is_loop else describe_release(item))
    for _, finding in fold_repeated((item, _describe_sleep(facts, item)) for item in find_sleeps(facts)):
        yield finding


def _describe_work(facts: Facts, item: WorkUnderLock) -> Finding:
    who = "a loop" if item.is_loop else "this one"
    work = f"since an earlier statement while {who} {lock_messages.describe_work(item.works[0])}"
    return _describe(facts, item, work)


def _describe_sleep(facts: Facts, item: WorkUnderLock) -> Finding:
    return replace(_describe(facts, item, "while the session sleeps (`pg_sleep`)"), fix=SLEEP_FIX)


def _describe(facts: Facts, item: WorkUnderLock, words: str) -> Finding:
    tables = list(dict.fromkeys(lock.relation.table_name for lock in item.locks))
    verb = "is" if len(tables) == 1 else "are"
    return Finding(
        object=item.locks[0].relation.table_name,
        message=f"{join_words(tables)} {verb} locked {words}: "
        f"{lock_messages.describe_waiting(item.locks[0])}",
        location=item.statement.location,
        revision=item.statement.revision,
        evidence=tuple(lock_messages.collect_evidence(facts.replay.observation, item.statement, item.locks)),
        kind=item.kind,
    )
