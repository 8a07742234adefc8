"""Which findings the one revision for all drift corrects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.analysis.naming_conventions import OBJECT
from migration_gate.check import Finding, Severity
from migration_gate.corrections.planned_fixes import _find_folder, _FixChoice
from migration_gate.corrections.revision_name import RevisionNames
from migration_gate.facts import DriftRevision, Facts, Location, Replay
from migration_gate.verdict.outcome import Verdict
from tests.support.fact_builders import make_history, make_revision


@pytest.mark.parametrize(
    ("kind", "name", "left", "is_corrected"),
    [
        ("name-only", OBJECT, ("default", "item.name"), True),
        ("name-only", OBJECT, ("name-only", "item.item_key"), False),
        ("column-type", "item.name", ("column type", "item.name"), False),
        ("column-type", "item.name", ("default", "item.name"), True),
    ],
)
def test_a_finding_is_corrected_if_the_revision_leaves_none_of_its_differences(
    kind: str, name: str, left: tuple[str, str], *, is_corrected: bool
) -> None:
    revision = DriftRevision("b", ("a",), (), "pass", "pass", 1, left_kinds=frozenset([left]))
    verdict = Verdict("drift", Severity.ERROR, Finding(name, "It differs", kind=kind), "id", "project")
    choice = _FixChoice(Facts(replay=Replay(drift_revision=revision)), [verdict], "migrations/versions")
    assert choice.in_revision == ([verdict] if is_corrected else [])


def test_a_new_revision_is_put_beside_the_one_that_it_follows(tmp_path: Path) -> None:
    blog = replace(make_revision("b1"), location=Location("blog/versions/b1.py", 1))
    history = make_history(blog, make_revision("a1"))
    drift = DriftRevision("c", ("b1",), (), "pass", "pass", 1)
    assert (
        _find_folder(Facts(replay=Replay(history=history, drift_revision=drift)), tmp_path, RevisionNames())
        == "blog/versions"
    )
    assert (
        _find_folder(Facts(replay=Replay(history=history)), tmp_path, RevisionNames())
        == "migrations/versions"
    )
