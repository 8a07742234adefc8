"""What is known of an installation before anything runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from migration_gate.errors import Misconfigured, ProjectNotImported
from migration_gate.install import (
    driver,
    failure,
    groups,
    job,
    link,
    pdm,
    pipenv,
    place,
    poetry,
    source,
    wanted,
)
from migration_gate.install.installer import environment
from migration_gate.install.lock import Wanted, choose
from migration_gate.install.span import fits, pep440
from tests.support.install_projects import ASYNC, ENV, LOCKS, locked, settings, write

PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["alembic"]\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"uv.lock": "", "poetry.lock": "", "requirements.txt": ""}, "uv.lock"),
        ({"poetry.lock": "", "requirements.txt": "", "pyproject.toml": PROJECT}, "poetry.lock"),
        ({"Pipfile.lock": "{}", "requirements.txt": ""}, "Pipfile.lock"),
        ({"requirements.txt": "", "pyproject.toml": PROJECT}, "requirements.txt"),
        ({"requirements/prod.txt": "", "requirements/dev.txt": ""}, "requirements/prod.txt"),
        ({"requirements-dev.txt": "", "requirements-app.txt": ""}, "requirements-app.txt"),
        ({"requirements-dev.txt": "", "pyproject.toml": PROJECT}, "pyproject.toml"),
        ({"setup.py": "", "pyproject.toml": "[tool.black]\n"}, "setup.py"),
        ({"api/requirements.txt": "", "web/package.json": ""}, "api/requirements.txt"),
    ],
)
def test_the_file_that_lists_the_packages_is_found(
    tmp_path: Path, files: dict[str, str], expected: str
) -> None:
    write(tmp_path, files)
    found = source.find([tmp_path], tmp_path)
    assert found is not None
    assert str(found.file.relative_to(tmp_path)) == expected


def test_a_lock_above_the_project_is_its_own(tmp_path: Path) -> None:
    inner = locked(tmp_path / "repo", "uv", "services/api")
    found = source.find([inner], tmp_path / "repo")
    assert found is not None
    assert (found.kind, found.folder.name, found.project) == ("uv", "repo", inner)


def test_requirements_above_a_package_are_another_ones(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": "sphinx", "api/pyproject.toml": PROJECT})
    found = source.find([tmp_path / "api"], tmp_path)
    assert found is not None
    assert found.kind == "project"


def test_nothing_that_lists_packages_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotImported, match="Nothing says which packages") as told:
        job(settings(write(tmp_path, {}), tmp_path / "cache"))
    assert "install: pip install alembic" in told.value.advice


@pytest.mark.parametrize(
    ("files", "request_", "why"),
    [
        ({".python-version": "3.12.4\n"}, "3.12", "`.python-version`"),
        ({".tool-versions": "nodejs 20\npython 3.11.9\n"}, "3.11", "`.tool-versions`"),
        ({"runtime.txt": "python-3.10.2"}, "3.10", "`runtime.txt`"),
        ({"Dockerfile": "FROM --platform=x docker.io/python:3.12-slim AS a\n"}, "3.12", "`Dockerfile`"),
        ({"Dockerfile": "FROM python:3.9\n", "pyproject.toml": PROJECT + 'requires-python = ">=3.10"\n'},
         ">=3.10", "`requires-python`"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\nalembic = "*"\n'}, ">=3.11,<4",
         "`requires-python`"),
        ({"setup.py": "setup(python_requires='>=3.8')"}, ">=3.8", "`python_requires`"),
        ({"requirements.txt": ""}, ">=3.9", "no file names one"),
    ],
)  # fmt: skip
def test_the_python_is_the_one_that_the_project_names(
    tmp_path: Path, files: dict[str, str], request_: str, why: str
) -> None:
    (tmp_path / "requirements.txt").write_text("")
    wish = job(settings(write(tmp_path, files), tmp_path / "cache")).wish
    assert (wish.request, wish.why) == (request_, why)


def test_the_setting_names_the_python_before_any_file(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": "", ".python-version": "3.12"})
    assert job(settings(tmp_path, tmp_path / "cache", python_version="3.13")).wish.request == "3.13"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("^3.10", ">=3.10,<4"), ("^0.4.1", ">=0.4.1,<0.5"), ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("~3.9", ">=3.9,<3.10"), ("~2", ">=2,<3"), ("*", ""), (">=3.8,<4.0", ">=3.8,<4.0"),
        (">=3.8 <4.0", ">=3.8,<4.0"), ("3.11.*", "==3.11.*"), ("2.0.1", "==2.0.1"), ("~=1.4", "~=1.4"),
        ("^2.7 || ^3.9", ">=3.9,<4"), ("!=3.0.*,>=2.7", "!=3.0.*,>=2.7"),
    ],
)  # fmt: skip
def test_ranges_as_poetry_spells_them(text: str, expected: str) -> None:
    assert pep440(text) == expected
    assert fits((3, 12, 1), pep440("^3.10"))
    assert not fits((3, 9, 9), pep440("^3.10"))


READ = {"poetry": (poetry.read, "poetry.lock"), "poetry-1": (poetry.read, "poetry.lock"),
        "pdm": (pdm.read, "pdm.lock"), "pipenv": (pipenv.read, "Pipfile.lock")}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("python", [(3, 10, 2), (3, 12, 1)])
def test_the_main_packages_of_a_lock_file_leave_other_groups_and_other_machines_out(
    kind: str, python: tuple[int, ...]
) -> None:
    if kind == "pipenv" and python < (3, 11):
        return  # it is locked for 3.11
    read, name = READ[kind]
    names = {each.name for each in choose(read(LOCKS / kind / name), Wanted(python))}
    assert {"sqlalchemy", "typing-extensions"} <= names
    assert not {"colorama", "iniconfig"} & names
    if kind == "pdm":
        assert ("tomli" in names) is (python < (3, 11))


@pytest.mark.parametrize("kind", ["poetry", "poetry-1"])
def test_groups_and_extras_of_a_poetry_lock_can_be_chosen(kind: str) -> None:
    lock = poetry.read(LOCKS / kind / "poetry.lock")
    names = {each.name for each in choose(lock, Wanted((3, 12, 1), ("migrations",), ("pg",)))}
    assert {"alembic", "mako", "psycopg", "psycopg-binary"} <= names
    assert "iniconfig" not in names
    assert "dev" in lock.groups


def test_the_developers_packages_of_pipenv_are_the_group_dev() -> None:
    lock = pipenv.read(LOCKS / "pipenv" / "Pipfile.lock")
    assert "iniconfig" in {each.name for each in choose(lock, Wanted((3, 12, 1), ("dev",)))}


def test_packages_from_git_urls_and_folders_keep_their_addresses(tmp_path: Path) -> None:
    (tmp_path / "libs" / "shared").mkdir(parents=True)
    (tmp_path / "poetry.lock").write_text(
        """
[[package]]
name = "a"
version = "1"
files = []
[package.source]
type = "git"
url = "git@github.com:acme/a.git"
reference = "main"
resolved_reference = "abc"
subdirectory = "py"
[[package]]
name = "shared"
version = "2"
files = []
[package.source]
type = "directory"
url = "libs/shared"
[[package]]
name = "c"
version = "3"
files = [{file = "c-3.whl", hash = "sha256:00"}]
[package.source]
type = "legacy"
url = "https://pypi.acme.example/simple"
reference = "acme"
"""
    )
    lock = poetry.read(tmp_path / "poetry.lock")
    a, shared, c = lock.packages
    assert a.line() == "a @ git+ssh://git@github.com/acme/a.git@abc#subdirectory=py"
    assert shared.folder == (tmp_path / "libs" / "shared").resolve()
    assert c.line() == "c==3 --hash=sha256:00"
    assert lock.indexes == (("acme", "https://pypi.acme.example/simple"),)


@pytest.mark.parametrize("kind", ["poetry", "poetry-1"])
def test_the_group_that_has_alembic_is_found(tmp_path: Path, kind: str) -> None:
    folder = locked(tmp_path / "shop", kind)
    found = source.find([folder], folder)
    assert found is not None
    assert groups.holding(found, "alembic") == (("migrations",), ())


def test_a_file_of_requirements_with_alembic_is_a_group_too(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": "flask", "requirements-dev.txt": "Alembic==1.13\n"})
    found = source.find([tmp_path], tmp_path)
    assert found is not None
    assert groups.holding(found, "alembic") == (("dev",), ())


@pytest.mark.parametrize(
    ("packages", "env", "expected"),
    [
        ({"sqlalchemy": "1.4.54"}, ENV, ("psycopg2-binary",)),
        ({"sqlalchemy": "2.0.40"}, ENV, ("psycopg2-binary",)),
        ({"sqlalchemy": "2.1.0"}, ENV, ("psycopg[binary]",)),
        ({"sqlalchemy": "2.0.40"}, ASYNC, ("asyncpg", "greenlet")),
        ({"sqlalchemy": "2.0.40"}, "url = 'postgresql+psycopg://x'", ("psycopg[binary]",)),
        ({"sqlalchemy": "2.0.40", "pg8000": "1.31"}, ENV, ()),
    ],
)
def test_a_missing_driver_is_the_one_that_the_project_would_load(
    tmp_path: Path, packages: dict[str, str], env: str, expected: tuple[str, ...]
) -> None:
    (tmp_path / "env.py").write_text(env)
    assert driver.missing(packages, [tmp_path / "env.py"])[0] == expected


def test_a_driver_that_has_to_be_built_has_a_wheel_of_another_name(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("alembic\npsycopg2>=2.9, <3 ; python_version > '3.8'\n# psycopg2-binary\n")
    assert driver.from_source([file]) == [("psycopg2", "psycopg2-binary>=2.9,<3")]
    file.write_text("psycopg2-binary==2.9.9\npsycopg2-pool\n")
    assert driver.from_source([file]) == []


def test_the_installer_sees_package_indexes_and_no_token_of_the_runner() -> None:
    runner = {
        "PATH": "/bin", "GITHUB_TOKEN": "t", "ACTIONS_RUNTIME_TOKEN": "t", "INPUT_TOKEN": "t",
        "UV_PUBLISH_TOKEN": "t", "PIP_INDEX_URL": "https://u:p@i/simple", "UV_PYTHON": "t", "AWS_X": "t",
        "https_proxy": "p",
        "POETRY_HTTP_BASIC_ACME_PASSWORD": "secret", "DATABASE_URL": "t", "UV_PROJECT_ENVIRONMENT": "t",
    }  # fmt: skip
    seen = environment(runner, {"UV_INDEX_ACME_USERNAME": "me", "SECRET_KEY": "t"})
    assert "t" not in seen.values()
    assert seen == {
        "PATH": "/bin", "PIP_INDEX_URL": "https://u:p@i/simple", "UV_DEFAULT_INDEX": "https://u:p@i/simple",
        "https_proxy": "p", "POETRY_HTTP_BASIC_ACME_PASSWORD": "secret", "UV_INDEX_ACME_PASSWORD": "secret",
        "UV_INDEX_ACME_USERNAME": "me",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("Error: pg_config executable not found.", "psycopg2-binary"),
        (
            "error: HTTP status client error (401 Unauthorized) for url (https://i/simple/acme/)",
            "UV_INDEX_<NAME>_",
        ),
        ("error: Hash mismatch for `alembic==1.13.0`", "Make the lock file again"),
        ("the requested Python version (3.9) does not satisfy Python>=3.12", "python_version"),
        ("error: command 'gcc' failed: No such file or directory", "built from source"),
        ("  × No solution found when resolving dependencies", "UV_INDEX=<name>=<url>"),
        ("error sending request for url: dns error", "could not be reached"),
        ("No space left on device (os error 28)", "disk is full"),
    ],
)
def test_a_failing_installation_says_what_to_do(words: str, advice: str) -> None:
    told = failure.failed("installing", "uv.lock", [words, "index https://me:secret@i/simple"], 2)
    assert re.search(re.escape(advice), told.advice)
    assert "`install: <command>`" in told.advice
    assert "secret" not in told.evidence


def test_the_project_itself_is_importable_from_where_its_build_backend_says(tmp_path: Path) -> None:
    made = link.of(LOCKS / "poetry")
    assert (made.name, made.version) == ("shop", "2.3.0")
    assert made.roots[-1] == str(LOCKS / "poetry")
    (tmp_path / "backend" / "app").mkdir(parents=True)
    (tmp_path / "backend" / "app" / "about.py").write_text('__version__ = "4.5.6"\n')
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "My.App"\ndynamic = ["version"]\n'
        '[project.entry-points."sqlalchemy.dialects"]\nx = "app:D"\n'
        '[tool.hatch.version]\npath = "backend/app/about.py"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["backend/app"]\n'
    )
    made = link.of(tmp_path)
    assert (made.name, made.version) == ("my-app", "4.5.6")
    assert made.roots == (str(tmp_path / "backend"), str(tmp_path))
    assert made.entry_points == "[sqlalchemy.dialects]\nx = app:D\n"


def test_an_interpreter_or_an_environment_of_the_workspace_is_enough(tmp_path: Path) -> None:
    folder = write(tmp_path, {"requirements.txt": "alembic"})
    asked = settings(folder, tmp_path / "cache")
    assert wanted(asked, {})
    site = folder / ".venv" / "lib" / "python3.12" / "site-packages"
    for name in ("alembic-1.13.0", "sqlalchemy-2.0.0"):
        (site / f"{name}.dist-info").mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").write_text("version = 3.12.1\n")
    (folder / ".venv" / "bin").mkdir()
    assert wanted(asked, {})  # its interpreter is not here: it belongs to the runner outside of the container
    (folder / ".venv" / "bin" / "python").write_text("")
    assert not wanted(asked, {})
    assert wanted(settings(folder, tmp_path / "cache", install="make env"), {})
    assert not wanted(settings(folder, tmp_path / "cache", python=Path("/usr/bin/python3")), {})
    assert not wanted(settings(folder, tmp_path / "cache", install="off"), {})


def test_an_environment_is_known_by_all_that_decides_what_is_in_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", {"requirements.txt": "-r more.txt\n", "more.txt": "alembic==1.13\n"})
    cache = tmp_path / "cache"
    first = job(settings(folder, cache)).name(cache)
    assert job(settings(folder, cache)).name(cache) == first
    others = {
        job(settings(folder, cache, extras=("pg",))).name(cache),
        job(settings(folder, cache, python_version="3.13")).name(cache),
        job(settings(folder, tmp_path / "other")).name(tmp_path / "other"),
        job(settings(folder, cache, install="make env")).name(cache),
    }
    (folder / "more.txt").write_text("alembic==1.14\n")
    others.add(job(settings(folder, cache)).name(cache))
    assert len(others - {first}) == 5


def test_a_cache_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".migration-gate-cache").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Misconfigured, match="none could be had") as told:
        place.cache(settings(tmp_path, tmp_path / ".migration-gate-cache"), tmp_path, {})
    assert "not a folder of ours" in told.value.evidence
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_cache_is_in_the_repository_on_github_and_the_users_own_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    asked = settings(tmp_path / "repo", None)  # type: ignore[arg-type]
    top, home = tmp_path / "repo", {"XDG_CACHE_HOME": str(tmp_path / "home")}
    assert place.cache(asked, top, home).folder == tmp_path / "home" / "migration-gate"
    found = place.cache(asked, top, {**home, "CI": "true"}).folder
    assert found == top / ".migration-gate-cache"
    assert (found / ".gitignore").read_text() == "*\n"


def test_a_group_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"requirements.txt": "alembic\n"})
    with pytest.raises(Misconfigured, match="`groups` names `nope`"):
        job(settings(tmp_path, tmp_path / "cache", groups=("nope",))).name(tmp_path)
