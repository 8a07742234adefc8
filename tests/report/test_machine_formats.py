"""SARIF, JUnit XML and GitLab's code quality: valid, stable, and unmoved by hostile names."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from jsonschema import Draft4Validator

from migration_gate import checks, explain
from migration_gate.check import Evidence
from migration_gate.facts import Location, SourceEdit
from migration_gate.report import codequality, junit, sarif
from migration_gate.report.anchor import is_in_repository, verdict_fingerprint
from migration_gate.verdict.outcome import ProjectReport, Report
from tests.support import example_reports

SCHEMA = Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json"
HOSTILE = "\x00\x1b[31m\u202e\ud800\uffff]]>&<x>\"'%0A::error::"


def every() -> Report:
    return example_reports.report(
        example_reports.blocked(),
        example_reports.clean(),
        example_reports.failing(),
        example_reports.broken(),
        example_reports.hostile(),
    )


def worse() -> Report:
    """Characters that neither XML, UTF-8 nor a URI has room for, in every field."""
    project = example_reports.blocked()
    verdicts = tuple(
        replace(
            verdict,
            project=HOSTILE,
            finding=replace(
                verdict.finding,
                object=HOSTILE,
                message=HOSTILE,
                fix=f"{HOSTILE}\n\n    {HOSTILE}",
                evidence=(Evidence(HOSTILE, HOSTILE),),
                location=Location(f"a b/{HOSTILE}.py", 3),
                revision=HOSTILE,
            ),
        )
        for verdict in project.verdicts
    )
    return example_reports.report(replace(project, name=HOSTILE, verdicts=verdicts))


def log(report: Report, **limits: int) -> Any:
    return json.loads(sarif.render(report, checks.ALL, **limits))


@pytest.fixture(scope="module")
def schema() -> Draft4Validator:
    return Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.mark.parametrize("report", [every(), worse(), Report(())], ids=["every", "worse", "none"])
def test_a_sarif_log_is_valid(report: Report, schema: Draft4Validator) -> None:
    assert [error.message for error in schema.iter_errors(log(report))] == []


def test_every_check_is_a_rule_with_its_docstring() -> None:
    (run,) = log(example_reports.report(example_reports.clean()))["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert len(rules) == len(explain.known_checks())
    drift = rules["drift"]
    assert drift["shortDescription"]["text"].endswith(".")
    assert "Instead, " in drift["help"]["markdown"]
    assert drift["helpUri"].endswith("checks/README.md#drift")


def test_results_have_a_location_in_the_repository_and_a_fingerprint() -> None:
    project = example_reports.blocked()
    (run,) = log(example_reports.report(project))["runs"]
    assert len(run["results"]) == len(project.verdicts)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        where = result["locations"][0]["physicalLocation"]
        assert where["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert where["region"]["startLine"] >= 1
        assert rules[result["ruleIndex"]] == result["ruleId"]
    marks = [result["partialFingerprints"]["migrationGate/v1"] for result in run["results"]]
    assert set(marks) == {verdict_fingerprint(verdict) for verdict in project.verdicts}
    assert len(set(marks)) == len(marks)


def test_an_allowed_finding_is_suppressed_with_its_reason() -> None:
    (run,) = log(example_reports.report(example_reports.blocked()))["runs"]
    (entry,) = [suppression for result in run["results"] for suppression in result.get("suppressions", ())]
    assert entry == {"kind": "external", "status": "accepted", "justification": "small table"}


SOURCE = "import a\n\nx = f(\n    '\u00e4\U0001f40d',\n)\ny = 2\n"
EDITS = (
    SourceEdit("app/a b.py", 4, ("    '\u00e4\U0001f40d',",), ("    '\u00e4',", "    k=1,"), "In the model:"),
    SourceEdit("app/a b.py", 3, ("x = f(", "    '\u00e4\U0001f40d',", ")"), ("x = 1",), "If `x` is one:\n"),
    SourceEdit("app/a b.py", 6, ("y = 2",), ()),
)


def with_edits() -> Report:
    project = example_reports.blocked()
    verdicts = (replace(project.verdicts[0], edits=EDITS), *project.verdicts[1:])
    return example_reports.report(replace(project, verdicts=verdicts))


def apply_replacement(text: str, replacement: Any) -> str:
    """The text after one replacement of a SARIF log, whose lines and columns count from 1."""
    lines = text.split("\n")
    region = replacement["deletedRegion"]

    def find(line: int, column: int) -> int:
        return sum(len(line) + 1 for line in lines[: line - 1]) + column - 1

    start = find(region["startLine"], region["startColumn"])
    end = find(region["endLine"], region["endColumn"])
    inserted: str = replacement["insertedContent"]["text"]
    return text[:start] + inserted + text[end:]


def test_an_edit_is_a_fix_that_makes_the_same_text(schema: Draft4Validator) -> None:
    content = log(with_edits())
    assert [error.message for error in schema.iter_errors(content)] == []
    first, *others = content["runs"][0]["results"]
    assert not any("fixes" in result for result in others)
    texts = []
    for fix in first["fixes"]:
        (change,) = fix["artifactChanges"]
        assert change["artifactLocation"] == {"uri": "app/a%20b.py", "uriBaseId": "%SRCROOT%"}
        (replacement,) = change["replacements"]
        texts.append(apply_replacement(SOURCE, replacement))
    assert texts == [
        SOURCE.replace("\U0001f40d',", "',\n    k=1,"),
        "import a\n\nx = 1\ny = 2\n",
        SOURCE.removesuffix("y = 2\n"),
    ]
    descriptions = [fix["description"]["text"] for fix in first["fixes"]]
    assert descriptions == ["In the model", "If `x` is one", "Replace these lines."]


def test_the_least_severe_results_are_left_out_of_a_large_log() -> None:
    report = example_reports.report(example_reports.blocked())
    (run,) = log(report, max_results=3)["runs"]
    assert [result["level"] for result in run["results"]] == ["error"] * 3
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("7 more results are left out")
    (run,) = log(report, max_bytes=2000)["runs"]
    assert len(run["results"]) == 1


@pytest.mark.parametrize(
    ("file", "uri", "inside"),
    [
        ("a/b.py", "a/b.py", True),
        ("a b/%.py", "a%20b/%25.py", True),
        ("ü.py", "%C3%BC.py", True),
        ("a\\b.py", "a%5Cb.py", True),
        ("..\\b.py", "..%5Cb.py", True),
        (os.fsdecode(b"a/\xfc\xff.py"), "a/%FC%FF.py", True),
        ("c:d.py", "c%3Ad.py", True),
        ("/etc/passwd", "file:///etc/passwd", False),
        ("a/../../x", "a/../../x", False),
    ],
)
def test_paths_become_uris(file: str, uri: str, inside: bool) -> None:
    project = example_reports.blocked()
    verdict = replace(
        project.verdicts[0], finding=replace(project.verdicts[0].finding, location=Location(file, 1))
    )
    (run,) = log(example_reports.report(replace(project, verdicts=(verdict,))))["runs"]
    where = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert where["uri"] == uri
    assert ("uriBaseId" in where) is inside is is_in_repository(file)


@pytest.mark.parametrize("report", [every(), worse(), Report(())], ids=["every", "worse", "none"])
def test_junit_is_well_formed_and_its_counts_match_its_cases(report: Report) -> None:
    root = fromstring(junit.render(report, checks.ALL))
    for kind, tag in (("failures", "failure"), ("errors", "error"), ("tests", "testcase")):
        assert int(root.get(kind, "-1")) == len(root.findall(f".//{tag}"))


def test_junit_fails_a_case_for_each_check_that_blocks() -> None:
    project = example_reports.blocked()
    root = fromstring(junit.render(example_reports.report(project, example_reports.broken()), checks.ALL))
    failed = {case.get("name") for case in root.iter("testcase") if case.find("failure") is not None}
    assert failed == {verdict.check for verdict in project.blocking_verdicts}
    passed = {case.get("name") for case in root.iter("testcase") if case.find("failure") is None}
    assert "uncascaded-owner" in passed
    (error,) = root.iter("error")
    assert "env.py did not load" in error.get("message", "")


@pytest.mark.parametrize("report", [every(), worse()], ids=["every", "worse"])
def test_code_quality_issues_have_the_fields_that_gitlab_requires(report: Report) -> None:
    issues = json.loads(codequality.render(report))
    standing = [v for project in report.projects for v in project.verdicts if not v.allowed]
    problems = [project for project in report.projects if project.problem]
    assert len(issues) == len(standing) + len(problems)
    assert Counter(issue["fingerprint"] for issue in issues).most_common(1)[0][1] == 1
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("blocker", "critical", "minor", "info")
        assert issue["location"]["lines"]["begin"] >= 1


def test_the_same_finding_in_two_projects_has_two_fingerprints() -> None:
    project: ProjectReport = example_reports.blocked()
    renamed = replace(project, verdicts=tuple(replace(v, project="other") for v in project.verdicts))
    issues = json.loads(codequality.render(example_reports.report(project, renamed)))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


@pytest.mark.slow
def test_a_finding_of_ten_megabytes_is_shortened_in_every_format() -> None:
    project = example_reports.blocked()
    big = "x`@|\n" * 2_000_000
    finding = replace(
        project.verdicts[0].finding, message=big, object=big, evidence=(Evidence(big, big),), fix=big
    )
    report = example_reports.report(
        replace(project, verdicts=(replace(project.verdicts[0], finding=finding),))
    )
    for text in (sarif.render(report, checks.ALL), junit.render(report), codequality.render(report)):
        assert len(text) < 200_000
