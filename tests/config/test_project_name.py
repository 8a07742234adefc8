"""What a project is called in reports where no configuration names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.config import loading
from migration_gate.config.project_name import choose_project_name
from migration_gate.errors import Misconfigured

ORIGIN = """[core]
	bare = false
[remote "{remote}"]
	fetch = +x
	url = {url}
[branch "main"]
	remote = origin
"""


def write_repository(folder: Path, url: str, remote: str = "origin") -> None:
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text(ORIGIN.format(remote=remote, url=url))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[project]\nname = "media-library"\n', "media-library"),
        ('[tool.poetry]\nname = "Shop.API"\n', "Shop.API"),
        ("[project]\nversion = '1'\n", "workspace"),
        ("[project]\nname = 3\n", "workspace"),
        ('[project]\nname = "::error::x"\n', "workspace"),
        ("project = 1\ntool = 2\n", "workspace"),
        ("this is = = no TOML", "workspace"),
        ("[project]\nname = 'x'\n\xff", "workspace"),
    ],
)
def test_the_package_names_the_project(tmp_path: Path, text: str, name: str) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "pyproject.toml").write_bytes(text.encode("latin-1"))
    assert choose_project_name(folder, {}) == name


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/o/shop",
        "https://github.com/o/shop.git",
        "git@github.com:o/shop.git",
        "git@host:shop",
        "/srv/git/shop.git/",
    ],
)
def test_else_the_repository_does_at_its_top(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "workspace"
    write_repository(folder, url)
    (folder / "backend").mkdir()
    environ = {"GITHUB_REPOSITORY": "o/other"}
    assert choose_project_name(folder, environ) == "shop"
    assert choose_project_name(folder / "backend", environ) == "backend"


def test_without_a_remote_the_name_comes_from_the_ci(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    write_repository(folder, "https://github.com/o/shop", remote="upstream")
    assert choose_project_name(folder, {"GITHUB_REPOSITORY": "o/other"}) == "other"
    assert choose_project_name(folder, {}) == "workspace"


def test_a_worktree_has_the_name_of_its_repository(tmp_path: Path) -> None:
    write_repository(tmp_path / "main", "https://github.com/o/shop")
    git_folder = tmp_path / "main" / ".git" / "worktrees" / "wt7"
    git_folder.mkdir(parents=True)
    (tmp_path / "wt7").mkdir()
    (tmp_path / "wt7" / ".git").write_text(f"gitdir: {git_folder}\n")
    assert choose_project_name(tmp_path / "wt7", {}) == "shop"


def test_the_requested_name_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "billing"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "acme-billing"\n')
    names = [
        loading.load_settings(folder, options, {})[0].name
        for options in ({}, {"project": ["billing"]}, {"project": ["acme-billing"]})
    ]
    assert names == ["acme-billing", "billing", "acme-billing"]
    with pytest.raises(Misconfigured, match="`projects` is not set"):
        loading.load_settings(folder, {"project": ["other"]}, {})
