"""A migration waits for locks without a time limit.

While it waits behind one long query, everybody who comes after it waits, too, readers among them: a change
that takes a millisecond stops the application for as long as that query lasts.

Instead, set `lock_timeout` for the migrations, in `env.py` or for their role, and run them again if they
run into it.
"""

from collections.abc import Iterator

from migration_gate.analysis import lock_messages
from migration_gate.analysis.lock_hygiene import (
    LockingStatement,
    list_with_long_timeout,
    list_without_timeout,
)
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts
from migration_gate.wording import code_block, count_noun

SEVERITY = Severity.WARNING
SUBJECT = Subject.OBSERVED
KINDS = ("none", "too-long")
IN_ENV = 'connectable = create_engine(url, connect_args={"options": "-c lock_timeout=2000"})'
IN_REVISION = "op.execute(\"SET LOCAL lock_timeout = '2s'\")"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield at most one finding of each kind: the limit is set in one place."""
    without, long = list_without_timeout(facts), list_with_long_timeout(facts)
    if without:
        number = count_noun(len(without), "statement")
        verb = "waits" if len(without) == 1 else "wait"
        yield _describe(
            facts, without, f"{number} of the change {verb} for locks without a `lock_timeout`", "none"
        )
    if long:
        seconds = max(item.statement.lock_timeout for item in long) // 1000
        message = f"a `lock_timeout` of {seconds} s lets everybody wait that long behind a migration"
        yield _describe(facts, long, message, "too-long", Severity.NOTE)


def _describe(
    facts: Facts,
    items: list[LockingStatement],
    message: str,
    kind: str,
    severity: Severity | None = None,
) -> Finding:
    first = items[0]
    return Finding(
        object="lock_timeout",
        message=message,
        location=first.statement.location,
        revision=first.statement.revision,
        evidence=tuple(
            lock_messages.collect_evidence(facts.replay.observation, first.statement, first.locks)
        ),
        fix=f"Set it for all migrations, in `env.py`:{code_block(IN_ENV)}\n"
        f"or at the beginning of a revision:{code_block(IN_REVISION)}",
        kind=kind,
        severity=severity,
    )
