"""The JSON report: its schema, its golden file and its stability."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from docs.generate import render_report_schema
from migration_gate.report.json_document import JsonReport
from migration_gate.report.json_report import render
from tests.support import example_reports

ROOT = Path(__file__).parents[2]


def test_a_blocked_project_is_reported_whole(golden: Callable[[str, str], None]) -> None:
    golden("blocked.json", render(example_reports.report(example_reports.blocked())))


def test_every_report_matches_its_schema() -> None:
    projects = (
        example_reports.blocked(),
        example_reports.clean(),
        example_reports.failing(),
        example_reports.broken(),
        example_reports.hostile(),
    )
    text = render(example_reports.report(*projects))
    read = TypeAdapter(JsonReport).validate_json(text, strict=True)
    assert [project.outcome for project in read.projects] == [
        "blocked",
        "passed",
        "blocked",
        "not checked",
        "blocked",
    ]
    assert read.status == 2
    assert text.isascii()


def test_the_same_run_gives_the_same_text() -> None:
    assert render(example_reports.report(example_reports.blocked())) == render(
        example_reports.report(example_reports.blocked())
    )


def test_the_failure_is_the_first_of_several_errors() -> None:
    (project,) = json.loads(render(example_reports.report(example_reports.failing())))["projects"]
    assert project["failure"]["says"] == 'relation "queries" does not exist'
    assert project["failure"]["line"] == 21


def test_the_counts_match_the_verdicts() -> None:
    document = json.loads(render(example_reports.report(example_reports.blocked())))
    counts = document["counts"]
    total = sum(counts[key] for key in ("errors", "warnings", "notes", "allowed"))
    assert total == len(document["projects"][0]["verdicts"])
    assert counts["blocking"] == sum(verdict["blocks"] for verdict in document["projects"][0]["verdicts"])


def test_every_field_is_documented() -> None:
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    schema = json.loads(render_report_schema())
    fields = set(schema["properties"])
    for definition in schema["$defs"].values():
        fields |= set(definition["properties"])
    assert sorted(field for field in fields if f"`{field}`" not in text) == []
