"""Where CI runs the gate: workflows of GitHub, jobs of GitLab, and other systems as plain lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from migration_gate.facts import GateRun, Location
from migration_gate.scan.github_workflows import GitHubWorkflows
from migration_gate.scan.gitlab_jobs import list_gitlab_runs
from migration_gate.scan.workflow_values import find_reference, is_gate_command

GITHUB_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
LOCAL_ACTION = re.compile(r"(?:.+/)?action\.ya?ml")
GITLAB_FILE = re.compile(r"(?:.*/)?[^/]*\.?gitlab-ci[^/]*\.ya?ml|\.gitlab/.+\.ya?ml")
OTHER_FILES = re.compile(
    r"\.circleci/[^/]+\.ya?ml|(?:\.?azure-pipelines|bitbucket-pipelines|\.?appveyor|\.travis|\.drone|cloudbuild"
    r"|buildspec|\.pre-commit-config)\.ya?ml|\.woodpecker(?:/[^/]+|)\.ya?ml|\.buildkite/[^/]+"
    r"|\.(?:gitea|forgejo)/workflows/[^/]+\.ya?ml|Jenkinsfile"
)
PRE_COMMIT_HOOK = re.compile(r"^\s*-?\s*id:\s*[\"']?(migration-gate[\w-]*)")


def is_ci_file(path: str) -> bool:
    """Whether the file, from the top of the repository, may say when the gate runs."""
    patterns = (GITHUB_WORKFLOW, LOCAL_ACTION, GITLAB_FILE, OTHER_FILES)
    return any(pattern.fullmatch(path) for pattern in patterns)


def find_gate_runs(texts: Mapping[str, str]) -> tuple[GateRun, ...]:
    """Every run of the gate, in the order of the files. `texts`: those of CI files, by path."""
    workflows = GitHubWorkflows(texts)
    runs: list[GateRun] = []
    for path, text in sorted(texts.items()):
        if GITHUB_WORKFLOW.fullmatch(path):
            runs += workflows.list_runs(path)
        elif GITLAB_FILE.fullmatch(path):
            runs += list_gitlab_runs(path, text)
        elif OTHER_FILES.fullmatch(path):
            runs += _list_lines(path, text)
    return tuple(runs)


def _list_lines(path: str, text: str) -> Iterator[GateRun]:
    """Lines that run the gate, in a file of another system."""
    for number, line in enumerate(text.splitlines(), 1):
        hook = PRE_COMMIT_HOOK.match(line) if PurePosixPath(path).stem == ".pre-commit-config" else None
        if hook or is_gate_command(line):
            name = hook[1] if hook else path
            yield GateRun(
                name,
                Location(path, number),
                is_optional="|| true" in line,
                reference=find_reference(line),
                inputs=(line.strip(),),
            )
