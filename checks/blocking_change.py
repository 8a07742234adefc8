"""A statement goes through all rows of a table while others wait for it.

An empty database shows no difference: with rows it lasts seconds, minutes or hours. All that time the
application cannot write to the table, or not even read it, and every request that tries to waits, too.
Where `tables` or `sizes` say that all tables of the statement are small, it is a warning.

Instead, do the same in steps that hold such a lock for moments only: each finding has them.
"""

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis import blocking_works, lock_messages
from migration_gate.analysis.alike_findings import fold_repeated
from migration_gate.analysis.blocking_works import find_blocking_works
from migration_gate.analysis.partition_works import FamilyWorks, group_by_parent
from migration_gate.analysis.safe_ways import describe_safe_way
from migration_gate.analysis.sized_facts import SizedFacts
from migration_gate.analysis.work_extent import weigh_blocking_work
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts

SEVERITY = Severity.ERROR
SUBJECT = Subject.OBSERVED
KINDS = blocking_works.KINDS


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each kind of work that a statement does under its own lock; many alike as one."""
    sized = SizedFacts(facts)
    pairs = (
        (works, weigh_blocking_work(sized, _describe(facts, works), works.items, SEVERITY))
        for works in group_by_parent(sized, find_blocking_works(facts))
    )
    for works, finding in fold_repeated(pairs):
        yield replace(finding, fix=describe_safe_way(sized, works.items[0]))


def _describe(facts: Facts, works: FamilyWorks) -> Finding:
    item = works.items[0]
    return Finding(
        object=works.table,
        message=f"`{works.table}`: {lock_messages.describe_waiting(item.lock)} while the statement "
        f"{lock_messages.describe_work(item.work)}{works.describe_rest()} ({item.lock.mode})",
        location=item.statement.location,
        revision=item.statement.revision,
        evidence=tuple(
            lock_messages.collect_evidence(
                facts.replay.observation, item.statement, [item.lock for item in works.items]
            )
        ),
        kind=item.kind,
    )
