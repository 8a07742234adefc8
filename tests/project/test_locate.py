"""The project is found: its configuration, where it runs, its import path."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.config import loading
from migration_gate.errors import ProjectNotFound
from migration_gate.project import Project, find_project
from migration_gate.project.model import ImportPath

INI = "[alembic]\nscript_location = migrations\n"
FLASK_ENV = "from flask import current_app\n"


def write_project(top: Path, files: dict[str, str]) -> Path:
    """A folder with these files, and a virtual environment that has what is needed."""
    for name, text in files.items():
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (top / ".git").mkdir(exist_ok=True)
    if not (top / ".venv").exists():
        write_environment(top / ".venv", "alembic-1.13.0", "sqlalchemy-2.0.30", "psycopg2_binary-2.9.9")
    return top


def write_environment(prefix: Path, *packages: str, version: str = "3.12.1") -> Path:
    """The files of a virtual environment, as far as they are looked at."""
    site = prefix / "lib/python3.12/site-packages"
    site.mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin/python").touch(mode=0o755)
    (prefix / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
    for package in packages:
        (site / f"{package}.dist-info").mkdir()
    return prefix / "bin/python"


def find_in_folder(
    folder: Path, options: dict[str, object] | None = None, environ: dict[str, str] | None = None
) -> Project:
    (settings,) = loading.load_settings(folder, options or {}, {})
    return find_project(settings, environ or {})


def test_an_ini_at_the_top(tmp_path: Path) -> None:
    write_project(tmp_path, {"alembic.ini": INI, "migrations/env.py": ""})
    assert find_in_folder(tmp_path) == Project(
        name=tmp_path.name,
        root=tmp_path,
        directory=tmp_path,
        python=tmp_path / ".venv/bin/python",
        kind="ini",
        config=tmp_path / "alembic.ini",
        import_path=ImportPath((str(tmp_path),)),
    )


def test_a_table_in_pyproject(tmp_path: Path) -> None:
    toml = '[tool.alembic]\nscript_location = "%(here)s/db"\nprepend_sys_path = ["lib"]\n'
    write_project(tmp_path, {"pyproject.toml": toml, "db/env.py": "", "lib/models.py": ""})
    project = find_in_folder(tmp_path)
    assert (project.kind, project.config) == ("toml", tmp_path / "pyproject.toml")
    assert project.import_path.front == (str(tmp_path / "lib"), str(tmp_path))


def test_an_ini_without_script_location_leaves_it_to_pyproject(tmp_path: Path) -> None:
    toml = '[tool.alembic]\nscript_location = "db"\n'
    write_project(
        tmp_path, {"pyproject.toml": toml, "alembic.ini": "[alembic]\nsqlalchemy.url = x\n", "db/env.py": ""}
    )
    assert (find_in_folder(tmp_path).kind, find_in_folder(tmp_path).script_location) == ("toml", None)


@pytest.mark.parametrize("folder", ["backend", "src/app", "backend/db", "services/migrations"])
def test_an_ini_a_little_below(tmp_path: Path, folder: str) -> None:
    write_project(tmp_path, {f"{folder}/alembic.ini": INI, f"{folder}/migrations/env.py": ""})
    project = find_in_folder(tmp_path)
    assert (project.config, project.directory) == (tmp_path / folder / "alembic.ini", tmp_path / folder)


@pytest.mark.parametrize("folder", ["tests", "node_modules", ".hidden", "examples"])
def test_an_ini_in_a_folder_of_tests_or_packages_is_ignored(tmp_path: Path, folder: str) -> None:
    write_project(
        tmp_path, {f"{folder}/alembic.ini": INI, "backend/alembic.ini": INI, "backend/migrations/env.py": ""}
    )
    assert find_in_folder(tmp_path).config == tmp_path / "backend/alembic.ini"


def test_a_relative_script_location_counts_from_the_ini_or_from_the_top(tmp_path: Path) -> None:
    write_project(tmp_path, {"conf/alembic.ini": INI, "migrations/env.py": ""})
    project = find_in_folder(tmp_path)
    assert (project.directory, project.script_location) == (tmp_path, None)


def test_a_package_as_script_location_runs_where_the_package_is(tmp_path: Path) -> None:
    ini = "[alembic]\nscript_location = app:migrations\n"
    write_project(tmp_path, {"conf/alembic.ini": ini, "src/app/migrations/env.py": "import app"})
    project = find_in_folder(tmp_path)
    assert (project.directory, project.import_path.front) == (
        tmp_path,
        (str(tmp_path), str(tmp_path / "src")),
    )


def test_a_script_location_of_another_machine_is_replaced(tmp_path: Path) -> None:
    ini = "[alembic]\nscript_location = /usr/src/app/migrations\n"
    write_project(tmp_path, {"migrations/alembic.ini": ini, "migrations/env.py": ""})
    project = find_in_folder(tmp_path)
    assert (project.directory, project.script_location) == (tmp_path, tmp_path / "migrations")


def test_the_working_directory_that_was_set_is_kept(tmp_path: Path) -> None:
    write_project(tmp_path, {"conf/alembic.ini": INI, "conf/migrations/env.py": "", "run/x": ""})
    project = find_in_folder(tmp_path, {"working_directory": str(tmp_path / "run")})
    assert (project.directory, project.script_location) == (tmp_path / "run", tmp_path / "conf/migrations")


def test_packages_that_env_py_imports_are_on_the_path(tmp_path: Path) -> None:
    env = "import os\nimport shared.models\nfrom app.db import Base\nimport sqlmodel\n"
    write_project(
        tmp_path,
        {
            "services/api/alembic.ini": INI,
            "services/api/migrations/env.py": env,
            "services/api/src/app/db.py": "",
            "services/lib/shared/models.py": "",
        },
    )
    project = find_in_folder(tmp_path / "services/api")
    here = tmp_path / "services/api"
    assert project.import_path.front == (str(here), str(here / "src"), str(tmp_path / "services/lib"))


def test_a_folder_inside_a_package_is_not_on_the_path_itself(tmp_path: Path) -> None:
    files = {"app/__init__.py": "", "app/alembic.ini": INI, "app/migrations/env.py": "", "app/types.py": ""}
    write_project(tmp_path, files)
    project = find_in_folder(tmp_path)
    assert (project.directory, project.import_path.front) == (tmp_path / "app", (str(tmp_path),))


def test_a_hook_needs_no_ini(tmp_path: Path) -> None:
    write_project(tmp_path, {"ci/hook.py": "import app", "src/app/__init__.py": ""})
    project = find_in_folder(tmp_path, {"hook": str(tmp_path / "ci/hook.py")})
    assert (project.kind, project.hook, project.config) == ("hook", tmp_path / "ci/hook.py", None)
    assert project.import_path.front == (str(tmp_path), str(tmp_path / "src"))


def test_other_histories_are_reported_as_not_replayed(tmp_path: Path) -> None:
    ini = INI + "[tenant]\nscript_location = tenants\n[loggers]\nkeys = root\n"
    write_project(tmp_path, {"alembic.ini": ini, "migrations/env.py": "", "billing/db/alembic.ini": INI})
    assert find_in_folder(tmp_path).notes == (
        "`billing/db/alembic.ini` is another history, and not replayed: name it under `projects:`",
        "section [tenant] of `alembic.ini` is another history, and not replayed: name it under `projects:`",
    )


def test_two_sections_as_two_projects_need_no_warning(tmp_path: Path) -> None:
    ini = INI + "[tenant]\nscript_location = tenants\n"
    write_project(tmp_path, {"alembic.ini": ini, "migrations/env.py": "", "tenants/env.py": ""})
    (tmp_path / ".migration-gate.yml").write_text(
        "alembic: alembic.ini\nprojects:\n  core: {}\n  tenant: {alembic: {section: tenant}}\n"
    )
    core, tenant = (find_project(settings, {}) for settings in loading.load_settings(tmp_path, {}, {}))
    assert (core.section, core.notes, tenant.section, tenant.notes) == ("alembic", (), "tenant", ())


def test_a_section_can_be_named(tmp_path: Path) -> None:
    ini = "[DEFAULT]\nscript_location = migrations\n[alembic]\nx = 1\n[tenant]\nscript_location = tenants\n"
    write_project(tmp_path, {"alembic.ini": ini, "migrations/env.py": "", "tenants/env.py": ""})
    project = find_in_folder(tmp_path, {"alembic": {"section": "tenant"}})
    assert (project.section, project.kind) == ("tenant", "ini")


def test_the_only_section_with_a_history_is_taken(tmp_path: Path) -> None:
    write_project(
        tmp_path, {"alembic.ini": "[core]\nscript_location = migrations\n", "migrations/env.py": ""}
    )
    assert find_in_folder(tmp_path).section == "core"


FLASK = {"migrations/alembic.ini": "[alembic]\n", "migrations/env.py": FLASK_ENV}


@pytest.mark.parametrize(
    ("files", "application", "why"),
    [
        ({".flaskenv": "FLASK_APP=web:create\n", "web.py": ""}, "web:create", "FLASK_APP from `.flaskenv`"),
        ({"Dockerfile": "ENV FLASK_APP=/app/run.py\n", "run.py": ""}, "run", "FLASK_APP from `Dockerfile`"),
        (
            {"compose.yml": "x:\n  environment:\n    FLASK_APP: 'pkg.web:make()'\n", "pkg/web.py": ""},
            "pkg.web:make()", "FLASK_APP from `compose.yml`",
        ),
        (
            {"Procfile": "release: flask --app pkg db upgrade\n", "pkg/__init__.py": ""},
            "pkg", "FLASK_APP from `Procfile`",
        ),
        ({".flaskenv": "FLASK_APP=web:make('dev', True)\n", "web.py": ""}, "web:make('dev', True)",
         "FLASK_APP from `.flaskenv`"),
        ({"wsgi.py": "def build():\n    return Flask(__name__)\n"}, "wsgi:build",
         "FLASK_APP guessed: `wsgi.py` makes an application"),
        ({"wsgi.py": "def build():\n    return Flask(__name__)\napp = flask.Flask('a')\n"}, "wsgi",
         "FLASK_APP guessed: `wsgi.py` makes an application"),
        ({"wsgi.py": "def build():\n    return Flask(__name__)\napp = build()\n"}, "wsgi",
         "FLASK_APP guessed: `wsgi.py` makes an application"),
        ({"README.md": "export FLASK_APP=gone.py\n", "wsgi.py": "app = Flask(__name__)"}, "wsgi",
         "FLASK_APP guessed: `wsgi.py` makes an application"),
        ({"pkg/app.py": "from pkg.core import app\nmigrate = Migrate(app, db)\n"}, "pkg.app",
         "FLASK_APP guessed: `pkg/app.py` gives an application to Flask-Migrate"),
        ({"src/pkg/__init__.py": "def create_app(): ..."}, "pkg",
         "FLASK_APP guessed: `src/pkg/__init__.py` makes an application"),
    ],
)  # fmt: skip
def test_flask_migrate_finds_its_application(
    tmp_path: Path, files: dict[str, str], application: str, why: str
) -> None:
    write_project(tmp_path, FLASK | files)
    project = find_in_folder(tmp_path)
    assert (project.kind, project.directory, project.config) == ("flask", tmp_path, tmp_path / "migrations")
    assert project.flask_app == application
    assert project.notes == (f"{why}: {application}",)


def test_flask_app_in_settings_and_environment_wins(tmp_path: Path) -> None:
    write_project(tmp_path, FLASK | {"wsgi.py": "Flask()"})
    assert find_in_folder(tmp_path, {"flask_app": "other:app"}).flask_app == "other:app"
    assert find_in_folder(tmp_path, {"env": {"FLASK_APP": "third"}}).flask_app == "third"
    assert find_in_folder(tmp_path, environ={"FLASK_APP": "fourth"}).flask_app == "fourth"


def find_nothing(folder: Path, options: dict[str, object] | None = None) -> ProjectNotFound:
    with pytest.raises(ProjectNotFound) as caught:
        find_in_folder(folder, options)
    return caught.value


def test_flask_migrate_without_an_application_is_refused(tmp_path: Path) -> None:
    error = find_nothing(write_project(tmp_path, FLASK))
    assert (
        error.message == f"`{tmp_path / 'migrations'}` belongs to Flask-Migrate, and no FLASK_APP was found."
    )
    assert error.advice == "Name the application, as FLASK_APP would: `flask_app: package.module:create_app`."


def test_several_configurations_are_named_with_what_to_write(tmp_path: Path) -> None:
    error = find_nothing(write_project(tmp_path, {"api/alembic.ini": INI, "billing/alembic.ini": INI}))
    assert error.message == (
        "There are 2 Alembic configurations, and none is at the top: `api/alembic.ini`, "
        "`billing/alembic.ini`."
    )
    assert error.advice == (
        "Name them in `.migration-gate.yml`:\n\n    projects:\n      api:\n        alembic: api/alembic.ini\n"
        "      billing:\n        alembic: billing/alembic.ini"
    )


def test_configurations_of_one_folder_have_names_of_their_own(tmp_path: Path) -> None:
    """Two equal keys would be one."""
    files = {
        "conf/a.ini": "[alembic]\nscript_location = %(here)s/../one\n",
        "conf/b.ini": "[alembic]\nscript_location = %(here)s/../two\n",
        "one/env.py": "",
        "two/env.py": "",
    }
    advice = find_nothing(write_project(tmp_path, files)).advice
    assert "  a:\n        alembic: conf/a.ini\n      b:\n        alembic: conf/b.ini" in advice


def test_the_configuration_that_an_error_suggests_works(tmp_path: Path) -> None:
    files = {
        "api/alembic.ini": INI,
        "billing/alembic.ini": INI,
        "api/migrations/env.py": "",
        "billing/migrations/env.py": "",
    }
    write_project(tmp_path, files)
    (tmp_path / ".migration-gate.yml").write_text(find_nothing(tmp_path).advice.partition("\n\n")[2])
    projects = [find_project(settings, {}) for settings in loading.load_settings(tmp_path, {}, {})]
    assert [(p.name, p.directory) for p in projects] == [
        ("api", tmp_path / "api"),
        ("billing", tmp_path / "billing"),
    ]


def test_several_sections_are_named_with_what_to_write(tmp_path: Path) -> None:
    ini = "[core]\nscript_location = a\n[tenant]\nscript_location = b\n[alembic]\nx = 1\n"
    error = find_nothing(write_project(tmp_path, {"alembic.ini": ini}))
    assert error.message == "`alembic.ini` has no history in [alembic], and several elsewhere: core, tenant."
    assert "    alembic: {config: alembic.ini, section: tenant}" in error.advice


def test_the_only_ini_of_a_repository_is_found_however_deep_it_lies(tmp_path: Path) -> None:
    folder = "services/core/src/acme/storage/sql/alembic"
    write_project(tmp_path, {f"{folder}/alembic.ini": INI, f"{folder}/migrations/env.py": ""})
    assert find_in_folder(tmp_path).config == tmp_path / folder / "alembic.ini"


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        ({}, "Run it in the project's folder, or name the configuration: `alembic: path/to/alembic.ini`."),
        (
            {"requirements.txt": "Flask-Migrate==4\n"},
            "`requirements.txt` lists Flask-Migrate, whose folder was not found: run `flask db "
            "init`, or name it, "
            "as `alembic: path/to/migrations`.",
        ),
        (
            {"backend/pyproject.toml": "dependencies = ['alembic']\n"},
            "`backend/pyproject.toml` lists Alembic: name its configuration, as `alembic: "
            "path/to/alembic.ini`, or, "
            "where it is built in code, a `hook:`.",
        ),
        (
            {"app/migrations/env.py": "", "app/migrations/script.py.mako": ""},
            "`app/migrations/env.py` is an Alembic environment without a configuration. If the "
            "project builds one in "
            "code, `migration-gate doctor --write-hook` drafts a file that does so; name it with `hook:`.",
        ),
        (
            {"app/migrations/env.py": "", "app/migrations/script.py.mako": "", "migration_gate_hook.py": ""},
            "`migration_gate_hook.py` is there: if it builds the configuration, name it, as `hook: "
            "migration_gate_hook.py`.",
        ),
        (
            {"src/shop/database/history/env.py": "", "src/shop/database/history/versions/one.py": ""},
            "`src/shop/database/history/env.py` is an Alembic environment without a configuration. If the "
            "project builds one in "
            "code, `migration-gate doctor --write-hook` drafts a file that does so; name it with `hook:`.",
        ),
        (
            {"prisma/schema.prisma": ""},
            "This looks like a Prisma project, which does not use Alembic. The gate replays Alembic "
            "migrations only.",
        ),
        (
            {"manage.py": ""},
            "This looks like a Django project, which does not use Alembic. The gate replays Alembic "
            "migrations only.",
        ),
    ],
)
def test_the_error_without_a_configuration_names_what_hints_at_one(
    tmp_path: Path, files: dict[str, str], advice: str
) -> None:
    error = find_nothing(write_project(tmp_path, files))
    assert error.advice == advice
    assert str(tmp_path) in error.message


def test_a_script_location_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    error = find_nothing(write_project(tmp_path, {"alembic.ini": INI}))
    assert error.message == "`alembic.ini` says `script_location = migrations`, and no such folder exists."
    assert error.where == str(tmp_path / "alembic.ini")


EMPTY_HISTORY = {
    "alembic.ini": INI, "migrations/env.py": "", "migrations/versions/README": "",
    "shop/db/env.py": "", "shop/db/versions/one.py": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        ({}, "correct `script_location` in `alembic.ini`; or, if the project builds that configuration"),
        ({"shop/db/alembic.ini": INI}, "name its configuration: `alembic: shop/db/alembic.ini`."),
        (
            {"alembic.ini": f"{INI}# version_locations = a\nrecursive_version_locations = false\n"},
            "correct `script_location` in `alembic.ini`; or",
        ),
    ],
)
def test_a_history_without_revisions_is_not_taken_for_that_of_another_folder(
    tmp_path: Path, files: dict[str, str], advice: str
) -> None:
    error = find_nothing(write_project(tmp_path, {**EMPTY_HISTORY, **files}))
    assert error.message == (
        "`alembic.ini` leads to `migrations`, which has no revisions; there are some in `shop/db`."
    )
    assert advice in error.advice
    assert error.advice.endswith("If the empty one is meant, name it: `alembic: alembic.ini`.")
    assert find_in_folder(tmp_path, {"alembic": str(tmp_path / "alembic.ini")}).kind == "ini"


@pytest.mark.parametrize(
    "files",
    [
        {"migrations/versions/one.py": ""},
        {"migrations/versions/2024/one.py": ""},
        {"migrations/versions/_one.py": ""},
        {"alembic.ini": f"{INI}version_locations = shop/db/versions\n"},
        {"migrations/env.py": "config.set_main_option('version_locations', 'a')"},
        {"shop/db/versions/one.py": None},
    ],
)
def test_revisions_may_be_elsewhere_or_none(tmp_path: Path, files: dict[str, str | None]) -> None:
    given = {name: text for name, text in {**EMPTY_HISTORY, **files}.items() if text is not None}
    assert find_in_folder(write_project(tmp_path, given)).config == tmp_path / "alembic.ini"


def test_an_ini_with_a_syntax_error_is_refused(tmp_path: Path) -> None:
    error = find_nothing(write_project(tmp_path, {"alembic.ini": "script_location = x\n"}))
    assert error.message == "`alembic.ini` could not be read: File contains no section headers."


def test_an_unknown_section_is_refused(tmp_path: Path) -> None:
    write_project(tmp_path, {"alembic.ini": INI, "migrations/env.py": ""})
    error = find_nothing(tmp_path, {"alembic": {"section": "tenant"}})
    assert error.message == "`alembic.ini` has no section [tenant]."


def test_a_path_with_spaces_and_other_letters_is_fine(tmp_path: Path) -> None:
    folder = tmp_path / "mein größtes Projekt"
    folder.mkdir()
    write_project(folder, {"alembic.ini": INI, "migrations/env.py": ""})
    assert find_in_folder(folder).directory == folder


@pytest.mark.parametrize("name", ["development.ini", "conf/shop.cfg", "setup.cfg", "alembic.ini.example"])
def test_an_ini_of_another_name(tmp_path: Path, name: str) -> None:
    write_project(
        tmp_path, {name: f"[app:main]\nuse = egg:shop\n{INI}", f"{Path(name).parent}/migrations/env.py": ""}
    )
    project = find_in_folder(tmp_path)
    assert (project.config, project.kind) == (tmp_path / name, "ini")
    assert f"section [alembic] of `{Path(name).name}`" in project.notes[0]


def test_the_inis_of_one_program_mean_one_history(tmp_path: Path) -> None:
    write_project(tmp_path, {"production.ini": INI, "development.ini": INI, "migrations/env.py": ""})
    assert find_in_folder(tmp_path).config == tmp_path / "development.ini"


def test_an_ini_without_a_section_of_its_own_is_none(tmp_path: Path) -> None:
    write_project(tmp_path, {"tox.ini": "[tox]\nenvlist = alembic\n[alembic]\n[x]\nscript_location = y\n"})
    with pytest.raises(ProjectNotFound):
        find_in_folder(tmp_path)


def test_configurations_of_one_history_are_no_other_history(tmp_path: Path) -> None:
    toml = '[tool.alembic]\nscript_location = "%(here)s/db"\n'
    ini = "[alembic]\nsqlalchemy.url = x\n"
    write_project(tmp_path / "a", {"pyproject.toml": toml, "alembic.ini": ini, "db/env.py": ""})
    assert find_in_folder(tmp_path / "a").notes == ()
    write_project(
        tmp_path / "b",
        {"alembic.ini": INI, "docker/alembic.ini": INI.replace("= m", "= ../m"), "migrations/env.py": ""},
    )
    assert find_in_folder(tmp_path / "b").notes == ()
    write_project(
        tmp_path / "c",
        {"alembic.ini": INI, "x/alembic.ini": INI, "migrations/env.py": "", "x/migrations/env.py": ""},
    )
    assert "another history" in find_in_folder(tmp_path / "c").notes[0]


def test_flask_migrate_in_a_folder_of_its_own_is_found_by_flaskenv(tmp_path: Path) -> None:
    files = {
        ".flaskenv": "FLASK_APP=wsgi.py\n",
        "wsgi.py": "from shop import create_app\napp = create_app()\n",
        "shop/__init__.py": "def create_app(): ...\n",
        "shop/db/migrations/alembic.ini": "[alembic]\n",
        "shop/db/migrations/env.py": FLASK_ENV,
        "migrations/script.py.mako": "",
    }
    project = find_in_folder(write_project(tmp_path, files))
    assert (project.kind, project.flask_app, project.directory) == ("flask", "wsgi", tmp_path)
    assert project.config == tmp_path / "shop/db/migrations"


def test_a_module_inside_of_a_package_hides_no_installed_one(tmp_path: Path) -> None:
    """`shop/traitlets.py` is `shop.traitlets`; only if nothing else has the name, it may be meant."""
    env = "import traitlets, tools\n"
    files = {
        "alembic.ini": INI.replace("migrations", "shop/migrations"),
        "shop/__init__.py": "",
        "shop/traitlets.py": "",
        "shop/migrations/env.py": env,
        "scripts/tools.py": "",
    }
    project = find_in_folder(write_project(tmp_path, files))
    assert project.import_path == ImportPath(
        (str(tmp_path), str(tmp_path / "scripts")), (str(tmp_path / "shop"),)
    )


@pytest.mark.parametrize(
    "location", ["{alembic_dir}", "${HERE}/x", "%(folder)s/alembic", "<folder>", "@dir@"]
)
def test_a_template_leads_to_the_env_py_below_it(tmp_path: Path, location: str) -> None:
    files = {
        "hub/__init__.py": "",
        "hub/alembic.ini": f"[alembic]\nscript_location = {location}\n",
        "hub/alembic/env.py": "",
        "hub/alembic/script.py.mako": "",
        "hub/other/env.py": "",
    }
    project = find_in_folder(write_project(tmp_path, files))
    assert project.script_location == tmp_path / "hub/alembic"
    assert project.directory == tmp_path


@pytest.mark.parametrize("placeholder", ["%(service)s", "${service}", "{app}{service}"])
def test_a_folder_in_the_place_of_a_placeholder_is_the_environment(tmp_path: Path, placeholder: str) -> None:
    ini = f"[alembic]\nscript_location = {placeholder}/migrations\n"
    files = {"alembic.ini": ini, "shop/migrations/env.py": "", "shop/env.py.txt": ""}
    assert find_in_folder(write_project(tmp_path, files)).script_location == tmp_path / "shop/migrations"


def test_a_template_beside_two_environments_leads_to_none(tmp_path: Path) -> None:
    ini = "[alembic]\nscript_location = {alembic_dir}\n"
    with pytest.raises(ProjectNotFound, match="no such folder exists"):
        find_in_folder(write_project(tmp_path, {"alembic.ini": ini, "a/env.py": "", "b/env.py": ""}))
