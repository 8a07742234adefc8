"""Very many findings that say the same of one revision are one finding."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.analysis.alike_findings import MAX_ALIKE, fold_repeated
from migration_gate.check import Finding
from migration_gate.facts import Location


def make(line: int, table: str = "item") -> Finding:
    return Finding(table, f"`{table}` waits", Location("a.py", line), "one", kind="scan")


def fold(findings: list[Finding]) -> list[Finding]:
    pairs = list(fold_repeated((finding, finding) for finding in findings))
    assert [replace(finding, evidence=()) for _, finding in pairs] == [item for item, _ in pairs]
    return [finding for _, finding in pairs]


def test_few_findings_stand_for_themselves_and_many_are_counted() -> None:
    few = [make(line) for line in range(MAX_ALIKE)]
    assert fold(few) == few
    others = [make(1, f"t{number}") for number in range(2 * MAX_ALIKE)]
    (first, *rest) = fold([*(make(line) for line in range(5, 10_005)), *others])
    assert rest == others
    assert first.location == Location("a.py", 5)
    assert first.evidence[-1].text == "9999 more statements of this revision do the same (lines 5 to 10004)"
