"""Installations that run: uv, a package index, other interpreters."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.config.settings import Settings
from migration_gate.errors import GateError, ProjectNotImported, TimedOut
from migration_gate.install import postgres_driver
from migration_gate.sandbox.user import is_readable
from tests.support.install_projects import (
    ASYNC_ENV,
    ENV,
    InstallationRun,
    copy_locked_project,
    find_uv,
    list_files,
    list_installed,
    make_settings,
    read_index_variables,
    run_installation,
    write_project,
)
from tests.support.release_tests import first_in_every_run

pytestmark = pytest.mark.slow
NOWHERE = {"UV_PYTHON_INSTALL_MIRROR": "http://127.0.0.1:9", "UV_HTTP_RETRIES": "0"}
"""interpreters cannot be downloaded from here"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all, so that each package is downloaded once."""
    find_uv()
    return tmp_path_factory.mktemp("a cache") / "kept"


@pytest.fixture
def environ() -> dict[str, str]:
    """This machine's own variables, which may name its package index."""
    return read_index_variables()


def run_code(run: InstallationRun, code: str) -> str:
    """What the environment's interpreter prints."""
    command = [str(run.installed.python), "-I", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("kind", first_in_every_run(["pylock", "poetry", "poetry-1", "pdm", "pipenv"], 1))
def test_each_lock_file_is_installed_as_it_is_locked(
    tmp_path: Path, cache: Path, environ: dict[str, str], kind: str
) -> None:
    folder = copy_locked_project(tmp_path / "mein schöner Laden", kind)
    before = list_files(folder)
    run = run_installation(make_settings(folder, cache), environ)
    assert list_files(folder) == before
    packages = list_installed(run.installed)
    assert packages["alembic"] == "1.20.1"
    assert not {"colorama", "iniconfig"} & set(packages)
    assert any("sqlalchemy" in line for line in run.lines)
    if kind.startswith("poetry"):
        assert "the group `migrations` was installed too: alembic is in it" in run.installed.notes
        code = "import shop; from importlib.metadata import version; print(version('shop'))"
        assert run_code(run, code) == "2.3.0"
    default = "psycopg[binary]" if packages["sqlalchemy"].startswith("2.1") else "psycopg2-binary"
    assert run.installed.driver_added == ("" if kind == "pipenv" else default)


def test_a_member_of_a_workspace_is_installed_with_its_siblings_linked(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    folder = copy_locked_project(tmp_path / "mono", "uv", "services/api")
    run = run_installation(make_settings(folder, cache, extras=("pg",)), environ)
    packages = list_installed(run.installed)
    assert {"alembic", "psycopg-binary", "tomli", "shared", "api"} <= set(packages)
    assert "iniconfig" not in packages
    assert run_code(run, "import api, shared; print(shared.__file__)").startswith(
        str(tmp_path / "mono" / "libs")
    )
    assert not (tmp_path / "mono" / ".venv").exists()


UV_PROJECT = """
[project]
name = "shop"
version = "1"
requires-python = ">=3.9"
dependencies = ["alembic==1.13.3", "sqlalchemy==2.0.43", "psycopg2==2.9.10", "vendored", "shared"]
[tool.uv.sources]
vendored = { path = "vendored-3-py3-none-any.whl" }
shared = { path = "libs/shared", editable = true }
"""


@pytest.mark.release
def test_a_uv_lock_with_an_archive_a_folder_and_a_driver_that_cannot_be_built(
    tmp_path: Path, cache: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_driver, "can_build_drivers", lambda: False)
    shared = '[project]\nname = "shared"\nversion = "2"\nrequires-python = ">=3.9"\n'
    folder = write_project(
        tmp_path / "shop", {"pyproject.toml": UV_PROJECT, "libs/shared/pyproject.toml": shared}
    )
    write_wheel(folder, "vendored", "3")
    command = [find_uv(), "lock", "--quiet", "--python", sys.executable, "--no-build-package", "psycopg2"]
    subprocess.run(command, cwd=folder, env=environ, check=True)
    run = run_installation(make_settings(folder, cache, without=("mako",)), environ)
    packages = list_installed(run.installed)
    versions = {
        name: packages.get(name) for name in ("vendored", "shared", "shop", "psycopg2-binary", "mako")
    }
    assert versions == {
        "vendored": "3", "shared": "2", "shop": "1", "psycopg2-binary": "2.9.10", "mako": None
    }  # fmt: skip
    assert "mako was not installed (`without`)" in run.installed.notes


def write_wheel(folder: Path, name: str, version: str) -> None:
    """A wheel with nothing in it but its metadata."""
    metadata = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(
            f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{metadata}/RECORD", "")


REQUIREMENTS = "alembic==1.16.5\nsqlalchemy==2.0.43\npsycopg[binary]\n"


def test_requirements_with_includes_and_the_project_itself(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    project = '[project]\nname = "shop"\nversion = "7"\ndependencies = ["iniconfig"]\n'
    files = {
        "requirements.txt": "-r requirements/base.txt\n-e .\n",
        "requirements/base.txt": f"-c limits.txt\n{REQUIREMENTS}",
        "requirements/limits.txt": "mako==1.3.10\n",
        "pyproject.toml": project,
        "shop/__init__.py": "",
    }
    run = run_installation(make_settings(write_project(tmp_path / "shop", files), cache), environ)
    packages = list_installed(run.installed)
    assert (packages["alembic"], packages["mako"], packages["shop"]) == ("1.16.5", "1.3.10", "7")
    assert "iniconfig" in packages


SETUP = """
import os, pathlib
from setuptools import setup
seen = sorted(name for name in os.environ)
pathlib.Path({output!r}).write_text("\\n".join([str(os.geteuid()), *seen]))
pathlib.Path("left-behind").write_text("")
setup(name="shop", version="1", packages=["shop"], install_requires=["alembic==1.16.5"])
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, as a checkout in a container is."""
    folder = Path(tempfile.mkdtemp(prefix="open ", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to give up")
def test_a_build_script_runs_without_roots_rights_and_without_tokens_and_leaves_the_checkout_alone(
    open_folder: Path, environ: dict[str, str]
) -> None:
    if not is_readable(Path(find_uv())):
        pytest.skip("uv is not to be run by others here")
    output = open_folder / "output"
    output.write_text("")
    output.chmod(0o666)
    folder = write_project(
        open_folder / "repo", {"setup.py": SETUP.format(output=str(output)), "shop/__init__.py": ""}
    )
    secret = {"GITHUB_TOKEN": "x", "ACTIONS_RUNTIME_TOKEN": "x", "DATABASE_URL": "x"}
    run = run_installation(make_settings(folder, open_folder / "cache"), {**environ, **secret})
    uid, *names = output.read_text().splitlines()
    assert int(uid) not in (0, os.geteuid())
    assert not set(secret) & set(names)
    assert not (folder / "left-behind").exists()
    assert list_installed(run.installed)["alembic"] == "1.16.5"
    assert run.installed.python.parent.stat().st_uid != int(
        uid
    )  # so that the project's code cannot change it


@pytest.mark.release
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can work for somebody else")
def test_the_cache_in_a_runners_workspace_belongs_to_the_runner_afterwards(
    open_folder: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_readable(Path(find_uv())):
        pytest.skip("uv is not to be run by others here")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    workspace = write_project(open_folder / "workspace", {"requirements.txt": REQUIREMENTS})
    os.chown(workspace, 1001, 1001)
    settings = make_settings(workspace, workspace / ".migration-gate-cache")
    github = {**environ, "GITHUB_ACTIONS": "true"}
    assert not run_installation(settings, github).installed.cached
    kept = [path for path in (workspace / ".migration-gate-cache").rglob("*") if not path.is_symlink()]
    assert {path.lstat().st_uid for path in kept} == {1001}
    assert all(path.stat().st_mode & 0o004 for path in kept)  # the runner's next step packs them up
    assert run_installation(settings, github).installed.cached
    (workspace / "requirements.txt").write_text(REQUIREMENTS + "iniconfig\n")
    assert not run_installation(settings, github).installed.cached


def test_a_second_run_takes_the_environment_from_the_cache(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    example = Path(__file__).parents[2] / "examples" / "media-library"
    folder = tmp_path / "media-library"
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns(".venv"))
    first = run_installation(make_settings(folder, cache), environ).installed
    second = run_installation(make_settings(folder, cache), environ).installed
    assert (first.cached, second.cached, first.key, first.python) == (False, True, second.key, second.python)
    assert "taken from the cache" in second.notes[0]


def test_a_second_project_with_the_same_requirements_takes_the_environment_of_the_first(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    (tmp_path / ".git").mkdir()
    settings = []
    for name in ("api", "billing"):
        folder = write_project(tmp_path / name, {"requirements.txt": REQUIREMENTS})
        (folder / ".git").rmdir()
        settings.append(replace(make_settings(folder, cache), name=name))
    first, second, again = (
        run_installation(project, environ).installed for project in (*settings, settings[1])
    )
    assert (first.cached, second.cached, again.cached) == (False, True, True)
    assert first.python == second.python == again.python
    assert second.title == "`billing/requirements.txt`"


SITE = "lib/python$(python -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])')/site-packages"
PRETENDED_INSTALL = (
    f'cd "$VIRTUAL_ENV"/{SITE} && '
    "mkdir alembic-1.13.0.dist-info sqlalchemy-2.0.0.dist-info pg8000-1.0.dist-info"
)
"""a command that installs nothing, and takes no time for it"""


def test_an_environment_that_is_incomplete_or_lost_its_interpreter_is_built_again(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    settings = make_settings(write_project(tmp_path / "shop", {}), cache, install=PRETENDED_INSTALL)
    first = run_installation(settings, environ).installed
    home = first.python.parent.parent
    (home / "migration-gate.json").unlink()
    (home / "half").write_text("")
    assert not run_installation(settings, environ).installed.cached
    assert not (home / "half").exists()
    assert run_installation(settings, environ).installed.cached
    first.python.unlink()
    assert not run_installation(settings, environ).installed.cached


def test_environments_that_newer_ones_replaced_are_removed(tmp_path: Path, environ: dict[str, str]) -> None:
    find_uv()
    folder, kept = write_project(tmp_path / "shop", {}), tmp_path / "kept"
    names = [
        run_installation(
            make_settings(folder, kept, install=f"{PRETENDED_INSTALL}; : {number}"), environ
        ).installed.key
        for number in range(3)
    ]
    assert {path.name for path in (kept / "environments").iterdir()} == set(names[1:])


@pytest.mark.parametrize(
    ("requirements", "env", "added", "also"),
    first_in_every_run(
        [
            ("alembic==1.16.5\nsqlalchemy==2.0.43\n", ASYNC_ENV, "asyncpg", "greenlet"),
            ("alembic==1.13.3\nsqlalchemy==1.4.54\n", ENV, "psycopg2-binary", "psycopg2-binary"),
            ("alembic\nsqlalchemy>=2.1,<2.2\n", ENV, "psycopg[binary]", "psycopg-binary"),
        ],
        1,
    ),
)
def test_a_missing_driver_is_added_and_noted(  # noqa: PLR0917 - four of them are what varies
    tmp_path: Path, cache: Path, environ: dict[str, str], requirements: str, env: str, added: str, also: str
) -> None:
    installed = run_installation(
        make_settings(write_project(tmp_path, {"requirements.txt": requirements}, env), cache), environ
    ).installed
    assert installed.driver_added == added
    assert also in list_installed(installed)
    assert f"the project has no PostgreSQL driver: {added} was added" in installed.notes[-1]


def test_psycopg2_is_replaced_by_its_wheel_where_it_cannot_be_built(
    tmp_path: Path, cache: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").symlink_to(find_uv())
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    folder = write_project(
        tmp_path / "shop", {"requirements.txt": "alembic==1.16.5\npsycopg2==2.9.10\nsqlalchemy==2.0.43\n"}
    )
    installed = run_installation(
        make_settings(folder, cache), {**environ, "PATH": str(tmp_path / "bin")}
    ).installed
    assert list_installed(installed)["psycopg2-binary"] == "2.9.10"
    assert installed.notes[1:] == (
        "psycopg2-binary was installed for psycopg2, which has to be built and cannot be here",
    )


def run_failing_installation(settings: Settings, environ: dict[str, str]) -> GateError:
    with pytest.raises(GateError) as raised:
        run_installation(settings, environ)
    return raised.value


def test_a_package_that_does_not_exist_is_reported_with_what_the_installer_printed(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    folder = write_project(tmp_path, {"requirements.txt": "alembic\nmigration-gate-is-not-this-one==1\n"})
    error = run_failing_installation(make_settings(folder, cache), environ)
    assert isinstance(error, ProjectNotImported)
    assert "installing from `requirements.txt` ended with exit status 1" in error.message
    assert "migration-gate-is-not-this-one was not found" in error.evidence
    assert "UV_INDEX=<name>=<url>" in error.advice
    assert error.status == 2


def test_a_file_that_is_not_the_locked_one_is_refused(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    folder = copy_locked_project(tmp_path / "shop", "pipenv")
    lock = folder / "Pipfile.lock"
    lock.write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", lock.read_text()))
    error = run_failing_installation(make_settings(folder, tmp_path / "fresh"), environ)
    assert "Make the lock file again" in error.advice
    assert "Hash mismatch" in error.evidence or "hash" in error.evidence.lower()


def test_the_advice_for_a_build_without_pg_config_names_the_wheel(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    script = "raise SystemExit('Error: pg_config executable not packages.')"
    folder = write_project(tmp_path, {"setup.py": script})
    error = run_failing_installation(make_settings(folder, cache), environ)
    assert "psycopg2-binary" in error.advice
    assert "pg_config executable not packages" in error.evidence


def test_requirements_without_alembic_are_an_error_that_names_what_is_missing(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    error = run_failing_installation(
        make_settings(write_project(tmp_path, {"requirements.txt": "iniconfig\n"}), cache), environ
    )
    assert (
        error.message
        == "Everything in `requirements.txt` was installed, and there is no alembic and no sqlalchemy in it."
    )


def test_the_users_own_command_installs_into_the_environment(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    folder = write_project(tmp_path / "shop", {"deps.in": REQUIREMENTS})
    installed = run_installation(
        make_settings(folder, cache, install="uv pip install -q -r deps.in"), environ
    ).installed
    assert list_installed(installed)["alembic"] == "1.16.5"
    error = run_failing_installation(make_settings(folder, cache, install="true"), environ)
    assert "succeeded, and there is no alembic" in error.message
    error = run_failing_installation(make_settings(folder, cache, install="echo so far; exit 7"), environ)
    assert "ended with exit status 7" in error.message
    assert "so far" in error.evidence


def test_an_installation_that_hangs_is_ended(tmp_path: Path, cache: Path, environ: dict[str, str]) -> None:
    folder = write_project(tmp_path / "shop", {})
    settings = make_settings(folder, cache, install="echo waiting; sleep 86400", install_seconds=2.0)
    with pytest.raises(TimedOut, match="longer than 2 s") as raised:
        run_installation(settings, environ)
    assert "waiting" in raised.value.evidence


def find_other_python() -> Path:
    """The folder of another minor version of Python that is installed here."""
    for folder in sorted(Path.home().glob(".pyenv/versions/3.*/bin")):
        minor = re.fullmatch(r"3\.(9|1[0-9])\.\d+", folder.parent.name)
        if minor and int(minor[1]) != sys.version_info[1]:
            return folder
    pytest.skip("there is no other Python here: choosing one is not tested")


def test_the_python_that_the_project_names_is_taken_from_path(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    folder = find_other_python()
    environ["PATH"] += f"{os.pathsep}{folder}"
    version = folder.parent.name.rpartition(".")[0]
    files = {"requirements.txt": "alembic==1.13.3\nsqlalchemy==2.0.43\n", ".python-version": f"{version}\n"}
    run = run_installation(make_settings(write_project(tmp_path, files), cache), environ)
    assert run_code(run, "import sys; print('%d.%d' % sys.version_info[:2])") == version
    assert f"for Python {version}." in run.installed.notes[0]


def test_a_python_that_cannot_be_had_is_replaced_only_where_the_project_allows_it(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    project = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["alembic==1.16.5"]\n'
    project += 'requires-python = ">=3.9"\n'
    folder = write_project(tmp_path, {"pyproject.toml": project, ".python-version": "3.77\n"})
    installed = run_installation(make_settings(folder, cache), {**environ, **NOWHERE}).installed
    assert "Python 3.77 (`.python-version`) is not here and could not be downloaded" in installed.notes[1]
    (folder / "pyproject.toml").write_text(project.replace("3.9", "3.77"))
    error = run_failing_installation(make_settings(folder, cache), {**environ, **NOWHERE})
    assert error.message.startswith("Python 3.77 is needed (`.python-version`); here are 3.")
    assert "python_version:" not in error.advice


def test_the_example_is_checked_without_an_interpreter_of_its_own(tmp_path: Path, cache: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "media-library"
    folder = tmp_path / "media-library"
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns(".venv"))
    command = [
        sys.executable,
        "-m",
        "migration_gate",
        "check",
        str(folder),
        "--install",
        "auto",
        "--cache",
        str(cache),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "packages from `pyproject.toml`" in " ".join(done.stdout.split())
