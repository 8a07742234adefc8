"""The report as GitLab reads it for the code quality of a merge request: JSON of Code Climate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from migration_gate.check import Severity
from migration_gate.report.anchor import anchor_location, verdict_fingerprint
from migration_gate.report.printable_text import escape_unprintable, shorten_text
from migration_gate.report.verdict_selection import standing_verdicts
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict

DESCRIPTION_LENGTH = 1000
"""characters"""
SEVERITY_NAMES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}
BLOCKER = "blocker"
Issue = dict[str, object]


def render(report: Report) -> str:
    """A JSON list of the standing findings, ASCII only; those that block have the severity `blocker`."""
    issues = [issue for project in report.projects for issue in _project_issues(project)]
    return json.dumps(issues, indent=2) + "\n"


def _project_issues(project: ProjectReport) -> Iterator[Issue]:
    for verdict in standing_verdicts(project.verdicts):
        yield _verdict_issue(verdict, project)
    if project.problem:
        yield _problem_issue(project.name, project.problem)


def _verdict_issue(verdict: Verdict, project: ProjectReport) -> Issue:
    location = anchor_location(verdict, project)
    blocks = verdict.blocks(project.fail_on)
    return {
        "description": escape_unprintable(shorten_text(verdict.finding.headline, DESCRIPTION_LENGTH)),
        "check_name": verdict.check,
        "fingerprint": verdict_fingerprint(verdict),
        "severity": BLOCKER if blocks else SEVERITY_NAMES[verdict.severity],
        "location": {
            "path": escape_unprintable(location.file),
            "lines": {"begin": max(location.line or 1, 1)},
        },
    }


def _problem_issue(name: str, problem: Problem) -> Issue:
    """A project that could not be examined: GitLab would take an empty list for a clean one."""
    description = f"{name} could not be checked: {problem.message}"
    identity = f"not checked\0{name}".encode("utf-8", "backslashreplace")
    return {
        "description": escape_unprintable(shorten_text(description, DESCRIPTION_LENGTH)),
        "check_name": "not-checked",
        "fingerprint": hashlib.sha256(identity).hexdigest(),
        "severity": BLOCKER,
        "location": {"path": ".", "lines": {"begin": 1}},
    }
