"""A revision claimed success, and did not do what it says.

It swallowed an error, found another object under the name it wanted to create, or ended
Alembic's transaction itself. The version table says "done", and nobody looks again.

Instead, let errors raise, create without IF NOT EXISTS, and leave COMMIT to Alembic
(`autocommit_block()` where a statement needs it).
"""

from collections.abc import Iterator

from migration_gate.analysis import swallowed_errors
from migration_gate.check import Finding, Severity
from migration_gate.facts import Facts

SEVERITY = Severity.ERROR
KINDS = ("swallowed-error", "hidden-conflict", "raw-commit")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what each step that Alembic took for a success kept to itself."""
    replay = facts.replay
    failed = replay.failure.revision if replay.failure else None
    for step in replay.steps:
        if step.revision != failed:
            yield from swallowed_errors.swallowed(replay, step)
            yield from swallowed_errors.ended(replay, step)
            yield from swallowed_errors.hidden(replay, step)
