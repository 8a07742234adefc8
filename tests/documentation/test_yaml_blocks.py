"""Each block of the pages is a whole file that its own program accepts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest
import yaml

import migration_gate
from migration_gate import explain
from migration_gate.action import INPUTS
from migration_gate.config.loading import load_settings
from migration_gate.config.sizes_file import SIZES_NAME, format_sizes
from migration_gate.errors import Misconfigured
from tests.support.check_programs import accepts
from tests.support.documentation import ROOT, Block, list_blocks

BLOCKS = list_blocks()
OTHER_CI = {
    ".gitlab-ci.yml": "vendor.gitlab-ci",
    "azure-pipelines.yml": "vendor.azure-pipelines",
    "bitbucket-pipelines.yml": "vendor.bitbucket-pipelines",
    ".circleci/config.yml": "vendor.circle-ci",
    ".buildkite/pipeline.yml": "vendor.buildkite",
}
"""files of other CI systems, and their schemas"""
ACTIONS = "migration-gate/migration-gate"
VERSION = migration_gate.__version__


def yaml_blocks(*prefixes: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == "yaml" and block.file.startswith(prefixes)]


WORKFLOWS = yaml_blocks(".github/workflows/")


def test_each_block_names_the_file_that_it_is() -> None:
    known = (".github/workflows/", ".migration-gate.yml", ".pre-commit-config.yaml", *OTHER_CI)
    unknown = [
        block.place for block in BLOCKS if block.language == "yaml" and not block.file.startswith(known)
    ]
    assert unknown == []
    assert len(WORKFLOWS) > 10


@pytest.mark.parametrize("block", yaml_blocks(".migration-gate.yml"), ids=lambda block: block.place)
def test_a_configuration_is_loaded(block: Block, tmp_path: Path) -> None:
    (tmp_path / ".migration-gate.yml").write_text(block.text)
    while missing := find_missing_path(tmp_path):
        missing.parent.mkdir(parents=True, exist_ok=True)
        if missing.name == SIZES_NAME:
            missing.write_text(format_sizes([], date(2027, 1, 31)))
        elif missing.suffix or missing.name == "python":
            missing.touch()
        else:
            missing.mkdir()


def find_missing_path(folder: Path) -> Path | None:
    """The file or folder that the configuration names and that does not exist; None if it is loaded."""
    try:
        load_settings(folder, {}, {}, list_checks=explain.known_kinds)
    except Misconfigured as error:
        missing = re.search(r"names the (?:file|folder) `(.+?)`, which does not exist", error.message)
        if missing is None:
            raise
        return folder / missing[1]
    return None


def test_python_compiles() -> None:
    for block in BLOCKS:
        if block.language == "python":
            compile(block.text, block.place, "exec")


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every workflow of the pages in a repository of its own, beside this action's own files."""
    top = tmp_path_factory.mktemp("pages")
    for block in WORKFLOWS:
        file = top / re.sub(r"\W", "-", block.place) / block.file
        file.parent.mkdir(parents=True)
        file.write_text(block.text)
    return top


@pytest.mark.slow
def test_actionlint_accepts_the_workflows(repositories: Path) -> None:
    accepts("actionlint", *map(str, sorted(repositories.rglob("*.yml"))))


@pytest.mark.slow
def test_zizmor_accepts_the_workflows(repositories: Path) -> None:
    accepts("zizmor", "--offline", "--no-progress", *map(str, sorted(repositories.iterdir())))


@pytest.mark.slow
def test_github_accepts_the_workflows(repositories: Path) -> None:
    files = map(str, sorted(repositories.rglob("*.yml")))
    accepts("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHER_CI)
def test_other_ci_systems_accept_their_files(name: str, tmp_path: Path) -> None:
    (block,) = yaml_blocks(name)
    file = tmp_path / Path(name).name
    file.write_text(block.text)
    accepts("check-jsonschema", "--regex-variant", "python", "--builtin-schema", OTHER_CI[name], str(file))


@pytest.mark.slow
def test_gitlab_accepts_the_component_and_the_file_to_copy(tmp_path: Path) -> None:
    head, _, job = (ROOT / "templates/migration-gate.yml").read_text().partition("\n---\n")
    inputs = yaml.safe_load(head)["spec"]["inputs"]
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", job)) == set(inputs)
    for name, entry in inputs.items():
        job = job.replace(f"$[[ inputs.{name} ]]", entry["default"])
    (tmp_path / "job.yml").write_text(job)
    copied = ROOT / "docs/ci/gitlab-ci.yml"
    accepts(
        "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(tmp_path / "job.yml"), str(copied)
    )
    component, example = (next(iter(yaml.safe_load(text).values())) for text in (job, copied.read_text()))
    assert {key: value for key, value in component.items() if key != "script"} == {
        key: value for key, value in example.items() if key != "script"
    }
    (included,) = yaml.safe_load(yaml_blocks(".gitlab-ci.yml")[0].text)["include"]
    assert included["remote"].endswith(f"/v{VERSION}/templates/migration-gate.yml")
    assert set(included["inputs"]) <= set(inputs)


@pytest.mark.slow
def test_pre_commit_accepts_its_configuration(tmp_path: Path) -> None:
    (block,) = yaml_blocks(".pre-commit-config.yaml")
    file = tmp_path / ".pre-commit-config.yaml"
    file.write_text(block.text)
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (repository,) = yaml.safe_load(block.text)["repos"]
    assert repository["rev"] == f"v{VERSION}"
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert {hook["id"] for hook in repository["hooks"]} == hooks


@pytest.mark.parametrize("block", WORKFLOWS, ids=lambda block: block.place)
def test_every_action_is_pinned_by_a_commit_with_its_version_behind(block: Block) -> None:
    for used, comment in re.findall(r"uses: (\S+)(.*)", block.text):
        if used.startswith("docker://"):
            assert used == f"docker://ghcr.io/{ACTIONS}:{VERSION}"
        else:
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", used), used
            assert re.match(r" # v\d+\.\d+\.\d+", comment), comment


def test_one_action_has_one_version_in_all_pages_and_workflows() -> None:
    files = [
        *(ROOT / ".github/workflows").glob("*.yml"),
        *(ROOT / "examples").rglob(".github/workflows/*.yml"),
    ]
    texts = [*(block.text for block in WORKFLOWS), *(file.read_text() for file in files)]
    versions = defaultdict(set)
    for text in texts:
        for owner, repository, commit in re.findall(r"uses: ([\w.-]+)/([\w.-]+)[\w./-]*@(\w+)", text):
            versions[f"{owner}/{repository}"].add(commit)
    assert {name: commits for name, commits in versions.items() if len(commits) > 1} == {}


@pytest.mark.parametrize("block", WORKFLOWS, ids=lambda block: block.place)
def test_our_action_and_our_workflows_have_the_inputs_that_are_given(block: Block) -> None:
    for job in yaml.safe_load(block.text)["jobs"].values():
        for step in job.get("steps", ()):
            if step.get("uses", "").startswith(f"{ACTIONS}@"):
                assert set(step.get("with", ())) <= {item.name for item in INPUTS}
        if job.get("uses", "").startswith(ACTIONS):
            file = ROOT / job["uses"].removeprefix(f"{ACTIONS}/").partition("@")[0]
            call = yaml.safe_load(file.read_text())[True]["workflow_call"]
            assert set(job.get("with", ())) <= set(call["inputs"])
            assert set(job.get("secrets", ())) <= set(call["secrets"])


def test_a_workflow_that_follows_another_names_one_of_the_same_section() -> None:
    for number, block in enumerate(WORKFLOWS):
        followed = yaml.safe_load(block.text)[True].get("workflow_run") or {}
        for name in followed.get("workflows", ()):
            before = yaml.safe_load(WORKFLOWS[number - 1].text)
            assert (before["name"], WORKFLOWS[number - 1].page) == (name, block.page)


def test_the_version_of_the_image_is_that_of_the_package() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.yml")]
    others = [*(ROOT / ".github/workflows").glob("*.yml"), *(ROOT / "templates").glob("*")]
    others += (ROOT / "examples").rglob(".github/workflows/*.yml")
    tags = {
        (str(file.relative_to(ROOT)), tag)
        for file in (*pages, *others)
        if file.name != "CHANGELOG.md"
        for tag in re.findall(r"ghcr\.io/migration-gate/migration-gate:([\w.]+)", file.read_text())
    }
    assert {file for file, tag in tags if tag != VERSION} == set()
    assert "docs/recipes.md" in json.dumps(sorted(tags))
