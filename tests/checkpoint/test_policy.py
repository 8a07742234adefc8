"""Which runs begin from a checkpoint, and which write one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migration_gate.checkpoint.policy import NO_USE, CheckpointUse, choose_use
from migration_gate.config.settings import PrepareStep, Settings, StartFrom
from migration_gate.config.settings_options import nest_options
from migration_gate.postgres.binaries import Installation
from migration_gate.postgres.server_choice import ServerChoice, ServerKind

LAPTOP = CheckpointUse(begins_from=True, writes=True)
REPLAY = CheckpointUse(compares=True)
OLD, NEW = "a" * 40, "b" * 40
LOCAL = ServerChoice(ServerKind.LOCAL, "", Installation(Path("/usr/bin"), "17.1"), "")
SETTINGS = Settings("shop", Path("/shop"), Path("/shop"), checkpoint="auto")


def payload(event: str) -> dict[str, Any]:
    repository = {"full_name": "o/r", "default_branch": "main"}
    side = {"sha": OLD, "repo": {"full_name": "o/r"}}
    if event == "pull_request":
        return {"pull_request": {"number": 1, "base": side, "head": side}, "repository": repository}
    if event == "merge_group":
        return {"merge_group": {"base_sha": OLD, "head_sha": NEW}}
    return {"before": OLD, "after": NEW, "ref": "refs/heads/main", "repository": repository}


@pytest.mark.parametrize(
    ("event", "changed", "use"),
    [
        ("pull_request", {}, CheckpointUse(begins_from=True)),
        ("merge_group", {}, REPLAY),
        ("push", {}, CheckpointUse(writes=True, compares=True)),
        ("push", {"ref": "refs/heads/branch"}, REPLAY),
        ("push", {"ref": "refs/heads/branch", "forced": True}, REPLAY),
        ("push", {"ref": "refs/heads/branch", "before": "0" * 40}, REPLAY),
        ("schedule", {}, REPLAY),
        ("workflow_dispatch", {}, REPLAY),
    ],
)
def test_in_github_pull_requests_read_and_the_default_branch_writes(
    tmp_path: Path, event: str, changed: dict[str, Any], use: CheckpointUse
) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps({**payload(event), **changed}))
    environ = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(file),
    }
    assert choose_use(SETTINGS, LOCAL, environ) == use
    assert not choose_use(replace(SETTINGS, checkpoint="scratch"), LOCAL, environ).begins_from


def test_a_laptop_does_both_and_another_ci_neither() -> None:
    assert choose_use(SETTINGS, LOCAL, {}) == LAPTOP
    assert choose_use(SETTINGS, LOCAL, {"CI": "1"}) == NO_USE
    scratch = choose_use(replace(SETTINGS, checkpoint="scratch"), LOCAL, {})
    assert scratch == CheckpointUse(writes=True, compares=True)


def test_from_scratch_is_an_option() -> None:
    assert nest_options({"from_scratch": True}) == {"checkpoint": "scratch"}
    assert nest_options({"from_scratch": False}) == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"checkpoint": "off"},
        {"other_databases": ("db:5432/events",)},
        {"prepare": (PrepareStep("run", "python seed.py"),)},
        {"prepare": (PrepareStep("python", "seed.py"),)},
        {"start_from": StartFrom(create_all="v1")},
        {"rollback": "all"},
        {"snapshots": "all"},
        {"observe": "all"},
    ],
)
def test_where_the_state_is_not_in_one_cluster_nothing_is_kept(changed: dict[str, Any]) -> None:
    assert choose_use(replace(SETTINGS, **changed), LOCAL, {}) == NO_USE


@pytest.mark.parametrize("kind", [ServerKind.IMAGE, ServerKind.URL])
def test_a_server_whose_files_are_elsewhere_has_no_checkpoint(kind: ServerKind) -> None:
    assert choose_use(SETTINGS, replace(LOCAL, kind=kind), {}) == NO_USE
