"""Strangers' projects that need no configuration: what they read, where they lie, which driver they have."""

from __future__ import annotations

import textwrap

import pytest

from tests.support.project_interpreters import venv
from tests.support.release_tests import first_in_every_run, spread_over_every_run
from tests.support.user_project import ENV, Ran, World, project

pytestmark = pytest.mark.slow
ASYNC_ENV = """
import asyncio
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

from shop.models import Base
from shop.settings import URL


def work(connection):
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    engine = create_async_engine(URL)
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()


asyncio.run(main())
"""


def web() -> str:
    """An interpreter with what web applications usually have."""
    return venv(
        "web", "alembic", "sqlalchemy[asyncio]>=2.0,<2.1", "psycopg2-binary", "psycopg[binary]", "asyncpg",
        "pydantic-settings",
        "starlette", "flask-migrate", "python-decouple", "email-validator", "dynaconf",
    )  # fmt: skip


def passes(ran: Ran) -> Ran:
    """A clean project, replayed whole."""
    assert (ran.status, ran.complaints) == (0, ""), ran.said
    assert "2 revisions, 1 table" in ran.out
    return ran


def text(ran: Ran) -> str:
    """Everything on one line, for a part of a sentence."""
    return " ".join(ran.out.split())


# --- settings ------------------------------------------------------------------------------------


def test_a_connection_that_leads_elsewhere_is_redirected(here: World) -> None:
    here.lay(project())
    passes(here.check())


@pytest.mark.parametrize(
    "code",
    spread_over_every_run(
        [
            'import os\nURL = os.environ["DATABASE_URL"]\n',
            'import os\nURL = os.environ["SQLALCHEMY_DATABASE_URI"]\nKEY = os.environ["SECRET_KEY"]\n',
            "import os\nURL = 'postgresql://{POSTGRES_USER}:{POSTGRES_PASSWORD}@{POSTGRES_HOST}:{POSTGRES_PORT}"
            "/{POSTGRES_DB}'.format(**os.environ)\n",
            "import os\nURL = 'postgresql+psycopg2://%s:%s@%s/%s' % (os.environ['DB_USER'], "
            "os.environ['DB_PASSWORD'], os.environ['DB_HOST'], os.environ['DB_NAME'])\n",
            "import os\nURL = 'postgresql://%s@%s:%d/x' % (os.environ['PGUSER'], os.environ['PGHOST'], "
            "int(os.environ['PGPORT']))\n",
        ],
        2,
    ),
    ids=["one variable", "another, and a secret", "POSTGRES_", "DB_", "PG"],
)
def test_the_usual_variables_have_a_value(here: World, code: str) -> None:
    here.lay(project(settings_py=code))
    passes(here.check())


REQUIRED = """
from enum import Enum
from typing import Literal, Optional

from datetime import timedelta

from pydantic import (
    AliasChoices, AnyHttpUrl, BaseModel, EmailStr, Field, PostgresDsn, SecretStr, field_validator
)
from pydantic_settings import BaseSettings, SettingsConfigDict


class Mail(BaseModel):
    host: str
    port: int = Field(gt=100, le=70000)
    sender: str = Field(pattern=r"^[a-z]+@[a-z]+[.]org$")
    name: str = "shop"


class Colour(Enum):
    RED = "red"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_", case_sensitive=True)

    DATABASE_URL: PostgresDsn
    SECRET: SecretStr = Field(min_length=32)
    FIRST_SUPERUSER: EmailStr
    FRONTEND: AnyHttpUrl
    ENVIRONMENT: Literal["local", "production"]
    WORKERS: int = Field(gt=0)
    RATIO: float
    DEBUG: bool
    ORIGINS: list[str]
    LIMITS: dict[str, int]
    REDIS_URL: str
    MAIL: Mail
    COLOUR: Colour
    NICKNAME: Optional[str]
    WAIT: timedelta
    OTHER: str = Field(validation_alias=AliasChoices("OTHER_ONE", "OTHER_TWO"))

    @field_validator("REDIS_URL")
    @classmethod
    def redis(cls, value: str) -> str:
        if not value.startswith("redis://"):
            raise ValueError("no Redis")
        return value


URL = str(Settings().DATABASE_URL)
"""


def test_required_fields_of_settings_are_filled(here: World) -> None:
    here.lay(project(settings_py=REQUIRED))
    assert "the project fails without `SHOP_DATABASE_URL`, `SHOP_SECRET`," in text(
        passes(here.check(python=web()))
    )


def test_settings_in_parts_as_starlette_reads_them(here: World) -> None:
    code = """
from starlette.config import Config
from starlette.datastructures import Secret

config = Config()
PASSWORD = config("POSTGRES_PASSWORD", cast=Secret)
URL = f"postgresql://{config('POSTGRES_USER')}:{PASSWORD}@{config('POSTGRES_SERVER')}/x"
"""
    here.lay(project(settings_py=code))
    passes(here.check(python=web()))


def test_a_required_variable_of_an_unusual_name_is_given_or_asked_for(here: World) -> None:
    here.lay(project(settings_py='import os\nURL = os.environ["SHOP_LICENCE"]\n'))
    assert "the project fails without `SHOP_LICENCE`" in text(passes(here.check()))
    here.lay(project(settings_py='import os\nURL = {}[os.environ["SHOP_LICENCE"]]\n'))
    ran = here.check()
    assert ran.status == 2
    assert "KeyError: 'SHOP_LICENCE'" in ran.out
    assert "env: SHOP_LICENCE:" in text(ran)


VALIDATED = """
from dynaconf import Dynaconf, Validator

settings = Dynaconf(
    envvar_prefix="SHOP",
    validators=[
        Validator("DATABASE_URL", must_exist=True),
        Validator("PORT", must_exist=True, is_type_of=int, gte=1024),
        Validator("MODE", must_exist=True, is_in=["dev", "prod"]),
        Validator("TAX", must_exist=True, cast=float, gt=0, lt=1),
        Validator("CONTACT", must_exist=True, condition=lambda value: "@" in value),
    ],
)
settings.validators.validate()
URL = settings.DATABASE_URL
"""
CAST = """
from decouple import Csv, config

PORTS = config("SHOP_PORTS", cast=Csv(int))
MODE = config("SHOP_MODE", cast=lambda value: {97: 1}[sum(map(ord, value))])
URL = config("SHOP_DB_URI")
"""


CHOICES = {
    "a key of a dict": "URLS = {'prod': 'postgresql://a@b/c'}\nURL = URLS[os.environ['SHOP_MODE']]\n",
    "a class": "class Prod:\n    URL = 'postgresql://a@b/c'\n\nURL = globals()[os.getenv('SHOP_MODE')].URL\n",
    "a module": "import importlib\nMODE = os.environ['SHOP_MODE']\n"
    "URL = importlib.import_module('shop.mode_' + MODE).URL\n",
    "a file": "URL = open('shop/%s.url' % os.environ['SHOP_MODE']).read()\n",
    "a scheme": "URL = os.getenv('SHOP_DB_URL')\nassert URL and URL.startswith('postgresql+psycopg2://')\n",
    "parts": "user, host = os.environ['SHOP_PARTS'].split(':')\n"
    "URL = 'postgresql://%s@%s/x' % (user, host)\n",
}


@pytest.mark.parametrize("name", spread_over_every_run(CHOICES, 2))
def test_a_value_is_one_of_those_that_the_code_knows(here: World, name: str) -> None:
    files = {"shop/mode_prod.py": "URL = 'postgresql://a@b/c'\n", "shop/prod.url": "postgresql://a@b/c"}
    here.lay(project(settings_py=f"import os\n{CHOICES[name]}") | files)
    assert "the project fails without `SHOP_" in text(passes(here.check()))


def test_options_of_the_configuration_that_env_py_sets_one_by_one(here: World) -> None:
    """The second variable is read only when the first is there."""
    code = "import os\nfor name in ('SHOP_A', 'SHOP_B'):\n    str.upper(os.environ.get(name))\nURL = 'postgresql://a@b/c'"
    here.lay(project(settings_py=code + "\n"))
    assert "the project fails without `SHOP_A`, `SHOP_B`:" in text(passes(here.check()))


def test_a_default_that_a_validator_of_the_whole_class_refuses_is_replaced(here: World) -> None:
    code = """
from pydantic import model_validator
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    secret_key: str = "changethis"
    postgres_user: str
    postgres_db: str = ""

    @model_validator(mode="after")
    def check(self):
        if self.secret_key == "changethis":
            raise ValueError("The value of SECRET_KEY is changethis: change it.")
        return self


URL = f"postgresql://{Settings().postgres_user}@host/app"
"""
    here.lay(project(settings_py=code))
    assert "fails without `POSTGRES_USER`, `SECRET_KEY`:" in text(passes(here.check(python=web())))


def test_a_default_that_a_validator_names_beside_what_is_lacking_stays(here: World) -> None:
    code = """
from pydantic import model_validator
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    debug: bool = False
    database_url: str = ""

    @model_validator(mode="after")
    def check(self):
        if not self.database_url and not self.debug:
            raise ValueError("database_url must be set unless debug is true")
        return self


URL = Settings().database_url
"""
    here.lay(project(settings_py=code))
    assert "fails without `DATABASE_URL`:" in text(passes(here.check(python=web())))


@pytest.mark.release
def test_values_are_those_that_libraries_accept_and_what_none_is_known_for_is_said(here: World) -> None:
    here.lay(project(settings_py=VALIDATED))
    passes(here.check(python=web()))
    here.lay(project(settings_py=CAST))
    ran = here.check(python=web())
    assert ran.status == 2
    assert "No dummy value did for those with `…`." in text(ran)
    block = textwrap.dedent(ran.out[ran.out.index("      env:\n") :].partition("\n\n")[0])
    assert "SHOP_MODE: …  # shop/settings.py:4" in block
    (here.project / ".migration-gate.yml").write_text(block.replace("…", "a"))
    passes(here.check(python=web()))


# --- dialects and drivers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", first_in_every_run(["sqlite:///./shop.db", "sqlite://", "mysql+pymysql://root@localhost/shop"], 1)
)
def test_another_default_database_is_swapped_with_a_note(here: World, url: str) -> None:
    here.lay(project(settings_py=f"URL = {url!r}\n"))
    name = "mysql" if "mysql" in url else "sqlite"
    said = text(passes(here.check()))
    assert f"the project's default database is {name}; it was given PostgreSQL, whose driver is" in said
    assert not (here.project / "shop.db").exists()


def test_a_configuration_that_the_projects_own_command_fills_in(here: World) -> None:
    """And a module of the application that is called as an installed one."""
    ini = "[alembic]\nscript_location = {alembic_dir}\nsqlalchemy.url = {db_url}\n"
    env = ENV.replace(
        "from shop.settings import URL", "import mako\nURL = context.config.get_main_option('sqlalchemy.url')"
    )
    files = project(alembic_ini=None, settings_py=None, env_py=env)
    files = {f"shop/{name}" if name.startswith("migrations/") else name: text for name, text in files.items()}
    here.lay(files | {"shop/alembic.ini": ini, "shop/mako.py": "raise RuntimeError('the other one')\n"})
    assert "`{db_url}`, which nothing has filled in" in text(passes(here.check()))


@pytest.mark.parametrize(
    "code",
    [
        "context.config.shop_settings.url",
        "getattr(context.config, 'shop_settings', None) or exit('Use shop-manage.')",
    ],
)
def test_what_the_projects_own_command_sets_belongs_into_a_hook(here: World, code: str) -> None:
    here.lay(project(env_py=ENV.replace("engine = create_engine", f"{code}\nengine = create_engine")))
    ran = here.check()
    assert ran.status == 2
    assert "`migration-gate doctor --write-hook` drafts" in text(ran)
    assert "cfg.shop_settings = … # what the project's own command sets" in text(ran)


def test_env_py_is_told_the_revision_that_is_wanted(here: World) -> None:
    asks = "{'two': 1}[context.config.cmd_opts.revision]\nengine = create_engine"
    here.lay(project(env_py=ENV.replace("engine = create_engine", asks)))
    ran = here.check()
    assert ran.status == 2
    assert "does not know `heads`. Name one that it knows" in text(ran)
    (here.project / ".migration-gate.yml").write_text("target: two\n")
    passes(here.check())


PRAGMA = """
from sqlalchemy import event
from sqlalchemy.engine import Engine


@event.listens_for(Engine, "connect")
def set_pragma(connection, record):
    if URL.startswith("sqlite"):
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()
"""


def test_sql_of_another_dialect_is_avoided_by_the_variable_that_chooses_it(here: World) -> None:
    here.lay(
        project(settings_py=f"import os\nURL = os.environ.get('SHOP_DB', 'sqlite:///shop.db')\n{PRAGMA}")
    )
    assert "uses sqlite where `SHOP_DB` is not set" in text(passes(here.check()))


def test_a_variable_that_names_the_dialect_alone_gets_that(here: World) -> None:
    here.lay(project(settings_py=f"import os\nURL = os.getenv('SHOP_ENGINE', 'sqlite') + '://h/x'\n{PRAGMA}"))
    said = text(passes(here.check()))
    assert "uses sqlite where `SHOP_ENGINE` is not set: it had the value `postgresql` in this run" in said


def test_a_project_on_another_dialect_that_lacks_something_else_gets_that(here: World) -> None:
    """The application's own engine is on SQLite, and env.py fails over the URL of the configuration."""
    call = "engine_from_config(context.config.get_section('alembic'), prefix='sqlalchemy.')"
    env = ENV.replace("create_engine(URL)", call).replace("import create_engine", "import engine_from_config")
    settings = (
        "import os\nfrom sqlalchemy import create_engine\nURL = os.environ.get('SHOP_DB', 'sqlite:///x')\n"
    )
    ini = "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n"
    here.lay(project(alembic_ini=ini, env_py=env, settings_py=f"{settings}engine = create_engine(URL)\n"))
    assert "nothing sets `sqlalchemy.url` in the Alembic configuration" in text(passes(here.check()))


def test_sql_of_another_dialect_is_called_that(here: World) -> None:
    here.lay(project(settings_py=f"URL = 'sqlite:///shop.db'\n{PRAGMA}"))
    ran = here.check()
    assert ran.status == 2
    said = text(ran)
    assert (
        "`shop/settings.py:11` runs SQLite's SQL, because the project believes that it is on SQLite" in said
    )
    assert "PRAGMA foreign_keys = ON" in said


def test_a_database_that_cannot_be_swapped_is_refused_with_the_setting_that_helps(here: World) -> None:
    env = ENV.replace("create_engine(URL)", "create_engine(URL, creator=lambda: sqlite3.connect(':memory:'))")
    here.lay(project(env_py="import sqlite3\n" + env, settings_py='URL = "oracle://scott@tiger/shop"\n'))
    ran = here.check()
    assert ran.status == 2
    assert "oracle" in ran.out
    assert "env:" in ran.out


def test_postgres_as_a_scheme_is_refused_with_advice(here: World) -> None:
    here.lay(project(settings_py='URL = "postgres://app@db.invalid/app"\n'))
    ran = here.check()
    assert ran.status == 2
    assert "Write `postgresql://`" in text(ran)


@pytest.mark.parametrize(
    "scheme", first_in_every_run(["postgresql", "postgresql+psycopg2", "postgresql+psycopg"], 1)
)
def test_the_driver_is_the_one_that_is_installed(here: World, scheme: str) -> None:
    here.lay(project(settings_py=f'URL = "{scheme}://app@db.invalid/app"\n'))
    passes(here.check(python=venv("psycopg", "alembic", "sqlalchemy", "psycopg[binary]")))


@pytest.mark.parametrize(
    "scheme", first_in_every_run(["postgresql", "postgresql+asyncpg", "postgresql+psycopg2"], 1)
)
def test_an_async_env_py_with_asyncpg_alone(here: World, scheme: str) -> None:
    here.lay(project(env_py=ASYNC_ENV, settings_py=f'URL = "{scheme}://app@db.invalid/app"\n'))
    passes(here.check(python=venv("asyncpg", "alembic", "sqlalchemy[asyncio]", "asyncpg")))


@pytest.mark.parametrize(
    "scheme", first_in_every_run(["postgresql", "postgresql+asyncpg", "postgresql+psycopg"], 1)
)
def test_an_async_env_py_with_several_drivers(here: World, scheme: str) -> None:
    here.lay(project(env_py=ASYNC_ENV, settings_py=f'URL = "{scheme}://app@db.invalid/app"\n'))
    passes(here.check(python=web()))


def test_an_async_env_py_whose_default_is_sqlite(here: World) -> None:
    here.lay(project(env_py=ASYNC_ENV, settings_py='URL = "sqlite+aiosqlite:///x.db"\n'))
    assert "default database is sqlite" in text(passes(here.check(python=web())))


ENGINES = [
    ("asyncpg", "sqlite+aiosqlite:///x.db"),
    ("asyncpg", "postgresql+asyncpg://app@db.invalid/app"),
    ("psycopg", "sqlite+aiosqlite:///x.db"),
    ("psycopg", "postgresql+asyncpg://app@db.invalid/app"),
]


@pytest.mark.parametrize(("driver", "url"), first_in_every_run(ENGINES, 1))
def test_an_asynchronous_engine_around_one_of_create_engine(here: World, driver: str, url: str) -> None:
    """`create_async_engine` is not called: only the URL says what the engine is to be."""
    env = ASYNC_ENV.replace(
        "create_async_engine(URL)", "AsyncEngine(create_engine(URL, future=True))"
    ).replace("import create_async_engine", "import AsyncEngine\nfrom sqlalchemy import create_engine")
    here.lay(project(env_py=env, settings_py=f"URL = {url!r}\n"))
    python = web()
    if driver == "psycopg":
        python = venv("async-psycopg", "alembic", "sqlalchemy[asyncio]", "psycopg[binary]")
    passes(here.check(python=python))
