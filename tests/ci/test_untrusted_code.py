"""Which code may run under which event: the commit that is checked out decides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migration_gate.ci.untrusted_code import ALLOW_VARIABLE, refuse_untrusted_code
from migration_gate.errors import Misconfigured, UntrustedCode
from tests.support.git_repositories import commit, git, started
from tests.test_cli import run

pytestmark = pytest.mark.slow  # each starts another program

EVENTS = ["pull_request_target", "workflow_run", "issue_comment"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return started(tmp_path / "repository", {"alembic.ini": "[alembic]\nscript_location = m\n"})


def event_variables(folder: Path, name: str, base: str, head: str) -> dict[str, str]:
    source = {"full_name": "somebody/library"}
    payload = {
        "pull_request": {"number": 1, "base": {"sha": base}, "head": {"sha": head, "repo": source}},
        "workflow_run": {"head_sha": head, "head_repository": source},
        "repository": {"full_name": "film/library"},
    }
    file = folder.parent / "event.json"
    file.write_text(json.dumps(payload))
    return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(file), "GITHUB_SHA": base}


def event_on_head(folder: Path, name: str) -> dict[str, str]:
    """The variables of an event whose base is HEAD, and whose change is one commit on top of it."""
    return event_variables(folder, name, git(folder, "rev-parse", "HEAD"), "b" * 40)


@pytest.mark.parametrize("name", EVENTS)
def test_the_commit_of_the_base_itself_may_run(repository: Path, name: str) -> None:
    refuse_untrusted_code(repository, event_on_head(repository, name))


@pytest.mark.parametrize("name", EVENTS)
def test_the_head_of_a_change_does_not_run_with_the_rights_of_the_base(repository: Path, name: str) -> None:
    base = git(repository, "rev-parse", "HEAD")
    head = commit(repository, {"m/env.py": "import os"})
    with pytest.raises(UntrustedCode, match=f"The event `{name}` runs with the rights of the base") as error:
        refuse_untrusted_code(repository, event_variables(repository, name, base, head))
    assert head[:12] in error.value.message
    assert "Use `on: pull_request`" in error.value.advice
    assert error.value.status == 2


@pytest.mark.parametrize("file", ["alembic.ini", "m/env.py"])
def test_files_that_were_changed_after_the_checkout_do_not_run(repository: Path, file: str) -> None:
    (repository / "m").mkdir()
    variables = event_on_head(repository, "pull_request_target")
    (repository / file).write_text("import os")
    with pytest.raises(UntrustedCode, match="files in it were changed"):
        refuse_untrusted_code(repository, variables)


def test_a_folder_outside_of_a_repository_does_not_run(tmp_path: Path, repository: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(UntrustedCode, match="no git repository"):
        refuse_untrusted_code(outside, event_on_head(repository, "workflow_run"))


@pytest.mark.parametrize("name", ["pull_request", "push", "merge_group", "schedule"])
def test_events_without_the_rights_of_the_base_run_any_commit(repository: Path, name: str) -> None:
    variables = event_on_head(repository, name) | {"GITHUB_EVENT_PATH": ""}
    commit(repository, {"m/env.py": "import os"})
    refuse_untrusted_code(repository, variables)


def test_the_variable_allows_it_and_takes_only_true_and_false(repository: Path) -> None:
    variables = event_variables(repository, "pull_request_target", "a" * 40, "b" * 40)
    refuse_untrusted_code(repository, variables | {ALLOW_VARIABLE: "True"})
    for text in ("", "false"):
        with pytest.raises(UntrustedCode):
            refuse_untrusted_code(repository, variables | {ALLOW_VARIABLE: text})
    with pytest.raises(Misconfigured, match="must be true or false, but is `yes`"):
        refuse_untrusted_code(repository, variables | {ALLOW_VARIABLE: "yes"})


def test_the_configuration_file_cannot_allow_it(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / ".migration-gate.yml").write_text("allow_untrusted_code: true\n")
    for name, value in event_on_head(repository, "workflow_run").items():
        monkeypatch.setenv(name, value)
    status, _, err = run(capsys, "check", str(repository))
    assert (status, "`allow_untrusted_code` is not a setting" in err) == (2, True)


def test_the_whole_command_refuses_before_anything_of_the_project_runs(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = git(repository, "rev-parse", "HEAD")
    ran = repository / "ran"
    head = commit(repository, {"m/env.py": f"open({str(ran)!r}, 'w')", "m/versions/x.py": ""})
    for name, value in event_variables(repository, "pull_request_target", base, head).items():
        monkeypatch.setenv(name, value)
    status, out, _ = run(capsys, "check", str(repository), "--format", "json")
    problem = json.loads(out)["projects"][0]["problem"]
    assert (status, problem["kind"], problem["status"]) == (2, "UntrustedCode", 2)
    assert not ran.exists()


def test_a_working_directory_in_another_checkout_is_examined_as_well(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = started(tmp_path / "head", {"m/env.py": "import os"})
    for name, value in event_on_head(repository, "pull_request_target").items():
        monkeypatch.setenv(name, value)
    status, out, _ = run(
        capsys, "check", str(repository), "--working-directory", str(other), "--format", "json"
    )
    problem = json.loads(out)["projects"][0]["problem"]
    assert (status, problem["kind"], problem["where"]) == (2, "UntrustedCode", str(other))
