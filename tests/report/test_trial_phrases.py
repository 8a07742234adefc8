"""What a report says of the trials of single revisions, above all where there was none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migration_gate.facts import (
    Base,
    Coverage,
    Failure,
    History,
    Observation,
    Rehearsal,
    RehearsedRevision,
    Replay,
    RevisionFile,
    RevisionRollback,
)
from migration_gate.report.trial_phrases import describe_trials

KNOWN_BASE = Base("0" * 40, "the parent")
NO_BASE = Base("", "git is not there")
NEW_FILE = RevisionFile("versions/b.py", revision="b", is_loaded=True)


def a_replay(**changes: Any) -> Replay:
    return replace(Replay(coverage=Coverage(2, 2, 2, 2)), **changes)


def test_what_was_tried_alike_is_said_once() -> None:
    replay = a_replay(
        observation=Observation(revisions=("b",)),
        rehearsal=Rehearsal((RehearsedRevision("b"),)),
        rollbacks=(RevisionRollback("b"),),
    )
    assert describe_trials(replay, KNOWN_BASE) == "tried locks, rows and rollback of 1"


def test_what_could_not_be_tried_does_not_count() -> None:
    replay = a_replay(
        history=History(files=(NEW_FILE,)),
        changed_files=(NEW_FILE.path,),
        observation=Observation(revisions=("b",)),
        rehearsal=Rehearsal((RehearsedRevision("b", unproven="it was not reached"),)),
        rollbacks=(RevisionRollback("b", unproven="it was not reached"),),
    )
    # Why is said beside what is unchecked: it is not that nothing is new.
    assert describe_trials(replay, KNOWN_BASE) == "tried locks of 1, rows and rollback of none"


def test_without_a_new_revision_nothing_was_tried() -> None:
    assert describe_trials(a_replay(), KNOWN_BASE) == (
        "tried locks, rows and rollback of none (no revision is new)"
    )


def test_without_a_base_the_settings_that_try_each_are_named() -> None:
    for base in (None, NO_BASE):
        assert describe_trials(a_replay(), base) == (
            "tried locks, rows and rollback of none (no base, so none is known to be new; `observe: all` and "
            "`rollback: all` try each)"
        )
    tried = a_replay(
        observation=Observation("all", ("a", "b")), rollback_scope="all", rollbacks=(RevisionRollback("a"),)
    )
    assert describe_trials(tried, NO_BASE) == (
        "tried locks of 2, rows of none, rollback of 1 (no base, so none is known to be new)"
    )


def test_a_new_project_has_no_rows() -> None:
    replay = a_replay(
        history=History(files=(NEW_FILE,)),
        changed_files=(NEW_FILE.path,),
        observation=Observation(revisions=("b",)),
        rollbacks=(RevisionRollback("b"),),
    )
    base = replace(KNOWN_BASE, is_new_project=True)
    assert describe_trials(replay, base) == (
        "tried locks and rollback of 1, rows of none (no table was there before)"
    )
    assert describe_trials(replay, KNOWN_BASE) == "tried locks and rollback of 1, rows of none"


def test_what_the_settings_leave_out() -> None:
    replay = a_replay(observation=Observation("off"), rollback_scope="off")
    assert describe_trials(replay, KNOWN_BASE) == (
        "tried locks, rows and rollback of none (as the settings say)"
    )


def test_a_run_that_failed_says_nothing_of_trials() -> None:
    assert describe_trials(a_replay(failure=Failure("", "no such table")), KNOWN_BASE) == ""
    assert describe_trials(a_replay(coverage=Coverage(0, 0, 0, 0)), KNOWN_BASE) == ""
