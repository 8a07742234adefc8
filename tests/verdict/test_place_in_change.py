"""A finding is shown at a line that the change has, wherever one of its lines is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.check import Evidence, Finding
from migration_gate.checks import nullable_owner
from migration_gate.facts import ChangedFile, Facts, LineRange, Location, ModelDefinition, ModelPart, Tree
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.place_in_change import move_into_change
from tests.support import fact_builders
from tests.support.example_reports import settings
from tests.verdict.test_judge import a_check

STATEMENT = Location("migrations/versions/a1.py", 31)
UPGRADE = Location("migrations/versions/a1.py", 12)
MODEL = Location("app/models.py", 8, 11)
ENV_PY = Location("migrations/env.py")
FINDING = Finding("notes.owner_id", "`notes.owner_id` ...", STATEMENT, "a1", other_locations=(MODEL, ENV_PY))


def make_change(**ranges: tuple[int, int]) -> Facts:
    """The lines that a change has, by the last part of a file's name."""
    paths = {"a1": STATEMENT.file, "models": MODEL.file, "env": ENV_PY.file}
    lines = tuple(ChangedFile(paths[name], (LineRange(*lines),)) for name, lines in ranges.items())
    return fact_builders.make_replay_facts(fact_builders.make_chain("a1", "b2"), changed_lines=lines)


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ({}, STATEMENT),
        ({"models": (20, 30)}, STATEMENT),
        ({"models": (8, 8)}, MODEL),
        ({"models": (10, 10)}, Location(MODEL.file, 10)),
        ({"models": (8, 8), "a1": (31, 31)}, STATEMENT),
        ({"models": (8, 8), "a1": (1, 12)}, MODEL),
        ({"a1": (1, 12)}, UPGRADE),
        ({"env": (40, 44)}, Location(ENV_PY.file, 40)),
        ({"env": (40, 44), "models": (8, 8)}, MODEL),
    ],
)
def test_the_first_location_in_the_change_is_shown(
    ranges: dict[str, tuple[int, int]], expected: Location
) -> None:
    moved = move_into_change(FINDING, make_change(**ranges).replay)
    assert (moved.location, moved.revision) == (expected, "a1")


def test_a_finding_that_is_shown_elsewhere_still_names_the_revision_and_its_line() -> None:
    moved = move_into_change(FINDING, make_change(models=(8, 8)).replay)
    assert moved.evidence == (Evidence("since", f"revision a1, {STATEMENT}"),)
    stays = move_into_change(FINDING, make_change(a1=(31, 31)).replay)
    assert stays is FINDING


def test_a_finding_without_a_revision_names_its_first_file() -> None:
    finding = replace(FINDING, revision=None)
    moved = move_into_change(finding, make_change(models=(8, 8)).replay)
    assert moved.evidence == (Evidence("see also", str(STATEMENT)),)


@pytest.mark.parametrize("comment_in", [STATEMENT, MODEL])
def test_what_a_comment_allows_does_not_depend_on_the_change(comment_in: Location) -> None:
    comment = "# migration-gate: allow nullable-owner -- imported rows have no owner"
    lines = [""] * 40
    lines[0] = "import sqlalchemy"
    lines[(comment_in.line or 0) - 2] = comment
    texts = {comment_in.file: "\n".join(lines)}

    for facts in (make_change(), make_change(models=(8, 8)), make_change(a1=(31, 31))):
        (verdict,) = judge_findings(facts, settings("p"), (a_check(FINDING, name="nullable_owner"),), texts)
        assert verdict.allowed is not None


def test_an_owner_column_is_shown_at_its_line_in_the_model() -> None:
    notes = fact_builders.make_table("notes", "owner_id integer", "owner_id -> users.id")
    facts = fact_builders.make_owner_facts(notes)
    part = ModelPart("column", MODEL, "owner_id")
    definition = ModelDefinition("notes", Location("app/models.py", 5), parts=(part,))
    replay = replace(facts.replay, changed_lines=(ChangedFile(MODEL.file, (LineRange(8, 8),)),))
    facts = replace(facts, replay=replay, tree=Tree(model_definitions=(definition,)))
    (verdict,) = judge_findings(facts, settings("p"), (nullable_owner,))
    assert verdict.finding.location == MODEL
