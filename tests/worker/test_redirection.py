"""However env.py opens its database, it gets the ephemeral one: every way of writing a URL and an engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from migration_gate.config.settings import Variable
from migration_gate.errors import GateError, Misconfigured, ProjectNotImported
from tests.support import alembic_projects
from tests.support.alembic_projects import async_env, env, lay, one
from tests.support.decoy_servers import Forbidden
from tests.support.release_tests import first_in_every_run
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
SYNC = ("psycopg2", "psycopg", "pg8000")
LIBPQ = ("psycopg2", "psycopg")
ASYNC = ("asyncpg", "psycopg")
USERS = one('op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))')


@pytest.fixture
def arrives(engine: Engine, forbidden: Forbidden) -> Any:
    """Replays one revision with the env.py, and sees its table in the right database."""

    def check(env_py: str, *, url: str = "", ini: str = "", files: Any = None, **settings: Any) -> Any:
        folder = lay(
            engine.folder(),
            USERS,
            env_py,
            url=(url or forbidden.url()).replace("%", "%%"),
            ini=ini,
            files=files,
        )
        ran = engine.run(folder, **settings)
        assert ran.replay.failure is None, ran.replay.failure
        assert (ran.replay.arrived_heads, ran.tables) == (("0001",), ["users"])
        return ran.replay

    return check


@pytest.mark.parametrize("driver", first_in_every_run([*SYNC, ""], 2))
def test_an_engine_from_the_configuration_is_redirected(
    arrives: Any, forbidden: Forbidden, driver: str
) -> None:
    replay = arrives(env(), url=forbidden.url(driver))
    requests = [(c.requested_address, c.intercepted_by, c.outcome) for c in replay.connections]
    assert requests == [(f"127.0.0.1:{forbidden.port}/postgres", "url", "redirected")]


@pytest.mark.parametrize("driver", first_in_every_run(ASYNC, 1))
def test_an_asynchronous_engine_is_redirected(arrives: Any, forbidden: Forbidden, driver: str) -> None:
    arrives(async_env(), url=forbidden.url(driver))


@pytest.mark.parametrize("driver", first_in_every_run(LIBPQ, 1))
def test_a_url_that_demands_encryption_is_redirected(arrives: Any, forbidden: Forbidden, driver: str) -> None:
    arrives(env(), url=forbidden.url(driver) + "?sslmode=verify-full&sslrootcert=/nowhere/ca.pem")


def test_pg8000_with_an_encryption_context_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    arguments = "connect_args={'ssl_context': ssl.create_default_context()}"
    engine_code = f"create_engine({forbidden.url('pg8000')!r}, {arguments})"
    arrives(env(imports="import ssl", engine=engine_code))


def test_asyncpg_with_an_encryption_context_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    arguments = "connect_args={'ssl': ssl.create_default_context()}"
    engine_code = f"create_async_engine({forbidden.url('asyncpg')!r}, {arguments})"
    arrives(async_env(imports="import ssl", engine=engine_code))


def test_an_sslmode_that_asyncpg_does_not_know_is_dropped(arrives: Any, forbidden: Forbidden) -> None:
    arrives(async_env(), url=forbidden.url("asyncpg") + "?sslmode=require")


@pytest.mark.parametrize("driver", first_in_every_run(LIBPQ, 1))
def test_a_url_with_another_unix_socket_is_redirected(
    arrives: Any, forbidden: Forbidden, driver: str
) -> None:
    server = forbidden.server
    arrives(
        env(),
        url=f"postgresql+{driver}://{server.user}@/postgres?host={server.socket_directory}&port={server.port}",
    )


@pytest.mark.parametrize("driver", first_in_every_run(LIBPQ, 1))
def test_options_of_the_session_are_passed_on(
    arrives: Any, engine: Engine, forbidden: Forbidden, driver: str
) -> None:
    engine_code = (
        f"create_engine({forbidden.url(driver)!r}, connect_args={{'options': '-c work_mem=5555kB'}})"
    )
    check = "assert connection.execute(text('show work_mem')).scalar() == '5555kB'"
    arrives(env(engine=engine_code, before=check + "\nconnection.rollback()"))


@pytest.mark.parametrize("driver", first_in_every_run(LIBPQ, 1))
def test_a_url_with_several_hosts_is_redirected(arrives: Any, forbidden: Forbidden, driver: str) -> None:
    host = f"127.0.0.1:{forbidden.port}"
    url = f"postgresql+{driver}://{forbidden.server.user}@/postgres?host={host}&host={host}&target_session_attrs=any"
    arrives(env(), url=url)


def test_asyncpg_with_several_hosts_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    host = f"127.0.0.1:{forbidden.port}"
    arrives(
        async_env(), url=f"postgresql+asyncpg://{forbidden.server.user}@/postgres?host={host}&host={host}"
    )


@pytest.mark.parametrize("driver", first_in_every_run(LIBPQ, 1))
def test_an_address_in_libpq_variables_is_ignored(arrives: Any, forbidden: Forbidden, driver: str) -> None:
    address = (
        Variable("PGHOST", "127.0.0.1"),
        Variable("PGPORT", str(forbidden.port)),
        Variable("PGDATABASE", "postgres"),
    )
    arrives(env(), url=f"postgresql+{driver}://", env=address)


@pytest.mark.parametrize("driver", first_in_every_run(LIBPQ, 1))
def test_a_service_file_is_ignored(arrives: Any, engine: Engine, forbidden: Forbidden, driver: str) -> None:
    service = engine.folder() / "services"
    service.write_text("[prod]\n" + forbidden.dsn.replace(" ", "\n") + "\n")
    arrives(
        env(), url=f"postgresql+{driver}:///?service=prod", env=(Variable("PGSERVICEFILE", str(service)),)
    )


@pytest.mark.parametrize("driver", first_in_every_run(LIBPQ, 1))
def test_a_host_address_is_ignored(arrives: Any, forbidden: Forbidden, driver: str) -> None:
    arrives(env(), url=forbidden.url(driver) + "?hostaddr=127.0.0.1")


def test_a_dsn_among_the_arguments_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    engine_code = f"create_engine('postgresql+psycopg2://', connect_args={{'dsn': {forbidden.dsn!r}}})"
    arrives(env(engine=engine_code))


@pytest.mark.parametrize("driver", first_in_every_run(LIBPQ, 1))
def test_a_creator_is_redirected(arrives: Any, forbidden: Forbidden, driver: str) -> None:
    creator = f"lambda: {driver}.connect({forbidden.dsn!r})"
    engine_code = f"create_engine('postgresql+{driver}://', creator={creator})"
    replay = arrives(env(imports=f"import {driver}", engine=engine_code))
    assert {c.intercepted_by for c in replay.connections} == {"creator"}


def test_a_creator_that_imported_the_private_function_is_redirected(
    arrives: Any, forbidden: Forbidden
) -> None:
    top = f"def create():\n    return connect({forbidden.dsn!r})"
    engine_code = "create_engine('postgresql+psycopg2://', creator=create)"
    arrives(env(imports="from psycopg2 import _connect as connect", top=top, engine=engine_code))


def test_a_creator_with_a_connection_class_of_pg8000_is_redirected(
    arrives: Any, forbidden: Forbidden
) -> None:
    address = f"user={forbidden.server.user!r}, password={forbidden.server.password!r}, port={forbidden.port}"
    creator = f"lambda: pg8000.dbapi.Connection({address}, host='127.0.0.1', database='postgres')"
    engine_code = f"create_engine('postgresql+pg8000://', creator={creator})"
    arrives(env(imports="import pg8000.dbapi", engine=engine_code))


def test_an_asynchronous_creator_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    top = f"async def create():\n    return await asyncpg.connect({forbidden.url()!r})"
    engine_code = "create_async_engine('postgresql+asyncpg://', async_creator=create)"
    arrives(async_env(imports="import asyncpg", top=top, engine=engine_code))


def test_an_engine_with_a_pool_of_its_own_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    top = f"mine = pool.QueuePool(lambda: psycopg2._connect({forbidden.dsn!r}), pool_size=2)"
    arrives(
        env(imports="import psycopg2", top=top, engine="create_engine('postgresql+psycopg2://', pool=mine)")
    )


@pytest.mark.parametrize("target", first_in_every_run(["engine", "Engine"], 1))
def test_a_listener_that_connects_by_itself_is_overruled(
    arrives: Any, forbidden: Forbidden, target: str
) -> None:
    top = f"""
    def make():
        engine = create_engine("postgresql+psycopg2://app@db.invalid/app")

        @event.listens_for({target}, "do_connect", insert=True)
        def connect(dialect, record, arguments, keywords):
            return psycopg2._connect({forbidden.dsn!r})

        return engine
    """
    imports = "import psycopg2\nfrom sqlalchemy.engine import Engine"
    arrives(env(imports=imports, top=top, engine="make()"))


def test_a_listener_that_changes_the_address_is_overruled(arrives: Any, forbidden: Forbidden) -> None:
    top = f"""
    def make():
        engine = create_engine("postgresql+psycopg2://app@db.invalid/app")

        @event.listens_for(engine, "do_connect")
        def address(dialect, record, arguments, keywords):
            keywords.update(host="127.0.0.1", port={forbidden.port})

        return engine
    """
    arrives(env(top=top, engine="make()"))


def test_a_url_in_a_variable_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    engine_code = "create_engine(os.environ['MY_DATABASE'])"
    arrives(env(imports="import os", engine=engine_code), env=(Variable("MY_DATABASE", forbidden.url()),))


def test_a_variable_with_a_usual_name_needs_no_setting(arrives: Any) -> None:
    arrives(env(imports="import os", engine="create_engine(os.environ['DATABASE_URL'])"))


def test_a_url_that_env_py_sets_as_an_option_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    top = f"config.set_main_option('sqlalchemy.url', {forbidden.url()!r})"
    arrives(env(top=top), url=" ")


def test_a_url_in_an_x_argument_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    engine_code = "create_engine(context.get_x_argument(as_dictionary=True)['url'])"
    arrives(env(engine=engine_code), x_arguments=(f"url={forbidden.url()}",))


def test_an_engine_of_the_application_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    files = {"app.py": f"import sqlalchemy\nengine = sqlalchemy.create_engine({forbidden.url()!r})\n"}
    arrives(env(imports="import app", engine="app.engine"), files=files)


def test_an_engine_that_begins_a_transaction_is_redirected(arrives: Any) -> None:
    arrives(env(connect="engine.begin()"))


def test_an_engine_that_commits_each_statement_is_redirected(arrives: Any, forbidden: Forbidden) -> None:
    arrives(env(engine=f"create_engine({forbidden.url()!r}, isolation_level='AUTOCOMMIT')"))


def test_two_connections_reach_the_same_database(arrives: Any) -> None:
    before = "with engine.connect() as other:\n    assert other.execute(text('select 1')).scalar() == 1"
    arrives(env(before=before))


def test_the_url_of_alembics_template_is_replaced(arrives: Any) -> None:
    arrives(env(), url="driver://user:pass@localhost/dbname")


@pytest.mark.parametrize("default", ["sqlite:///app.db", "mysql+pymysql://app@db.invalid/app"])
def test_another_dialect_is_replaced_and_the_report_notes_it(arrives: Any, default: str) -> None:
    replay = arrives(env(), url=default)
    name = default.partition(":")[0].partition("+")[0]
    assert replay.notes[-1:] == (
        f"the project's default database is {name}; it was given PostgreSQL, whose driver is installed",
    )


def test_a_driver_that_is_not_installed_is_replaced_and_the_report_notes_it(arrives: Any) -> None:
    replay = arrives(env(), url="postgresql+psycopg2cffi://app@db.invalid/app")
    assert replay.notes[-1:] == (
        "the project's database URL names the driver psycopg2cffi, which is not installed here: "
        "psycopg2 was used in its place",
    )


@dataclass(frozen=True)
class Refusal:
    """An env.py that cannot be used, and the error that results."""

    env: str
    url: str
    error: type[GateError]
    message: str
    advice: str


SETTING = (
    "The project asks for settings that are not set. No dummy value did for those with `…`. Give them in "
    ".migration-gate.yml, or name an `env_file:`; any value of the right form will do, since every "
    "connection is redirected:\n\n    env:\n      MY_DATABASE: …  # migrations/env.py:9"
)
REFUSALS = {
    "a variable that is not set": Refusal(
        env(imports="import os", engine="create_engine({}[os.environ['MY_DATABASE']])"),
        alembic_projects.URL,
        ProjectNotImported, "env.py failed before the first revision: KeyError: 'MY_DATABASE'", SETTING,
    ),
    "a URL of the old scheme": Refusal(
        env(), "postgres://app@db.invalid/app", Misconfigured,
        "The project's URL begins with `postgres://`, which SQLAlchemy has not known since 1.4.",
        "Write `postgresql://` where the URL is set.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_url_that_cannot_be_used_is_refused_with_advice(
    engine: Engine, forbidden: Forbidden, name: str
) -> None:
    case = REFUSALS[name]
    with pytest.raises(case.error) as caught:
        engine.run(lay(engine.folder(), USERS, case.env, url=case.url))
    assert (caught.value.message, caught.value.advice) == (case.message, case.advice)
    assert Path(caught.value.where.rpartition(":")[0]).name == "env.py"
