"""The project runs truthfully first, and again with dummy values for what it failed for the want of."""

from __future__ import annotations

from typing import Any

import pytest

from migration_gate.config.settings import PrepareStep
from migration_gate.errors import GateError
from migration_gate.worker.pattern_sample import sample_pattern
from migration_gate.worker.placeholders import make_text
from migration_gate.worker.protocol.project_requests import SettingSupplied
from migration_gate.worker.protocol.run_lines import DatabaseUsed
from tests.support.alembic_projects import Rev, env, lay
from tests.support.release_tests import spread_over_every_run
from tests.support.replay_engine import Engine, Ran

USERS = (Rev("0001", 'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))'),)
FROM_VARIABLE = "create_engine(url, poolclass=pool.NullPool)"
TRUTHFUL = {
    "a variable that is looked for": "import os\nassert not os.environ.get('DATABASE_URL')",
    "a variable with a default": "import os\nassert os.environ.get('DB_HOST', 'mine') == 'mine'",
    "the existence of a variable": "import os\nassert 'DATABASE_URL' not in os.environ",
    "a variable whose lack is caught": (
        "import os\ntry:\n    url = os.environ['DATABASE_URL']\nexcept KeyError:\n    url = None\n"
        "assert url is None"
    ),
    "an attribute": "assert config.attributes.get('connection') is None",
    "an -x argument": "assert context.get_x_argument(as_dictionary=True).get('tenant') is None",
}
WANTED: dict[str, tuple[str, dict[str, str]]] = {
    "os.environ": ("url = os.environ['APP_DSN']", {"APP_DSN": "postgresql"}),
    "a name that says nothing": ("url = os.environ['LICENCE']", {"LICENCE": "postgresql"}),
    "None for a URL": ("url = os.getenv('SHOP_DATABASE_URI')", {"SHOP_DATABASE_URI": "postgresql"}),
    "an own text with the name": (
        "url = os.getenv('SHOP_URI')\nif not url:\n    raise RuntimeError('set SHOP_URI')",
        {"SHOP_URI": ""},
    ),
    "an own text without the name": (
        "url = os.getenv('DB_URL')\nif not url:\n    raise SystemExit('no database')",
        {"DB_URL": "postgresql"},
    ),
    "a helper": (
        "def need(name):\n    value = os.environ.get(name)\n    if not value:\n        raise LookupError\n"
        "    return value\nurl = 'postgresql://a:%s@b/c' % need('DB_PASSWORD')",
        {"DB_PASSWORD": "gate"},
    ),
    "words of a library": (
        "library = '''def read(section, key):\n"
        "    value = os.environ.get(('%s_%s' % (section, key)).upper())\n"
        "    if value is None:\n        raise KeyError('parameter %s.%s not found' % (section, key))\n"
        "    return value'''\n"
        "exec(compile(library, '/opt/site-packages/typed.py', 'exec'))\n"
        "url = 'postgresql://%s@b/c' % read('shop', 'account')",
        {"SHOP_ACCOUNT": ""},
    ),
    "parts of a URL": (
        "url = 'postgresql://{DB_USER}:{DB_PASS}@{DB_HOST}/{DB_NAME}'.format(**os.environ)",
        {"DB_USER": "gate", "DB_PASS": "gate", "DB_HOST": "localhost", "DB_NAME": "gate"},
    ),
    "numbers and JSON": (
        "url = 'postgresql://a@b/c'\nint(os.environ['N'])\njson.loads(os.environ['CONF'])",
        {"N": "1", "CONF": "{}"},
    ),
    "a word of a comparison": (
        "url = 'postgresql://a@b/c'\nstage = os.environ['STAGE']\nif stage not in ('dev', 'prod'):\n"
        "    raise ValueError('no such stage')",
        {"STAGE": "dev"},
    ),
    "a scheme": (
        "url = os.environ['DB_URL']\nif '+asyncpg' not in url:\n    raise ValueError('use asyncpg')\n"
        "url = url.replace('+asyncpg', '')",
        {"DB_URL": "postgresql+asyncpg"},
    ),
    "one of several words": (
        "url = 'postgresql://a@b/c'\nmode = os.environ['MODE']\n"
        "if mode not in ('dev', 'live'):\n    raise ValueError(\"%r is none of 'dev', 'live'\" % mode)",
        {"MODE": "dev"},
    ),
    "SQLite as a default": ("url = os.environ.get('APP_DB', 'sqlite:///a.db')", {"APP_DB": "postgresql"}),
    "a refusal of SQLite": (
        "url = os.environ.get('APP_DB', 'sqlite:///a.db')\nassert not url.startswith('sqlite')",
        {"APP_DB": "postgresql"},
    ),
    "SQLite without a host": (
        "host = os.environ.get('DB_HOST')\nurl = 'postgresql://a@%s/b' % host if host else 'sqlite://'",
        {"DB_HOST": "localhost"},
    ),
}


def run(engine: Engine, top: str, ini: str = "", **settings: Any) -> Ran:
    """Replay a project whose env.py does this first, and takes `url` from there."""
    folder = lay(engine.folder(), USERS, env(top="import json, os\n" + top, engine=FROM_VARIABLE), ini=ini)
    return engine.run(folder, **settings)


def supplied(ran: Ran) -> dict[str, str]:
    """Values of what was given, by name."""
    return {line.name: line.value for line in ran.lines if isinstance(line, SettingSupplied)}


@pytest.mark.slow
@pytest.mark.parametrize("name", spread_over_every_run(TRUTHFUL, 2))
def test_nothing_that_env_py_asks_about_is_changed(engine: Engine, name: str) -> None:
    ran = run(engine, f"{TRUTHFUL[name]}\nurl = 'postgresql://a@b/c'")
    assert ran.replay.failure is None
    assert supplied(ran) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", spread_over_every_run(WANTED, 3))
def test_what_env_py_fails_for_the_want_of_is_given(engine: Engine, name: str) -> None:
    code, expected = WANTED[name]
    ran = run(engine, code)
    given = supplied(ran)
    assert "users" in ran.tables
    assert set(given) == set(expected)
    assert [key for key, beginning in expected.items() if not given[key].startswith(beginning)] == []
    assert any(key in note for note in ran.replay.notes for key in expected)


@pytest.mark.slow
def test_a_variable_that_was_caught_stays_away_when_another_is_given(engine: Engine) -> None:
    code = (
        "try:\n    os.environ['TESTING']\nexcept KeyError:\n    url = os.environ['DB_URL']\nelse:\n    raise"
    )
    assert set(supplied(run(engine, code))) == {"DB_URL"}


@pytest.mark.slow
def test_placeholders_of_the_ini_are_filled_by_env_py_or_else_here(engine: Engine) -> None:
    ini = "db = postgresql://%(DB_USER)s@b/c\n"
    filled = "config.set_section_option('alembic', 'DB_USER', 'me')\nurl = config.get_main_option('db')"
    assert supplied(run(engine, filled, ini=ini)) == {}
    assert supplied(run(engine, "url = config.get_main_option('db')", ini=ini)) == {"db_user": "gate"}


@pytest.mark.slow
def test_an_unset_url_stays_unset_unless_it_is_wanted(engine: Engine) -> None:
    folder = lay(
        engine.folder(), USERS, env(top="assert not config.get_main_option('sqlalchemy.url')"), url=""
    )
    with pytest.raises(GateError, match="Could not parse SQLAlchemy URL"):
        engine.run(folder)
    given = supplied(engine.run(lay(engine.folder(), USERS, env(url=""), url="")))
    assert list(given) == ["sqlalchemy.url"]


def test_texts_fit_the_names_of_settings() -> None:
    names = (
        "APP_DSN",
        "SQLALCHEMY_DATABASE_URI",
        "REDIS_URL",
        "FRONTEND_URL",
        "DB_PORT",
        "SMTP_HOST",
        "ADMIN_EMAIL",
    )
    assert [make_text(name).partition(":")[0] for name in names] == [
        "postgresql", "postgresql", "redis", "http", "5432", "localhost", "gate@example.com",
    ]  # fmt: skip
    assert make_text("SECRET_KEY") != make_text("OTHER_KEY")


@pytest.mark.parametrize(
    "pattern",
    [r"^[A-Z]{2}$", r"\d{3}-\w+", r"(a|b)c?", r"^v\d+\.\d+$", r"[^/]+@x", r"^sk_(test|live)_[a-z0-9]{8,}$"],
)
def test_a_sample_of_a_pattern_matches(pattern: str) -> None:
    assert sample_pattern(pattern)


COMMITS_FIRST = """
import os
with create_engine("postgresql://a@b/c").begin() as connection:
    connection.execute(text("CREATE TABLE settled (id int)"))
    connection.execute(text("INSERT INTO settled VALUES (1)"))
url = os.environ["LATER_DSN"]
int(os.environ["LATER_NUMBER"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("prepare", [(), ("CREATE ROLE reader_of_attempts", "CREATE SCHEMA prepared")])
def test_an_attempt_does_not_see_what_an_earlier_one_committed(
    engine: Engine, prepare: tuple[str, ...]
) -> None:
    ran = run(engine, COMMITS_FIRST, prepare=tuple(PrepareStep("sql", sql) for sql in prepare))
    try:
        assert ran.replay.failure is None
        assert ran.tables == ["settled", "users"]
        supplied = {line.name for line in ran.lines if isinstance(line, SettingSupplied)}
        assert supplied == {"LATER_DSN", "LATER_NUMBER"}
        assert any(isinstance(line, DatabaseUsed) for line in ran.lines)
        assert ("prepared" in {schema.name for schema in ran.replay.catalog.schemas}) == bool(prepare)
        assert ran.replay.ddl_commands[-1].step == 1
    finally:
        with engine.server.connect() as connection:
            connection.execute("DROP ROLE IF EXISTS reader_of_attempts")
