"""Reports of several runs, joined into one verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.check import Evidence, Extent, Finding, Severity
from migration_gate.config.settings import Allowance
from migration_gate.facts import (
    Facts,
    History,
    Location,
    Replay,
    Revision,
    Snapshot,
    SoftwareVersion,
    Step,
    Table,
)
from migration_gate.report import json_report as reports
from migration_gate.report import text_report
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict
from tests.test_cli import run

FINDING = Finding(
    "users.email",
    "`users.email` accepts NULL",
    Location("m/a.py", 3),
    "a1",
    (Evidence("database", "text"),),
    "Mend it.",
    extent=Extent("8 kB, 50 rows", "less than 1 s", "a warning instead of an error"),
)
BLOCKING = Verdict("drift", Severity.ERROR, FINDING, "0123456789", "api")
ALLOWED = replace(BLOCKING, id="9876543210", allowed=Allowance("drift", "known", where="m/a.py:2"))
REPLAY = Replay(
    history=History((Revision("a1", (), "start", Location("m/a.py", 9)),), ("a1",), ("a1",)),
    steps=(Step(1, "a1", 0.1),),
    arrived_heads=("a1",),
    catalog=Snapshot(tables=(Table("public", "users"), Table("public", "tags"))),
    versions=(SoftwareVersion("postgres", "PostgreSQL 17.2"),),
    notes=("something to know",),
)


def project(name: str, *verdicts: Verdict, problem: Problem | None = None) -> ProjectReport:
    signed = tuple(replace(verdict, project=name) for verdict in verdicts)
    facts = Facts(name, REPLAY) if problem is None else Facts()
    return ProjectReport(name, facts, signed, seconds=1.5, problem=problem)


def saved(folder: Path, *projects: ProjectReport) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{projects[0].name}.json"
    file.write_text(reports.render(Report(projects, 2.0, "1.2.3")))
    return file


def matrix(*names: str) -> str:
    return json.dumps({"include": [{"project": name, "path": f"services/{name}"} for name in names]})


def test_clean_reports_pass(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    saved(tmp_path / "a", project("api", ALLOWED))
    saved(tmp_path / "b", project("billing"))
    status, out, err = run(capsys, "join", str(tmp_path), "--matrix", matrix("api", "billing"))
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == "Passed: 1 allowed"


def test_one_blocked_report_blocks_the_joined_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    saved(tmp_path, project("api", BLOCKING))
    saved(tmp_path, project("billing"))
    status, out, _ = run(capsys, "join", str(tmp_path))
    assert (status, out.splitlines()[-1]) == (1, "Blocked: 1 error")
    assert "`users.email` accepts NULL" in out or "users.email accepts NULL" in out


def test_a_project_without_a_report_was_not_checked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    saved(tmp_path, project("api"))
    status, out, _ = run(capsys, "join", str(tmp_path), "--expect", "api", "--expect", "billing")
    assert (status, out.splitlines()[-1]) == (2, "Not checked: 1 of 2 projects could not be examined")
    assert "No report of `billing` arrived." in out or "No report of billing arrived." in out


@pytest.mark.parametrize("folder", ["empty", "nowhere"])
def test_no_report_at_all_is_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, folder: str
) -> None:
    (tmp_path / "empty").mkdir()
    folder_name = str(tmp_path / folder)
    assert run(capsys, "join", folder_name, "--matrix", matrix("api"))[0] == 2
    assert run(capsys, "join", folder_name)[0] == 2
    assert run(capsys, "join")[0] == 2


def test_an_empty_matrix_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder_name = str(tmp_path / "nowhere")
    status, out, _ = run(capsys, "join", folder_name, "--matrix", '{"include":[]}')
    assert (status, out) == (0, "Passed: the change touches no project\n")
    status, out, _ = run(capsys, "join", folder_name, "--matrix", '{"include":[]}', "--format", "json")
    assert (status, json.loads(out)["outcome"], json.loads(out)["projects"]) == (0, "passed", [])


@pytest.mark.parametrize(
    ("matrix_text", "says"),
    [
        ("", "`--matrix` is empty: the job that lists the projects did not finish."),
        ("[]", "is not what `migration-gate projects --format matrix` prints"),
        ('{"include":[{"path":"."}]}', "is not what `migration-gate projects --format matrix` prints"),
    ],
)
def test_a_malformed_matrix_is_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, matrix_text: str, says: str
) -> None:
    saved(tmp_path, project("api"))
    status, _, err = run(capsys, "join", str(tmp_path), "--matrix", matrix_text)
    assert status == 2
    assert says in " ".join(err.split())


def test_the_matrix_may_come_from_a_variable(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, project("api"))
    monkeypatch.setenv("MIGRATION_GATE_MATRIX", matrix("api", "billing"))
    assert run(capsys, "join", str(tmp_path))[0] == 2
    monkeypatch.setenv("MIGRATION_GATE_MATRIX", matrix("api"))
    assert run(capsys, "join", str(tmp_path))[0] == 0


def test_an_empty_variable_is_the_matrix_of_a_job_that_did_not_finish(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, project("api"))
    monkeypatch.setenv("MIGRATION_GATE_MATRIX", "")
    status, _, err = run(capsys, "join", str(tmp_path))
    assert status == 2
    assert "`--matrix` is empty: the job that lists the projects did not finish." in " ".join(err.split())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "Invalid JSON"),
        ('{"format": 2}', "`format`: Input should be 1"),
        ('{"runs": []}', "`format`: "),
        ("\0", "Invalid JSON"),
    ],
)
def test_a_file_that_is_no_report_is_a_problem(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str, says: str
) -> None:
    saved(tmp_path, project("api"))
    (tmp_path / "other.json").write_text(content)
    status, out, _ = run(capsys, "join", str(tmp_path), "--format", "json")
    problem = next(p["problem"] for p in json.loads(out)["projects"] if p["problem"])
    assert (status, problem["kind"]) == (2, "NotAReport")
    assert says in problem["says"]


@pytest.mark.parametrize("key", ["id", "check", "kind"])
def test_a_name_in_a_stranger_s_report_cannot_act_on_the_page(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, key: str
) -> None:
    document = json.loads((Path(__file__).parents[1] / "golden" / "blocked.json").read_text())
    document["projects"][0]["verdicts"][0][key] = "a</sub> @all <img src=x>\n\x1b[2J"
    file = tmp_path / "a.json"
    file.write_text(json.dumps(document))
    status, out, _ = run(capsys, "join", str(file), "--format", "summary")
    assert status == 2
    assert "String should match pattern" in out
    assert "@all" not in out


def test_a_missing_file_is_a_problem(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, _ = run(capsys, "join", str(tmp_path / "api.json"))
    assert status == 2
    assert "No such file or directory" in " ".join(out.split())


def test_a_report_whose_status_contradicts_its_verdicts_is_a_problem(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = saved(tmp_path, project("api", BLOCKING))
    document = json.loads(file.read_text())
    document["status"] = document["projects"][0]["status"] = 0
    file.write_text(json.dumps(document))
    assert run(capsys, "join", str(file))[0] == 2


def test_the_worst_status_is_the_status(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    saved(tmp_path, project("api", BLOCKING))
    saved(tmp_path, project("billing", problem=Problem("It broke.", status=3)))
    assert run(capsys, "join", str(tmp_path))[0] == 3


def test_joined_json_has_every_project_as_it_was_reported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    api, billing = project("api", BLOCKING, ALLOWED), project("billing")
    saved(tmp_path, api)
    saved(tmp_path, billing)
    _, out, _ = run(capsys, "join", str(tmp_path), "--format", "json")
    together = json.loads(reports.render(Report((api, billing), 3.0, "1.2.3")))
    assert json.loads(out) == together


def test_joined_text_is_the_text_of_one_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    api, billing = project("api", BLOCKING), project("billing", ALLOWED)
    saved(tmp_path, api)
    saved(tmp_path, billing)
    _, out, _ = run(capsys, "join", str(tmp_path))
    from migration_gate import explain

    assert out == text_report.render(
        Report((api, billing), 3.0, "1.2.3"), explain.known_checks(), colour=False, width=80
    )


def test_the_summary_is_appended_to_that_of_the_step(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path / "reports", project("api"))
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    assert run(capsys, "join", str(tmp_path / "reports"), "--github-summary")[0] == 0
    assert file.read_text().startswith("before\n## ✅ Migration Gate")


def test_outside_of_a_step_its_options_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    saved(tmp_path, project("api"))
    status, _, err = run(capsys, "join", str(tmp_path), "--github-summary")
    assert status == 2
    assert "GITHUB_STEP_SUMMARY is not set" in err


def test_commands_in_a_report_are_not_carried_out(tmp_path: Path) -> None:
    hostile = replace(
        FINDING, message="harmless\n::error::taken over\n##[error]x", fix="::set-output name=a::b"
    )
    saved(tmp_path, project("api", replace(BLOCKING, finding=hostile)))
    command = [sys.executable, "-m", "migration_gate", "join", str(tmp_path)]
    environ = {"PATH": os.environ["PATH"], "GITHUB_ACTIONS": "true"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    first, *_, last = done.stdout.splitlines()
    assert done.returncode == 1
    assert first.startswith("::stop-commands::")
    assert last == f"::{first.removeprefix('::stop-commands::')}::"
