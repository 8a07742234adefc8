"""A downgrade does not undo what the upgrade did.

The database was compared before the upgrade and after the downgrade, with rows in its tables: something
was left behind, was not brought back, or is other than it was. An enum type that `drop_table` leaves is
the usual case, and lets the next upgrade fail: `type already exists`.

Instead, undo in `downgrade()` each thing that `upgrade()` does, in the opposite order.
"""

from collections.abc import Iterator

from migration_gate.analysis.reupgrade_causes import find_reupgrade_cause
from migration_gate.analysis.rollback_messages import (
    collect_failure_evidence,
    describe_leftover,
    find_downgrade_text,
    find_leftover_kind,
    list_sides,
    locate_downgrade,
    suggest_leftover_fix,
)
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Failure, Replay, RevisionRollback

SEVERITY = Severity.ERROR
SUBJECT = Subject.ROLLED_BACK
KINDS = ("left-behind", "lost", "altered")
HARMLESS_LEFT_BEHIND = ("extension",)
"""the next upgrade finds it, and nothing of the older code minds it"""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield each object that differs, unless the downgrade is empty: then missing-downgrade says so."""
    for rollback in facts.replay.rollbacks:
        if not find_downgrade_text(facts.replay, rollback.revision).is_empty:
            yield from _describe_objects(facts.replay, rollback)


def _describe_objects(replay: Replay, rollback: RevisionRollback) -> Iterator[Finding]:
    cause = find_reupgrade_cause(rollback)
    for difference in rollback.leftovers:
        failure = rollback.reupgrade_failure if difference is cause else None
        is_harmless = (
            failure is None and difference.expected is None and difference.noun in HARMLESS_LEFT_BEHIND
        )
        message = f"`{rollback.revision}`: the downgrade {describe_leftover(difference)}"
        yield Finding(
            object=f"{rollback.revision} {difference.object}",
            message=message if failure is None else f"{message}{_describe_consequence(failure)}",
            location=locate_downgrade(replay, rollback.revision),
            revision=rollback.revision,
            evidence=(
                *list_sides(difference, "before upgrade", "after downgrade"),
                *_list_failure_evidence(failure),
            ),
            fix=suggest_leftover_fix(difference, rollback.leftovers),
            kind=find_leftover_kind(difference),
            severity=Severity.WARNING if is_harmless else None,
        )


def _describe_consequence(failure: Failure) -> str:
    """A second fact behind the message: that the revision cannot be applied again."""
    error = failure.first_error or failure
    return f", and the next upgrade fails: {error.message}"


def _list_failure_evidence(failure: Failure | None) -> Iterator[Evidence]:
    """What ended the second upgrade, and where."""
    if failure is not None:
        place = (failure.first_error or failure).location or failure.location
        if place is not None:
            yield Evidence("next upgrade", str(place))
        yield from collect_failure_evidence(failure)
