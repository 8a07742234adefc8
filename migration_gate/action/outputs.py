"""The outputs of the action: the only place that lists them, and the value of each."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.check import Severity
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.printable_text import escape_unprintable
from migration_gate.report.verdict_selection import standing_verdicts
from migration_gate.verdict.outcome import Report

OUTPUTS = {
    "result": "The verdict - `passed`, `blocked`, or `not-checked` where a project could not be examined.",
    "findings": "The number of findings, without the allowed ones.",
    "errors": "The number of findings that are errors.",
    "warnings": "The number of findings that are warnings.",
    "report": "Path of the JSON report, from the top of the repository.",
    "sarif": "Path of the SARIF report, where one was asked for.",
    "heads": "The heads of the history, separated by spaces.",
    "revisions": "The number of revisions.",
}
RESULTS = {0: "passed", 1: "blocked"}
"""by exit status; every other one is `not-checked`"""
MAX_HEAD_LENGTH = 200
"""characters"""


@dataclass(frozen=True, slots=True)
class WrittenReports:
    """The report files that were written: paths from the top of the repository, empty if there is none."""

    json: str = ""
    sarif: str = ""
    is_complete: bool = True
    """all requested files were written"""

    def with_path(self, form: str, path: str) -> WrittenReports:
        """With the path of one more file; formats that no output names are left out."""
        if form == "json":
            return replace(self, json=path)
        return replace(self, sarif=path) if form == "sarif" else self


def output_values(report: Report, written: WrittenReports) -> dict[str, str]:
    """The value of every output."""
    verdicts = [verdict for project in report.projects for verdict in standing_verdicts(project.verdicts)]
    severities = [verdict.severity for verdict in verdicts]
    histories = [project.facts.replay.history for project in report.projects]
    heads = [_head_as_word(head) for history in histories for head in history.heads]
    return {
        "result": RESULTS.get(report.status, "not-checked"),
        "findings": str(len(verdicts)),
        "errors": str(severities.count(Severity.ERROR)),
        "warnings": str(severities.count(Severity.WARNING)),
        "report": written.json,
        "sarif": written.sarif,
        "heads": " ".join(heads),
        "revisions": str(sum(len(history.revisions) for history in histories)),
    }


def _head_as_word(head: str) -> str:
    return escape_unprintable(head).replace(" ", "_")[:MAX_HEAD_LENGTH]
