"""Installations that run: uv, a package index, other interpreters."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate.errors import GateError, ProjectNotImported, TimedOut
from migration_gate.sandbox.user import is_readable
from tests.support.install_projects import ASYNC, ENV, Ran, locked, packages, run, settings, uv, write

pytestmark = pytest.mark.slow
NOWHERE = {"UV_PYTHON_INSTALL_MIRROR": "http://127.0.0.1:9", "UV_HTTP_RETRIES": "0"}
"""interpreters cannot be downloaded from here"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all, so that each package is downloaded once."""
    uv()
    return tmp_path_factory.mktemp("a cache") / "kept"


@pytest.fixture
def environ() -> dict[str, str]:
    """This machine's own variables, which may name its package index."""
    return dict(os.environ)


def imported(done: Ran, code: str) -> str:
    """What the environment's interpreter prints."""
    command = [str(done.done.python), "-I", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("kind", ["poetry", "poetry-1", "pdm", "pipenv", "pylock"])
def test_each_lock_file_is_installed_as_it_is_locked(
    tmp_path: Path, cache: Path, environ: dict[str, str], kind: str
) -> None:
    folder = locked(tmp_path / "mein schöner Laden", kind)
    ran = run(settings(folder, cache), environ)
    found = packages(ran.done)
    assert found["alembic"] == "1.20.1"
    assert not {"colorama", "iniconfig"} & set(found)
    assert any("sqlalchemy" in line for line in ran.lines)
    if kind.startswith("poetry"):
        assert "the group `migrations` was installed too: alembic is in it" in ran.done.notes
        code = "import shop; from importlib.metadata import version; print(version('shop'))"
        assert imported(ran, code) == "2.3.0"
    by_default = "psycopg[binary]" if found["sqlalchemy"].startswith("2.1") else "psycopg2-binary"
    assert ran.done.driver_added == ("" if kind == "pipenv" else by_default)
    assert not list(folder.glob("*.egg-info"))


def test_a_member_of_a_workspace_is_installed_with_its_siblings_linked(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    folder = locked(tmp_path / "mono", "uv", "services/api")
    ran = run(settings(folder, cache, extras=("pg",)), environ)
    found = packages(ran.done)
    assert {"alembic", "psycopg-binary", "tomli", "shared", "api"} <= set(found)
    assert "iniconfig" not in found
    assert imported(ran, "import api, shared; print(shared.__file__)").startswith(
        str(tmp_path / "mono" / "libs")
    )
    assert not (tmp_path / "mono" / ".venv").exists()


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
    ran = run(settings(write(tmp_path / "shop", files), cache), environ)
    found = packages(ran.done)
    assert (found["alembic"], found["mako"], found["shop"]) == ("1.16.5", "1.3.10", "7")
    assert "iniconfig" in found


SETUP = """
import os, pathlib
from setuptools import setup
seen = sorted(name for name in os.environ)
pathlib.Path({told!r}).write_text("\\n".join([str(os.geteuid()), *seen]))
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
    if not is_readable(Path(uv())):
        pytest.skip("uv is not to be run by others here")
    told = open_folder / "told"
    told.write_text("")
    told.chmod(0o666)
    folder = write(open_folder / "repo", {"setup.py": SETUP.format(told=str(told)), "shop/__init__.py": ""})
    secret = {"GITHUB_TOKEN": "x", "ACTIONS_RUNTIME_TOKEN": "x", "DATABASE_URL": "x"}
    ran = run(settings(folder, open_folder / "cache"), {**environ, **secret})
    uid, *names = told.read_text().splitlines()
    assert int(uid) not in (0, os.geteuid())
    assert not set(secret) & set(names)
    assert not (folder / "left-behind").exists()
    assert packages(ran.done)["alembic"] == "1.16.5"
    assert ran.done.python.parent.stat().st_uid == int(uid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can work for somebody else")
def test_what_is_kept_in_a_runners_workspace_belongs_to_the_runner_afterwards(
    open_folder: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_readable(Path(uv())):
        pytest.skip("uv is not to be run by others here")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    workspace = write(open_folder / "workspace", {"requirements.txt": REQUIREMENTS})
    os.chown(workspace, 1001, 1001)
    asked, github = (
        settings(workspace, workspace / ".migration-gate-cache"),
        {**environ, "GITHUB_ACTIONS": "true"},
    )
    assert not run(asked, github).done.cached
    kept = [path for path in (workspace / ".migration-gate-cache").rglob("*") if not path.is_symlink()]
    assert {path.lstat().st_uid for path in kept} == {1001}
    assert all(path.stat().st_mode & 0o004 for path in kept)  # the runner's next step packs them up
    assert run(asked, github).done.cached
    (workspace / "requirements.txt").write_text(REQUIREMENTS + "iniconfig\n")
    assert not run(asked, github).done.cached


def test_a_second_run_takes_the_environment_from_the_cache(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    example = Path(__file__).parents[2] / "examples" / "media-library"
    folder = tmp_path / "media-library"
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns(".venv"))
    first = run(settings(folder, cache), environ).done
    started = time.perf_counter()
    second = run(settings(folder, cache), environ).done
    assert time.perf_counter() - started < 0.5
    assert (first.cached, second.cached, first.key, first.python) == (False, True, second.key, second.python)
    assert "taken from the cache" in second.notes[0]


SITE = "lib/python$(python -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])')/site-packages"
PRETENCE = (
    f'cd "$VIRTUAL_ENV"/{SITE} && '
    "mkdir alembic-1.13.0.dist-info sqlalchemy-2.0.0.dist-info pg8000-1.0.dist-info"
)
"""a command that installs nothing, and takes no time for it"""


def test_an_environment_that_was_half_built_or_lost_its_interpreter_is_built_again(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    asked = settings(write(tmp_path / "shop", {}), cache, install=PRETENCE)
    first = run(asked, environ).done
    home = first.python.parent.parent
    (home / "migration-gate.json").unlink()
    (home / "half").write_text("")
    assert not run(asked, environ).done.cached
    assert not (home / "half").exists()
    assert run(asked, environ).done.cached
    first.python.unlink()
    assert not run(asked, environ).done.cached


def test_environments_that_newer_ones_replaced_are_removed(tmp_path: Path, environ: dict[str, str]) -> None:
    uv()
    folder, kept = write(tmp_path / "shop", {}), tmp_path / "kept"
    names = [
        run(settings(folder, kept, install=f"{PRETENCE}; : {number}"), environ).done.key
        for number in range(3)
    ]
    assert {each.name for each in (kept / "environments").iterdir()} == set(names[1:])


@pytest.mark.parametrize(
    ("requirements", "env", "added", "also"),
    [
        ("alembic==1.13.3\nsqlalchemy==1.4.54\n", ENV, "psycopg2-binary", "psycopg2-binary"),
        ("alembic==1.16.5\nsqlalchemy==2.0.43\n", ASYNC, "asyncpg", "greenlet"),
        ("alembic\nsqlalchemy>=2.1,<2.2\n", ENV, "psycopg[binary]", "psycopg-binary"),
    ],
)
def test_a_missing_driver_is_added_and_said(  # noqa: PLR0917 - four of them are what varies
    tmp_path: Path, cache: Path, environ: dict[str, str], requirements: str, env: str, added: str, also: str
) -> None:
    done = run(settings(write(tmp_path, {"requirements.txt": requirements}, env), cache), environ).done
    assert done.driver_added == added
    assert also in packages(done)
    assert f"the project brings no PostgreSQL driver: {added} was added" in done.notes[-1]


def test_psycopg2_gives_way_to_its_wheel_where_it_cannot_be_built(
    tmp_path: Path, cache: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").symlink_to(uv())
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    folder = write(
        tmp_path / "shop", {"requirements.txt": "alembic==1.16.5\npsycopg2==2.9.10\nsqlalchemy==2.0.43\n"}
    )
    done = run(settings(folder, cache), {**environ, "PATH": str(tmp_path / "bin")}).done
    assert packages(done)["psycopg2-binary"] == "2.9.10"
    assert done.notes[1:] == (
        "psycopg2-binary was installed for psycopg2, which has to be built and cannot be here",
    )


def failing(asked: object, environ: dict[str, str]) -> GateError:
    with pytest.raises(GateError) as told:
        run(asked, environ)  # type: ignore[arg-type]
    return told.value


def test_a_package_that_does_not_exist_is_said_with_the_installers_words(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    folder = write(tmp_path, {"requirements.txt": "alembic\nmigration-gate-is-not-this-one==1\n"})
    told = failing(settings(folder, cache), environ)
    assert isinstance(told, ProjectNotImported)
    assert "installing from `requirements.txt` ended with exit status 1" in told.message
    assert "migration-gate-is-not-this-one was not found" in told.evidence
    assert "UV_INDEX=<name>=<url>" in told.advice
    assert told.status == 2


def test_a_file_that_is_not_the_locked_one_is_refused(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    folder = locked(tmp_path / "shop", "pipenv")
    lock = folder / "Pipfile.lock"
    lock.write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", lock.read_text()))
    told = failing(settings(folder, tmp_path / "fresh"), environ)
    assert "Make the lock file again" in told.advice
    assert "Hash mismatch" in told.evidence or "hash" in told.evidence.lower()


def test_a_build_that_fails_for_want_of_pg_config_names_the_wheel(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    script = "raise SystemExit('Error: pg_config executable not found.')"
    folder = write(tmp_path, {"setup.py": script})
    told = failing(settings(folder, cache), environ)
    assert "psycopg2-binary" in told.advice
    assert "pg_config executable not found" in told.evidence


def test_a_lock_without_alembic_names_what_lacks(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    told = failing(settings(write(tmp_path, {"requirements.txt": "iniconfig\n"}), cache), environ)
    assert (
        told.message
        == "Everything in `requirements.txt` was installed, and there is no alembic and no sqlalchemy in it."
    )


def test_the_users_own_command_installs_into_the_environment(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    folder = write(tmp_path / "shop", {"deps.in": REQUIREMENTS})
    done = run(settings(folder, cache, install="uv pip install -q -r deps.in"), environ).done
    assert packages(done)["alembic"] == "1.16.5"
    told = failing(settings(folder, cache, install="true"), environ)
    assert "succeeded, and left no alembic" in told.message
    told = failing(settings(folder, cache, install="echo so far; exit 7"), environ)
    assert "ended with exit status 7" in told.message
    assert "so far" in told.evidence


def test_an_installation_that_hangs_is_ended(tmp_path: Path, cache: Path, environ: dict[str, str]) -> None:
    folder = write(tmp_path / "shop", {})
    asked = settings(folder, cache, install="echo waiting; sleep 600", install_seconds=2.0)
    started = time.monotonic()
    with pytest.raises(TimedOut, match="longer than 2 s") as told:
        run(asked, environ)
    assert time.monotonic() - started < 10
    assert "waiting" in told.value.evidence


def other_python() -> str:
    """Another minor version that is installed here, in a place that is looked at."""
    for place in sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3")):
        version = place.parent.parent.name
        if re.fullmatch(r"3\.(9|1[0-9])\.\d+", version) and not version.startswith(
            f"3.{sys.version_info[1]}."
        ):
            return version.rpartition(".")[0]
    pytest.skip("there is no other Python here: choosing one is not tested")


def test_the_python_that_the_project_names_is_taken(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    version = other_python()
    files = {"requirements.txt": "alembic==1.13.3\nsqlalchemy==2.0.43\n", ".python-version": f"{version}\n"}
    ran = run(settings(write(tmp_path, files), cache), environ)
    assert imported(ran, "import sys; print('%d.%d' % sys.version_info[:2])") == version
    assert f"for Python {version}." in ran.done.notes[0]


def test_a_python_that_cannot_be_had_is_replaced_where_the_project_allows_it_and_named_where_not(
    tmp_path: Path, cache: Path, environ: dict[str, str]
) -> None:
    project = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["alembic==1.16.5"]\n'
    project += 'requires-python = ">=3.9"\n'
    folder = write(tmp_path, {"pyproject.toml": project, ".python-version": "3.77\n"})
    done = run(settings(folder, cache), {**environ, **NOWHERE}).done
    assert "Python 3.77 (`.python-version`) is not here and could not be downloaded" in done.notes[1]
    (folder / "pyproject.toml").write_text(project.replace("3.9", "3.77"))
    told = failing(settings(folder, cache), {**environ, **NOWHERE})
    assert told.message.startswith("Python 3.77 is wanted (`.python-version`); here are 3.")


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
