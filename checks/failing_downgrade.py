"""The downgrade of a revision fails.

A release that has to be taken back stays half way: the code is the old one, the database the new one,
and somebody writes SQL by hand under pressure. Some downgrades fail only if the tables have rows,
so the gate makes some first. An error of the project's own code that comes from the content of
such a row, which may be none that the application writes, is a note.

Instead, correct the statement, or say that the revision is one-way: `raise NotImplementedError(reason)`.
"""

from collections.abc import Iterator

from migration_gate.analysis.rollback_messages import (
    collect_failure_evidence,
    find_downgrade_text,
    locate_downgrade,
    suggest_downgrade_fix,
)
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import DowngradeText, Facts, Failure

SEVERITY = Severity.ERROR
SUBJECT = Subject.ROLLED_BACK
KINDS = ("made-up-row",)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the error of each downgrade, unless missing-downgrade or unnamed-constraint explains it."""
    replay = facts.replay
    for rollback in replay.rollbacks:
        if rollback.row_failure is not None:
            yield _describe_row_failure(rollback.revision, rollback.row_failure)
        failure = rollback.failure
        if failure is None:
            continue
        text = find_downgrade_text(replay, rollback.revision)
        if text.is_empty or _is_about_name(failure, text):
            continue
        error = failure.first_error or failure
        yield Finding(
            object=rollback.revision,
            message=f"`{rollback.revision}` could not be downgraded: {error.message}",
            location=error.location or failure.location or locate_downgrade(replay, rollback.revision),
            revision=rollback.revision,
            evidence=tuple(collect_failure_evidence(failure)),
            fix=suggest_downgrade_fix(failure),
        )


def _describe_row_failure(revision: str, failure: Failure) -> Finding:
    function = failure.direction
    return Finding(
        object=revision,
        message=f"`{revision}`: the code of `{function}()` failed on a row that the gate made up, and on "
        f"empty tables it ran: {failure.message}",
        location=failure.location,
        revision=revision,
        evidence=tuple(collect_failure_evidence(failure)),
        fix="Look whether a row of yours could be like that: then let the code pass over it.",
        kind="made-up-row",
        severity=Severity.NOTE,
    )


def _is_about_name(failure: Failure, text: DowngradeText) -> bool:
    """Whether a drop without a name raised it."""
    line = failure.location.line if failure.location is not None else None
    return failure.sqlstate is None and any(
        line is not None and drop.line <= line <= drop.last_line for drop in text.unnamed_drops
    )
