"""The configuration: what wins, where it is found, what it becomes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from migration_gate.check import Severity
from migration_gate.config import gate_variables, loading, reference_page
from migration_gate.config.schema import FileKeys
from migration_gate.config.settings import (
    Allowance,
    CheckSeverity,
    PrepareStep,
    Settings,
    StartFrom,
    Variable,
)
from migration_gate.config.settings_text import describe_settings
from migration_gate.errors import Misconfigured
from migration_gate.facts import Owners

YML = ".migration-gate.yml"


def load(
    folder: Path,
    text: str = "",
    options: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    if text:
        (folder / YML).write_text(text, encoding="utf-8")
    (settings,) = loading.load_settings(folder, options or {}, environ or {})
    return settings


def origins_by_key(settings: Settings) -> dict[str, str]:
    return {value.key: value.origin for value in settings.origins}


def test_an_empty_folder_gives_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    plain = Settings(tmp_path.name, tmp_path, tmp_path, project_folder=tmp_path, origins=settings.origins)
    plain = replace(plain, checked_folder=tmp_path, checkpoint="auto")
    assert settings == plain
    assert {value.origin for value in settings.origins} == {"default"}


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "null\n", "{}\n"])
def test_an_empty_file_is_accepted(tmp_path: Path, text: str) -> None:
    (tmp_path / YML).write_text(text)
    assert load(tmp_path).postgres == "auto"


FULL = """
alembic: {config: db/alembic.ini, section: tenant}
flask_app: wsgi:app
working-directory: db
python: env/bin/python
env: {DEBUG: off, PRICE: 1.10, ZERO: 0012, EMPTY: ""}
env_file: [a.env]
prepare:
  - CREATE EXTENSION postgis
  - sql_file: db/roles.sql
  - python: db/seed.py
  - run: ./seed.sh
target: {revision: main@head, x: tenant=demo}
x: [a=1]
start_from: {create_all: v1.0, stamp: 3f2a9c}
postgres: 17
network: yes
limits: {run: 900, statement: 5.5, import: 30}
snapshots: 5
raw-sql: {allow: "reports/*.sql"}
owners:
  columns: [tenant_id]
  tables: [media_*]
  exempt: [tags]
  references: users
  every_reference: true
  on_delete: [CASCADE, set_null]
checks: {unindexed-owner: off, drift/comment: note}
allow:
  - {check: drift, object: "audit_*", reason: by hand, until: 2027-01-31}
fail_on: warning
checkpoint: scratch
"""


def full(folder: Path) -> None:
    (folder / "env/bin").mkdir(parents=True)
    (folder / "env/bin/python").touch()
    (folder / "db").mkdir()
    for name in ("alembic.ini", "roles.sql", "seed.py"):
        (folder / "db" / name).touch()
    (folder / "a.env").write_text("DEBUG=on\nSECRET=s\n")


def test_every_key_of_a_file_is_read(tmp_path: Path) -> None:
    full(tmp_path)
    settings = load(tmp_path, FULL)
    assert settings == Settings(
        name=tmp_path.name,
        root=tmp_path,
        working_directory=tmp_path / "db",
        project_folder=tmp_path,
        checked_folder=tmp_path,
        alembic=tmp_path / "db/alembic.ini",
        section="tenant",
        checkpoint="scratch",
        flask_app="wsgi:app",
        python=tmp_path / "env/bin/python",
        env=(
            Variable("DEBUG", "off"),
            Variable("SECRET", "s"),
            Variable("PRICE", "1.10"),
            Variable("ZERO", "0012"),
            Variable("EMPTY", ""),
        ),
        prepare=(
            PrepareStep("sql", "CREATE EXTENSION postgis"),
            PrepareStep("sql_file", str(tmp_path / "db/roles.sql")),
            PrepareStep("python", str(tmp_path / "db/seed.py")),
            PrepareStep("run", "./seed.sh"),
        ),
        target=("main@head",),
        x_arguments=("a=1", "tenant=demo"),
        start_from=StartFrom(create_all="v1.0", stamp="3f2a9c"),
        postgres="17",
        network=True,
        run_seconds=900.0,
        statement_seconds=5.5,
        import_seconds=30.0,
        config_file=tmp_path / YML,
        snapshots="5",
        raw_sql_allow=("reports/*.sql",),
        owners=Owners(("tenant_id",), ("media_*",), ("tags",), "users", True, ("cascade", "set null")),
        checks=(CheckSeverity("unindexed-owner", None), CheckSeverity("drift/comment", Severity.NOTE)),
        allowances=(Allowance("drift", "by hand", "audit_*", date(2027, 1, 31), f"{YML}:30"),),
        fail_on=Severity.WARNING,
        origins=settings.origins,
    )


def test_every_key_has_an_origin(tmp_path: Path) -> None:
    full(tmp_path)
    origins = origins_by_key(load(tmp_path, FULL))
    assert origins["owners.columns"] == f"{YML}:22"
    assert origins["limits.import"] == f"{YML}:18"
    assert origins["checks.drift/comment"] == f"{YML}:28"
    assert origins["hook"] == "default"
    assert set(origins) >= {"alembic.section", "env.PRICE", "target.revision", "raw_sql.allow", "fail_on"}


def test_pyproject_can_hold_the_same_settings(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\n\n[tool.migration-gate]\npostgres = 17\nfail-on = "warning"\n\n'
        '[tool.migration-gate.owners]\ncolumns = ["tenant_id"]\n\n'
        '[[tool.migration-gate.allow]]\ncheck = "drift"\nreason = "one"\n\n'
        '[[tool.migration-gate.allow]]\ncheck = "drift"\nreason = "two"\nuntil = 2027-01-31\n'
    )
    settings = load(tmp_path)
    origins = origins_by_key(settings)
    assert (settings.postgres, settings.owners.columns) == ("17", ("tenant_id",))
    assert settings.allowances[1] == Allowance(
        "drift", "two", until=date(2027, 1, 31), where="pyproject.toml:15"
    )
    assert origins["fail_on"] == "pyproject.toml:6"
    assert origins["owners.columns"] == "pyproject.toml:9"


def test_a_pyproject_without_our_table_is_ignored_even_when_it_is_malformed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.black\n")
    assert load(tmp_path).postgres == "auto"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = "postgres: 15\nsnapshots: all\nfail_on: warning\nowners: {columns: [a], references: users}\n"
    environ = {
        "MIGRATION_GATE_POSTGRES": "16",
        "MIGRATION_GATE_SNAPSHOTS": "3",
        "MIGRATION_GATE_OWNERS__COLUMNS": "b, c",
        "MIGRATION_GATE_TARGET": "",
    }
    settings = load(tmp_path, file, {"postgres": "17"}, environ)
    assert (settings.postgres, settings.snapshots, settings.fail_on) == ("17", "3", Severity.WARNING)
    assert (settings.owners.columns, settings.owners.references) == (("b", "c"), "users")
    assert settings.target == ("heads",)
    origins = origins_by_key(settings)
    assert origins["postgres"] == "--postgres"
    assert origins["snapshots"] == "MIGRATION_GATE_SNAPSHOTS"
    assert origins["owners.columns"] == "MIGRATION_GATE_OWNERS__COLUMNS"
    assert origins["owners.references"] == f"{YML}:4"


def test_variables_can_set_inner_keys_checks_and_lists(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        environ={
            "MIGRATION_GATE_ENV__DATABASE__URL": "u",
            "MIGRATION_GATE_CHECKS__NULLABLE_OWNER": "off",
            "MIGRATION_GATE_CHECKS__DRIFT__COMMENT": "note",
            "MIGRATION_GATE_X": "a=1,2\nb=3",
            "MIGRATION_GATE_LIMITS__RUN": "9",
            "MIGRATION_GATE_NETWORK": "true",
            "MIGRATION_GATE_PREPARE": '["SELECT 1", {"run": "true"}]',
            "MIGRATION_GATE_CORPUS": "/nowhere",
        },
    )
    assert settings.env == (Variable("DATABASE__URL", "u"),)
    assert settings.checks == (
        CheckSeverity("drift/comment", Severity.NOTE),
        CheckSeverity("nullable-owner", None),
    )
    assert (settings.x_arguments, settings.run_seconds, settings.network) == (("a=1,2", "b=3"), 9.0, True)
    assert settings.prepare == (PrepareStep("sql", "SELECT 1"), PrepareStep("run", "true"))


def test_every_variable_that_the_page_names_is_read() -> None:
    for name in FileKeys.model_fields:
        if name not in ("projects", "extends", "env", "checks"):
            assert gate_variables.read_variables({gate_variables.variable_name((name,)): "{}"}) is not None


def test_a_configuration_that_the_command_line_names_replaces_the_hook_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "hook.py").touch()
    (tmp_path / "alembic.ini").touch()
    settings = load(tmp_path, "hook: hook.py\n", {"alembic": {"config": str(tmp_path / "alembic.ini")}})
    assert (settings.hook, settings.alembic) == (None, tmp_path / "alembic.ini")


def test_the_nearest_file_above_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / YML).write_text("postgres: 12\n")
    top = tmp_path / "repository"
    below = top / "services" / "api"
    below.mkdir(parents=True)
    (top / ".git").mkdir()
    assert load(below).postgres == "auto"
    (top / YML).write_text("postgres: 17\n")
    settings = load(below)
    assert (settings.postgres, settings.root, settings.working_directory, settings.project_folder) == (
        "17",
        top,
        below,
        below,
    )
    assert origins_by_key(settings)["postgres"] == f"{YML}:1"


def test_paths_in_a_file_above_start_at_its_folder(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "alembic.ini").touch()
    (tmp_path / YML).write_text("alembic: alembic.ini\n")
    settings = load(tmp_path / "docs")
    assert (settings.working_directory, settings.alembic) == (tmp_path, tmp_path / "alembic.ini")


def test_the_file_is_named_from_the_top_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "api").mkdir()
    settings = load(tmp_path / "api", "postgres: 17\n")
    assert origins_by_key(settings)["postgres"] == f"api/{YML}:1"


def test_a_file_that_is_named_is_read_instead(tmp_path: Path) -> None:
    other = tmp_path / "ci" / "gate.yml"
    other.parent.mkdir()
    other.write_text("postgres: 16\n")
    assert load(tmp_path, "postgres: 17\n", {"config": str(other)}).postgres == "16"
    assert load(tmp_path, environ={"MIGRATION_GATE_CONFIG": str(other)}).postgres == "16"


PROJECTS = """
postgres: 17
allow: [{check: drift, reason: everywhere}]
env: {A: "1", B: "1"}
projects:
  api:
    path: services/api
    alembic: alembic.ini
    env: {B: "2"}
  billing:
    alembic: {config: services/billing/alembic.ini, section: money}
    postgres: 16
    allow: []
"""


def test_settings_above_projects_are_their_defaults(tmp_path: Path) -> None:
    for name in ("api", "billing"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "alembic.ini").touch()
    (tmp_path / YML).write_text(PROJECTS)
    api, billing = loading.load_settings(tmp_path, {}, {})
    services = tmp_path / "services"
    assert (api.name, api.working_directory, api.alembic) == (
        "api",
        services / "api",
        services / "api/alembic.ini",
    )
    assert (api.postgres, api.env_by_name(), len(api.allowances)) == ("17", {"A": "1", "B": "2"}, 1)
    assert (billing.name, billing.working_directory, billing.section) == ("billing", tmp_path, "money")
    assert (billing.postgres, billing.allowances) == ("16", ())
    assert origins_by_key(billing)["postgres"] == f"{YML}:12"
    assert [s.name for s in loading.load_settings(tmp_path, {"project": ("billing",)}, {})] == ["billing"]
    assert [s.postgres for s in loading.load_settings(tmp_path, {}, {"MIGRATION_GATE_POSTGRES": "15"})] == [
        "15",
        "15",
    ]


def test_a_folder_below_selects_its_project(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name in ("api", "billing"):
        (tmp_path / "services" / name / "app").mkdir(parents=True)
    text = "projects:\n  api: {path: services/api}\n  billing: {path: services/billing}\n"
    (tmp_path / YML).write_text(text)

    def names(folder: str) -> list[str]:
        return [settings.name for settings in loading.load_settings(tmp_path / folder, {}, {})]

    assert names("services/api/app") == ["api"]
    assert names("services") == names(".") == ["api", "billing"]
    (tmp_path / "docs").mkdir()
    assert names("docs") == ["api", "billing"]


DOTENV = """
# a comment
export PLAIN=one
QUOTED="two words # kept"
LITERAL='${PLAIN}'
FILLED=${PLAIN}-${LATER:-default}-${SHELL_VALUE}
SECRET=x${GITHUB_TOKEN}${INPUT_KEY:-y}
"""


def test_references_in_a_dotenv_file_do_not_reach_our_secrets(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(DOTENV)
    environ = {"SHELL_VALUE": "s", "GITHUB_TOKEN": "ghs_secret", "INPUT_KEY": "secret"}
    settings = load(tmp_path, "env_file: a.env\nenv: {PLAIN: three}\n", environ=environ)
    assert settings.env_by_name() == {
        "PLAIN": "three",
        "QUOTED": "two words # kept",
        "LITERAL": "${PLAIN}",
        "FILLED": "one-default-s",
        "SECRET": "xy",
    }


def test_later_dotenv_files_win_and_can_refer_to_earlier_ones(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("HOST=a\nPORT=1\n")
    (tmp_path / "b.env").write_text("PORT=2\nURL=${HOST}:${PORT}\n")
    settings = load(tmp_path, "env_file: [a.env, b.env]\n")
    assert settings.env_by_name() == {"HOST": "a", "PORT": "2", "URL": "a:2"}


def test_python_can_name_a_virtual_environment(tmp_path: Path) -> None:
    (tmp_path / "env/bin").mkdir(parents=True)
    (tmp_path / "env/bin/python").touch()
    assert load(tmp_path, "python: env\n").python == tmp_path / "env/bin/python"


def test_alembic_can_name_the_folder_of_an_ini_file(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db/alembic.ini").touch()
    assert load(tmp_path, "alembic: db\n").alembic == tmp_path / "db/alembic.ini"


def test_the_text_of_settings_hides_secrets(tmp_path: Path) -> None:
    settings = load(tmp_path, "postgres: postgresql://me:hush@db:5432/x\nenv: {KEY: hush}\n")
    values = describe_settings(settings)
    assert values["postgres"] == "postgresql://me:***@db:5432/x"
    assert "hush" not in json.dumps(values)
    assert set(origins_by_key(settings)) <= set(values)


def test_the_schema_has_exactly_the_known_keys() -> None:
    schema = loading.config_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(FileKeys.model_fields)
    assert all("description" in each for each in schema["properties"].values())
    json.dumps(schema)


def test_the_reference_page_is_up_to_date() -> None:
    written = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert written.read_text(encoding="utf-8") == reference_page.render_page(), "run `make docs`"


@pytest.mark.parametrize(
    ("text", "options", "servers"),
    [
        ("postgres: 17", {}, ("17",)),
        ("postgres: [16, 17]", {}, ("16", "17")),
        ("postgres: 16, 17, 16", {}, ("16", "17")),
        ("postgres: 15", {"postgres": "16,postgis/postgis:17-3.5"}, ("16", "postgis/postgis:17-3.5")),
        ("postgres: postgresql://u@a,b/x?options=a,b", {}, ("postgresql://u@a,b/x?options=a,b",)),
    ],
)
def test_postgres_names_one_server_or_several(
    tmp_path: Path, text: str, options: dict[str, object], servers: tuple[str, ...]
) -> None:
    settings = load(tmp_path, text, options)
    assert (settings.postgres, *settings.further_postgres) == servers
    assert [run.postgres for run in settings.list_server_runs()] == list(servers)
    assert load(tmp_path, "", {}, {"MIGRATION_GATE_POSTGRES": "16, 18"}).further_postgres == ("18",)


@pytest.mark.parametrize("text", ["postgres: []", "postgres: [16, '']", "postgres: '16,'"])
def test_a_list_of_servers_without_a_name_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured, match="postgres"):
        load(tmp_path, text)


def test_no_plug_in_of_pydantic_is_loaded(tmp_path: Path) -> None:
    package = tmp_path / "plug_in-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: plug-in\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[pydantic]\nplug_in = plug_in:plugin\n")
    (tmp_path / "plug_in.py").write_text("plugin = None\n")
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    script += "import migration_gate.config.loading, migration_gate.replay.answer_lines\n"
    script += "assert 'pydantic.main' in sys.modules and 'plug_in' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", script], check=True)
