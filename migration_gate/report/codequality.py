"""The report as GitLab reads it for the code quality of a merge request: Code Climate's JSON."""

from __future__ import annotations

import hashlib
import json

from migration_gate.check import Severity
from migration_gate.report.anchor import anchor_location, verdict_fingerprint
from migration_gate.report.printable_text import escape_unprintable, shorten_text
from migration_gate.verdict.outcome import Report

LENGTH = 1000
SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(report: Report) -> str:
    """A list of the findings that stand, ASCII only; what blocks is a blocker."""
    issues: list[dict[str, object]] = []
    for project in report.projects:
        for verdict in project.verdicts:
            if verdict.allowed:
                continue
            place = anchor_location(verdict, project)
            blocks = verdict.blocks(project.fail_on)
            issues.append(
                {
                    "description": escape_unprintable(shorten_text(verdict.finding.message, LENGTH)),
                    "check_name": verdict.check,
                    "fingerprint": verdict_fingerprint(verdict),
                    "severity": "blocker" if blocks else SEVERITIES[verdict.severity],
                    "location": {
                        "path": escape_unprintable(place.file),
                        "lines": {"begin": max(place.line or 1, 1)},
                    },
                }
            )
        if project.problem:
            issues.append(_problem(project.name, project.problem.says))
    return json.dumps(issues, indent=2) + "\n"


def _problem(name: str, says: str) -> dict[str, object]:
    """A project that could not be examined is not a clean one."""
    return {
        "description": escape_unprintable(shorten_text(f"{name} could not be checked: {says}", LENGTH)),
        "check_name": "not-checked",
        "fingerprint": hashlib.sha256(f"not checked\0{name}".encode("utf-8", "backslashreplace")).hexdigest(),
        "severity": "blocker",
        "location": {"path": ".", "lines": {"begin": 1}},
    }
