"""The built image as a step of a job: what it says and sets, whole, for each thing that can be found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.action_checkout import COMPARED_WHOLE, add_revision, commit_skeleton, copy_example
from tests.support.action_runner import Step, commit, git, pull_request, run_step
from tests.support.check_examples import write_example, write_skeleton

pytestmark = [pytest.mark.docker, pytest.mark.slow]
Golden = Callable[[str, str], None]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Where the runner checks out."""
    return tmp_path / "hello"


def of_change(folder: Path, **inputs: str) -> Step:
    """The step of a pull request from `change` to `main`."""
    payload = pull_request(git(folder, "rev-parse", "main"), git(folder, "rev-parse", "HEAD"))
    return run_step(folder, "pull_request", payload, raw_inputs=inputs)


def test_a_clean_project_passes(checkout: Path, golden: Golden) -> None:
    result = run_step(commit_skeleton(checkout))
    assert result.exit_code == 0
    assert result.outputs["result"] == "passed"
    golden("action/clean.txt", result.as_text())


@pytest.mark.parametrize(
    "name",
    [
        COMPARED_WHOLE[0],
        *(pytest.param(name, marks=pytest.mark.release) for name in COMPARED_WHOLE[1:]),
        pytest.param("unindexed-owner", marks=pytest.mark.release),
        pytest.param("unchecked", marks=pytest.mark.release),
    ],
)
def test_a_finding_is_reported(name: str, checkout: Path, golden: Golden) -> None:
    result = of_change(copy_example(checkout, name))
    assert (result.exit_code, result.outputs["result"]) in {(1, "blocked"), (0, "passed")}
    assert int(result.outputs["findings"]) > 0
    assert result.annotations, "a finding that blocks or warns is shown on the pull request"
    if name in COMPARED_WHOLE:
        golden(f"action/{name}.txt", result.as_text())


def test_a_package_that_is_missing_is_named(checkout: Path, golden: Golden) -> None:
    commit_skeleton(checkout)
    models = checkout / "app" / "models.py"
    models.write_text("import sqlalchemy_utils_of_ours\n" + models.read_text())
    result = run_step(checkout)
    assert (result.exit_code, result.outputs["result"]) == (2, "not-checked")
    golden("action/missing-package.txt", result.as_text())


def test_a_wrong_configuration_is_reported_with_its_line(checkout: Path, golden: Golden) -> None:
    commit_skeleton(checkout)
    (checkout / ".migration-gate.yml").write_text("postgres: auto\nowner:\n  columns: [x]\n")
    result = run_step(checkout)
    assert result.exit_code == 2
    golden("action/wrong-configuration.txt", result.as_text())


@pytest.mark.release
def test_an_input_that_is_unknown_is_named(checkout: Path, golden: Golden) -> None:
    result = run_step(commit_skeleton(checkout), env={"INPUT_POSTGRESS": "17"})
    assert result.exit_code == 2
    golden("action/unknown-input.txt", result.as_text())


@pytest.mark.release
@pytest.mark.parametrize(
    ("name", "value"),
    [("fail_on", "sometimes"), ("network", "maybe"), ("comment", "yes"), ("postgres", "ato")],
)
def test_an_input_that_is_malformed_is_named(name: str, value: str, checkout: Path) -> None:
    result = run_step(commit_skeleton(checkout), raw_inputs={name: value})
    assert (result.exit_code, result.outputs["result"]) == (2, "not-checked")
    assert name.replace("_", "-") in result.log
    assert name.replace("_", "-") in result.summary


@pytest.mark.release
def test_a_project_in_a_folder_is_found_by_its_path(checkout: Path, golden: Golden) -> None:
    commit_skeleton(checkout, "services/api")
    base = git(checkout, "rev-parse", "HEAD")
    write_example(checkout / "services" / "api", "drift", "bad")
    result = run_step(
        checkout, "pull_request", pull_request(base, commit(checkout, "x")), path="services/api"
    )
    assert {
        annotation["file"].split("/")[:2] == ["services", "api"] for annotation in result.annotations
    } == {True}
    golden("action/folder.txt", result.as_text())


@pytest.mark.release
def test_several_projects_are_one_report(checkout: Path, golden: Golden) -> None:
    for name in ("api", "billing"):
        write_skeleton(checkout / name)
    write_example(checkout / "billing", "nullable-owner", "bad")
    (checkout / ".migration-gate.yml").write_text(
        "projects:\n  api: {path: api}\n  billing: {path: billing}\n"
    )
    git(checkout, "init", "--quiet", "--initial-branch", "main")
    commit(checkout, "two")
    result = run_step(checkout)
    assert (result.exit_code, result.outputs["heads"].count(" ")) == (1, 1)
    golden("action/several-projects.txt", result.as_text())


@pytest.mark.release
def test_only_the_named_project_is_checked(checkout: Path) -> None:
    for name in ("api", "billing"):
        write_skeleton(checkout / name)
    (checkout / ".migration-gate.yml").write_text(
        "projects:\n  api: {path: api}\n  billing: {path: nowhere}\n"
    )
    git(checkout, "init", "--quiet", "--initial-branch", "main")
    commit(checkout, "two")
    assert run_step(checkout, project="api").exit_code == 0


@pytest.mark.release
def test_warnings_block_where_they_are_asked_to(checkout: Path) -> None:
    copy_example(checkout, "unindexed-owner")
    first, second = run_step(checkout), run_step(checkout, fail_on="warning")
    assert (first.exit_code, first.outputs["result"]) == (0, "passed")
    assert (second.exit_code, second.outputs["result"]) == (1, "blocked")


@pytest.mark.release
def test_summary_and_annotations_can_be_left_out(checkout: Path) -> None:
    result = run_step(copy_example(checkout, "drift"), summary="false", annotations="false")
    assert (result.exit_code, result.summary, result.annotations) == (1, "", ())


@pytest.mark.release
def test_packages_are_installed_where_no_interpreter_is_named(checkout: Path) -> None:
    commit_skeleton(checkout)
    (checkout / "requirements.txt").write_text(
        "alembic==1.16.5\nsqlalchemy==2.0.43\npsycopg2-binary==2.9.10\n"
    )
    result = run_step(checkout, python="", install="")
    assert result.exit_code == 0, result.log
    assert "requirements.txt" in result.log


def test_hostile_names_have_no_effect(checkout: Path, golden: Golden) -> None:
    commit_skeleton(checkout)
    evil = "x%0A::error::owned|<script>alert(1)</script>`@all"
    (checkout / "sql").mkdir()
    (checkout / "sql" / "a,b:c%0A::warning::w.sql").write_text("CREATE TABLE t (id int);\n")
    body = f"""
import sys
from alembic import op
print("::error::owned")
print("::add-mask::users")
print("::stop-commands::x")
print("::x::")
print("\\r::set-output name=result::passed", file=sys.stderr)
op.execute('CREATE TABLE "{evil}" (id int, owner_id int)')
op.execute("COMMENT ON TABLE notes IS '{evil}'")
raise RuntimeError("::error::owned\\n::error::owned {evil}")
"""
    result = run_step(add_revision(checkout, body))
    assert result.exit_code == 1
    assert not [annotation for annotation in result.annotations if annotation["message"].startswith("owned")]
    assert "<script>" not in result.summary
    golden("action/hostile.txt", result.as_text())
