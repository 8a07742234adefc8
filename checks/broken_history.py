"""The chain of revisions is broken.

A parent is missing, two files have the same id, revisions form a circle or two unrelated
trees, or Alembic never runs a file. Which changes a database gets is then a matter of luck.

Instead, correct `down_revision` and `revision`, so that one chain leads from the first
revision to the last.
"""

from collections.abc import Iterator

from migration_gate.analysis import history_defects
from migration_gate.analysis.failure_causes import suggest_fix
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Failure, Location, Replay

SEVERITY = Severity.ERROR
SUBJECT = Subject.REVISION
DEFECTS = (
    history_defects.find_unreadable_files,
    history_defects.find_missing_parents,
    history_defects.find_duplicate_ids,
    history_defects.find_circles,
    history_defects.find_unloaded_files,
)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield every defect, and Alembic's own error only if none of them explains it."""
    history = facts.replay.history
    findings = [finding for find_defects in DEFECTS for finding in find_defects(history)]
    findings += history_defects.find_unrelated_trees(history, facts.replay.changed_files)
    yield from findings
    if history.error and not findings:
        yield _describe_error(history.error, facts.replay)


def _describe_error(error: Failure, replay: Replay) -> Finding:
    named = [file for file in replay.history.files if file.revision and f"'{file.revision}'" in error.message]
    location, revision = error.location, error.revision
    if location is None and len(named) == 1:  # an id that Alembic refuses
        location, revision = Location(named[0].path, named[0].line), named[0].revision
    return Finding(
        object="history",
        message=f"Alembic could not read the history: {error.message}",
        location=location,
        revision=revision,
        evidence=tuple(Evidence("frame", frame) for frame in error.traceback[-3:]),
        fix=suggest_fix(error, replay),
    )
