"""Rows were gone when a revision had run.

It ran from the base with about twenty rows in each table, and some of them are in no table any more:
a DELETE, a TRUNCATE, or a cascade of one. What production loses so is in a backup at best.

Instead, keep the rows, or declare with an allowance in the revision that they are meant to go.
"""

from collections.abc import Iterator

from migration_gate.analysis.rehearsal_messages import (
    collect_change_evidence,
    count_rows,
    declare,
    locate_change,
)
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts

SEVERITY = Severity.ERROR
SUBJECT = Subject.REHEARSED


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each table that lost rows in a revision, and each statement that did it."""
    for rehearsed, change in facts.replay.rehearsal.list_changes():
        if change.kind == "lost rows":
            verb = "was" if change.count == 1 else "were"
            yield Finding(
                object=str(change),
                message=f"`{change}`: {count_rows(change)} {verb} gone after `{rehearsed.revision}`",
                location=locate_change(facts.replay, rehearsed.revision, change.line),
                revision=rehearsed.revision,
                evidence=tuple(collect_change_evidence(change)),
                fix=declare("lost-rows"),
            )
