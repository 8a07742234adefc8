"""The id of a revision was given to another one.

A database that has run the first never runs the second: Alembic knows revisions by their id alone, and
reports that the database is up to date.

Instead, give the new revision an id of its own (`alembic revision` makes one), and restore the old one.
"""

from collections.abc import Iterator

from migration_gate.analysis.history_change import (
    HistoryChange,
    KeptRevision,
    compare_histories,
    name_revision,
    write_restoring_command,
)
from migration_gate.analysis.reused_ids import list_reused
from migration_gate.analysis.stale_parents import list_ids_of_both
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Lineage, Revision, RevisionFile
from migration_gate.wording import code_block

SEVERITY = Severity.ERROR
SUBJECT = Subject.REVISION


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the ids that stand for something else at the base, or at the tip of its branch."""
    change = compare_histories(facts)
    if change is None or facts.replay.history.error is not None:
        return
    for pair in list_reused(change):
        yield _describe_reuse(change, pair)
    for revision, file in list_ids_of_both(change).items():
        yield _describe_twice_given(change, revision, file)


def _describe_reuse(change: HistoryChange, pair: KeptRevision) -> Finding:
    restore = code_block(write_restoring_command(change.base, pair.before))
    return Finding(
        object=pair.now.id,
        message=f"`{pair.now.id}` is another revision at the base: a database that has run it never runs "
        "this one",
        location=pair.now.location,
        revision=pair.now.id,
        evidence=(
            Evidence("base", name_revision(pair.before)),
            Evidence("now", name_revision(pair.now)),
        ),
        fix=f"Give the new revision an id of its own, and restore the old one:{restore}",
        severity=Severity.WARNING if change.base.lineage is Lineage.SAME_BRANCH else None,
    )


def _describe_twice_given(change: HistoryChange, revision: Revision, file: RevisionFile) -> Finding:
    name = change.base.tip.name if change.base.tip is not None else ""
    return Finding(
        object=revision.id,
        message=f"`{revision.id}` is also the id of a revision that {name} has got since: after the merge "
        "two files have it",
        location=revision.location,
        revision=revision.id,
        evidence=(Evidence("now", name_revision(revision)), Evidence(name, file.path)),
        fix="Give the new revision an id of its own.",
    )
