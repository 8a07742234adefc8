"""What the steps of release.yml do, run as they stand there on a repository of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import migration_gate
from tests.support.git_repositories import ENVIRON, git, started

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
COMMIT_STEP = "The commit of the release, whose action.yml names the image by its digest"
TAGS_STEP = "The tags that follow the newest version"
DOCKER = """#!/bin/sh
case "$*" in
  *action.manifest*) echo "# $*" ;;
  *) echo "$*" >>"$RUNNER_TEMP/docker.log" ;;
esac
"""


def step(job: str, name: str) -> str:
    """The shell text of a step."""
    (text,) = (step["run"] for step in JOBS[job]["steps"] if step.get("name") == name)
    return str(text)


def run_bash(text: str, folder: Path, **variables: str) -> None:
    """Run a step as a runner does."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    done = subprocess.run(
        command, cwd=folder, env={**ENVIRON, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


class Releases:
    """A repository with an origin, and a machine whose docker and gh only write down what they are asked."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.repository = started(top / "repository", {"action.yml": "runs: Dockerfile\n"})
        shutil.copytree(ROOT / ".ci", self.repository / ".ci")
        git(self.repository, "init", "--quiet", "--bare", str(top / "origin"))
        git(self.repository, "remote", "add", "origin", str(top / "origin"))
        for name, script in {"docker": DOCKER, "gh": "#!/bin/sh\n"}.items():
            program = top / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(script)
            program.chmod(0o755)

    def publish(self, version: str) -> list[str]:
        """Run the steps for a version; the tags of the image that were moved."""
        log = self.top / "docker.log"
        log.unlink(missing_ok=True)
        variables = {
            "PATH": f"{self.top / 'bin'}:{os.environ['PATH']}", "VERSION": version, "IMAGE": "ghcr.io/o/r",
            "DIGEST": f"sha256:{version}", "RUNNER_TEMP": str(self.top),
        }  # fmt: skip
        for name in (COMMIT_STEP, TAGS_STEP):
            run_bash(step("publish", name), self.repository, **variables)
        commands = log.read_text().splitlines() if log.exists() else []
        assert all(command.endswith(f" ghcr.io/o/r@sha256:{version}") for command in commands)
        return [command.split("ghcr.io/o/r:")[1].split()[0] for command in commands]

    def published_commit(self, tag: str) -> str:
        """The commit of a tag at the origin."""
        return git(self.top / "origin", "rev-parse", f"{tag}^{{}}")


def test_the_version_of_a_release_is_that_of_the_code(tmp_path: Path) -> None:
    (text,) = (step["run"] for step in JOBS["version"]["steps"] if step.get("id") == "read")
    variables = {"PATH": os.environ["PATH"], "REPOSITORY": "O/r", "GITHUB_OUTPUT": str(tmp_path / "output")}
    version = migration_gate.__version__
    run_bash(text, ROOT, TAG=f"release/v{version}", **variables)
    assert (tmp_path / "output").read_text() == f"version={version}\nimage=ghcr.io/o/r\n"
    with pytest.raises(AssertionError, match=r"has another version than 99\.0\.0"):
        run_bash(text, ROOT, TAG="release/v99.0.0", **variables)


def test_every_step_that_pushes_has_the_token() -> None:
    for step in JOBS["publish"]["steps"]:
        if re.search(r"git push|docker (push|login)|gh release", step.get("run", "")):
            assert step["env"]["GH_TOKEN"] == "${{ github.token }}", step["name"]


def test_no_moving_tag_goes_back(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    assert releases.publish("0.9.0") == ["0", "0.9"]
    assert releases.published_commit("v0") == releases.published_commit("v0.9.0")
    assert releases.publish("0.10.0") == ["0", "0.10"]
    assert releases.publish("0.9.1") == ["0.9"]
    assert releases.published_commit("v0") == releases.published_commit("v0.10.0")
    assert releases.publish("1.0.0") == ["1", "1.0"]
    assert releases.published_commit("v0") == releases.published_commit("v0.10.0")
    assert releases.published_commit("v1") == releases.published_commit("v1.0.0")
    released = git(tmp_path / "origin", "show", "v0.9.1:action.yml")
    assert released.endswith("docker://ghcr.io/o/r@sha256:0.9.1")


def test_the_package_is_built_whole_and_has_what_the_pages_install(tmp_path: Path) -> None:
    tracked = git(ROOT, "ls-files", "-z").split("\0")
    for name in filter(None, tracked):
        if not name.startswith(("tests/", "benchmarks/", ".github/")) and (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name, follow_symlinks=False)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python = tmp_path / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    run_bash(step("package", "Build the source distribution, and the wheel from it"), tmp_path)
    (archive,), (wheel,) = (tmp_path / "dist").glob("*.tar.gz"), (tmp_path / "dist").glob("*.whl")
    with tarfile.open(archive) as source:
        assert any(name.endswith("/entrypoint.py") for name in source.getnames())
    shutil.unpack_archive(wheel, tmp_path / "wheel", "zip")
    (metadata,) = (tmp_path / "wheel").glob("*.dist-info/METADATA")
    text = metadata.read_text()
    assert "\nName: migration-gate\n" in text
    assert "\nProvides-Extra: embedded\n" in text
    assert "uv tool install 'migration-gate[embedded]'" in (ROOT / "README.md").read_text()


def test_the_package_is_published_without_a_password() -> None:
    job = JOBS["pypi"]
    assert job["needs"] == "publish"
    assert (job["permissions"], job["environment"]) == ({"id-token": "write"}, "pypi")
    assert job["steps"][-1]["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert "with" not in job["steps"][-1]
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"] == "migration-gate"
