"""Owner rules that do not hold between two revisions of one change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.check import Finding, Severity
from migration_gate.checks import nullable_owner, uncascaded_owner, unreferenced_owner
from migration_gate.facts import Base, Constraint, DdlCommand, Facts, Snapshot, Step, TransactionBoundary
from tests.support.fact_builders import (
    USERS,
    join_tables,
    make_chain,
    make_ddl_command,
    make_owner_facts,
    make_replay_facts,
    make_table,
)

OID = 7
KEY = "owner_id -> users.id cascade"
STRICT = ("id integer NOT NULL", "owner_id integer NOT NULL", KEY)
LOOSE = ("id integer NOT NULL", "owner_id integer", KEY)
BEGIN, COMMIT = TransactionBoundary("begin", 0), TransactionBoundary("commit", 0)
CHECKS = (nullable_owner, unreferenced_owner, uncascaded_owner)


def make_change(*states: tuple[str, ...] | None, transactions: tuple[TransactionBoundary, ...] = ()) -> Facts:
    """A change of the revisions b2, c3...: the lines of `media` before b2, and after each of them."""
    catalogs = [_make_catalog(lines) for lines in states]
    graph = make_chain(*("a1", "b2", "c3", "d4")[: len(states)])
    steps = [Step(1, "a1", 0.01)]
    commands: list[DdlCommand] = []
    for number, revision in enumerate(graph.revisions[1:], 2):
        before, after = catalogs[number - 2 : number]
        steps.append(Step(number, revision.id, 0.01, transactions=transactions, before=before, after=after))
        commands.append(make_ddl_command(number, "media", "id integer", oid=OID))
    facts = make_replay_facts(
        graph,
        steps=tuple(steps),
        catalog=catalogs[-1],
        ddl_commands=tuple(commands),
        changed_files=tuple(revision.location.file for revision in graph.revisions[1:]),
    )
    return replace(facts, base=Base("c0ffee", "the base", failure="it does not import"))


def _make_catalog(lines: tuple[str, ...] | None) -> Snapshot:
    users = make_table("users", *USERS)
    return users if lines is None else join_tables(users, make_table("media", *lines, oid=OID))


def list_windows(facts: Facts) -> list[Finding]:
    """The findings about windows, of all three checks."""
    findings = (finding for check in CHECKS for finding in check.check(facts))
    return [finding for finding in findings if finding.kind == "between-revisions"]


@pytest.mark.parametrize("before", [None, ("id integer NOT NULL",), STRICT])
def test_a_column_that_accepts_null_between_two_commits_is_a_warning(before: tuple[str, ...] | None) -> None:
    (finding,) = list_windows(make_change(before, LOOSE, STRICT, transactions=(BEGIN, COMMIT)))
    assert finding.message == "`media.owner_id` accepted NULL between the revisions `b2` and `c3`"
    assert (finding.object, finding.severity, finding.revision) == ("media.owner_id", Severity.WARNING, "b2")
    assert "what `b2` left is committed before `c3` runs" in finding.evidence[0].text
    assert "in one revision" in finding.fix


def test_one_transaction_for_both_revisions_makes_it_a_note() -> None:
    (finding,) = list_windows(make_change(None, LOOSE, STRICT))
    assert finding.severity == Severity.NOTE
    assert "one transaction held both here" in finding.evidence[0].text


def test_a_revision_that_left_its_transaction_was_seen_by_others() -> None:
    facts = make_change(None, LOOSE, STRICT)
    steps = tuple(replace(step, in_transaction=False) for step in facts.replay.steps)
    (finding,) = list_windows(replace(facts, replay=replace(facts.replay, steps=steps)))
    assert finding.severity == Severity.WARNING


def test_a_commit_inside_the_last_revision_comes_before_the_rule_is_kept_again() -> None:
    facts = make_change(None, LOOSE, STRICT)
    *others, last = facts.replay.steps
    last = replace(last, transactions=(COMMIT,), dropped_statements=2)
    (finding,) = list_windows(replace(facts, replay=replace(facts.replay, steps=(*others, last))))
    assert finding.severity == Severity.WARNING


def test_a_window_over_three_revisions_names_the_first_and_the_last() -> None:
    (finding,) = list_windows(make_change(None, LOOSE, LOOSE, STRICT))
    assert finding.message.endswith("between the revisions `b2` and `d4`")


@pytest.mark.parametrize(
    "states",
    [
        pytest.param((LOOSE, LOOSE, STRICT), id="it was so before the change"),
        pytest.param((None, LOOSE, LOOSE), id="it stays so, which is a finding of its own"),
        pytest.param((None, LOOSE, None), id="the table does not stay"),
        pytest.param((None, STRICT, STRICT), id="it was never so"),
        pytest.param((None, STRICT), id="one revision"),
    ],
)
def test_a_state_that_the_change_does_not_open_and_close_is_no_window(
    states: tuple[tuple[str, ...] | None, ...],
) -> None:
    assert list_windows(make_change(*states, transactions=(COMMIT,))) == []


def test_a_check_may_refuse_null_meanwhile() -> None:
    facts = make_change(None, LOOSE, STRICT, transactions=(COMMIT,))
    check = Constraint(
        "public", "media", "c", "check", "CHECK ((owner_id IS NOT NULL)) NOT VALID", ("owner_id",), False
    )
    first, opening, closing = facts.replay.steps
    assert opening.after is not None
    guarded = replace(opening.after, constraints=(*opening.after.constraints, check))
    steps = (first, replace(opening, after=guarded), replace(closing, before=guarded))
    assert list_windows(replace(facts, replay=replace(facts.replay, steps=steps))) == []


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (STRICT[:2], "`media.owner_id` had no foreign key between the revisions `b2` and `c3`"),
        (
            (*STRICT[:2], "owner_id -> users.id"),
            "`media.owner_id` referenced its owner without ON DELETE CASCADE between the revisions "
            "`b2` and `c3`",
        ),
    ],
)
def test_the_foreign_key_counts_too(lines: tuple[str, ...], message: str) -> None:
    (finding,) = list_windows(make_change(None, lines, STRICT))
    assert finding.message == message


def test_revisions_that_are_at_the_base_are_not_of_the_change() -> None:
    facts = make_change(None, LOOSE, STRICT, transactions=(COMMIT,))
    base = Base("c0ffee", "the base", make_owner_facts())
    assert len(list_windows(replace(facts, base=base))) == 0, "b2 is there"
    old = replace(make_owner_facts(), replay=replace(facts.replay, history=make_chain("a1")))
    assert len(list_windows(replace(facts, base=replace(base, facts=old)))) == 1
    assert not list_windows(replace(facts, base=None)), "of the base itself, which the change only edits"


def test_a_revision_without_snapshots_says_nothing() -> None:
    facts = make_change(None, LOOSE, STRICT)
    first, opening, closing = facts.replay.steps
    steps = (first, replace(opening, before=None, after=None), closing)
    assert list_windows(replace(facts, replay=replace(facts.replay, steps=steps))) == []
