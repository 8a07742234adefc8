"""A difference is shown at the revision that made it, or at the model where that is what changed."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.analysis.difference_location import DifferenceLocation, find_difference_location
from migration_gate.check import Evidence
from migration_gate.checks import drift
from migration_gate.facts import (
    Column,
    Difference,
    Facts,
    Location,
    ModelDefinition,
    ModelPart,
    Models,
    Snapshot,
    Tree,
)
from tests.support import fact_builders

REVISION_LINE = Location("migrations/versions/b2.py", 31)
MODEL_LINE = Location("app/models.py", 8)
TYPE = Difference(
    "type",
    "users.email",
    "text",
    "character varying(9)",
    table="public.users",
    column="email",
    revision="b2",
    location=REVISION_LINE,
)


def make_facts(*changed_files: str) -> Facts:
    """A model `users` with a column `email`, whose type is an enum."""
    column = Column("public", "users", "email", "public.mood")
    facts = fact_builders.make_replay_facts(
        fact_builders.make_chain("a1", "b2"),
        changed_files=changed_files,
        models=Models(tables=("public.users",), snapshot=Snapshot(columns=(column,))),
    )
    part = ModelPart("column", MODEL_LINE, "email")
    definition = ModelDefinition("users", Location("app/models.py", 5), parts=(part,))
    return replace(facts, tree=Tree(model_definitions=(definition,)))


def test_a_difference_that_a_revision_made_has_its_statement_and_the_model() -> None:
    expected = DifferenceLocation("b2", REVISION_LINE, MODEL_LINE)
    assert find_difference_location(make_facts(), TYPE) == expected


def test_a_difference_that_no_revision_made_has_the_model_alone() -> None:
    difference = replace(TYPE, revision=None, location=None)
    assert find_difference_location(make_facts(), difference) == DifferenceLocation(None, None, MODEL_LINE)


def test_a_change_of_the_model_alone_made_the_difference() -> None:
    expected = DifferenceLocation("b2", REVISION_LINE, MODEL_LINE, is_of_model=True)
    assert find_difference_location(make_facts("app/models.py"), TYPE) == expected


def test_a_change_of_both_is_not_of_the_model_alone() -> None:
    facts = make_facts("app/models.py", "migrations/versions/b2.py")
    assert not find_difference_location(facts, TYPE).is_of_model
    assert not find_difference_location(make_facts("README.md"), TYPE).is_of_model


def test_an_enum_is_shown_at_the_first_column_that_has_it() -> None:
    difference = Difference("enum", "mood", None, "('a')")
    assert find_difference_location(make_facts(), difference).model == MODEL_LINE


def test_the_finding_about_a_model_that_changed_is_there_and_names_the_revision() -> None:
    facts = make_facts("app/models.py")
    (finding,) = drift.check(replace(facts, replay=replace(facts.replay, differences=(TYPE,))))
    assert (finding.location, finding.revision) == (MODEL_LINE, "b2")
    assert finding.evidence[-1] == Evidence("since", f"revision b2, {REVISION_LINE}")
