"""What a report says of the trials of single revisions, above all where there was none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migration_gate.facts import (
    Base,
    Coverage,
    Facts,
    Failure,
    History,
    Location,
    Observation,
    Rehearsal,
    RehearsedRevision,
    Replay,
    Revision,
    RevisionFile,
    RevisionRollback,
    Step,
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


def with_new_revision(**changes: Any) -> Replay:
    """A replay in which `b` is new, and ran; its locks were observed."""
    return a_replay(
        history=History(files=(NEW_FILE,)),
        steps=(Step(1, "b", 0.1),),
        changed_files=(NEW_FILE.path,),
        observation=Observation(revisions=("b",)),
        **changes,
    )


def test_what_could_not_be_tried_does_not_count() -> None:
    reason = "it was not reached"
    replay = with_new_revision(
        rehearsal=Rehearsal((RehearsedRevision("b", unproven=reason),), unproven=reason),
        rollbacks=(RevisionRollback("b", unproven=reason),),
    )
    # Why is said beside what is unchecked: it is not that nothing is new.
    assert describe_trials(replay, KNOWN_BASE) == "tried locks of 1, rows and rollback of none"


def test_without_tables_before_there_are_no_rows() -> None:
    replay = with_new_revision(rollbacks=(RevisionRollback("b"),))
    expected = "tried locks and rollback of 1, rows of none (no table was there before)"
    assert describe_trials(replay, replace(KNOWN_BASE, is_new_project=True)) == expected
    assert describe_trials(replay, KNOWN_BASE) == expected


def test_a_new_revision_that_did_not_run() -> None:
    replay = replace(with_new_revision(), steps=(Step(1, "a", 0.1),), observation=Observation())
    assert describe_trials(replay, KNOWN_BASE) == (
        "tried locks, rows and rollback of none (no new revision ran)"
    )


def test_a_revision_that_is_only_edited_is_not_new() -> None:
    replay = replace(
        with_new_revision(rollbacks=(RevisionRollback("b"),)),
        observation=Observation(),
        rehearsal=Rehearsal(),
    )
    base = replace(KNOWN_BASE, text_history=History((Revision("b", (), "", Location("versions/b.py", 1)),)))
    assert describe_trials(replay, base) == (
        "tried locks and rows of none, rollback of 1 (no revision is new)"
    )


def test_a_new_revision_of_an_old_file_is_not_called_old() -> None:
    """A draft that was moved: it was not tried, which the check `unchecked` says."""
    replay = replace(
        with_new_revision(), changed_files=(), observation=Observation(), rehearsal=Rehearsal(), rollbacks=()
    )
    base = replace(KNOWN_BASE, facts=Facts(replay=Replay(history=History())))
    assert describe_trials(replay, base) == "tried locks, rows and rollback of none"


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


def test_only_settings_that_would_help_are_named() -> None:
    replay = a_replay(rollback_scope="all", rollbacks=(RevisionRollback("a"), RevisionRollback("b")))
    assert describe_trials(replay, NO_BASE) == (
        "tried locks and rows of none, rollback of 2 (no base, so none is known to be new; `observe: all` "
        "tries each)"
    )


def test_what_the_settings_leave_out() -> None:
    replay = a_replay(observation=Observation("off"), rollback_scope="off")
    assert describe_trials(replay, KNOWN_BASE) == (
        "tried locks, rows and rollback of none (as the settings say)"
    )


def test_a_run_that_failed_says_nothing_of_trials() -> None:
    assert describe_trials(a_replay(failure=Failure("", "no such table")), KNOWN_BASE) == ""
    assert describe_trials(a_replay(coverage=Coverage(0, 0, 0, 0)), KNOWN_BASE) == ""
