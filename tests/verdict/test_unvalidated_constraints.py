"""A constraint that is left NOT VALID is one finding, whatever the models say of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.analysis.new_parts import NewConstraint
from migration_gate.checks import drift, unfinished_change
from migration_gate.config.settings import CheckSeverity, Settings
from migration_gate.facts import Constraint, Difference, Origin
from migration_gate.verdict.judge import judge_findings
from tests.support.fact_builders import make_chain, make_difference, make_replay_facts

RULE = Constraint("app", "notes", "title_there", "check", "CHECK (title <> '') NOT VALID")
NAME = "app.notes.title_there"


def list_checks(*differences: Difference, checks: tuple[CheckSeverity, ...] = ()) -> list[str]:
    facts = make_replay_facts(make_chain("a1", "b2"), differences=differences)
    settings = Settings(name="a", root=Path(), working_directory=Path(), checks=checks)
    return [verdict.check for verdict in judge_findings(facts, settings, (drift, unfinished_change))]


def test_what_drift_reports_is_not_reported_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    new = NewConstraint(RULE, Origin(revision="b2"))
    monkeypatch.setattr(unfinished_change, "find_unvalidated_constraints", lambda _: iter([new]))
    difference = make_difference("check", NAME, RULE.definition, RULE.definition.removesuffix(" NOT VALID"))
    assert list_checks(difference) == ["drift"]
    assert list_checks(difference, checks=(CheckSeverity("drift", None),)) == ["unfinished-change"]
    assert list_checks() == ["unfinished-change"]
    other = make_difference("comment", NAME, "a", "b")
    assert sorted(list_checks(other)) == ["drift", "unfinished-change"]
