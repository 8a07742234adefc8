"""What is true of a whole repository is said once, in the report of its first project."""

from __future__ import annotations

from migration_gate.check import Finding, Severity
from migration_gate.facts import Location
from migration_gate.verdict.outcome import ProjectReport, Verdict
from migration_gate.verdict.repeated_findings import drop_repeated


def verdict(
    project: str, name: str, check: str = "loosened-gate", level: Severity = Severity.WARNING
) -> Verdict:
    finding = Finding(name, f"{name} differs", Location(".migration-gate.yml", 3))
    return Verdict(check, level, finding, f"{project}-{name}", project)


def test_a_loosened_gate_is_said_once_and_by_who_judges_it_otherwise() -> None:
    shared, own = "checks.drift", "target"
    reports = drop_repeated(
        [
            ProjectReport("a", verdicts=(verdict("a", shared), verdict("a", shared, "drift"))),
            ProjectReport("b", verdicts=(verdict("b", shared), verdict("b", shared, "drift"))),
            ProjectReport("c", verdicts=(verdict("c", shared, level=Severity.ERROR), verdict("c", own))),
        ]
    )
    said = [(report.name, item.check, item.finding.object) for report in reports for item in report.verdicts]
    assert said == [
        ("a", "loosened-gate", shared),
        ("a", "drift", shared),
        ("b", "drift", shared),
        ("c", "loosened-gate", shared),
        ("c", "loosened-gate", own),
    ]
