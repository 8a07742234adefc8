"""What each check of a run looked at; a check that is off looks at nothing, and is left out."""

from __future__ import annotations

from collections.abc import Iterable

from migration_gate.analysis.check_subjects import count_subjects
from migration_gate.check import Check, check_name
from migration_gate.config.settings import Settings
from migration_gate.facts import CheckCoverage, Facts


def measure_check_coverage(
    facts: Facts, checks: Iterable[Check], settings: Settings
) -> tuple[CheckCoverage, ...]:
    """One entry a check, in the order of the checks."""
    counts = count_subjects(facts)
    off = {item.check for item in settings.checks if item.severity is None}
    return tuple(
        CheckCoverage(check_name(check), check.SUBJECT.value, counts[check.SUBJECT])
        for check in checks
        if check_name(check) not in off
    )
