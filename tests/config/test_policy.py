"""`extends:`: a policy gives defaults, and a floor below which nothing goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.config.loading import load_settings
from migration_gate.config.policy_fetch import fetch_policy
from migration_gate.config.policy_reference import PolicyReference, parse_reference
from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured
from migration_gate.verdict.judge import Allowances
from tests.support.example_reports import blocked
from tests.support.git_repositories import commit, git, started
from tests.support.project_files import write_files

POLICY = """
checks: {drift: error, nullable-owner: warning}
fail_on: warning
owners: {columns: [owner_id, tenant_id]}
allow:
- check: drift/comment
  reason: everywhere
"""
REPOSITORY = PolicyReference("https://host.test/acme/policies", "main", "gate.yml")


def load(folder: Path, text: str, policy: str = POLICY, **environ: str) -> Settings:
    extends = "extends: policy.yml\n"
    write_files(folder, {".git": "", "policy.yml": policy, ".migration-gate.yml": f"{extends}{text}"})
    (settings,) = load_settings(folder, {}, environ)
    return settings


def test_values_of_the_policy_are_defaults_and_may_be_raised(tmp_path: Path) -> None:
    settings = load(tmp_path, "checks: {nullable-owner: error}\nowners: {columns: [x, tenant_id, owner_id]}")
    assert {item.check: str(item.severity) for item in settings.checks} == {
        "drift": "error",
        "nullable-owner": "error",
    }
    assert settings.fail_on == "warning"
    assert settings.find_origin("fail_on") == "policy.yml:3"
    assert settings.owners.columns == ("x", "tenant_id", "owner_id")


def test_allowances_of_both_hold_each_with_its_place(tmp_path: Path) -> None:
    settings = load(tmp_path, "allow:\n- check: drift\n  object: x\n  reason: here")
    assert [(item.reason, item.where) for item in settings.allowances] == [
        ("everywhere", "policy.yml:6"),
        ("here", ".migration-gate.yml:3"),
    ]


@pytest.mark.parametrize(
    ("text", "environ", "where"),
    [
        ("checks: {drift: warning}", {}, ".migration-gate.yml:2"),
        ("checks: {drift/column: off}", {}, ".migration-gate.yml:2"),
        ("fail_on: error", {}, ".migration-gate.yml:2"),
        ("owners: {columns: [owner_id]}", {}, ".migration-gate.yml:2"),
        ("", {"MIGRATION_GATE_FAIL_ON": "error"}, "MIGRATION_GATE_FAIL_ON"),
    ],
)
def test_nothing_goes_below_the_floor(tmp_path: Path, text: str, environ: dict[str, str], where: str) -> None:
    with pytest.raises(Misconfigured, match=r"the policy .* forbids that") as caught:
        load(tmp_path, text, **environ)
    assert caught.value.where == where


def test_a_policy_names_no_place_of_a_project(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="A policy does not set `hook`"):
        load(tmp_path, "", "hook: x.py\n")
    with pytest.raises(Misconfigured, match="does not set `extends`"):
        load(tmp_path, "", "extends: more.yml\n")


def test_a_project_of_several_is_held_to_it_as_well(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"`checks.drift` is `off`"):
        load(tmp_path, "projects:\n  a: {checks: {drift: off}}\n")


def test_what_the_policy_forbids_nothing_allows(tmp_path: Path) -> None:
    settings = load(tmp_path, "allow: [{check: drift, reason: x}]", "forbid_allow: [drift/column]\n")
    allowances = Allowances(settings.allowances, (), forbidden=settings.forbid_allow)

    drift = [verdict for verdict in blocked().verdicts if verdict.check == "drift"]
    kinds = {verdict.finding.kind for verdict in drift if allowances.find_counted(verdict)}
    assert "nullability" in kinds
    assert not Allowances(settings.allowances, (), forbidden=("drift",)).find_counted(drift[0])


@pytest.mark.parametrize(
    "text",
    [
        "git+https://host.test/acme/policies@main#gate.yml",
        "git+ssh://git@host.test/acme/policies@main#gate.yml",
    ],
)
def test_a_reference_to_git_is_read(text: str) -> None:
    reference = parse_reference(text, "here")
    assert reference is not None
    assert (reference.revision, reference.path, reference.is_pinned) == ("main", "gate.yml", False)


@pytest.mark.parametrize(
    "text",
    [
        "https://host.test/acme/gate.yml",
        "git+https://host.test/acme/policies",
        "git+file:///etc@main",
        "git+ext::sh://x/y@main",
        "git+https://host.test/acme/policies@--upload-pack=x",
        "git+https://host.test/acme/policies@main#../../etc/passwd",
        "git+ssh://git@host.test/acme/policies",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured):
        parse_reference(text, "here")


def test_a_policy_is_fetched_kept_by_its_commit_and_said_to_have_moved(tmp_path: Path) -> None:
    origin = started(tmp_path / "policies", {"gate.yml": "fail_on: warning\n"})
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    first = git(origin, "rev-parse", "HEAD")
    kept = tmp_path / "kept"
    branch = PolicyReference(origin.as_uri(), "main", "gate.yml")
    fetched = fetch_policy(branch, "here", kept, ("file",))
    assert (fetched.text, fetched.commit) == ("fail_on: warning\n", first)
    assert "only the full id of a commit cannot move" in fetched.note
    commit(origin, {"gate.yml": "fail_on: error\n"})
    fetch_policy.cache_clear()
    assert f"was {first[:12]} when it was last fetched" in fetch_policy(branch, "here", kept, ("file",)).note
    pinned = PolicyReference(origin.as_uri(), first, "gate.yml")
    git(origin, "checkout", "-q", first)
    (origin / ".git").rename(origin / "gone")
    assert fetch_policy(pinned, "here", kept, ("file",)).text == "fail_on: warning\n"
    fetch_policy.cache_clear()
    with pytest.raises(Misconfigured, match="could not be fetched"):
        fetch_policy(branch, "here", kept, ("file",))
