"""A revision cannot be applied again after its downgrade.

After a rollback the release comes a second time, corrected; then its upgrade fails, or leads to another
schema than the first time. What the downgrade left behind is the usual reason.

Instead, have `downgrade()` undo all that `upgrade()` does, so that the second run finds what the first
one found.
"""

import re
from collections.abc import Iterator

from migration_gate.analysis.rehearsal_messages import blame_rows, has_failed_on_rows, suggest_failure_fix
from migration_gate.analysis.reupgrade_causes import find_reupgrade_cause
from migration_gate.analysis.rollback_messages import (
    collect_failure_evidence,
    find_downgrade_text,
    list_sides,
    locate_downgrade,
)
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts, Failure, Replay, RevisionRollback
from migration_gate.wording import join_lines

SEVERITY = Severity.ERROR
SUBJECT = Subject.ROLLED_BACK
KINDS = ("failed", "different")
ADD_IF_NOT_EXISTS = "Write `ADD VALUE IF NOT EXISTS`: Postgres cannot remove a label, so it is there already."
INSERTION = re.compile(r'\s*INSERT\s+INTO\s+(?:"?\w+"?\s*\.\s*)?"?(?P<table>\w+)', re.IGNORECASE)
WORD = re.compile(r"\w+")
UNDO_FIRST = "Have `downgrade()` undo what the upgrade made; then the upgrade runs as it did the first time."


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the error of each second upgrade, and each object that it left otherwise than the first.

    Not an error over an object that the downgrade left behind or lost: incomplete-downgrade says both.
    """
    replay = facts.replay
    for rollback in replay.rollbacks:
        if _is_explained(replay, rollback):
            continue
        if rollback.reupgrade_failure is not None and find_reupgrade_cause(rollback) is None:
            yield _describe_failure(replay, rollback, rollback.reupgrade_failure)
        yield from _describe_differences(replay, rollback)


def _is_explained(replay: Replay, rollback: RevisionRollback) -> bool:
    """Whether missing-downgrade says all of it already, or fails-on-rows: the first upgrade fails, too."""
    if rollback.reupgrade_failure is not None and has_failed_on_rows(replay, rollback.reupgrade_failure):
        return True
    is_empty = find_downgrade_text(replay, rollback.revision).is_empty
    return is_empty and rollback.has_changed_catalog and not rollback.may_stay


def _has_left_rows(replay: Replay, revision: str, error: Failure) -> bool:
    """Whether the rows over which it failed may be those that its first upgrade made itself."""
    names = set(WORD.findall((error.statement or "").lower()))
    return any(
        (match := INSERTION.match(statement.sql)) is not None and match["table"].lower() in names
        for step in replay.steps
        if step.revision == revision
        for statement in step.list_run()
    )


def _describe_failure(replay: Replay, rollback: RevisionRollback, failure: Failure) -> Finding:
    error = failure.first_error or failure
    is_label = error.sqlstate == "42710" and error.message.startswith("enum label")
    over_rows = blame_rows(failure)
    if over_rows is not None and not _has_left_rows(replay, rollback.revision, error):
        fix = f"Its tables hold rows then, as in production. {suggest_failure_fix(replay, over_rows)}"
    else:
        fix = ADD_IF_NOT_EXISTS if is_label else UNDO_FIRST
    return Finding(
        object=rollback.revision,
        message=f"`{rollback.revision}` could not be upgraded again after its downgrade: {error.message}",
        location=error.location or failure.location or locate_downgrade(replay, rollback.revision),
        revision=rollback.revision,
        evidence=tuple(collect_failure_evidence(failure)),
        fix=fix,
        kind="failed",
        severity=Severity.NOTE if is_label else None,
    )


def _describe_differences(replay: Replay, rollback: RevisionRollback) -> Iterator[Finding]:
    left = {(difference.noun, difference.object) for difference in rollback.leftovers}
    for difference in rollback.reupgrade_differences:
        if (difference.noun, difference.object) in left:
            continue  # incomplete-downgrade
        yield Finding(
            object=f"{rollback.revision} {difference.object}",
            message=f"`{rollback.revision}`: the upgrade after its downgrade made the "
            f"{difference.noun} `{join_lines(difference.object)}` other than the first one did",
            location=locate_downgrade(replay, rollback.revision),
            revision=rollback.revision,
            evidence=list_sides(difference, "first upgrade", "second upgrade"),
            fix=UNDO_FIRST,
            kind="different",
        )
