"""A lock was taken for nothing, or by hand.

A statement with IF NOT EXISTS takes its lock before it looks whether there is anything to do. LOCK TABLE
holds its lock until the transaction ends.

Instead, look first, in Python, and lock by hand only if the statements that follow must not be disturbed.
"""

from collections.abc import Iterator

from migration_gate.analysis import lock_messages
from migration_gate.analysis.lock_hygiene import LockingStatement, find_explicit_locks, find_needless_locks
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts

SEVERITY = Severity.NOTE
SUBJECT = Subject.OBSERVED
KINDS = ("no-change", "explicit")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one note for each statement."""
    for item in find_needless_locks(facts):
        yield _describe(facts, item, "by a statement that changed nothing", "no-change")
    for item in find_explicit_locks(facts):
        yield _describe(facts, item, "by hand, until the transaction ends", "explicit")


def _describe(facts: Facts, item: LockingStatement, words: str, kind: str) -> Finding:
    statement, lock = item.statement, item.locks[0]
    return Finding(
        object=lock.relation.table_name,
        message=f"`{lock.relation.table_name}` was locked {words}: {lock_messages.describe_waiting(lock)}",
        location=statement.location,
        revision=statement.revision,
        evidence=tuple(lock_messages.collect_evidence(facts.replay.observation, statement, item.locks)),
        kind=kind,
    )
