"""A change of which nothing was rehearsed is unchecked, unless that could not be otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.unrehearsed_change import find_unrehearsed
from migration_gate.facts import (
    HeldLock,
    LockMode,
    Observation,
    ObservedStatement,
    Rehearsal,
    RehearsedRevision,
    RowlessTable,
    StoredRelation,
)

TABLE = StoredRelation("public", "item")
LOCK = ObservedStatement(1, 1, "b", "", taken=(HeldLock(TABLE, LockMode.ACCESS_EXCLUSIVE, 1),))
READ = ObservedStatement(1, 1, "b", "", taken=(HeldLock(TABLE, LockMode.ACCESS_SHARE, 1),))
TOUCHES = Observation(statements=(LOCK,))
ENDED = Rehearsal(unproven="it ended")
REFUSED = RowlessTable("public", "item", "closed")
ALL_REFUSED = Rehearsal((RehearsedRevision("b"),), tables=1, rowless=(REFUSED,))


@pytest.mark.parametrize(
    ("rehearsal", "words", "is_foreseen"),
    [
        (ENDED, "is not known: it ended", False),
        (ALL_REFUSED, "no row could be made for any table: `item` (closed)", True),
        (
            Rehearsal((RehearsedRevision("b"),), tables=5, rowless=(REFUSED,) * 5),
            "`item` (closed), `item` (closed), `item` (closed) and 2 more",
            True,
        ),
    ],
)
def test_nothing_that_was_rehearsed_is_unchecked(rehearsal: Rehearsal, words: str, is_foreseen: bool) -> None:
    (unchecked,) = find_unrehearsed(rehearsal, TOUCHES)
    assert (unchecked.object, unchecked.why[-len(words) :]) == ("rehearsal", words)
    assert unchecked.is_foreseen == is_foreseen


@pytest.mark.parametrize(
    "statement",
    [
        LOCK,
        ObservedStatement(1, 1, "b", "", written=(TABLE,)),
        ObservedStatement(1, 1, "b", "", emptied=(TABLE,)),
    ],
)
def test_each_way_to_touch_a_table_counts(statement: ObservedStatement) -> None:
    assert list(find_unrehearsed(ENDED, Observation(statements=(statement,))))


def test_what_could_not_be_observed_may_have_touched_one() -> None:
    assert list(find_unrehearsed(ENDED, Observation(remarks=("not seen",))))


@pytest.mark.parametrize(
    ("rehearsal", "observation"),
    [
        (Rehearsal(), TOUCHES),
        (Rehearsal((RehearsedRevision("b"),), tables=2, rowless=(REFUSED,)), TOUCHES),
        (Rehearsal((RehearsedRevision("b"),), unproven="the second one hangs"), TOUCHES),
        (replace(ENDED, is_impossible=True), TOUCHES),
        (ENDED, Observation(statements=(READ,))),
        (ALL_REFUSED, Observation()),
    ],
    ids=["nothing to rehearse", "one table has rows", "one revision ran", "never", "only read", "no table"],
)
def test_what_was_rehearsed_or_cannot_be_is_no_gap(rehearsal: Rehearsal, observation: Observation) -> None:
    assert list(find_unrehearsed(rehearsal, observation)) == []
