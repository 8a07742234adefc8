"""A revision drops a table or a column with the values in it.

It ran from the base with about twenty rows in each table, and the values are nowhere else afterwards. No
downgrade brings them back, and the release that is live until the deployment has ended may use them.

Instead, stop using it in one release and drop it in a later one; and declare with an allowance in the
revision that what it holds may go.
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
KINDS = ("table", "column")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each table and column that went with its values."""
    for rehearsed, change in facts.replay.rehearsal.list_changes():
        if change.kind in ("dropped table", "dropped column"):
            kind = change.kind.removeprefix("dropped ")
            yield Finding(
                object=str(change),
                message=f"`{change}`: `{rehearsed.revision}` drops the {kind} with the values of "
                f"{count_rows(change)}",
                location=locate_change(facts.replay, rehearsed.revision, change.line),
                revision=rehearsed.revision,
                evidence=tuple(collect_change_evidence(change)),
                fix=declare("destructive"),
                kind=kind,
            )
