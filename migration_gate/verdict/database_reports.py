"""The reports on the databases of one project, which have the same allowances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from migration_gate.check import check_name
from migration_gate.verdict import unused_allow
from migration_gate.verdict.outcome import ProjectReport, Verdict


def report_allowances_unused_by_all(reports: Sequence[ProjectReport]) -> list[ProjectReport]:
    """The reports, in which an allowance is unused only if no database uses it; the first of them says so."""
    if len(reports) < 2:
        return list(reports)
    by_report = [
        {verdict.finding for verdict in report.verdicts if _is_unused_allow(verdict)} for report in reports
    ]
    everywhere = set.intersection(*by_report)
    joined = []
    for number, report in enumerate(reports):
        kept = everywhere if number == 0 else set()
        verdicts = (
            verdict for verdict in report.verdicts if not _is_unused_allow(verdict) or verdict.finding in kept
        )
        joined.append(replace(report, verdicts=tuple(verdicts)))
    return joined


def _is_unused_allow(verdict: Verdict) -> bool:
    return verdict.check == check_name(unused_allow)
