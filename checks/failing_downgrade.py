"""The downgrade of a revision fails.

A release that has to be taken back stays half way: the code is the old one, the database the new one,
and somebody writes SQL by hand under pressure. Some downgrades fail only if the tables have rows,
so the gate makes some first. An error that only unusual rows bring about (NULL, duplicates, the longest
text) says so: a warning, where both schemas allow such rows, and a note where only the newer one does. An
error of the project's own code over the content of such a row, or over a value that does not fit, is a note.

Instead, correct the statement, or say that the revision is one-way: `raise NotImplementedError(reason)`.
"""

from collections.abc import Iterator

from migration_gate.analysis.refusals import refuses_rows
from migration_gate.analysis.rehearsal_messages import (
    CERTAIN_KINDS,
    KINDS_BY_SQLSTATE,
    ROWS_IN_WORDS,
    has_failed_on_rows,
)
from migration_gate.analysis.rollback_messages import (
    collect_failure_evidence,
    find_downgrade_text,
    locate_downgrade,
    suggest_downgrade_fix,
)
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import DowngradeText, Facts, Failure, Replay, RevisionRollback

SEVERITY = Severity.ERROR
SUBJECT = Subject.ROLLED_BACK
KINDS = ("made-up-row", "unusual-row", "newer-row")
UNDEFINED_OBJECT = "42704"
"""Alembic gives an index that has no name one of its own"""
NO_NAME = "it has no name"
LOOK_AT_ROWS = "Look whether a row of yours could be like that: then let the code pass over it."
DECIDE_ON_ROWS = "It does so on purpose: decide before a rollback what becomes of such rows."
NEWER_ROWS = "made by the gate, as only the newer schema allows them; with others it succeeds"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the error of each downgrade, unless missing-downgrade or unnamed-constraint explains it."""
    replay = facts.replay
    for rollback in replay.rollbacks:
        if rollback.row_failure is not None and not has_failed_on_rows(replay, rollback.row_failure):
            yield _describe_row_failure(replay, rollback, rollback.row_failure)
        if rollback.newer_row_failure is not None:
            yield _describe_newer_row(replay, rollback, rollback.newer_row_failure)
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


def _describe_row_failure(replay: Replay, rollback: RevisionRollback, failure: Failure) -> Finding:
    """An error over rows that both schemas allow."""
    error = failure.first_error or failure
    function = failure.direction
    if error.sqlstate is None:
        is_refusal = refuses_rows(error)
        return Finding(
            object=rollback.revision,
            message=f"`{rollback.revision}`: the code of `{function}()` "
            f"{'refuses' if is_refusal else 'failed on'} a row that the gate made up, and "
            f"{_name_plainer_rows(rollback)} it ran: {error.message}",
            location=failure.location,
            revision=rollback.revision,
            evidence=tuple(collect_failure_evidence(failure)),
            fix=DECIDE_ON_ROWS if is_refusal else LOOK_AT_ROWS,
            kind="made-up-row",
            severity=Severity.NOTE,
        )
    # An upgrade may expect what the older release writes, and fails then for fails-on-rows, too.
    is_certain = (
        KINDS_BY_SQLSTATE.get(error.sqlstate) in CERTAIN_KINDS
        and rollback.failing_rows != "extreme"
        and function == "downgrade"
    )
    done = "downgraded" if function == "downgrade" else "upgraded again after its downgrade"
    return Finding(
        object=rollback.revision,
        message=f"`{rollback.revision}` could not be {done} with unusual rows in its tables, and with plain "
        f"ones it could: {error.message}",
        location=error.location or failure.location or locate_downgrade(replay, rollback.revision),
        revision=rollback.revision,
        evidence=tuple(collect_failure_evidence(failure, ROWS_IN_WORDS[rollback.failing_rows])),
        fix=suggest_downgrade_fix(failure) if function == "downgrade" else LOOK_AT_ROWS,
        kind="unusual-row",
        severity=Severity.WARNING if is_certain else Severity.NOTE,
    )


def _name_plainer_rows(rollback: RevisionRollback) -> str:
    return "on empty tables" if rollback.failing_rows == "plain" else "on plain rows"


def _describe_newer_row(replay: Replay, rollback: RevisionRollback, failure: Failure) -> Finding:
    """An error over rows that did not fit the schema before the revision."""
    error = failure.first_error or failure
    return Finding(
        object=rollback.revision,
        message=f"`{rollback.revision}` cannot be downgraded any more when rows use what its upgrade "
        f"allowed: {error.message}",
        location=error.location or failure.location or locate_downgrade(replay, rollback.revision),
        revision=rollback.revision,
        evidence=tuple(collect_failure_evidence(failure, NEWER_ROWS, rollback.newer_row)),
        fix=suggest_downgrade_fix(failure),
        kind="newer-row",
        severity=Severity.NOTE,
    )


def _is_about_name(failure: Failure, text: DowngradeText) -> bool:
    """Whether a drop without a name raised it; that of a batch is made at the end of its block."""
    if text.unnamed_drops and NO_NAME in failure.message:
        return True
    line = failure.location.line if failure.location is not None else None
    return failure.sqlstate in (None, UNDEFINED_OBJECT) and any(
        line is not None and drop.line <= line <= drop.last_line for drop in text.unnamed_drops
    )
