"""The example of three services: it passes as a whole, and its workflow names what the gate understands."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.git_repositories import commit, git, started
from tests.test_cli import run

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "monorepo"
WORKFLOW = yaml.safe_load((EXAMPLE / ".github/workflows/migrations.yml").read_text(encoding="utf-8"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "monorepo"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    return started(root)


def words(job: str) -> list[str]:
    """The command line of a job's own step."""
    args = next(step["with"]["args"] for step in WORKFLOW["jobs"][job]["steps"] if "docker:" in step["uses"])
    return str(args).split()


@pytest.mark.slow
def test_the_three_services_pass_one_by_one_and_their_reports_pass_together(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    monkeypatch.setenv("MIGRATION_GATE_PYTHON", sys.executable)
    monkeypatch.setenv("GITHUB_OUTPUT", str(repository.parent / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(repository.parent / "summary.md"))
    status, out, _ = run(capsys, *words("list"))
    assert status == 0
    for row in json.loads(out)["include"]:
        report = f"reports/{row['project']}/{row['project']}.json"
        status, _, _ = run(
            capsys, "check", row["path"], "--project", row["project"], "--format", "json", "--output", report
        )
        assert status == 0, Path(report).read_text()
    monkeypatch.setenv("MIGRATION_GATE_MATRIX", out)
    status, out, _ = run(capsys, *words("migrations"))
    assert (status, out.splitlines()[-1]) == (0, "Passed: no findings")
    assert "### ✅ billing passed" in (repository.parent / "summary.md").read_text()


def test_a_change_of_one_service_lists_that_one(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = git(repository, "rev-parse", "HEAD")
    commit(repository, {"services/billing/billing/models.py": "x", "README.md": "y"})
    monkeypatch.chdir(repository)
    monkeypatch.setenv("GITHUB_OUTPUT", str(repository.parent / "output"))
    status, out, _ = run(capsys, *words("list"), "--base", base)
    assert (status, out) == (0, '{"include":[{"project":"billing","path":"services/billing"}]}\n')


def test_the_required_job_runs_also_where_others_failed() -> None:
    jobs = WORKFLOW["jobs"]
    assert jobs["migrations"]["if"] == "always()"
    assert jobs["migrations"]["needs"] == ["list", "check"]
    assert jobs["check"]["if"] == "needs.list.outputs.matrix != '{\"include\":[]}'"
