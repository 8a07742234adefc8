"""The migrations do not run on an empty database.

Nobody can build this schema from its history any more: no new developer, no test, no new
region. The production database is then the only copy of what it should look like.

Instead, fix the revision that fails; where it has run in production already, make it reach the
same result from an empty database.
"""

from collections.abc import Iterator

from migration_gate.analysis.failure_causes import find_failure_location, suggest_fix
from migration_gate.analysis.failure_target import advise_on_target
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Failure, Location, Replay
from migration_gate.wording import count_noun

SEVERITY = Severity.ERROR
SUBJECT = Subject.RUN_REVISION
SHOWN_FRAMES = 4


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the error that ended the replay, or the earlier one that it only follows from."""
    replay = facts.replay
    last_error = replay.failure
    # A history that cannot be read is reported by broken-history.
    if last_error is None or (replay.history.error is not None and last_error.revision is None):
        return
    error = last_error.first_error or last_error
    name = last_error.revision or error.revision
    locations = _locate_failure(error, last_error, replay)
    yield Finding(
        object=name or "env.py",
        message=f"`{name or 'env.py'}` failed: {error.message}",
        location=next(iter(locations), None),
        revision=name,
        evidence=tuple(_collect_evidence(error, last_error, replay)),
        fix=suggest_fix(error, replay) + advise_on_target(replay, name),
        other_locations=locations[1:],
    )


def _locate_failure(error: Failure, last_error: Failure, replay: Replay) -> tuple[Location, ...]:
    """The statement that failed, the line that ran, and the revision, as far as they are known."""
    revision = replay.history.find_revision(last_error.revision or error.revision)
    locations = (
        find_failure_location(error, replay),
        error.location,
        last_error.location,
        revision.location if revision else None,
    )
    return tuple(dict.fromkeys(location for location in locations if location is not None))


def _collect_evidence(error: Failure, last_error: Failure, replay: Replay) -> Iterator[Evidence]:
    sqlstate = f"(SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    texts = {
        "statement": error.statement,
        "error": f"{error.exception_class} {sqlstate}".strip(),
        "detail": error.detail,
        "hint": error.hint,
        "seen as": last_error.message if last_error is not error else None,
        "progress": _describe_progress(replay),
    }
    for label, text in texts.items():
        if text:
            yield Evidence(label, text)
    if not error.statement:
        for frame in error.traceback[-SHOWN_FRAMES:]:
            yield Evidence("frame", frame)


def _describe_progress(replay: Replay) -> str:
    failed = replay.failure.revision if replay.failure else None
    finished = [step.revision for step in replay.steps if step.revision != failed]
    if not finished:
        return "it was the first"
    return f"{count_noun(len(finished), 'revision')} ran before it, the last was `{finished[-1]}`"
