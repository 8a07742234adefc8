"""What every report for people says of new allowances, and of checks that are off or lowered."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import pytest

from migration_gate.check import Severity
from migration_gate.config.settings import CheckSeverity
from migration_gate.facts import AllowanceText, Location
from migration_gate.monorepo.rebuilt_project import rebuild_project
from migration_gate.report import comment, summary, text_report
from migration_gate.report.json_report import build_document
from migration_gate.verdict.lowered_checks import list_lowered_checks
from migration_gate.verdict.outcome import ProjectReport, Report
from tests.support import example_reports

ALLOWANCES = (
    AllowanceText("drift", "audit_*", "made by hand", "2030-01-31", Location(".migration-gate.yml", 4)),
    AllowanceText("nullable-owner", "owner_id = 1", "import", "", Location("models.py", 7), is_comment=True),
)
LOWERED = (CheckSeverity("drift", Severity.WARNING), CheckSeverity("unindexed-owner", None))


def project() -> ProjectReport:
    return replace(example_reports.clean(), new_allowances=ALLOWANCES, lowered=LOWERED)


def render_all(report: ProjectReport) -> dict[str, str]:
    return {
        "text": text_report.render(Report((report,))),
        "summary": summary.render(Report((report,))),
        "comment": comment.render_comment(report).body,
    }


@pytest.mark.parametrize("form", ["text", "summary", "comment"])
@pytest.mark.parametrize("through_json", [False, True])
def test_new_allowances_come_first_and_lowered_checks_are_listed(form: str, through_json: bool) -> None:
    report = project()
    if through_json:
        report = rebuild_project(build_document(Report((report,))).projects[0])
    text = " ".join(unescape(render_all(report)[form]).split())
    first = text.index("The change adds 2 allowances")
    assert first < text.index("made by hand") < text.index("2 checks off or lowered")
    assert "until 2030-01-31" in text
    assert "on owner_id = 1: import (models.py:7)" in text
    assert "unindexed-owner: off" in text


def test_without_either_nothing_is_said() -> None:
    text = "".join(render_all(example_reports.clean()).values())
    assert "allowance" not in text
    assert "lowered" not in text


def test_what_is_as_severe_as_by_default_is_not_lowered() -> None:
    levels = {
        "drift": Severity.ERROR,
        "drift/comment": Severity.WARNING,
        "drift/column": Severity.WARNING,
        "unindexed-owner": Severity.ERROR,
        "uncascaded-owner": None,
    }
    settings = example_reports.settings("x", checks=tuple(CheckSeverity(*item) for item in levels.items()))
    lowered = list_lowered_checks(settings, example_reports.REPORTED_CHECKS)
    assert [item.check for item in lowered] == ["drift/column", "uncascaded-owner"]
