"""Environment variables that the project asks for, read from its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.project.environment_variables import EnvironmentVariable, find_variables
from migration_gate.project.import_path import list_imported_names


def read_variables(top: Path, env_py: str, **modules: str) -> dict[str, bool]:
    """Each variable that env.py and these modules of the package `app` read; whether it is required."""
    for name, text in {"__init__": "", **modules}.items():
        file = top / "app" / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (top / "env.py").write_text(env_py)
    return {item.name: item.required for item in find_variables(top / "env.py", [str(top)])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os\nos.environ['A']\nos.environ.get('B')", {"A": True, "B": False}),
        ("import os\nos.getenv('A', 'x')", {"A": False}),
        ("from os import environ, getenv\nenviron['A']\ngetenv('b')", {"A": True, "b": False}),
        ("import os\nNAME = 'A'\nos.environ[NAME]", {"A": True}),
        ("import os\nos.environ['A'] = '1'", {}),
        ("from decouple import config\nconfig('A')\nconfig('B', default='')", {"A": True, "B": False}),
        ("from decouple import config as get\nget('A', cast=int)", {"A": True}),
        ("import environ\nenv = environ.Env()\nenv('A')\nenv.str('B', 'x')", {"A": True, "B": False}),
        ("from environs import Env\nenv = Env()\nenv.url('A')", {"A": True}),
        ("from starlette.config import Config\nconfig = Config()\nconfig('A', default=None)", {"A": False}),
        ("headers = {}\nheaders.get('CONTENT')\nstr('TEXT')\nconfig.get('KEY')", {}),
        ("import os\nurl = os.getenv('A')\nif not url:\n    raise RuntimeError('no')", {"A": True}),
        ("import os\nurl = os.getenv('A')\nif url is None:\n    url = 'x'", {"A": False}),
        ("import os\ndef need(name):\n    return os.environ[name]\nneed('A')", {"A": True}),
        ("import os\ndef may(name, other=''):\n    return os.getenv(name, other)\nmay('A')", {"A": False}),
        ("import os\nP = 'A_'\nos.environ[P + 'B']\nos.environ[f'{P}C']", {"A_B": True, "A_C": True}),
        (
            "import os\nfrom environs import Env\nenv = Env()\nwith env.prefixed('A_'):\n    env.int('B')\n"
            "    os.getenv('D')\nenv('C')",
            {"A_B": True, "C": True, "D": False},
        ),
        ("class Settings:\n    port: int\nclass OtherSettings(Settings):\n    host: str", {}),
    ],
)  # fmt: skip
def test_a_variable_is_what_a_reader_of_variables_is_asked_for(
    tmp_path: Path, text: str, expected: dict[str, bool]
) -> None:
    assert read_variables(tmp_path, text) == expected


def test_readers_are_followed_into_the_modules_that_define_them(tmp_path: Path) -> None:
    found = read_variables(
        tmp_path,
        "from app.models import Base",
        models="from app.settings import config, need, KEY\nconfig('A')\nneed('B')\nneed(KEY)\nBase = 1",
        settings="from starlette.config import Config\nimport os\nconfig = Config()\nKEY = 'C'\n"
        "def need(name):\n    value = os.getenv(name)\n    if not value:\n        raise KeyError(name)\n",
    )
    assert found == {"A": True, "B": True, "C": True}


def test_what_the_application_of_flask_reads_is_found(tmp_path: Path) -> None:
    application = "import os\nfrom app.settings import URL\ndef create_app():\n    os.environ['A']\n"
    files = {"__init__": application, "settings": "import os\nURL = os.environ['B']"}
    read_variables(tmp_path, "from flask import current_app", **files)
    for flask_app, names in (
        ("app:create_app", {"A", "B"}),
        ("app.settings", {"B"}),
        ("nowhere", set()),
        (None, set()),
    ):
        found = find_variables(tmp_path / "env.py", [str(tmp_path)], flask_app)
        assert {item.name for item in found} == names


def test_a_settings_class_may_inherit_from_one_in_another_module(tmp_path: Path) -> None:
    found = read_variables(
        tmp_path,
        "from app.settings import Settings",
        base="from pydantic_settings import BaseSettings\n"
        "class AppSettings(BaseSettings):\n    debug: bool = False",
        settings="from app.base import AppSettings\nclass Settings(AppSettings):\n"
        "    model_config = dict(env_prefix='APP_')\n    key: str\n    url: str = Field(..., alias='URL')\n"
        "    other: str = Field(validation_alias=AliasChoices('ONE', 'TWO'))\n"
        "    port: int = 5432\n    _own: int\n",
    )
    assert found == {"APP_KEY": True, "URL": True, "ONE": True, "APP_PORT": False, "DEBUG": False}


def test_values_that_validators_of_dynaconf_demand_are_variables(tmp_path: Path) -> None:
    validators = (
        "from dynaconf import Validator\nALL = [\n"
        "    Validator('PORT', 'mail.host', must_exist=True),\n"
        "    Validator('MODE', is_in=['a', 'b']),\n"
        "    Validator('NAME', required=True, default='x'),\n"
        "    Validator('COLOUR', must_exist=True),\n]\n"
    )
    settings = (
        "from dynaconf import Dynaconf\nfrom app.rules import ALL\n"
        "settings = Dynaconf(envvar_prefix='SHOP', settings_files=['shop.toml'], validators=ALL)\n"
    )
    (tmp_path / "app").mkdir()
    (tmp_path / "app/shop.toml").write_text("[default]\ncolour = 'red'\nsupport = 'a'\n")
    found = read_variables(tmp_path, "from app.settings import settings", settings=settings, rules=validators)
    assert found == {
        "SHOP_PORT": True,
        "SHOP_MAIL__HOST": True,
        "SHOP_MODE": False,
        "SHOP_NAME": False,
        "SHOP_COLOUR": False,
    }
    for place, pattern in (("shop.toml", "shop.toml"), ("app/config/a.toml", "*.toml")):
        (tmp_path / "app/shop.toml").unlink(missing_ok=True)
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text("colour = 'red'")
        elsewhere = settings.replace("shop.toml", pattern)
        found = read_variables(
            tmp_path, "from app.settings import settings", settings=elsewhere, rules=validators
        )
        assert not found["SHOP_COLOUR"]
        (tmp_path / place).unlink()
    without_prefix = settings.replace("envvar_prefix='SHOP'", "envvar_prefix=False")
    found = read_variables(
        tmp_path, "from app.settings import settings", settings=without_prefix, rules=validators
    )
    assert found["PORT"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("PGHOST", True), ("DB_PORT", True), ("app_database_url", True), ("UPGRADE", False), ("PGP_KEY", False)],
)
def test_a_database_setting_is_known_by_the_words_of_its_name(name: str, expected: bool) -> None:
    assert EnvironmentVariable(name, Path(), 1, required=False).is_database_setting is expected


def test_what_cannot_be_parsed_or_imported_is_passed_over(tmp_path: Path) -> None:
    env_py = f"import app.sums, app.broken, os\nfrom {'.' * 40} import x\nos.environ['A']"
    sums = "TEXT = " + " + ".join(["'a'"] * 5000)
    assert read_variables(tmp_path, env_py, sums=sums, broken="def") == {"A": True}
    (tmp_path / "env.py").write_text(sums)
    assert list_imported_names(tmp_path / "env.py") == set()
