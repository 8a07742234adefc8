"""What the gate says of a failure before the first revision: one next step, filled in."""

from __future__ import annotations

from typing import Any

import pytest

from migration_gate.config.settings import PrepareStep
from migration_gate.errors import GateError
from tests.support.alembic_projects import Rev, env, lay
from tests.support.project_files import write_files
from tests.support.release_tests import spread_over_every_run
from tests.support.replay_engine import Engine

USERS = (Rev("0001", 'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))'),)
pytestmark = pytest.mark.slow
ARGUMENTS = "context.get_x_argument(as_dictionary=True)"
ENGINE = "engine = create_engine('postgresql+psycopg2://app@db.invalid/app')"
ADVICE: dict[str, tuple[str, str]] = {
    "an -x argument by its name": (f'{ARGUMENTS}["tenant"]', "x: [tenant=VALUE]"),
    "an -x argument that is None": (f'{ARGUMENTS}.get("tenant").lower()', "x: [tenant=VALUE]"),
    "an -x argument by its place": ("context.get_x_argument()[0]", "x: [VALUE]"),
    "an -x argument of the namespace": ("config.cmd_opts.x[0]", "x: [VALUE]"),
    "an exit that asks for -x": ("raise SystemExit('give -x db=NAME')", "x: [db=VALUE]"),
    "an attribute of the configuration": (
        'config.attributes["connection"]',
        'cfg.attributes["connection"] = engine.connect()\n\nand name it',
    ),
    "an attribute of which the project itself says so": (
        'if config.attributes.get("connection") is None:\n'
        '    raise RuntimeError("Run it by manage.py, see the README")',
        'cfg.attributes["connection"] = engine.connect()\n\nand name it',
    ),
    "an -x argument that env.py does without, and something else": (
        f"tenant = {ARGUMENTS}.get('tenant')\nraise RuntimeError('no luck')",
        "If it wants a setting, give it any value",
    ),
    "arguments that argparse demands of another command line": (
        f"dry = {ARGUMENTS}.get('dry')\nimport argparse\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--tenant', required=True)\nparser.parse_args([])",
        "Something that env.py imports ends the program",
    ),
    "an -x argument that a function returns": (
        f"def find():\n    return {ARGUMENTS}.get('tenant')\ntenant = find()\n"
        "if tenant is None:\n    raise RuntimeError('which one?')",
        "x: [tenant=VALUE]",
    ),
    "an attribute by its variable": (
        'connection = config.attributes.get("connection")\nconnection.begin()',
        'cfg.attributes["connection"] = engine.connect()\n\nand name it',
    ),
    "an attribute that env.py does without, and something else": (
        'connectable = config.attributes.get("connection", None)\n'
        'if connectable is None:\n    connectable = create_engine("postgresql://a@b/c")\n'
        'raise RuntimeError("No connection to the broker, or None is known")',
        "If it wants a setting, give it any value",
    ),
    "an attribute that is passed on": (
        'config.set_main_option("a", config.attributes.get("url"))',
        'cfg.attributes["url"] = …  # what',
    ),
    "an -x argument that is not told by its name": (
        "x = dict(item.split('=') for item in config.cmd_opts.x)\nx['tenant']",
        "x: [tenant=VALUE]",
    ),
    "arguments that argparse demands": (
        "import argparse\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--tenant', required=True)\nparser.parse_args(context.get_x_argument())",
        "x: [--tenant=VALUE]",
    ),
    "a factory of Flask that wants arguments": (
        "class NoAppException(Exception): pass\n"
        "raise NoAppException(\"Detected factory 'make' in module 'shop', "
        'but could not call it without arguments.")',
        "flask_app: \"shop:make('VALUE')\"",
    ),
    "an application of Flask that has another name": (
        'class NoAppException(Exception): pass\nraise NoAppException("Failed to find Flask application or '
        "factory in module 'shop'.\")",
        "flask_app: shop:NAME",
    ),
    "an option of the project's own command": (
        "config.cmd_opts.tenant",
        "cfg.cmd_opts = argparse.Namespace(x=None, tenant=False)",
    ),
    "a percent sign": (
        "config.set_main_option('a', 'p%40')",
        "write `%%` for each one",
    ),
    "a table that is reflected": (
        f"from sqlalchemy import MetaData, Table\n{ENGINE}\nTable('logs', MetaData(), autoload_with=engine)",
        "reads `logs` from the database before any migration has run",
    ),
    "tables that are reflected by name": (
        f"from sqlalchemy import MetaData\n{ENGINE}\nMetaData().reflect(engine, only=['logs'])",
        "start_from: {dump: schema.sql}",
    ),
    "a table that is read": (
        f"{ENGINE}\nengine.connect().execute(text('select * from logs'))",
        "Have a function read it when the application asks for it",
    ),
    "a table of a metadata that was read": (
        f"from sqlalchemy import MetaData\n{ENGINE}\nfound = MetaData()\nfound.reflect(engine)\n"
        "found.tables['logs']",
        "reads `logs` from the database before any migration has run",
    ),
    "a search path of no schema": (
        f"{ENGINE}\nwith engine.begin() as c:\n    c.execute(text('SET search_path TO tenant'))\n"
        "    c.execute(text('CREATE TABLE t (a int)'))",
        "- sql: CREATE SCHEMA tenant",
    ),
    "a search path that is put together": (
        f"search_path = 'tenant'\n{ENGINE}\nwith engine.begin() as c:\n"
        "    c.execute(text(f'SET search_path TO {search_path}_a'))\n"
        "    c.execute(text('CREATE TABLE t (a int)'))",
        "- sql: CREATE SCHEMA SCHEMA_NAME",
    ),
    "a search path behind the user's own schema": (
        f"{ENGINE}\nwith engine.begin() as c:\n"
        "    c.execute(text('SET search_path = \"$user\", Tenant'))\n"
        "    c.execute(text('CREATE TABLE t (a int)'))",
        "- sql: CREATE SCHEMA tenant",
    ),
    "a file in a folder with the name of a program": (
        "open('config/aws/settings.toml')",
        "`config/aws/settings.toml` is not in",
    ),
    "a program that is not there": (
        "import subprocess\nsubprocess.run(['pg_isready'], env={'PATH': '/nowhere'})",
        "runs a program that reaches for another machine",
    ),
    "a word of a database that is no complaint": (
        "import types\ntypes.ModuleType('db').down",
        "Look at the frames.",
    ),
    "a program that asks for the database": (
        "import subprocess\nraise subprocess.CalledProcessError(2, ['pg_isready', '-h', 'db'])",
        "runs a program that reaches for another machine",
    ),
    "a database that was waited for": (
        "raise SystemExit('the database is not ready')",
        'SKIP_TUNNEL: "1"',
    ),
    "greenlet": (
        "raise ImportError(\"The SQLAlchemy asyncio module requires that the Python 'greenlet' library is "
        'installed.")',
        "-m pip install greenlet",
    ),
    "a secret file": (
        "open('/run/secrets/db_password').read()",
        "env:\n      DB_PASSWORD_FILE: ci/db_password",
    ),
    "a secret file of the home": (
        "import os\nopen(os.path.expanduser('~/.shop/key')).read()",
        'os.path.expanduser(os.environ.get("KEY_FILE", "~/.shop/key"))',
    ),
    "a file of settings whose path goes out of the checkout": (
        "import os\nopen(os.path.join(os.path.dirname(__file__), '..', '..', '.env')).read()",
        "    ENV_FILE: ci/.env",
    ),
    "a secret file of JSON": (
        "import json\nwith open('/run/secrets/db') as file:\n    DB = json.load(file)['database']\n"
        "print(DB['url'], DB.get('port', 1))",
        """'{"database": {"url": "postgresql://gate@localhost/gate", "port": 5432}}' > /run/secrets/db\n""",
    ),
    "a secret file of YAML that a function reads": (
        "yaml = None\n"
        "def read(name):\n    with open(name) as file:\n        return yaml.safe_load(file)\n"
        "CONFIG = read('secret.yml')\nCONFIG['db']['password']",
        'dummy content,\n\n    {"db": {"password": "gate"}}\n\nmake it',
    ),
    "a secret file of TOML": (
        "import tomllib\nCONFIG = tomllib.loads(open('/etc/app/settings.toml').read())\n"
        "print(CONFIG['name'], CONFIG['db']['dsn'])",
        'name = "gate"\n    [db]\n    dsn = "postgresql://gate@localhost/gate"',
    ),
    "a secret file of an INI's form": (
        "import configparser\nparser = configparser.ConfigParser()\n"
        "parser.read_file(open('/etc/app/app.cfg'))\nparser.get('db', 'user')",
        "[db]\n    user = gate",
    ),
    "a secret file that is an address": (
        "open('/run/secrets/database_url').read()",
        "echo postgresql://gate@localhost/gate > /run/secrets/database_url",
    ),
    "a table that the project asks for": (
        f"{ENGINE}\nif not sqlalchemy.inspect(engine).has_table('users'):\n    raise SystemExit('set up')",
        "refuses the database by what it finds there (`sqlalchemy.inspect(engine).has_table('users')`)",
    ),
    "a server of another version than the project wants": (
        f"{ENGINE}\nversion = engine.connect().exec_driver_sql('SHOW server_version_num').scalar()\n"
        "if int(version) < 990000:\n    raise RuntimeError('too old')",
        "postgres: 17  # or an image",
    ),
    "a table that a function asks for": (
        f"{ENGINE}\nfrom sqlalchemy import inspect\n"
        "def is_ready(engine):\n    return 'users' in inspect(engine).get_table_names()\n"
        "assert is_ready(engine), 'set up first'",
        "prepare:\n      - run: COMMAND  # or sql_file: FILE",
    ),
    "a table that is tried": (
        f"{ENGINE}\ntry:\n    engine.connect().execute(sqlalchemy.text('select 1 from users'))\n"
        "except Exception:\n    raise RuntimeError('set up first') from None",
        "what it finds there (`engine.connect().execute(sqlalchemy.text('select 1 from users'))`)",
    ),
    "a database that is waited for in vain": (
        f"{ENGINE}\ntry:\n    engine.connect().execute(sqlalchemy.text('select 1 from users'))\n"
        "except Exception:\n    raise RuntimeError('database is not available') from None",
        "waits for the database of another machine",
    ),
    "a refusal for something else than the database": (
        f"{ENGINE}\nnames = sqlalchemy.inspect(engine).get_table_names()\nimport sys\n"
        "if sys.version_info > (3,):\n    raise RuntimeError('too new')",
        "If it wants a setting",
    ),
    "a secret file that a variable names": (
        "import os\nopen(os.environ.get('PW', '/run/secrets/pw')).read()",
        "The path is the default of `PW`",
    ),
    "a file that git ignores": ("open('.env').read()", "(`touch .env`)"),
    "name resolution": (
        "import socket\nsocket.gethostbyname('db.internal')",
        "looks up the address of another machine",
    ),
    "a socket": ("import socket\nsocket.create_connection(('10.0.0.1', 22))", 'SKIP_TUNNEL: "1"'),
    "a synchronous engine with an asynchronous driver": (
        "create_engine('postgresql+asyncpg://a@b/c').connect()",
        "give env.py a URL of `postgresql+psycopg://`",
    ),
    "a dialect that is not installed": (
        "from sqlalchemy import create_engine\ncreate_engine('cockroachdb://app@db.invalid/app')",
        "URL is for `cockroachdb`, a dialect that no package here has",
    ),
    "a driver that is not installed": (
        "raise ModuleNotFoundError(\"No module named 'psycopg2'\")",
        "-m pip install psycopg2-binary",
    ),
    "a disk from which nothing compiled is loaded": (
        "raise ImportError('/mnt/env/_c.so: failed to map segment from shared object')",
        "The disk of `/mnt/env` is mounted with `noexec`",
    ),
    "where a setting is read": (
        "import os\n{}[os.environ['LICENCE']]",
        "LICENCE: …  # migrations/env.py:",
    ),
    "a logging setup that is not there": (
        "from logging.config import fileConfig\nfileConfig(config.config_file_name)",
        "which has no section [formatters]: add the sections that `alembic init` writes",
    ),
    "settings of which no value does": (
        "import os\n{}[os.environ['LICENCE']]",
        "No dummy value did for those with `…`.",
    ),
}


@pytest.mark.parametrize("name", spread_over_every_run(ADVICE, 5))
def test_each_kind_of_failure_has_its_advice(engine: Engine, name: str) -> None:
    code, words = ADVICE[name]
    top = f"import sqlalchemy\nconfig = context.config\n{code}"
    with pytest.raises(GateError) as caught:
        engine.run(lay(engine.folder(), USERS, env(top=top)))
    assert words in caught.value.advice
    assert caught.value.message.startswith("env.py failed before the first revision: ")


def test_a_file_of_the_repository_that_has_the_values_is_named(engine: Engine) -> None:
    reads = "import os\nassert os.environ['SHOP_KEY'].startswith('sk_') and os.environ['SHOP_ID'] == '1'"
    folder = lay(engine.folder(), USERS, env(top=f"config = context.config\n{reads}"))
    write_files(
        folder,
        {
            ".env.example": "SHOP_KEY=\nSHOP_ID=1\n",
            "deploy/.env.ci": "SHOP_KEY=sk_1\nSHOP_ID=1\n",
            "deploy/.env.example": "export SHOP_KEY=sk_2\nexport SHOP_ID=1\n",
        },
    )
    with pytest.raises(GateError) as caught:
        engine.run(folder)
    assert "`deploy/.env.ci` has values for `SHOP_" in caught.value.advice
    assert caught.value.advice.endswith("\n\n    env_file: deploy/.env.ci")


@pytest.mark.parametrize(
    ("opened", "command"),
    [
        ("'.env'", "cp .env.sample .env"),
        ("__file__.replace('migrations/env.py', 'shop/.env')", "cp .env.sample shop/.env"),
    ],
)
def test_a_file_that_the_code_opens_is_copied_from_the_one_in_the_repository(
    engine: Engine, opened: str, command: str
) -> None:
    folder = lay(engine.folder(), USERS, env(top=f"open({opened}).read()"))
    write_files(
        folder,
        {".env.sample": "A=1\n", "env.test.mjs": "A=1", ".env.ci.j2": "A={{ a }}", ".env.ci": "# empty"},
    )
    with pytest.raises(GateError) as caught:
        engine.run(folder)
    assert f"(`{command}`)" in caught.value.advice


def test_a_file_that_the_code_opens_is_made_in_the_folder_where_the_project_runs(engine: Engine) -> None:
    folder = engine.folder()
    lay(folder / "shop", USERS, env(top="open('.env').read()"))
    write_files(folder, {"shop/.env.sample": "A=1\n"})
    with pytest.raises(GateError) as caught:
        engine.run(folder, working_directory=folder / "shop")
    assert "(`cp shop/.env.sample shop/.env`)" in caught.value.advice


SETTINGS_OF_A_MODE = """
import os
class Prod:
    URL = os.environ.get("PROD_URL")
    KEY = os.environ["PROD_KEY"]
assert globals()[os.environ["SHOP_MODE"]].URL.startswith("postgresql")
"""


def test_a_setting_without_a_fitting_value_is_named_once(engine: Engine) -> None:
    with pytest.raises(GateError) as caught:
        engine.run(lay(engine.folder(), USERS, env(top=SETTINGS_OF_A_MODE)))
    assert "SHOP_MODE: …" in caught.value.advice
    assert "The project also asks for `PROD_URL`, and came no further" in caught.value.advice


HEADS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a target of one head": ("pass", {"target": ("head",)}, 'target: "0001"'),
    "code that wants one head": (
        "from alembic.script import ScriptDirectory\nScriptDirectory.from_config(config).get_current_head()",
        {},
        "alembic merge -m 'merge heads' 0001 0002",
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_several_heads_are_named(engine: Engine, name: str) -> None:
    top, settings, words = HEADS[name]
    folder = lay(engine.folder(), (*USERS, Rev("0002", "pass")), env(top=top))
    with pytest.raises(GateError) as caught:
        engine.run(folder, **settings)
    assert words in caught.value.advice


def test_all_of_many_heads_are_merged(engine: Engine) -> None:
    top = "from alembic.script import ScriptDirectory\nScriptDirectory.from_config(config).get_current_head()"
    revisions = tuple(Rev(f"000{number}", "pass") for number in range(6))
    with pytest.raises(GateError, match="multiple heads") as caught:
        engine.run(lay(engine.folder(), revisions, env(top=top)))
    assert "alembic merge -m 'merge heads' heads`" in caught.value.advice


X_VALUES = {
    "a key": ("{'prod': 1, 'test': 2}[%s['mode']]", "one of those that env.py knows (prod, test)"),
    "a section": ("config.get_section_option(%s['mode'], 'a')", "one of those that env.py knows (prod)"),
    "a word": ("assert %s['mode'] == 'a', 'no mode VALUE'", "Write one that env.py knows"),
}


@pytest.mark.parametrize("name", X_VALUES)
def test_a_value_that_env_py_does_not_know_is_told_with_those_that_it_knows(
    engine: Engine, name: str
) -> None:
    code, words = X_VALUES[name]
    folder = lay(engine.folder(), USERS, env(top=f"config = context.config\n{code % ARGUMENTS}"))
    with (folder / "alembic.ini").open("a") as ini:
        ini.write("[prod]\nb = 1\n")
    with pytest.raises(GateError) as caught:
        engine.run(folder, x_arguments=("mode=VALUE",))
    assert "`VALUE` is the value of `mode` in `x:`, and not one that env.py knows." in caught.value.advice
    assert words in caught.value.advice


X_CHANCES = {
    "a path": "open('/etc/shop/test/a.cfg')",
    "a table": f"{ENGINE}\nengine.connect().execute(text('select * from test.logs'))",
    "a sentence": "raise RuntimeError('this is no test')",
}


@pytest.mark.parametrize("name", X_CHANCES)
def test_an_error_that_has_the_word_by_chance_is_not_put_down_to_the_value(engine: Engine, name: str) -> None:
    top = f"config = context.config\n{ARGUMENTS}['mode']\n{X_CHANCES[name]}"
    with pytest.raises(GateError) as caught:
        engine.run(lay(engine.folder(), USERS, env(top=top)), x_arguments=("mode=test",))
    assert "x:" not in caught.value.advice


def test_a_value_of_the_users_that_env_py_refuses_is_told(engine: Engine) -> None:
    top = f"mode = {ARGUMENTS}['mode']\nassert mode == 'a', f'no mode {{mode}}'"
    with pytest.raises(GateError) as caught:
        engine.run(lay(engine.folder(), USERS, env(top=top)), x_arguments=("mode=test",))
    assert "`test` is the value of `mode` in `x:`" in caught.value.advice


def test_the_advice_on_a_role_leads_to_a_replay(engine: Engine) -> None:
    before = "connection.execute(text('SET ROLE \"Gate Owner\"'))\nconnection.commit()"
    folder = lay(engine.folder(), USERS, env(before=before))
    with pytest.raises(GateError) as caught:
        engine.run(folder)
    commands = [line.partition("sql: ")[2] for line in caught.value.advice.splitlines() if "sql: " in line]
    assert commands == ['CREATE ROLE "Gate Owner"', 'GRANT ALL ON SCHEMA public TO "Gate Owner"']
    prepare = tuple(PrepareStep("sql", command) for command in commands)
    try:
        assert engine.run(folder, prepare=prepare).replay.failure is None
    finally:
        with engine.server.connect() as connection:
            connection.execute('drop role "Gate Owner"')


REVISION_IMPORTS = {
    "a package": ("import no_such_package", "Install what is missing"),
    "a file": ("open('/data/countries.csv')", "COUNTRIES_FILE: ci/countries.csv"),
    "a setting": ("import os\n{}[os.environ['STRIPE_KEY_X']]", "env:\n      STRIPE_KEY_X: "),
}


@pytest.mark.parametrize("name", REVISION_IMPORTS)
def test_what_a_revision_lacks_when_it_is_imported_is_no_broken_history(engine: Engine, name: str) -> None:
    code, words = REVISION_IMPORTS[name]
    folder = lay(engine.folder(), USERS, env())
    file = next((folder / "migrations" / "versions").glob("*.py"))
    file.write_text(f"{code}\n{file.read_text()}")
    with pytest.raises(GateError) as caught:
        engine.run(folder)
    assert caught.value.message.startswith("A revision could not be imported: ")
    assert words in caught.value.advice
