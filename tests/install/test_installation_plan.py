"""What is known of an installation before anything runs."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.errors import Misconfigured, ProjectNotImported
from migration_gate.install import needs_installation, plan_installation
from migration_gate.install.environment_cache import open_cache
from migration_gate.install.installer import FinishedCommand, Installer
from migration_gate.install.requirement_files import find_requirement_file
from tests.support.install_projects import ASYNC_ENV, ENV, make_settings, write_project


def test_a_project_without_a_list_of_packages_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotImported, match="No file lists the packages") as raised:
        plan_installation(make_settings(write_project(tmp_path, {}), tmp_path / "cache"))
    assert "install: pip install alembic" in raised.value.advice


def test_requirements_that_are_not_compiled_are_installed_from(tmp_path: Path) -> None:
    write_project(tmp_path, {"requirements.in": "alembic\n"})
    assert find_requirement_file(tmp_path) == tmp_path / "requirements.in"
    write_project(tmp_path, {"requirements.txt": "alembic==1.16.5\n"})
    assert find_requirement_file(tmp_path) == tmp_path / "requirements.txt"


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
        tmp_path / os.fsdecode(b"a\xff"),  # a name need not be text
        {"requirements.txt": "-r more.txt\n", "more.txt": "alembic==1.13\n"},
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


def test_projects_with_equal_requirements_share_an_environment(tmp_path: Path) -> None:
    cache = tmp_path / "cache"

    def name_environment(name: str, files: Mapping[str, str], env: str = ENV) -> str:
        folder = write_project(tmp_path / name, files, env)
        settings = replace(make_settings(folder, cache), name=name)
        return replace(plan_installation(settings), top=tmp_path).name_environment(cache)

    requirements = {
        "requirements.txt": "-r more.txt\n",
        "more.txt": "alembic==1.13\nx @ https://h.invalid/x\n",
    }
    names = [name_environment("api", requirements), name_environment("billing", requirements, ENV + "# b\n")]
    assert [name.partition("-")[0] for name in names] == ["api", "billing"]
    (shared,) = {name.partition("-")[2] for name in names}
    others = [
        name_environment("async", requirements, ASYNC_ENV),
        name_environment("packaged", {**requirements, "pyproject.toml": "[project]\nname = 'packaged'\n"}),
    ]
    for number, local in enumerate(["./wheels/x.whl", "x @ file:///x", "wheels/x.whl", "-f ./wheels"]):
        others.append(name_environment(f"local{number}", {"requirements.txt": f"alembic\n{local}\n"}))
        others.append(name_environment(f"locals{number}", {"requirements.txt": f"alembic\n{local}\n"}))
    assert len({shared, *(name.partition("-")[2] for name in others)}) == 1 + len(others)


@pytest.mark.parametrize(
    ("names_cache", "variables", "exists", "is_kept"),
    [
        (False, {}, False, True),
        (False, {"CI": "true"}, False, False),
        (False, {"MIGRATION_GATE_IMAGE": "1"}, False, False),
        (False, {"CI": "true"}, True, True),
        (True, {"CI": "true"}, False, True),
    ],
)
def test_bytecode_is_compiled_only_for_a_cache_that_is_kept(
    tmp_path: Path, names_cache: bool, variables: dict[str, str], exists: bool, is_kept: bool
) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path / "home"), **variables}
    folder = tmp_path / ".migration-gate-cache"
    if exists:  # restored by a step before
        folder.mkdir()
    settings = make_settings(tmp_path, folder if names_cache else None)
    for _ in ("the first project", "the second one"):
        cache = open_cache(settings, tmp_path, environ)
        assert cache.is_kept == is_kept
    installer = Installer(None, {}, cache.folder, threading.TIMEOUT_MAX, 60, compiles_bytecode=cache.is_kept)
    finished = exhaust(
        installer.run([sys.executable, "-c", "import os; print(os.environ.get('UV_COMPILE_BYTECODE'))"])
    )
    assert finished.lines == ("1" if is_kept else "None",)


def exhaust(steps: Generator[str, None, FinishedCommand]) -> FinishedCommand:
    """What comes of a command at its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            finished: FinishedCommand = end.value
            return finished


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
