"""What is known of an installation before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.errors import Misconfigured, ProjectNotImported
from migration_gate.install import needs_installation, plan_installation
from migration_gate.install.environment_cache import open_cache
from tests.support.install_projects import make_settings, write_project


def test_a_project_without_a_list_of_packages_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotImported, match="No file lists the packages") as raised:
        plan_installation(make_settings(write_project(tmp_path, {}), tmp_path / "cache"))
    assert "install: pip install alembic" in raised.value.advice


def test_an_interpreter_or_an_environment_of_the_workspace_is_enough(tmp_path: Path) -> None:
    folder = write_project(tmp_path, {"requirements.txt": "alembic"})
    settings = make_settings(folder, tmp_path / "cache")
    assert needs_installation(settings, {})
    site = folder / ".venv" / "lib" / "python3.12" / "site-packages"
    for name in ("alembic-1.13.0", "sqlalchemy-2.0.0"):
        (site / f"{name}.dist-info").mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").write_text("version = 3.12.1\n")
    (folder / ".venv" / "bin").mkdir()
    # Its interpreter is not here: the environment belongs to the runner outside of the container.
    assert needs_installation(settings, {})
    (folder / ".venv" / "bin" / "python").write_text("")
    assert not needs_installation(settings, {})
    assert needs_installation(make_settings(folder, tmp_path / "cache", install="make env"), {})
    assert not needs_installation(
        make_settings(folder, tmp_path / "cache", python=Path("/usr/bin/python3")), {}
    )
    assert not needs_installation(make_settings(folder, tmp_path / "cache", install="off"), {})


def test_an_environment_is_known_by_all_that_decides_what_is_in_it(tmp_path: Path) -> None:
    folder = write_project(
        tmp_path / "a", {"requirements.txt": "-r more.txt\n", "more.txt": "alembic==1.13\n"}
    )
    cache = tmp_path / "cache"

    def name_environment(cache: Path = cache, **changes: object) -> str:
        return plan_installation(make_settings(folder, cache, **changes)).name_environment(cache)

    first = name_environment()
    assert name_environment() == first
    others = {
        name_environment(extras=("pg",)),
        name_environment(python_version="3.13"),
        name_environment(tmp_path / "other"),
        name_environment(install="make env"),
    }
    (folder / "more.txt").write_text("alembic==1.14\n")
    others.add(name_environment())
    assert len(others - {first}) == 5


def test_a_cache_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".migration-gate-cache").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Misconfigured, match="none to be had") as raised:
        open_cache(make_settings(tmp_path, tmp_path / ".migration-gate-cache"), tmp_path, {})
    assert "not a folder of ours" in raised.value.evidence
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_cache_is_in_the_repository_on_github_and_the_users_own_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    settings = make_settings(tmp_path / "repo", None)
    top, home = tmp_path / "repo", {"XDG_CACHE_HOME": str(tmp_path / "home")}
    assert open_cache(settings, top, home).folder == tmp_path / "home" / "migration-gate"
    folder = open_cache(settings, top, {**home, "CI": "true"}).folder
    assert folder == top / ".migration-gate-cache"
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_group_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write_project(tmp_path, {"requirements.txt": "alembic\n"})
    plan = plan_installation(make_settings(tmp_path, tmp_path / "cache", groups=("nope",)))
    with pytest.raises(Misconfigured, match="`groups` names `nope`"):
        plan.name_environment(tmp_path)
