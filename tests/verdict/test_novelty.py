"""Which findings are new, worse or old beside those of the base."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.check import Finding, Severity
from migration_gate.facts import Base, Facts, Failure, Location, Replay
from migration_gate.verdict.novelty import Novelties, find_novelties, spare_old
from migration_gate.verdict.outcome import Verdict

KNOWN = Base("c" * 40, "the base", Facts())


def verdict(
    name: str, message: str = "it differs", *, number: int = 1, check: str = "drift", file: str = ""
) -> Verdict:
    identifier = name if number == 1 else f"{name}-{number}"
    finding = Finding(name, message, Location(file, 1) if file else None)
    return Verdict(check, Severity.ERROR, finding, identifier, "p")


def compare(*verdicts: Verdict, base: Base | None = KNOWN, older: tuple[Verdict, ...] = ()) -> Novelties:
    return find_novelties(verdicts, Facts(base=base), older)


def novelties_of(*verdicts: Verdict, base: Base | None = KNOWN, older: tuple[Verdict, ...] = ()) -> list[str]:
    return [item.novelty for item in compare(*verdicts, base=base, older=older).verdicts]


def test_what_the_base_has_is_old_and_the_rest_is_new() -> None:
    found = compare(verdict("a"), verdict("b"), older=(verdict("a"), verdict("c")))
    assert [item.novelty for item in found.verdicts] == ["old", "new"]
    assert [item.id for item in found.fixed] == ["c"]


@pytest.mark.parametrize(
    ("older", "message", "novelty"),
    [
        ("`varchar(200)` and `varchar(250)`", "`varchar(200)` and `varchar(300)`", "worse"),
        ("`varchar(200)` and `varchar(250)`", "`varchar(200)` and `varchar(240)`", "worse"),
        ("`text` in one, `bytea` in the other", "`bytea` in one, `text` in the other", "worse"),
        ("Models cannot express 3 schemas", "Models cannot express 2 schemas", "old"),
        ("Models cannot express 2 schemas", "Models cannot express 3 schemas", "worse"),
        ("2 objects of `a`, `b` are lost", "1 object of `a` is lost", "old"),
        ("`varchar(200)` and `varchar(250)`", "`varchar(200)` and `text`", "worse"),
        ("3 heads: `a`, `b`, `c`", "2 heads: `a`, `b`", "old"),
        ("2 heads: `a`, `b`", "3 heads: `a`, `b`, `c`", "worse"),
        ("the same", "the same", "old"),
        ("it was not even compared by Alembic alone", "it was compared by Alembic alone", "old"),
        ("it was compared by Alembic alone", "it was not even compared by Alembic alone", "worse"),
    ],
)
def test_a_finding_that_says_more_is_worse(older: str, message: str, novelty: str) -> None:
    assert novelties_of(verdict("a", message), older=(verdict("a", older),)) == [novelty]


def test_of_several_findings_about_one_object_the_similar_ones_belong_together() -> None:
    first, second = verdict("a", "new one"), verdict("a", "old one", number=2)
    assert novelties_of(first, second, older=(verdict("a", "old one"),)) == ["new", "old"]


def test_of_the_same_words_those_in_the_same_file_belong_together() -> None:
    first, second = verdict("a", file="new.py"), verdict("a", number=2, file="old.py")
    assert novelties_of(first, second, older=(verdict("a", file="old.py"),)) == ["new", "old"]


def test_without_a_base_nothing_is_known_and_nothing_is_spared() -> None:
    for base in (None, Base("", "no git"), Base("c", "the base", failure="It broke.")):
        found = compare(verdict("a"), base=base)
        assert [(item.novelty, item.is_spared) for item in spare_old(found.verdicts)] == [("", False)]


def test_in_a_new_project_everything_is_new() -> None:
    assert novelties_of(verdict("a"), base=Base("c", "the base", is_new_project=True)) == ["new"]


def test_where_nothing_that_is_read_differs_everything_is_old() -> None:
    assert novelties_of(verdict("a"), base=Base("c", "the base", is_unchanged=True)) == ["old"]


def test_a_base_that_ended_early_says_nothing_of_what_it_did_not_find() -> None:
    failed = Facts(replay=Replay(failure=Failure(message="no table")))
    base = Base("c", "the base", failed)
    assert novelties_of(verdict("a"), verdict("b"), base=base, older=(verdict("a"),)) == ["old", ""]


def test_a_change_that_ended_early_has_fixed_nothing() -> None:
    facts = Facts(replay=Replay(failure=Failure(message="no table")), base=KNOWN)
    assert find_novelties((), facts, (verdict("a"),)).fixed == ()


def test_old_findings_do_not_block_but_for_those_that_ended_the_replay() -> None:
    found = compare(
        verdict("a"),
        verdict("b"),
        verdict("c", check="failing-upgrade"),
        older=(verdict("a"), verdict("c", check="failing-upgrade")),
    )
    blocking = [item.id for item in spare_old(found.verdicts) if item.blocks(Severity.ERROR)]
    assert blocking == ["b", "c"]


def test_an_allowance_that_expired_blocks_though_it_is_old() -> None:
    finding = Finding("drift", "`allow drift` ended", kind="expired", severity=Severity.ERROR)
    expired = Verdict("unused-allow", Severity.ERROR, finding, "a", "x", novelty="old")
    unused = replace(expired, finding=replace(finding, kind=None))
    assert [verdict.is_spared for verdict in spare_old((expired, unused))] == [False, True]
