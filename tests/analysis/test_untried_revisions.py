"""A revision that is new to the base, and that was not looked at, does not pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.untried_revisions import find_untried
from migration_gate.facts import Base, Facts, Failure, Observation, Unchecked
from tests.support.fact_builders import make_chain, make_replay_facts

BASE = Base("c0ffee", "the base", make_replay_facts(make_chain("a1", "b2")))
FACTS = replace(make_replay_facts(make_chain("a1", "b2", "c3", "d4")), base=BASE)


def observe(observation: Observation, **changes: object) -> Facts:
    replay = replace(FACTS.replay, observation=observation, **changes)  # type: ignore[arg-type]
    return replace(FACTS, replay=replay)


def test_what_the_base_lacks_and_nothing_tried_is_named() -> None:
    (found,) = find_untried(observe(Observation(revisions=("d4",))))
    assert found.object == "c3"


@pytest.mark.parametrize(
    "facts",
    [
        observe(Observation(revisions=("c3", "d4"))),
        observe(Observation("off")),
        observe(Observation("all", ("a1", "b2", "c3", "d4"))),
        observe(Observation(), unchecked=(Unchecked("locks", "the role is no superuser"),)),
        observe(Observation(), failure=Failure("no such table")),
        observe(Observation(), steps=FACTS.replay.steps[:2]),
        replace(FACTS, base=None),
        replace(FACTS, base=Base("c0ffee", "the base", failure="it does not import")),
        replace(FACTS, base=replace(BASE, facts=Facts())),
    ],
)
def test_what_was_tried_is_old_or_is_told_already_is_not_named(facts: Facts) -> None:
    assert not list(find_untried(facts))
