"""The outputs of the action: the only place that lists them, and what each holds."""

from __future__ import annotations

from migration_gate.check import Severity
from migration_gate.report.printable_text import escape_unprintable
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


def output_values(report: Report, files: dict[str, str]) -> dict[str, str]:
    """Every output; `files` are the paths of the reports that were written, by format."""
    standing = [v.severity for project in report.projects for v in project.verdicts if v.allowed is None]
    histories = [project.facts.replay.history for project in report.projects]
    heads = [
        escape_unprintable(head).replace(" ", "_")[:200] for history in histories for head in history.heads
    ]
    return {
        "result": RESULTS.get(report.status, "not-checked"),
        "findings": str(len(standing)),
        "errors": str(standing.count(Severity.ERROR)),
        "warnings": str(standing.count(Severity.WARNING)),
        "report": files.get("json", ""),
        "sarif": files.get("sarif", ""),
        "heads": " ".join(heads),
        "revisions": str(sum(len(history.revisions) for history in histories)),
    }
