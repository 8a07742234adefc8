"""Values that were there before a revision could not be told apart, or were gone, after it.

It ran from the base with about twenty rows in each table. In a column that was there before and after,
different values became the same (a cast or an UPDATE that cuts or overwrites), or became NULL; or rows were
repeated, by an INSERT from the same table or a join. Values that were only written in another way, and can
still be told apart, are a note.

Instead, convert each value so that nothing of it is lost, keep the old ones in a column of their own, or
declare with an allowance in the revision that it is meant.
"""

from collections.abc import Iterator, Mapping

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
KINDS = ("merged", "emptied", "changed", "repeated")
WORDS: Mapping[str, tuple[str, str]] = {
    "merged values": ("merged", "different values became the same in"),
    "emptied values": ("emptied", "values became NULL in"),
    "other values": ("changed", "values are others in"),
    "repeated rows": ("repeated", "more rows of the same values came beside"),
}
"""the kind, and what happened, by the kind of change"""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each column whose values a revision altered."""
    for rehearsed, change in facts.replay.rehearsal.list_changes():
        if change.kind not in WORDS:
            continue
        kind, words = WORDS[change.kind]
        is_lost = kind != "changed"
        yield Finding(
            object=str(change),
            message=f"`{change}`: {words} {count_rows(change)} after `{rehearsed.revision}`",
            location=locate_change(facts.replay, rehearsed.revision, change.line),
            revision=rehearsed.revision,
            evidence=tuple(collect_change_evidence(change)),
            fix=declare("lost-values") if is_lost else "",
            kind=kind,
            severity=None if is_lost else Severity.NOTE,
        )
