"""The chain of revisions is broken.

A parent is nowhere, one id stands in two files, revisions form a circle or two unrelated
trees, or a file is there that Alembic never runs. What a database gets then depends on luck.

Instead, correct `down_revision` and `revision`, so that one chain leads from the first
revision to the last.
"""

from collections.abc import Iterator

from migration_gate.analysis import broken_history
from migration_gate.analysis.failure_causes import advice
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts

SEVERITY = Severity.ERROR
LOOKS = (
    broken_history.unreadable,
    broken_history.missing,
    broken_history.duplicates,
    broken_history.circle,
    broken_history.unrelated,
    broken_history.unseen,
)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield every break, and Alembic's own words only where none of them explains it."""
    history = facts.replay.history
    found = [finding for look in LOOKS for finding in look(history)]
    yield from found
    if (error := history.error) and not found:
        says = f"Alembic could not read the history: {error.message}"
        evidence = tuple(Evidence("frame", frame) for frame in error.traceback[-3:])
        yield Finding("history", says, error.location, error.revision, evidence, advice(error, facts.replay))
