"""Revisions that are new to the base, though no line of them is: nothing was tried of them.

A draft that the change moves to where Alembic looks, or a folder that its configuration adds.
"""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.facts import Facts, Unchecked

REASON = (
    "Alembic does not find it at the base, so the next deployment runs it, but its file was moved there or "
    "stood there already: its locks, its rollback and what it does to rows were not tried"
)
ADVICE = (
    "Set `observe: all` and `rollback: all`, which try each revision, and see by hand what it does to rows"
)


def find_untried(facts: Facts) -> Iterator[Unchecked]:
    """One for each revision that ran, that the base does not have, and that was not looked at.

    None where looking at the new revisions is not wanted, or something is said of what kept it already.
    """
    replay, base = facts.replay, facts.base
    if base is None or base.facts is None or replay.failure is not None:
        return
    earlier = base.facts.replay.history
    is_told = any(item.object == "locks" for item in replay.unchecked)
    if replay.observation.scope != "change" or is_told or not earlier.revisions:
        return
    for revision in dict.fromkeys(step.revision for step in replay.steps):
        if revision not in replay.observation.revisions and earlier.find_revision(revision) is None:
            yield Unchecked(revision, REASON, ADVICE)
