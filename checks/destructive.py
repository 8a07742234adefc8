"""A revision drops a table or a column with the values in it.

It ran from the base with about twenty rows in each table, and the values are nowhere else afterwards. No
downgrade brings them back, and the release that is live until the deployment has ended may use them. What is
dropped where no rows could be had is told as well.

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
from migration_gate.analysis.unseen_drops import UnseenDrop, find_unseen_drops
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts, Table

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
    yield from map(_describe_unseen, find_unseen_drops(facts))


def _describe_unseen(drop: UnseenDrop) -> Finding:
    kind = "table" if isinstance(drop.item, Table) else "column"
    return Finding(
        object=str(drop.item),
        message=f"`{drop.item}`: `{drop.origin.revision}` drops the {kind}; which values go with it was not "
        "seen, as its table had no rows, or none with values, then",
        location=drop.origin.location,
        revision=drop.origin.revision,
        fix=declare("destructive"),
        kind=kind,
    )
