"""One step of a job: a checkout, an event, inputs, and what came of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.action_image import PYTHON, ROOT, built_image, kit_folder

ANSI = re.compile(r"\x1b\[[0-9;]*m")
CHANGING = (
    (r"(?s)<details><summary>Timings: .*?</details>", "<details>timings</details>"),
    (r"\b[0-9a-f]{40}\b", "<commit or token>"),
    (r"\b\d+(\.\d+)? (s|ms)\b", "N s"),
    (r"PostgreSQL 17\.\d+", "PostgreSQL 17.x"),
    (r"\b3\.13\.\d+\b", "3.13.x"),
    (r"migration-gate-[a-z0-9_]{8}\b", "migration-gate-<run>"),
    (r"migration-gate-test:[0-9a-f]{16}", "migration-gate-test"),
    (r"\| \d+\.\d+ \|", "| N |"),
    (r"(?m)^[^\n]* …\n", ""),  # where a slow run is
)
"""what differs from run to run, or from machine to machine"""


def mask_changing_parts(text: str) -> str:
    """`text` without what differs from run to run."""
    for pattern, instead in CHANGING:
        text = re.sub(pattern, instead, text)
    return text


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did."""

    exit_code: int
    outputs: dict[str, str]
    env: dict[str, str]
    summary: str
    annotations: tuple[dict[str, str], ...]
    log: str

    def as_text(self) -> str:
        """All of it as one text, without what differs from run to run."""
        shown = [f"exit status {self.exit_code}", "", "## outputs", ""]
        shown += [f"{name}: {value}" for name, value in self.outputs.items()]
        shown += ["", "## annotations", ""]
        for annotation in self.annotations:
            head = ", ".join(f"{key}={value}" for key, value in annotation.items() if key != "message")
            shown += [f"- {head}", *(f"    {line}" for line in annotation["message"].splitlines())]
        shown += [
            "",
            "## log",
            "",
            ANSI.sub("", self.log).rstrip(),
            "",
            "## summary",
            "",
            self.summary.rstrip(),
            "",
        ]
        return mask_changing_parts("\n".join(line.rstrip() for line in "\n".join(shown).splitlines()) + "\n")


def run_step(
    workspace: Path,
    event: str = "workflow_dispatch",
    payload: dict[str, Any] | None = None,
    *options: str,
    env: dict[str, str] | None = None,
    raw_inputs: dict[str, str] | None = None,
    **inputs: str,
) -> Step:
    """Run the action on a checkout, as a runner of GitHub would; an input `fail_on` is `fail-on`."""
    inputs = {"python": PYTHON, "install": "off", **inputs, **(raw_inputs or {})}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(payload or {}, file)
        file.flush()
        command = [
            sys.executable,
            str(kit_folder() / "gh_docker_run.py"),
            str(ROOT),
            str(workspace),
            "--image",
            built_image(),
        ]
        command += ["--event", event, "--payload", file.name, *options]
        for name, text in inputs.items():
            command += ["-i", f"{name.replace('_', '-')}={text}"]
        for name, text in (env or {}).items():
            command += ["--env", f"{name}={text}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return Step(**{**answer, "annotations": tuple(answer["annotations"])})


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, as somebody; what it printed."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    command = ["git", *identity, "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, message: str) -> str:
    """Commit everything; the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def pull_request(base: str, head: str, fork: bool = False) -> dict[str, Any]:
    """The payload of `pull_request`."""
    repository = {"full_name": "example/hello", "name": "hello", "default_branch": "main"}
    source = {"full_name": "stranger/hello", "fork": True} if fork else repository
    return {
        "action": "synchronize",
        "number": 7,
        "pull_request": {
            "number": 7,
            "base": {"ref": "main", "sha": base, "repo": repository},
            "head": {"ref": "change", "sha": head, "repo": source},
        },
        "repository": repository,
    }


def push(before: str, after: str) -> dict[str, Any]:
    """The payload of `push`."""
    return {"before": before, "after": after, "forced": False, "repository": {"full_name": "example/hello"}}


def merge_group(base: str, head: str) -> dict[str, Any]:
    """The payload of `merge_group`."""
    return {"merge_group": {"base_sha": base, "head_sha": head}, "repository": {"full_name": "example/hello"}}
