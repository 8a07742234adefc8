"""What is reported of owners that were deleted on trial."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migration_gate.analysis.owner_deletions import keep_earlier_trials
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.checks import nullable_owner, uncascaded_owner, unreferenced_owner
from migration_gate.facts import (
    AttachedObject,
    Base,
    DeletionBlocker,
    Facts,
    Owners,
    OwnershipTrial,
    RowRefusal,
    Snapshot,
)
from tests.support.fact_builders import join_tables, make_owner_facts, make_table

MEDIA = make_table(
    "media", "id integer NOT NULL", "owner_id integer NOT NULL", "owner_id -> users.id cascade"
)
PAGE = make_table("page", "media_id integer NOT NULL", "media_id -> media.id")
BLOCKED = RowRefusal(
    "23503",
    'update or delete on table "media" violates foreign key constraint',
    "public",
    "page",
    "page_media_id_fkey",
)
RAISED = RowRefusal("P0001", "never delete", context="PL/pgSQL function refuse() line 1 at RAISE")
NOT_FOUND = RowRefusal("42P01", 'relation "log" does not exist', context="PL/pgSQL function log() line 1")


def make_trial(*refusals: RowRefusal, **fields: Any) -> OwnershipTrial:
    """The trial of `media.owner_id`."""
    blockers = tuple(DeletionBlocker(refusal) for refusal in refusals)
    return OwnershipTrial("public", "media", "owner_id", "public.users", blockers=blockers, **fields)


def make_facts(trial: OwnershipTrial, *tables: Snapshot, **fields: Any) -> Facts:
    """Facts about `media` and other tables, with the trial."""
    facts = make_owner_facts(*(tables or (MEDIA, PAGE)), **fields)
    return replace(facts, replay=replace(facts.replay, ownership_trials=(trial,)))


def list_findings(facts: Facts) -> list[Finding]:
    """Those of the check on keys."""
    return list(uncascaded_owner.check(facts))


def test_a_row_that_goes_with_its_owner_is_no_finding() -> None:
    assert list_findings(make_facts(make_trial())) == []


def test_a_key_further_down_that_refuses_is_found_where_it_is() -> None:
    (finding,) = list_findings(make_facts(make_trial(BLOCKED)))
    assert (finding.object, finding.kind, finding.severity) == ("page.media_id", "blocked", None)
    assert finding.message == (
        "`page.media_id` stops the deletion of an owner of `media`: its foreign key says ON DELETE NO ACTION"
    )
    assert Evidence("tried", f"deleting the owner: {BLOCKED}") in finding.evidence
    assert '"page_media_id_fkey",\n        "page",\n        "media",' in finding.fix


def test_a_new_table_makes_it_an_error() -> None:
    base = Base("c0ffee", "it", make_owner_facts(MEDIA))
    (finding,) = list_findings(replace(make_facts(make_trial(BLOCKED)), base=base))
    assert finding.severity == Severity.ERROR


def test_rows_of_somebody_else_are_named_as_the_condition() -> None:
    trial = replace(make_trial(), blockers=(DeletionBlocker(BLOCKED, needs_other_owner=True),))
    (finding,) = list_findings(make_facts(trial))
    assert "of `media` if somebody else's row references it" in finding.message
    assert finding.severity == Severity.WARNING


def test_an_action_that_the_settings_accept_is_meant() -> None:
    owners = Owners(on_delete=("cascade", "no action"))
    assert list_findings(make_facts(make_trial(BLOCKED), owners=owners)) == []


def test_a_trigger_that_refuses_is_a_warning_with_its_words() -> None:
    (finding,) = list_findings(make_facts(make_trial(RAISED)))
    assert (finding.object, finding.kind, finding.severity) == ("media.owner_id", "blocked", Severity.WARNING)
    assert finding.message == "`media.owner_id`: deleting an owner of a row fails: a trigger refuses it"
    assert "P0001 never delete (PL/pgSQL function refuse() line 1 at RAISE)" in finding.evidence[-1].text


def test_a_constraint_that_a_trigger_breaks_is_the_triggers() -> None:
    context = "PL/pgSQL function refuse() line 1 at SQL statement"
    key = "media_owner_id_fkey"
    own = replace(RAISED, sqlstate="23503", schema="public", table="media", constraint=key, context=context)
    (finding,) = list_findings(make_facts(make_trial(own)))
    assert (finding.object, finding.kind) == ("media.owner_id", "blocked")
    assert finding.message.endswith("a statement of a trigger is refused")


@pytest.mark.parametrize(
    "trial",
    [
        make_trial(NOT_FOUND),
        make_trial(obstacle=NOT_FOUND),
        make_trial(owner_refusal=NOT_FOUND),
        make_trial(unmade=(NOT_FOUND,)),
    ],
)
def test_what_could_not_be_tried_is_a_note_with_the_reason(trial: OwnershipTrial) -> None:
    (finding,) = list_findings(make_facts(trial))
    assert (finding.kind, finding.severity) == ("unproven", Severity.NOTE)
    assert finding.evidence == (Evidence("tried", str(NOT_FOUND)),)


def test_owners_that_cannot_be_deleted_at_all_are_one_finding() -> None:
    other = replace(make_trial(owner_refusal=RAISED), table="page", column="media_id")
    facts = make_facts(make_trial(owner_refusal=RAISED))
    trials = (*facts.replay.ownership_trials, other)
    (finding,) = list_findings(replace(facts, replay=replace(facts.replay, ownership_trials=trials)))
    assert (finding.object, finding.kind, finding.severity) == ("users", "blocked", Severity.WARNING)


@pytest.mark.parametrize(
    ("left_owner", "words"),
    [("gone", "naming an owner who is gone"), ("null", "without an owner"), ("other", "with another owner")],
)
def test_rows_that_are_left_are_found_with_their_triggers(left_owner: Any, words: str) -> None:
    facts = make_facts(make_trial(rows_left=1, left_owner=left_owner))
    trigger = AttachedObject("public", "media", "t", "trigger", "CREATE TRIGGER t …")
    catalog = replace(facts.replay.catalog, triggers=(trigger,))
    (finding,) = list_findings(replace(facts, replay=replace(facts.replay, catalog=catalog)))
    assert (
        finding.message
        == f"`media.owner_id`: after the owner was deleted, 1 row of `media` was left, {words}"
    )
    assert (finding.kind, finding.evidence[-1].text) == ("rows-left", "CREATE TRIGGER t …")


@pytest.mark.parametrize(("action", "left_owner"), [("set null", "null"), ("set default", "other")])
def test_rows_that_are_left_by_a_key_that_the_settings_accept_are_meant(action: Any, left_owner: Any) -> None:
    media = make_table("media", "id integer NOT NULL", "owner_id integer", f"owner_id -> users.id {action}")
    owners = Owners(on_delete=(action,))
    trial = make_trial(rows_left=1, left_owner=left_owner)
    assert list_findings(make_facts(trial, media, owners=owners)) == []


def test_an_owner_who_is_only_marked_is_no_finding() -> None:
    assert list_findings(make_facts(make_trial(keeps_owner=True))) == []


def test_a_key_without_cascade_shows_what_happened() -> None:
    media = make_table("media", "owner_id integer NOT NULL", "owner_id -> users.id")
    own = replace(BLOCKED, table="media", constraint="media_owner_id_fkey")
    (finding,) = list_findings(make_facts(make_trial(own), media))
    assert finding.kind is None
    assert finding.evidence[-1] == Evidence("tried", f"deleting the owner: {own}")


def test_a_column_without_a_key_shows_what_was_left() -> None:
    media = make_table("media", "owner_id integer NOT NULL")
    facts = make_facts(make_trial(rows_left=1, left_owner="gone"), media)
    (finding,) = unreferenced_owner.check(facts)
    text = "deleting the owner: 1 row of `media` was left, naming an owner who is gone"
    assert finding.evidence == (Evidence("tried", text),)


def test_a_key_that_is_not_enforced_or_not_valid_is_found() -> None:
    (finding,) = unreferenced_owner.check(make_facts(make_trial(stranger_is_accepted=True)))
    assert (finding.kind, finding.severity) == ("unenforced", None)
    key = replace(MEDIA.constraints[0], validated=False)
    (finding,) = unreferenced_owner.check(make_facts(make_trial(), replace(MEDIA, constraints=(key,))))
    assert (finding.kind, finding.severity) == ("not-valid", Severity.WARNING)
    assert "VALIDATE CONSTRAINT media_owner_id_fkey" in finding.fix


def test_a_trigger_that_refuses_rows_without_an_owner_makes_null_a_warning() -> None:
    media = make_table("media", "id integer NOT NULL", "owner_id integer", "owner_id -> users.id cascade")
    (finding,) = nullable_owner.check(make_facts(make_trial(null_refusal=RAISED), media))
    assert finding.severity == Severity.WARNING
    assert finding.message.endswith("a trigger alone did not accept a row without an owner")
    assert finding.evidence[-1] == Evidence("tried", f"a row without an owner: {RAISED}")
    trial = make_trial(null_refusal=RAISED, null_beside=("team_id",))
    (finding,) = nullable_owner.check(make_facts(trial, media))
    assert finding.severity == Severity.WARNING
    assert "op.create_check_constraint(" in finding.fix
    assert '"num_nonnulls(owner_id, team_id) >= 1"' in finding.fix
    assert finding.corrections == ()


def test_what_came_later_is_not_said_of_the_base() -> None:
    now, earlier = join_tables(MEDIA, PAGE), MEDIA
    assert keep_earlier_trials((make_trial(BLOCKED),), now, now) == (make_trial(BLOCKED),)
    assert keep_earlier_trials((make_trial(BLOCKED),), now, earlier) == (make_trial(),)
    assert keep_earlier_trials((make_trial(BLOCKED),), now, PAGE) == ()
    trigger = AttachedObject("public", "media", "t", "trigger", "CREATE TRIGGER t …")
    with_trigger = replace(now, triggers=(trigger,))
    later = make_trial(RAISED, rows_left=1, left_owner="gone")
    assert keep_earlier_trials((later,), with_trigger, with_trigger) == (later,)
    assert keep_earlier_trials((later,), with_trigger, now) == (make_trial(),)
