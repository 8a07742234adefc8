"""Rows are not what they were when a revision was downgraded and upgraded again.

There were rows when the downgrade ran. Some are gone whose table stayed, or hold another value in a column
that stayed: by the downgrade, or by the upgrade, which changed twice what it should change once. Where only
unusual values (NULL, the longest text, the largest number) of a column that the upgrade converts did not come
back, that is a note: the newer release may never write them. What a
downgrade removes with a column or a table cannot come back by nature, and is a note of `lossy-downgrade`.

Instead, change in `downgrade()` only the rows that `upgrade()` has changed, and change them back.
"""

from collections.abc import Iterator

from migration_gate.analysis.rollback_messages import locate_downgrade
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import AlteredRows, Facts, Replay

SEVERITY = Severity.ERROR
SUBJECT = Subject.ROLLED_BACK
FREE_FORMATS = ("json", "jsonb", "xml", "bytea")
"""types of columns whose values have a format that only the project's code knows"""
UNDO_ROWS = "Change in `downgrade()` only the rows that `upgrade()` has changed, and change them back."
MARK_ROWS = (
    "The downgrade left the rows as they were, and the second upgrade changed them again: have `downgrade()` "
    "change them back, or `upgrade()` change only rows that it has not changed yet."
)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each table that lost rows, and for each column with other values."""
    for rollback in facts.replay.rollbacks:
        for altered in rollback.altered_rows:
            only = ", and plain values came back"
            when = "after its downgrade and the upgrade that followed"
            yield Finding(
                object=f"{rollback.revision} {altered.object}",
                message=f"`{rollback.revision}`: {when}, {altered.text}{only if altered.is_unusual else ''}",
                location=locate_downgrade(facts.replay, rollback.revision),
                revision=rollback.revision,
                fix=UNDO_ROWS if altered.by_downgrade else MARK_ROWS,
                severity=_choose_severity(facts.replay, altered),
            )


def _choose_severity(replay: Replay, altered: AlteredRows) -> Severity | None:
    """What only the upgrade changed again weighs less; unusual values, and documents, the least.

    The proof's own documents are not in the project's format, so a revision that converts them makes
    something else.
    """
    columns = (column for column in replay.catalog.columns if str(column) == altered.object)
    if altered.is_unusual or any(column.type in FREE_FORMATS for column in columns):
        return Severity.NOTE
    return None if altered.by_downgrade else Severity.WARNING
