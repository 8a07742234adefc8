"""A revision reported success, and did not do what it says.

It swallowed an error, found another object under the name it wanted to create, or ended
Alembic's transaction itself. The version table calls the revision done, so nobody runs it again.

Instead, let errors raise, create without IF NOT EXISTS, and leave COMMIT to Alembic
(`autocommit_block()` where a statement needs it).
"""

from collections.abc import Iterator

from migration_gate.analysis.caught_errors import find_caught_errors
from migration_gate.analysis.hidden_conflicts import group_hidden_conflicts
from migration_gate.analysis.swallowed_errors import find_raw_commits, find_swallowed_errors
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts

SEVERITY = Severity.ERROR
SUBJECT = Subject.RUN_REVISION
KINDS = ("swallowed-error", "hidden-conflict", "raw-commit")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what went wrong in each step that Alembic took for a success."""
    replay = facts.replay
    failed_revision = replay.failure.revision if replay.failure else None
    hidden_conflicts = group_hidden_conflicts(replay)
    for step in replay.steps:
        if step.revision != failed_revision:
            yield from find_swallowed_errors(replay, step)
            yield from find_caught_errors(replay, step)
            yield from find_raw_commits(replay, step)
            yield from hidden_conflicts.get(step.number, ())
