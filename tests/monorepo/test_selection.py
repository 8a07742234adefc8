"""The projects of a repository, which of them a change touches, and GitHub's matrix of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from migration_gate.errors import Misconfigured
from migration_gate.monorepo import selection
from tests.support.git_repositories import commit, git, started
from tests.test_cli import run

pytestmark = pytest.mark.slow  # each starts another program

INI = "[alembic]\nscript_location = migrations\n"
NAMED = """\
projects:
  api: {path: services/api, watch: [libs/shared/]}
  billing: {path: services/billing}
  crm: {path: services/crm}
"""


def services(*names: str) -> dict[str, str]:
    files = {}
    for name in names:
        files[f"services/{name}/alembic.ini"] = INI
        files[f"services/{name}/migrations/env.py"] = ""
    return files


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    files = services("api", "billing", "crm") | {".migration-gate.yml": NAMED, "libs/shared/models.py": ""}
    return started(tmp_path / "repository", files)


def changed(
    repository: Path,
    files: Mapping[str, str | None],
    options: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[str]:
    """The projects that a commit of these files touches."""
    base = git(repository, "rev-parse", "HEAD")
    commit(repository, files)
    selected = selection.select_projects(
        repository, {"base": base, **(options or {})}, environ or {}, changed=True
    )
    return [entry.project for entry in selected.entries]


def test_the_projects_of_the_configuration_are_listed_in_its_order(repository: Path) -> None:
    selected = selection.select_projects(repository, {}, {}, changed=False)
    assert selection.render_selection(selected, "matrix") == (
        '{"include":[{"project":"api","path":"services/api"},'
        '{"project":"billing","path":"services/billing"},{"project":"crm","path":"services/crm"}]}'
    )


def test_without_a_configuration_projects_are_searched_for(tmp_path: Path) -> None:
    files = services("api", "billing") | {
        "web/migrations/alembic.ini": "[alembic]\n",
        "web/migrations/env.py": "",
        "jobs/pyproject.toml": '[tool.alembic]\nscript_location = "m"\n',
        "tests/fixture/alembic.ini": INI,
    }
    selected = selection.select_projects(started(tmp_path / "a", files), {}, {}, changed=False)
    assert {entry.project: entry.path for entry in selected.entries} == {
        "api": "services/api",
        "billing": "services/billing",
        "jobs": "jobs",
        "web": "web",
    }


def test_a_repository_that_is_one_project_is_listed_as_one(tmp_path: Path) -> None:
    selected = selection.select_projects(started(tmp_path / "a", {"alembic.ini": INI}), {}, {}, changed=False)
    assert [(entry.project, entry.path) for entry in selected.entries] == [("a", ".")]


def test_two_projects_with_the_same_name_are_refused(
    tmp_path: Path,
) -> None:
    root = started(tmp_path / "a", {"one/app/alembic.ini": INI, "two/app/alembic.ini": INI})
    with pytest.raises(Misconfigured, match="2 projects would be called `app`") as error:
        selection.select_projects(root, {}, {}, changed=False)
    assert error.value.advice.endswith(
        "projects:\n      one-app: {path: one/app}\n      two-app: {path: two/app}"
    )


def test_a_file_in_a_projects_folder_touches_that_project_alone(repository: Path) -> None:
    assert changed(repository, {"services/api/models.py": "x"}) == ["api"]


def test_a_deleted_file_touches_its_project(repository: Path) -> None:
    assert changed(repository, {"services/crm/migrations/env.py": None}) == ["crm"]


def test_a_file_that_concerns_no_project_touches_none(repository: Path) -> None:
    assert changed(repository, {"docs/index.md": "x", "services/apiary/x.py": "x"}) == []


def test_the_configuration_touches_all(repository: Path) -> None:
    assert changed(repository, {".migration-gate.yml": NAMED + "fail_on: warning\n"}) == [
        "api",
        "billing",
        "crm",
    ]


@pytest.mark.parametrize("name", ["uv.lock", "services/requirements-dev.txt", "pyproject.toml"])
def test_a_lock_file_above_a_project_touches_it(repository: Path, name: str) -> None:
    assert changed(repository, {name: "x"}) == ["api", "billing", "crm"]


def test_a_lock_file_of_another_project_touches_only_that(repository: Path) -> None:
    assert changed(repository, {"services/api/uv.lock": "x"}) == ["api"]


def test_files_to_watch_touch_the_project_that_names_them(repository: Path) -> None:
    assert changed(repository, {"libs/shared/models.py": "x"}) == ["api"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.uv.sources]\nmodels = { path = "../../libs/models", editable = true }\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\nmodels = {path = "../../libs/models"}\n'),
        ("pyproject.toml", "[tool.uv.sources]\nmodels = { workspace = true }\n"),
        ("requirements.txt", "alembic\n-e ../../libs/models\n"),
        ("requirements.txt", "../../libs/models[postgres]\n"),
    ],
)
def test_a_package_of_the_repository_touches_the_projects_that_depend_on_it(
    repository: Path, name: str, text: str
) -> None:
    deeper = '[project]\nname = "models"\n[tool.uv.sources]\nkernel = { path = "../kernel" }\n'
    commit(repository, {f"services/billing/{name}": text, "libs/models/pyproject.toml": deeper,
                        "libs/kernel/x.py": ""})  # fmt: skip
    assert changed(repository, {"libs/models/user.py": "x"}) == ["billing"]
    assert changed(repository, {"libs/kernel/x.py": "x"}) == ["billing"]


def test_what_links_of_a_project_lead_to_touches_it(repository: Path) -> None:
    """To a folder, and from there to a file; not those of others, nor one to the whole repository."""
    commit(repository, {"libs/base/types.py": "", "libs/enums.py": "", "libs/other/x.py": ""})
    api = repository / "services" / "api"
    (api / "models").symlink_to("../../libs/base")
    (repository / "libs" / "base" / "enums.py").symlink_to("../enums.py")
    (api / "root").symlink_to("../..")
    (api / "outside").symlink_to("/etc")
    (repository / "docs").symlink_to("libs/other")
    (repository / "services" / "crm" / "again").symlink_to("../crm")
    commit(repository, {"services/api/x.py": ""})
    assert changed(repository, {"libs/base/types.py": "x"}) == ["api"]
    assert changed(repository, {"libs/enums.py": "x"}) == ["api"]
    assert changed(repository, {"libs/other/x.py": "x", "README.md": "x"}) == []
    assert changed(repository, {"services/crm/x.py": "x"}) == ["crm"]


def test_the_workflow_that_runs_touches_all(repository: Path) -> None:
    environ = {
        "GITHUB_REPOSITORY": "film/library",
        "GITHUB_WORKFLOW_REF": "film/library/.github/workflows/migrations.yml@refs/pull/1/merge",
    }
    assert changed(repository, {".github/workflows/other.yml": "x"}, environ=environ) == []
    assert len(changed(repository, {".github/workflows/migrations.yml": "x"}, environ=environ)) == 3


def test_revisions_outside_of_the_projects_folder_touch_it(tmp_path: Path) -> None:
    ini = "[alembic]\nscript_location = ../../db/api\nversion_locations = %(here)s/../../db/versions\n"
    files = {"services/api/alembic.ini": ini, "db/api/env.py": "", "db/versions/a.py": "",
             ".migration-gate.yml": "projects: {api: {path: services/api}}"}  # fmt: skip
    root = started(tmp_path / "a", files)
    assert changed(root, {"db/api/env.py": "x"}) == ["api"]
    assert changed(root, {"db/versions/b.py": "x"}) == ["api"]
    assert changed(root, {"db/other.py": "x"}) == []


def test_an_unknown_change_touches_every_project_with_a_note(repository: Path) -> None:
    selected = selection.select_projects(repository, {}, {"GITHUB_EVENT_NAME": "schedule"}, changed=True)
    assert len(selected.entries) == 3
    assert selected.note == (
        "There is nothing to compare with: the event `schedule` has no base. Every project is examined."
    )


def test_a_change_of_no_project_is_an_empty_matrix(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = repository.parent / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    base = git(repository, "rev-parse", "HEAD")
    commit(repository, {"README.md": "y"})
    status, out, err = run(
        capsys, "projects", str(repository), "--changed", "--base", base, "--format", "matrix",
        "--github-output", "matrix",
    )  # fmt: skip
    assert (status, out) == (0, '{"include":[]}\n')
    assert err == f"Compared with {base[:12]} (`base: {base}`).\n"
    first, second, last = output.read_text().splitlines()
    assert (first.partition("<<")[0], second, last) == ("matrix", '{"include":[]}', first.partition("<<")[2])


def test_the_text_says_why_a_project_was_chosen(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = git(repository, "rev-parse", "HEAD")
    commit(repository, {"services/api/x.py": "y"})
    status, out, _ = run(capsys, "projects", str(repository), "--changed", "--base", base)
    assert (status, out) == (
        0,
        "api  services/api  (`services/api/x.py` is in its folder)\n"
        "not touched by the change: billing, crm\n"
        f"Compared with {base[:12]} (`base: {base}`).\n",
    )
    status, out, _ = run(capsys, "projects", str(repository), "--format", "json")
    assert json.loads(out)["projects"][0] == {"project": "api", "path": "services/api", "why": ""}


def test_a_project_that_was_searched_for_can_be_named(tmp_path: Path) -> None:
    root = started(tmp_path / "a", services("api", "billing"))
    projects = selection.find_projects(root / "services/api", {"project": ("api",)}, {})
    assert [settings.name for settings in projects] == ["api"]
    with pytest.raises(Misconfigured, match="`projects` is not set"):
        selection.find_projects(root / "services/api", {"project": ("billing",)}, {})


def test_copies_of_one_template_are_called_like_their_folders(tmp_path: Path) -> None:
    for folder in ("billing", "shipping"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
        (tmp_path / folder / "pyproject.toml").write_text('[project]\nname = "template"\n')
    assert {settings.name for settings in selection.find_projects(tmp_path, {}, {})} == {
        "billing",
        "shipping",
    }
    (tmp_path / "shipping" / "pyproject.toml").write_text('[project]\nname = "acme-shipping"\n')
    names = {settings.name for settings in selection.find_projects(tmp_path, {}, {})}
    assert names == {"template", "acme-shipping"}
