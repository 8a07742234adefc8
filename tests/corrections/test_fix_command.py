"""What `migration-gate fix` does with the reports on several databases, and what it leaves to be done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.check import Finding, Severity
from migration_gate.corrections import fix_command
from migration_gate.corrections.fix_command import join_databases
from migration_gate.corrections.planned_fixes import PlannedFixes
from migration_gate.errors import Misconfigured
from migration_gate.facts import DriftRevision, EngineBody, Facts, Replay
from migration_gate.verdict.outcome import ProjectReport, Verdict

BODIES = (EngineBody("one", "pass", "pass"), EngineBody("two", "pass", "pass"))
JOINED = DriftRevision("b", ("a",), (), "pass", "pass", 1, engines=BODIES)
ALONE = DriftRevision("b", ("a",), (), "pass", "pass", 1)


def report(revision: DriftRevision | None, *verdicts: Verdict) -> ProjectReport:
    return ProjectReport("p", Facts(replay=Replay(drift_revision=revision)), verdicts)


def verdict(identifier: str, *, is_spared: bool = False) -> Verdict:
    finding = Finding(identifier, "It differs")
    return Verdict("drift", Severity.ERROR, finding, identifier, "p", is_spared=is_spared)


def test_databases_that_one_revision_serves_are_corrected_together() -> None:
    first = report(None, verdict("a"), verdict("b", is_spared=True))
    joined = join_databases([first, report(JOINED, verdict("b"), verdict("c"), verdict("a", is_spared=True))])
    assert joined.facts.replay.drift_revision == JOINED
    assert {item.id: item.is_spared for item in joined.verdicts} == {"a": False, "b": False, "c": False}


@pytest.mark.parametrize("revisions", [(ALONE, None), (JOINED, JOINED)])
def test_databases_that_need_a_revision_each_are_left_to_people(
    revisions: tuple[DriftRevision | None],
) -> None:
    with pytest.raises(Misconfigured, match="several databases"):
        join_databases([report(revision) for revision in revisions])


def test_notes_ask_for_nothing_to_be_done_by_hand() -> None:
    note = replace(verdict("note"), severity=Severity.NOTE)
    assert fix_command._describe_left(PlannedFixes((), (), (note,))) == ""
    left = fix_command._describe_left(PlannedFixes((), (), (note, verdict("error"))))
    assert left == "By hand: drift error."
