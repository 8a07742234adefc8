"""What a change loosens: its configuration and its workflows, beside those of the base."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from migration_gate import explain
from migration_gate.analysis.loosened_gate_parts import find_loosened_parts
from migration_gate.analysis.loosened_settings import Loosening
from migration_gate.change.gate_file_reading import add_gate_files, describe_file_settings
from migration_gate.ci.base_revision import compare_with_base
from migration_gate.config.file_settings import load_file_settings
from migration_gate.config.loading import load_settings
from migration_gate.facts import Base, Facts, GateFiles
from migration_gate.scan.gate_runs import find_gate_runs
from tests.support.git_repositories import clone, commit, git, started
from tests.support.project_files import write_files

YML = ".migration-gate.yml"
WORKFLOW = ".github/workflows/gate.yml"
BASELINE = ".migration-gate-baseline"
STEPS = """
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: migration-gate/migration-gate@0123abc
"""
PULL_REQUESTS = f"on:\n  pull_request:\n{STEPS}"


def compare(before: str | None, after: str | None, folder: Path, project: str = "x") -> tuple[Loosening, ...]:
    """What a configuration loosens beside an older one."""
    sides = []
    for name, text in (("before", before), ("after", after)):
        write_files(folder / name, {".git": "", **({YML: text} if text is not None else {})})
        sides.append(describe_file_settings(load_file_settings(folder / name, project)))
    facts = Facts(base=Base("c", "test", gate_files=sides[0]), gate_files=sides[1])
    return tuple(find_loosened_parts(facts))


def compare_ci(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Loosening, ...]:
    """What other files of a CI loosen."""
    older, newer = GateFiles(runs=find_gate_runs(before)), GateFiles(runs=find_gate_runs(after))
    return tuple(find_loosened_parts(Facts(base=Base("c", "test", gate_files=older), gate_files=newer)))


def compare_change(
    folder: Path, before: Mapping[str, str | None], after: Mapping[str, str | None], **options: object
) -> tuple[Loosening, ...]:
    """What a change in a repository loosens, from files to other ones."""
    repository = started(folder / "repository", {k: v for k, v in before.items() if v})
    base = commit(repository, {"README.md": "y"})
    commit(repository, {"README.md": "z", **after})
    settings = load_settings(repository, {"base": base, **options}, {}, list_checks=explain.known_kinds)[0]
    comparison = compare_with_base(repository, base, {})
    facts = add_gate_files(Facts(base=Base(base, "test")), settings, comparison, {})
    return tuple(find_loosened_parts(facts))


LOOSER = (
    ("checks: {drift: error}", "checks: {drift: warning}", "check-level checks.drift", 1),
    ("tables: {a: 48 GB}", "tables: {a: 1 MB}", "table-sizes sizes.small", None),
    ("tables: {a: 48 GB}", "tables: {a: 48 GB}\nsmall_table: 50 GB", "table-sizes sizes.small", 2),
    ("", "checks:\n  drift: off", "check-level checks.drift", 2),
    ("checks: {unindexed-owner: error}", "checks: {}", "check-level checks.unindexed-owner", None),
    ("", "checks: {drift/column: note}", "check-level checks.drift/column", 1),
    ("", "allow:\n- check: drift\n  reason: r", "allowance allow drift", 2),
    ("allow: [{check: drift, object: a, reason: r}]", "allow: [{check: drift, object: a*, reason: r}]",
     "allowance allow drift a*", 1),
    ("allow: [{check: drift, reason: r, until: 2030-01-01}]", "allow: [{check: drift, reason: r}]",
     "allowance allow drift", 1),
    ("raw_sql: {allow: [a/*.sql]}", "raw_sql:\n  allow: [a/*.sql, b/*.sql]", "raw-sql raw_sql.allow", 2),
    ("raw_sql: {allow: ['a/*', '!a/x']}", "raw_sql: {allow: ['a/*']}", "raw-sql raw_sql.allow", 1),
    ("owners: {columns: [owner_id, tenant_id]}", "owners: {columns: owner_id}", "owners owners.columns", 1),
    ("", "owners: {columns: [tenant_id]}", "owners owners.columns", 1),
    ("owners: {tables: ['*']}", "owners: {tables: []}", "owners owners.tables", 1),
    ("owners: {tables: '*'}", "owners: {tables: '*', exempt: logs}", "owners owners.exempt", 1),
    ("owners: {references: users}", "owners: {references: people}", "owners owners.references", 1),
    ("owners: {references: users, every_reference: true}", "owners: {references: users}",
     "owners owners.every_reference", None),
    ("", "owners: {on_delete: [cascade, set null]}", "owners owners.on_delete", 1),
    ("rehearsal: {sql_file: rows.sql}", "", "rehearsal rehearsal.sql_file", None),
    ("rehearsal: {python: 'a:b'}", "rehearsal: {python: 'a:c'}", "rehearsal rehearsal.python", 1),
    ("fail_on: warning", "", "fail-on fail_on", None),
    ("scope: all", "scope: change", "scope scope", 1),
    ("", "target: abc123", "target target.revision", 1),
    ("", "start_from: {create_all: v1}", "start-from start_from", 1),
    ("", "prepare: CREATE TABLE x ()", "prepare prepare", 1),
    ("postgres: [16, 17]", "postgres: 17", "postgres postgres", 1),
    ("snapshots: all", "snapshots: 5", "snapshots snapshots", 1),
    ("", "snapshots: none", "snapshots snapshots", 1),
    ("", "network: true", "network network", 1),
    ("", "base: HEAD~1", "base base", 1),
    ("watch: [libs/]", "watch: []", "watch watch", 1),
)  # fmt: skip


@pytest.mark.parametrize(("before", "after", "named", "line"), LOOSER)
def test_a_loosened_setting_is_named_with_its_line(
    tmp_path: Path, before: str, after: str, named: str, line: int | None
) -> None:
    (loosening,) = compare(before, after, tmp_path)
    assert f"{loosening.kind} {loosening.object}" == named
    assert loosening.location is not None
    assert (loosening.location.file, loosening.location.line) == (YML, line)


TIGHTER = (
    *((after, before) for before, after, named, _ in LOOSER if named.split()[0] not in ("postgres", "base")
      and named not in ("owners owners.columns", "owners owners.references", "rehearsal rehearsal.python")),
    ("owners: {columns: owner_id}", "owners: {columns: [owner_id, tenant_id]}"),
    ("raw_sql: {allow: ['a/**']}", "raw_sql: {allow: ['a/x.sql']}"),
    ("allow: [{check: drift, reason: r}]", "allow: [{check: drift/column, object: a.b, reason: x}]"),
    ("owners: {exempt: ['log*']}", "owners: {exempt: [logs, log_lines]}"),
    ("fail_on: error", "fail_on: warning"),
    ("python: a", "env: {A: b}"),
    ("checks: {drift: error}", "checks:\n  drift: error # as before"),
    ("", "checks: {drift/comment: warning}"),
    ("prepare: [CREATE SCHEMA a, CREATE SCHEMA b]", "prepare: [CREATE SCHEMA a]"),
    ("target: abc", "target: heads"),
    ("allow: [{check: drift, reason: r}]", "allow: [{check: drift, reason: r, until: 2030-01-01}]"),
)  # fmt: skip


@pytest.mark.parametrize(("before", "after"), TIGHTER)
def test_what_is_as_strict_or_stricter_is_no_finding(tmp_path: Path, before: str, after: str) -> None:
    assert compare(before, after, tmp_path) == ()


def test_a_file_that_is_gone_is_named_with_what_went_with_it(tmp_path: Path) -> None:
    found = compare("fail_on: warning", None, tmp_path)
    assert [item.kind for item in found] == ["configuration", "fail-on"]


def test_a_file_of_another_name_with_the_same_settings_is_no_finding(tmp_path: Path) -> None:
    table = '[tool.migration-gate]\nfail-on = "warning"\n'
    assert compare_change(tmp_path, {YML: "fail_on: warning"}, {YML: None, "pyproject.toml": table}) == ()


def test_lines_of_toml_are_known(tmp_path: Path) -> None:
    before = "[project]\nname = 'x'\n\n[tool.migration-gate]\n"
    after = before + "[tool.migration-gate.checks]\ndrift = 'off'\n"
    (found,) = compare_change(tmp_path, {"pyproject.toml": before}, {"pyproject.toml": after})
    assert str(found.location) == "pyproject.toml:6"
    assert (found.was, found.becomes) == ("error", "off")


def test_a_project_that_is_gone_and_a_setting_of_one_project(tmp_path: Path) -> None:
    before = "projects:\n  api: {fail_on: warning}\n  jobs: {}\n"
    after = "projects:\n  api: {}\n"
    found = compare(before, after, tmp_path, "api")
    assert [f"{item.kind} {item.object}" for item in found] == ["project projects.jobs", "fail-on fail_on"]


ENTRY = "4202711261  nullable-owner  `media.owner_id` accepts NULL\n"
REWORDED = "4202711261  nullable-owner  the owner of `media` may be NULL\n"
NEW_ENTRY = "0123456789  drift/column  column `media.size` is missing\n"


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({BASELINE: f"# c\n{ENTRY}"}, {BASELINE: f"# c\n{REWORDED}{NEW_ENTRY}"}, 3),
        ({YML: "fail_on: warning"}, {BASELINE: NEW_ENTRY}, 1),
        ({BASELINE: f"{ENTRY}{NEW_ENTRY}"}, {BASELINE: REWORDED}, None),
        ({"app.py": "x"}, {BASELINE: ENTRY}, None),
    ],
    ids=["grown", "new beside a configuration", "shrunk", "installed"],
)
def test_a_baseline_that_grows_is_named(
    tmp_path: Path, before: Mapping[str, str | None], after: Mapping[str, str | None], line: int | None
) -> None:
    loosened = compare_change(tmp_path, {"README.md": "x", **before}, after)
    assert [(item.kind, item.object, item.location and item.location.line) for item in loosened] == (
        [("baseline", BASELINE, line)] if line else []
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (YML, "extends: 'our rules/floor.yml'\n"),
        ("pyproject.toml", '[tool.migration-gate]\nextends = "our rules/floor.yml"\n'),
    ],
)
def test_a_policy_of_any_name_is_compared(tmp_path: Path, name: str, text: str) -> None:
    floor = "our rules/floor.yml"
    before = {name: text, floor: "checks: {drift: error}\nfail_on: warning\n"}
    loosened = compare_change(tmp_path / "a", before, {floor: "checks: {drift: off}\nfail_on: warning\n"})
    assert [(item.kind, item.object) for item in loosened] == [("check-level", "checks.drift")]
    other = text.replace("floor", "lower")
    after = {name: other, "our rules/lower.yml": "fail_on: error\n"}
    loosened = compare_change(tmp_path / "b", before, after)
    assert {item.kind for item in loosened} == {"extends", "fail-on"}


def test_a_base_that_a_file_names_is_not_trusted(tmp_path: Path) -> None:
    """The base of the branch's file would have the branch's own settings."""
    repository = started(tmp_path / "origin", {YML: "fail_on: warning\n"})
    folder = tmp_path / "clone"
    clone(repository, folder)
    git(folder, "checkout", "-qb", "topic")
    commit(folder, {YML: "checks: {drift: off}\nbase: HEAD~1\n"})
    commit(folder, {"README.md": "more"})
    (settings,) = load_settings(folder, {}, {}, list_checks=explain.known_kinds)
    comparison = compare_with_base(folder, settings.base, {})
    facts = Facts(base=Base(comparison.base.commit or "", "test"))
    kinds = {item.kind for item in find_loosened_parts(add_gate_files(facts, settings, comparison, {}))}
    assert kinds == {"check-level", "fail-on", "base"}


WORKFLOWS = (
    (PULL_REQUESTS.replace("pull_request:\n", "pull_request:\n    paths: [migrations/**]\n"), "workflow"),
    (PULL_REQUESTS.replace("pull_request:\n", "pull_request:\n    branches: [main]\n"), "workflow"),
    (PULL_REQUESTS.replace("pull_request:\n", "pull_request:\n    paths-ignore: [docs/**]\n"), "workflow"),
    (PULL_REQUESTS.replace("pull_request:\n", "push:\n"), "workflow"),
    (PULL_REQUESTS.replace("pull_request:\n", "workflow_dispatch:\n"), "workflow"),
    (PULL_REQUESTS.replace("    runs-on", "    if: github.actor == 'x'\n    runs-on"), "workflow"),
    (PULL_REQUESTS.replace("    runs-on", "    continue-on-error: true\n    runs-on"), "workflow"),
    (PULL_REQUESTS.replace("@0123abc", "@0123abc\n        continue-on-error: true"), "workflow"),
    (PULL_REQUESTS.replace("@0123abc", "@0123abc\n        if: false"), "workflow"),
    (PULL_REQUESTS.replace("@0123abc", "@main"), "pin"),
    (PULL_REQUESTS.replace("migration-gate/migration-gate@0123abc", "actions/cache@v4"), "workflow"),
    (None, "workflow"),
)


@pytest.mark.parametrize(("after", "kind"), WORKFLOWS)
def test_a_workflow_that_runs_the_gate_less_often(after: str | None, kind: str) -> None:
    (found,) = compare_ci({WORKFLOW: PULL_REQUESTS}, {WORKFLOW: after} if after else {})
    assert (found.kind, found.is_certain) == (kind, kind != "pin")
    if after and "migration-gate" in after:
        assert found.location is not None
        assert found.location.file == WORKFLOW


TWICE = f"{PULL_REQUESTS}      - run: migration-gate check --fail-on warning\n"


def test_one_of_two_runs_that_is_gone() -> None:
    """It is none of: the job no longer runs the gate."""
    (gone,) = compare_ci({WORKFLOW: TWICE}, {WORKFLOW: PULL_REQUESTS})
    assert gone.message == f"`{WORKFLOW}` runs the gate in `check` once less"
    assert "--fail-on warning" in gone.was
    assert gone.location is not None
    without_action = TWICE.replace("uses: migration-gate/migration-gate@0123abc", "run: echo skipped")
    assert without_action.count("migration-gate") == 1
    (gone,) = compare_ci({WORKFLOW: TWICE}, {WORKFLOW: without_action})
    assert (gone.kind, gone.was) == ("workflow", "without options")


def test_a_version_that_is_no_longer_named() -> None:
    after = PULL_REQUESTS.replace("uses: migration-gate/migration-gate@0123abc", "run: migration-gate check")
    found = compare_ci({WORKFLOW: PULL_REQUESTS}, {WORKFLOW: after})
    assert f"the gate in `check` of `{WORKFLOW}` went from `0123abc` to no version of its own" in {
        item.message for item in found
    }


CALLER = "on: [pull_request, push]\njobs:\n  gate:\n    uses: ./.github/workflows/called.yml\n"
CALLED = f"on: workflow_call\n{STEPS}"


@pytest.mark.parametrize(
    "after",
    [
        {WORKFLOW: PULL_REQUESTS.replace("on:\n  pull_request:\n", "on: [push, pull_request]\n")},
        {".github/workflows/all.yml": PULL_REQUESTS.replace("check:", "all:")},
        {WORKFLOW: PULL_REQUESTS.replace("    runs-on", "    if: always()\n    runs-on")},
        {WORKFLOW: CALLER, ".github/workflows/called.yml": CALLED},
        {WORKFLOW: PULL_REQUESTS + "      - run: echo done\n"},
    ],
)
def test_a_workflow_that_runs_the_gate_as_before(after: Mapping[str, str]) -> None:
    assert compare_ci({WORKFLOW: PULL_REQUESTS}, after) == ()


def test_the_workflow_of_a_change_is_read(tmp_path: Path) -> None:
    (found,) = compare_change(tmp_path, {WORKFLOW: PULL_REQUESTS}, {WORKFLOW: None})
    assert found.message == f"`{WORKFLOW}` no longer runs the gate in `check`"


def test_a_called_workflow_that_no_longer_runs_the_gate() -> None:
    called = ".github/workflows/called.yml"
    after = {called: CALLED.replace("migration-gate/migration-gate@0123abc", "actions/cache@v4")}
    (found,) = compare_ci({WORKFLOW: CALLER, called: CALLED}, {WORKFLOW: CALLER, **after})
    assert found.message == f"`{WORKFLOW}` no longer runs the gate in `gate`"


JOB = 'check:\n  script:\n    - migration-gate check\n  rules:\n    - if: $CI_PIPELINE_SOURCE == "push"\n'
GITLAB = (
    (".gitlab-ci.yml", JOB, JOB + "  allow_failure: true\n"),
    (".gitlab-ci.yml", JOB, JOB.replace("migration-gate check", "echo skipped")),
    (".gitlab-ci.yml", JOB.replace("  rules:\n    - if: $CI_PIPELINE_SOURCE == \"push\"\n", ""), JOB),
    (".gitlab-ci.yml", ".t:\n  script: [migration-gate check]\ngate:\n  extends: .t\n",
     ".t:\n  script: [migration-gate check]\n"),
    (".circleci/config.yml", "jobs: {a: {steps: [run: uvx migration-gate==1.0 check]}}\n", "jobs: {}\n"),
    (".pre-commit-config.yaml", "repos:\n- repo: x\n  hooks:\n  - id: migration-gate\n", "repos: []\n"),
    ("Jenkinsfile", "sh 'docker run ghcr.io/x/migration-gate:1 check .'\n",
     "sh 'docker run ghcr.io/x/migration-gate:1 check . || true'\n"),
)  # fmt: skip


@pytest.mark.parametrize(("file", "before", "after"), GITLAB)
def test_other_systems(file: str, before: str, after: str) -> None:
    found = compare_ci({file: before}, {file: after})
    assert [item.kind for item in found if item.is_certain] == ["workflow"]
