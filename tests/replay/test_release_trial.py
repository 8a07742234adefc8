"""Tables with which the statements of the live release could not be tried are named, or counted."""

from __future__ import annotations

from migration_gate.facts import RunningCode, UntriedTable
from migration_gate.replay.release_trial import MOST_NOTES, describe_untried

WORDS = "not all statements of the release that is live could be tried with"


def test_few_tables_have_a_note_each_and_many_of_one_reason_have_one() -> None:
    odd = UntriedTable("public", "odd", "its server is another one")
    few = [UntriedTable("public", f"t{number}", "no model has it") for number in range(MOST_NOTES)]
    notes = list(describe_untried(RunningCode(untried=(*few[:5], odd, *few[5:]))))
    assert notes[5] == f"{WORDS} `odd`: its server is another one"
    assert (len(notes), notes[0], notes[-1]) == (
        11,
        f"{WORDS} `t0`: no model has it",
        f"{WORDS} `t9`: no model has it",
    )
    many = (few[0], odd, *few[1:], UntriedTable("public", "last", "no model has it"))
    assert list(describe_untried(RunningCode(untried=many))) == [
        f"{WORDS} each of 11 tables, such as `t0`, `t1` and `t2`: no model has it",
        f"{WORDS} `odd`: its server is another one",
    ]
