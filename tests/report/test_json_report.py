"""The JSON report: its schema, its golden file and its stability."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from docs.generate import render_report_schema
from migration_gate.facts import Difference, RenameFix
from migration_gate.report.json_document import JsonReport
from migration_gate.report.json_drift import JsonRename
from migration_gate.report.json_report import build_document, render
from migration_gate.verdict.outcome import Report
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


@pytest.mark.parametrize("is_missing", [True, False])
def test_both_findings_of_a_rename_have_its_two_names(is_missing: bool) -> None:
    fix = RenameFix("op.rename_table('user', 'users')", "op.rename_table('users', 'user')", ("users.a",))
    name, hint = ("users", "user") if is_missing else ("user", "users")
    difference = Difference(
        "table",
        name,
        database=None if is_missing else "(id integer)",
        models="(id integer)" if is_missing else None,
        table=f"public.{name}",
        rename_hint=hint,
        rename_is_likely=True,
        rename_fix=fix,
    )
    project = example_reports.blocked()
    facts = replace(project.facts, replay=replace(project.facts.replay, differences=(difference,)))
    (drift,) = build_document(Report((replace(project, facts=facts),))).projects[0].drift
    assert drift.rename == JsonRename(
        "user", "users", True, fix.upgrade, fix.downgrade, ("users.a",), refused=""
    )


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
