"""Workflows, action.yml and the Dockerfile, before those who know GitHub's rules."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import migration_gate
from tests.support.check_programs import accepts

pytestmark = pytest.mark.slow  # each starts another program

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
REUSABLE = [file for file in WORKFLOWS if file.name.startswith("check")]
"""called from workflows of users, whose jobs decide on the rights"""
EXAMPLE = ROOT / "examples" / "monorepo" / ".github" / "workflows" / "migrations.yml"
OWN = [file for file in WORKFLOWS if file not in REUSABLE]
IMAGE = f"docker://ghcr.io/migration-gate/migration-gate:{migration_gate.__version__}"


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    """Every job of every workflow: file, name, and what it says."""
    loaded = [(file.name, yaml.safe_load(file.read_text())) for file in WORKFLOWS]
    return [(file, name, job) for file, workflow in loaded for name, job in workflow["jobs"].items()]


def test_action_yml_is_what_github_expects() -> None:
    accepts("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")


def test_workflows_are_what_github_expects() -> None:
    accepts("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))


def test_dependabot_is_what_github_expects() -> None:
    accepts("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml")


def test_issue_forms_are_what_github_expects() -> None:
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    forms = [form for form in forms if form.name != "config.yml"]
    accepts("check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", *map(str, forms))
    accepts(
        "check-jsonschema",
        "--builtin-schema",
        "vendor.github-issue-config",
        ".github/ISSUE_TEMPLATE/config.yml",
    )


def test_workflows_use_inputs_and_outputs_that_the_action_has() -> None:
    accepts("actionlint")


def test_zizmor_accepts_the_workflows() -> None:
    accepts("zizmor", "--offline", "--no-progress", ".")


@pytest.mark.parametrize(
    "file", [*WORKFLOWS, EXAMPLE, ROOT / "docs" / "recipes.md"], ids=lambda file: file.name
)
def test_a_second_attempt_of_a_job_can_write_its_artifact(file: Path) -> None:
    text = file.read_text()
    assert text.count("overwrite: true") == text.count("actions/upload-artifact@")


@pytest.mark.parametrize("file", [ROOT / ".github" / "workflows" / "check-monorepo.yml", EXAMPLE])
def test_a_report_of_an_earlier_attempt_passes_no_job_that_failed_in_this_one(file: Path) -> None:
    job = yaml.safe_load(file.read_text())["jobs"]["migrations"]
    last = job["steps"][-1]
    assert job["needs"] == ["list", "check"]
    assert last["if"] == "contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')"
    assert last["run"].endswith("exit 1\n")


def test_the_dockerfile_passes_its_linter() -> None:
    accepts("hadolint", "Dockerfile")


def test_the_dockerfile_needs_no_buildkit() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"--mount=|--chmod=|--link|^# syntax=|<<", text, re.MULTILINE)


def test_the_base_is_pinned_by_its_digest() -> None:
    *bases, last = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert last == "scratch"
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.13-slim-trixie@sha256:[0-9a-f]{64}", bases[0])


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_pinned_by_a_commit(file: Path) -> None:
    for used, comment in re.findall(r"uses: (\S+)(.*)", file.read_text()):
        if used in ("./", IMAGE):
            continue
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", used), used
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), comment


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.name)
def test_a_workflow_gives_rights_to_jobs_alone(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["permissions"] == {}


@pytest.mark.parametrize("file", REUSABLE, ids=lambda file: file.name)
def test_a_reusable_workflow_leaves_the_rights_to_its_caller(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    assert list(workflow[True]) == ["workflow_call"]
    assert not any("permissions" in part for part in (workflow, *workflow["jobs"].values()))


def test_the_required_job_of_a_monorepo_runs_also_where_others_failed() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/check-monorepo.yml").read_text())["jobs"]
    assert (jobs["migrations"]["if"], jobs["migrations"]["needs"]) == ("always()", ["list", "check"])
    assert jobs["check"]["if"] == "needs.list.outputs.matrix != '{\"include\":[]}'"


def test_only_the_jobs_that_publish_a_release_may_write() -> None:
    writing = {
        (file, name)
        for file, name, job in jobs()
        if any(text == "write" for text in job.get("permissions", {}).values())
    }
    assert writing == {("release.yml", "build"), ("release.yml", "publish"), ("release.yml", "pypi")}


def test_a_release_is_built_for_both_architectures_with_a_bill_of_materials() -> None:
    build = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]["build"]
    runners = {leg["architecture"]: leg["runner"] for leg in build["strategy"]["matrix"]["include"]}
    assert runners == {"amd64": "ubuntu-24.04", "arm64": "ubuntu-24.04-arm"}
    assert set(build["outputs"]) == set(runners)
    assert "--sbom=true" in build["steps"][1]["run"]


def test_no_checkout_keeps_its_token() -> None:
    for file, name, job in jobs():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, (file, name)


def test_no_run_step_contains_an_expression() -> None:
    for file, name, job in jobs():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), (file, name)


def test_the_notes_of_a_release_are_its_part_of_the_changelog() -> None:
    notes = subprocess.run(
        [ROOT / ".ci" / "notes", "0.1.0"], capture_output=True, text=True, check=True
    ).stdout
    assert notes.startswith("### Added\n")
    assert "## [" not in notes
    missing = subprocess.run([ROOT / ".ci" / "notes", "0.1"], capture_output=True, text=True, check=False)
    assert (missing.returncode, missing.stdout) == (1, "")
