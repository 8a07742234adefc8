"""A revision fails where its tables have rows.

It ran on empty tables, and failed when it ran from the base with about twenty rows in each: NOT NULL without
a value for the rows that are there, a rule that rows break, a cast that a value refuses. Production has
rows, and the deployment ends with this error. A CHECK, cast or trigger that refuses only the content of
made-up rows is a warning, and code that fails over such content a note: production may have no such row.

Instead, correct the rows before the rule is made, in the same revision.
"""

from collections.abc import Iterator

from migration_gate.analysis.rehearsal_messages import (
    FAILURE_KINDS,
    collect_failure_evidence,
    judge_failure,
    suggest_failure_fix,
)
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts
from migration_gate.wording import join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.REHEARSED
KINDS = FAILURE_KINDS


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each revision that failed with rows, and ran without them."""
    for rehearsed in facts.replay.rehearsal.revisions:
        failure = rehearsed.failure
        if failure is None:
            continue
        judged = judge_failure(failure)
        error = failure.failure.first_error or failure.failure
        tables = join_words(failure.tables) if failure.tables else "the tables"
        yield Finding(
            object=rehearsed.revision,
            message=f"`{rehearsed.revision}` fails where {tables} "
            f"{'have' if len(failure.tables) != 1 else 'has'} rows: {error.message}",
            location=error.location or failure.failure.location,
            revision=rehearsed.revision,
            evidence=tuple(collect_failure_evidence(failure)),
            fix=suggest_failure_fix(facts.replay, failure),
            kind=judged.kind,
            severity=judged.severity,
        )
