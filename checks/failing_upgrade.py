"""The migrations do not run on an empty database.

Nobody can build this schema from its history any more: no new developer, no test, no new
region. The production database is then the only copy of what it should look like.

Instead, mend the revision that fails; where it ran in production already, make it do the same
from an empty start.
"""

from collections.abc import Iterator

from migration_gate.analysis.failure_causes import advice, steps_before
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts, Failure

SEVERITY = Severity.ERROR


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the first error of the replay, which may hide behind the one that ended it."""
    replay = facts.replay
    last = replay.failure
    # A history that cannot be read is broken-history's to explain.
    if last is None or (replay.history.error is not None and last.revision is None):
        return
    first = last.first_error or last
    name = last.revision or first.revision
    revision = replay.history.find_revision(name)
    yield Finding(
        object=name or "env.py",
        message=f"`{name}` failed: {first.message}" if name else f"`env.py` failed: {first.message}",
        location=first.location or last.location or (revision.location if revision else None),
        revision=name,
        evidence=tuple(_evidence(first, last, steps_before(replay))),
        fix=advice(first, replay),
    )


def _evidence(first: Failure, last: Failure, progress: str) -> Iterator[Evidence]:
    fields = {
        "statement": first.statement,
        "error": " ".join(
            filter(None, (first.exception_class, first.sqlstate and f"(SQLSTATE {first.sqlstate})"))
        ),
        "detail": first.detail,
        "hint": first.hint,
        "seen as": last.message if last is not first else None,
        "progress": progress,
    }
    yield from (Evidence(label, text) for label, text in fields.items() if text)
    if not first.statement:
        yield from (Evidence("frame", frame) for frame in first.traceback[-4:])
