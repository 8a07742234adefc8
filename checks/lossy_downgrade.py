"""A downgrade removes columns or tables with the values in them.

That is in the nature of most downgrades, and no fault: what was written since the release goes with a
column that the release added. Whoever rolls back has to know which values cannot come back.

Instead, copy the values elsewhere before a rollback, if they are needed.
"""

from collections.abc import Iterator

from migration_gate.analysis.rollback_messages import locate_downgrade
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts
from migration_gate.wording import join_words

SEVERITY = Severity.NOTE
SUBJECT = Subject.ROLLED_BACK


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one note for each revision, with the columns and tables whose values were gone."""
    for rollback in facts.replay.rollbacks:
        if rollback.lost_values:
            yield Finding(
                object=rollback.revision,
                message=f"`{rollback.revision}`: a rollback loses the values of "
                f"{join_words(rollback.lost_values)}, which do not come back with the next upgrade",
                location=locate_downgrade(facts.replay, rollback.revision),
                revision=rollback.revision,
            )
