"""The action: its inputs, its outputs, and what it makes of a run, read as GitHub's runner reads it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from migration_gate.action import INPUTS, OUTPUTS, workspace
from migration_gate.action.request import ActionRequest, RequestedFile, input_variable, read_request
from migration_gate.config.schema import ProjectKeys
from migration_gate.config.sections import SECTIONS, key_meanings
from migration_gate.errors import Misconfigured
from tests.support import github_runner
from tests.support.alembic_projects import Rev, lay
from tests.support.github_api import GitHub, serve_github
from tests.support.github_runner import Log

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = r"[A-Z].*[^.]\."
SPECIMEN = """\
import os, sys
from tests.support import example_reports
from migration_gate import cli, entrypoint
made = example_reports.report(*[getattr(example_reports, name)() for name in sys.argv[1:]])
def report(path, options):
    if says := os.environ.get("GATE_BREAKS"):
        raise ValueError(says)
    return made
entrypoint.examine_projects = report
sys.exit(cli.run_command_line(["action"]))
"""


def request_with(**inputs: str) -> ActionRequest:
    return read_request({input_variable(name.replace("_", "-")): text for name, text in inputs.items()})


def test_every_input_and_output_is_described_in_one_sentence() -> None:
    for text in (*(item.description for item in INPUTS), *OUTPUTS.values()):
        assert re.fullmatch(SENTENCE, text), text
        assert len(text) < 110
    assert len({item.name for item in INPUTS}) == len(INPUTS)
    assert all(
        re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in (*OUTPUTS, *(item.name for item in INPUTS))
    )


def test_every_input_with_a_key_sets_a_known_setting() -> None:
    for item in INPUTS:
        if item.key and item.key[0] not in ("config", "project"):
            assert item.key[0] in key_meanings(ProjectKeys), item.name
            assert len(item.key) == 1 or item.key[1] in key_meanings(SECTIONS[item.key[0]]), item.name


def test_empty_inputs_have_their_defaults() -> None:
    assert (
        read_request({input_variable(item.name): "" for item in INPUTS})
        == read_request({})
        == ActionRequest()
    )
    assert read_request({input_variable(item.name): item.default for item in INPUTS}) == ActionRequest()


def test_inputs_become_the_options_of_the_command_line() -> None:
    request = request_with(
        path="services/api",
        project="api, billing",
        alembic="db/alembic.ini",
        section="tenant",
        env="A=b=c\n# no\n\n  B =\nC=x y",
        target="h1\nh2",
        network="True",
        owner_columns="owner_id, tenant_id",
        raw_sql_allow="reports/*.sql",
        fail_on="warning",
        python_version="3.12",
        sarif="out/x.sarif",
        summary="false",
        comment="never",
    )
    assert request == ActionRequest(
        path=Path("services/api"),
        options={
            "project": ("api", "billing"),
            "alembic": {"config": "db/alembic.ini", "section": "tenant"},
            "env": {"A": "b=c", "B": "", "C": "x y"},
            "target": ("h1", "h2"),
            "network": True,
            "owners": {"columns": ("owner_id", "tenant_id")},
            "raw_sql": {"allow": ("reports/*.sql",)},
            "fail_on": "warning",
            "python_version": "3.12",
        },
        comment="never",
        report_files=(
            RequestedFile("json", ".migration-gate/report.json", "report"),
            RequestedFile("sarif", "out/x.sarif", "sarif"),
        ),
        summary=False,
    )


@pytest.mark.parametrize(
    ("name", "text", "says", "advice"),
    [
        ("INPUT_FAIL-ONN", "error", "The action has no input `fail-onn`.", "Did you mean `fail-on`?"),
        ("INPUT_RAW_SQL", "", "The action has no input `raw-sql`.", "Did you mean `raw-sql-allow`?"),
        ("INPUT_NETWORK", "yes", "The input `network` must be true or false, but is `yes`.", ""),
        ("INPUT_COMMENT", "allways", "The input `comment` must be one of auto, always, never", "`always`?"),
        (
            "INPUT_ENV",
            "A=1\nhush hush",
            "Line 2 of the input `env` is not NAME=VALUE.",
            "one variable a line",
        ),
        ("INPUT_ENV", "a b=hush", "Line 1 of the input `env` is not NAME=VALUE.", ""),
    ],
)
def test_a_wrong_input_is_refused_by_its_name(name: str, text: str, says: str, advice: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_request({name: text})
    assert caught.value.message.startswith(says)
    assert advice in caught.value.advice
    assert "hush" not in f"{caught.value.message}{caught.value.advice}"


def test_inputs_of_every_container_action_are_ignored() -> None:
    assert read_request({"INPUT_ARGS": "x", "INPUT_ENTRYPOINT": "y", "OUTPUT_X": "z"}) == ActionRequest()


def test_a_report_is_never_written_through_a_link(tmp_path: Path) -> None:
    top, outside = tmp_path / "top", tmp_path / "outside"
    top.mkdir()
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (top / "link").symlink_to(outside)
    (top / "file").symlink_to(outside / "kept")
    assert workspace.write_workspace_file(top, "file", "new", "report") == "file"
    assert (outside / "kept").read_text() == "kept"
    assert (top / "file").read_text() == "new"
    for name in ("link/x", "../outside/x", str(outside / "x"), "."):
        with pytest.raises(Misconfigured, match="outside of the workspace"):
            workspace.write_workspace_file(top, name, "x", "report")
    assert [file.name for file in outside.iterdir()] == ["kept"]


def test_our_own_folder_is_ignored_by_git(tmp_path: Path) -> None:
    assert workspace.write_workspace_file(tmp_path, ".migration-gate/report.json", "{}", "report")
    assert (tmp_path / ".migration-gate" / ".gitignore").read_text() == "*\n"
    workspace.write_workspace_file(tmp_path, "a/b/c.json", "{}", "report")
    assert not list((tmp_path / "a").rglob(".gitignore"))
    with pytest.raises(Misconfigured, match="could not be written"):
        workspace.write_workspace_file(tmp_path, "a/b", "{}", "report")


@dataclass
class Done:
    """What a run left behind."""

    status: int
    log: Log
    text: str
    outputs: dict[str, str]
    summary: str


@dataclass
class Runner:
    """Starts the action as a container of it is started."""

    top: Path

    @property
    def workspace(self) -> Path:
        return self.top / "workspace"

    def run(self, *specimens: str, event: object = None, **variables: str) -> Done:
        output, summary, payload = (self.top / name for name in ("output", "summary", "event.json"))
        for file in (output, summary):
            file.write_text("")
        payload.write_text(json.dumps(event))
        command = ["-c", SPECIMEN, *specimens] if specimens else ["-m", "migration_gate"]
        ran = subprocess.run(
            [sys.executable, *command],
            cwd=self.workspace,
            env=os.environ
            | {
                "PYTHONPATH": str(ROOT),
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.workspace),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_EVENT_NAME": "pull_request" if event else "workflow_dispatch",
                "GITHUB_EVENT_PATH": str(payload),
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_RUN_ID": "9",
            }
            | {name.replace("__", "-"): text for name, text in variables.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        text = ran.stdout.decode()
        outputs = dict(
            re.findall(r"(?ms)^([a-z]+)<<(?:end_[0-9a-f]{40})\n(.*?)\nend_[0-9a-f]{40}\n", output.read_text())
        )
        return Done(ran.returncode, github_runner.read_log(text), text, outputs, summary.read_text())


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    (tmp_path / "workspace").mkdir()
    return Runner(tmp_path)


@pytest.fixture
def github() -> Iterator[GitHub]:
    with serve_github() as server:
        yield server


def pull_request(github: GitHub) -> dict[str, object]:
    side = {"sha": "a" * 40, "repo": {"full_name": "o/r"}}
    request = {"number": 12, "base": side, "head": side}
    return {"pull_request": request, "repository": {"full_name": "o/r"}}


@pytest.mark.slow
def test_a_blocked_run_is_published_everywhere(runner: Runner) -> None:
    done = runner.run("blocked", INPUT_SARIF="out/x.sarif", INPUT_JUNIT="out/x.xml")
    assert done.status == 1
    assert done.outputs == {
        "result": "blocked", "findings": "9", "errors": "6", "warnings": "2", "revisions": "4",
        "report": ".migration-gate/report.json", "sarif": "out/x.sarif", "heads": "c3e5 d4f6",
    }  # fmt: skip
    assert set(done.outputs) == set(OUTPUTS)
    assert json.loads((runner.workspace / done.outputs["report"]).read_text())["outcome"] == "blocked"
    assert (runner.workspace / "out" / "x.xml").read_text().startswith("<?xml")
    assert done.summary.startswith("## ❌ Migration Gate: media-library is blocked, 6 errors")
    assert [command.name for command in done.log.commands][:2] == ["group", "endgroup"]
    assert len(done.log.named("error")) == 6
    assert done.log.shown[-1] == "Blocked: 6 errors, 2 warnings, 1 note, 1 allowed"


@pytest.mark.slow
def test_a_clean_run_has_no_annotations(runner: Runner) -> None:
    done = runner.run("clean", INPUT_SUMMARY="false", INPUT_ANNOTATIONS="false")
    assert (done.status, done.outputs["result"], done.summary) == (0, "passed", "")
    assert [command.name for command in done.log.commands] == ["group", "endgroup"]


@pytest.mark.slow
def test_commands_in_hostile_names_are_not_carried_out(runner: Runner) -> None:
    done = runner.run("hostile", "failing")
    assert {command.name for command in done.log.commands} == {"group", "endgroup", "error"}
    for command in done.log.named("error"):
        assert command.properties["title"].startswith("Migration Gate")
    assert "\x1b[2J" not in done.text
    assert "\u202e" not in done.text


@pytest.mark.slow
def test_a_wrong_input_is_annotated_and_fails_the_run(runner: Runner) -> None:
    done = runner.run(INPUT_FAIL__ONN="x")
    assert (done.status, done.outputs["result"]) == (2, "not-checked")
    (error,) = done.log.named("error")
    assert error.message == "The action has no input `fail-onn`.\nDid you mean `fail-on`?"
    assert "could not be checked" in done.summary.splitlines()[0]
    done = runner.run(INPUT_PATH="nowhere", INPUT_FAIL__ON="x")
    assert "`nowhere` does not exist." in done.log.named("error")[0].message
    done = runner.run(INPUT_FAIL__ON="eror")
    assert "`fail_on` must be error or warning, but is `eror`." in done.text
    assert "with: fail-on" in done.text


@pytest.mark.slow
def test_a_bug_is_reported_and_commands_in_its_message_are_not_carried_out(runner: Runner) -> None:
    done = runner.run("blocked", GATE_BREAKS="::error::no\n::add-mask::e")
    assert (done.status, done.outputs["result"]) == (3, "not-checked")
    assert {command.name for command in done.log.commands} == {"group", "endgroup", "error"}
    (error,) = done.log.named("error")
    assert error.message.startswith("The gate broke: ValueError: ::error::no")
    assert "Traceback" in done.text


@pytest.mark.slow
def test_a_report_that_cannot_be_written_fails_the_run(runner: Runner) -> None:
    done = runner.run("clean", INPUT_REPORT="../x.json")
    assert done.status == 2
    assert "outside of the workspace" in done.log.named("error")[0].message
    assert done.outputs["report"] == ""


@pytest.mark.slow
def test_the_token_is_masked_before_it_writes_the_comment(runner: Runner, github: GitHub) -> None:
    server = {"GITHUB_API_URL": github.address, "GITHUB_GRAPHQL_URL": f"{github.address}/graphql"}
    event = pull_request(github)
    done = runner.run("blocked", event=event, INPUT_TOKEN="hush", **server)
    assert done.text.startswith("::add-mask::hush\n")
    assert done.text.count("hush") == 1
    (comment,) = github.comments
    assert "media-library is blocked" in comment["body"]
    assert "[the whole report](https://github.com/o/r/actions/runs/9)" in comment["body"]
    asked_before = len(github.requests)
    runner.run("blocked", event=event, INPUT_TOKEN="hush", **server)
    assert {method for method, path in github.requests[asked_before:] if path != "/graphql"} == {"GET"}
    runner.run("blocked", event=event, INPUT_TOKEN="hush", INPUT_COMMENT="never", INPUT_PATH="x", **server)
    runner.run("clean", event=event, INPUT_TOKEN="hush", **server)
    assert len(github.comments) == 1


@pytest.mark.slow
def test_a_token_without_rights_does_not_fail_the_run(runner: Runner, github: GitHub) -> None:
    server = {"GITHUB_API_URL": github.address, "GITHUB_GRAPHQL_URL": f"{github.address}/graphql"}
    github.next_answers = [lambda method, path: (403, {}, b'{"message": "Resource not accessible"}')]
    done = runner.run("clean", event=pull_request(github), INPUT_TOKEN="hush", **server)
    assert done.status == 0
    (note,) = done.log.named("notice")
    assert note.message == (
        "No comment: the token may not write comments here (HTTP 403). The summary of this run has it all."
    )


@pytest.mark.slow
def test_a_comment_about_a_wrong_configuration_is_replaced_later(runner: Runner, github: GitHub) -> None:
    server = {"GITHUB_API_URL": github.address, "GITHUB_GRAPHQL_URL": f"{github.address}/graphql"}
    event = pull_request(github)
    runner.run(event=event, INPUT_TOKEN="hush", INPUT_NETWORK="x", **server)
    assert "could not be checked" in github.comments[0]["body"]
    runner.run("clean", event=event, INPUT_TOKEN="hush", INPUT_PROJECT="other", **server)
    assert "could not be checked" in github.comments[0]["body"], "another job of a matrix"
    runner.run("clean", event=event, INPUT_TOKEN="hush", INPUT_PATH=".", **server)
    assert [comment["body"].splitlines()[1] for comment in github.comments] == [
        "✅ **Migration Gate** runs again"
    ]


@pytest.mark.slow
def test_commands_that_a_migration_prints_are_not_carried_out(runner: Runner) -> None:
    lines = (
        "::error::no",
        "##[warning]no",
        "::add-mask::e",
        "::set-output name=result::passed",
        "\r::endgroup::",
    )
    says = "import os, sys\n" + "\n".join(
        f"print({line!r}, flush=True); print('x' + {line!r}, file=sys.stderr, flush=True); "
        f"os.write(1, {line.encode()!r} + b'\\n')"
        for line in lines
    )
    body = "op.execute('CREATE TABLE \"::error::t`|<script>\" (id int)')\nraise ValueError('%0A::error::no')"
    lay(runner.workspace, (Rev("0001", f"{says}\n{body}"),))
    done = runner.run(INPUT_PYTHON=sys.executable)
    assert (done.status, done.outputs["result"]) == (1, "blocked")
    assert {command.name for command in done.log.commands} == {"group", "endgroup", "error"}
    assert all(
        command.properties["title"].startswith("Migration Gate") for command in done.log.named("error")
    )
    assert "::error::no" in "\n".join(done.log.shown)
    assert "<script>" not in re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", done.summary)
