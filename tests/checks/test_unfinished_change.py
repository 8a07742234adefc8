"""A constraint that is left NOT VALID is one finding, whatever the models say of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.new_parts import NewConstraint
from migration_gate.checks import drift, unfinished_change
from migration_gate.facts import Constraint, Facts, Origin
from tests.support.fact_builders import make_chain, make_difference, make_replay_facts

RULE = Constraint("app", "notes", "title_there", "check", "CHECK (title <> '') NOT VALID")


def list_findings(monkeypatch: pytest.MonkeyPatch, facts: Facts) -> list[str]:
    new = NewConstraint(RULE, Origin(revision="b2"))
    monkeypatch.setattr(unfinished_change, "find_unvalidated_constraints", lambda _: iter([new]))
    return [item.object for check in (unfinished_change, drift) for item in check.check(facts)]


def test_what_drift_reports_is_not_reported_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    difference = make_difference(
        "check", "app.notes.title_there", RULE.definition, RULE.definition.removesuffix(" NOT VALID")
    )
    facts = make_replay_facts(make_chain("a1", "b2"), differences=(difference,))
    assert list_findings(monkeypatch, facts) == ["app.notes.title_there"]
    assert list_findings(monkeypatch, make_replay_facts(make_chain("a1", "b2"))) == ["app.notes.title_there"]
    without_models = replace(facts, replay=replace(facts.replay, models=type(facts.replay.models)()))
    assert list_findings(monkeypatch, without_models) == ["app.notes.title_there"]
