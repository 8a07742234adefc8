"""One server for the projects of a run, until one of them changes what all databases see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate.errors import ProjectNotImported, SeveralDatabases
from migration_gate.postgres.binaries import find_installations
from migration_gate.postgres.choice import plan_server, start_server
from migration_gate.postgres.cluster_state import read_cluster_state
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.server import Server
from migration_gate.postgres.shared_servers import SharedServers
from tests.support.user_project import World, project, revision

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not find_installations().installations, reason="no Postgres server is installed"),
]
CHANGES = {
    "a role": ("create role app", "drop role app"),
    "a right of a role": (
        "alter role postgres connection limit 9",
        "alter role postgres connection limit -1",
    ),
    "a member": ("grant pg_monitor to pg_signal_backend", "revoke pg_monitor from pg_signal_backend"),
    "a setting of all roles": ("alter role all set search_path = app", "alter role all reset search_path"),
    "a setting of the server": ("alter system set work_mem = '8MB'", "alter system reset work_mem"),
    "another database": ("create database shop", "drop database shop"),
    "a right on a database": (
        "grant create on database postgres to pg_monitor",
        "revoke create on database postgres from pg_monitor",
    ),
    "a comment": ("comment on role postgres is 'app'", "comment on role postgres is null"),
    "a replication origin": (
        "select pg_replication_origin_create('app')",
        "select pg_replication_origin_drop('app')",
    ),
    "a tablespace": (
        "set allow_in_place_tablespaces = on; create tablespace app location ''",
        "drop tablespace app",
    ),
}
TEMPLATE_CHANGES = {
    "a table": ("create table app (id int)", "drop table app"),
    "a function": ("create function app() returns int language sql as 'select 1'", "drop function app()"),
    "a schema": ("create schema app", "drop schema app"),
    "a right": (
        "grant create on schema public to pg_monitor",
        "revoke create on schema public from pg_monitor",
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with temporary_run_directory() as folder, start_server("local", folder=folder) as running:
        yield running


def run_in(server: Server, database: str, statements: str) -> None:
    with server.connect(database) as connection:
        for statement in statements.split("; "):
            connection.execute(statement.encode())


@pytest.mark.parametrize("name", CHANGES)
def test_what_all_databases_see_is_part_of_the_state(server: Server, name: str) -> None:
    if name == "a tablespace" and server.version < 150000:
        pytest.skip("a tablespace needs a folder of its own before PostgreSQL 15")
    change, reversal = CHANGES[name]
    before = read_cluster_state(server)
    run_in(server, "postgres", change)
    changed = read_cluster_state(server)
    run_in(server, "postgres", reversal)
    assert changed.shared != before.shared
    assert changed.template == before.template


@pytest.mark.parametrize("name", TEMPLATE_CHANGES)
def test_what_new_databases_are_copies_of_is_part_of_the_state(server: Server, name: str) -> None:
    change, reversal = TEMPLATE_CHANGES[name]
    before = read_cluster_state(server)
    run_in(server, "template1", change)
    changed = read_cluster_state(server)
    run_in(server, "template1", reversal)
    assert changed.template != before.template
    assert changed.shared == before.shared


def test_what_a_project_does_in_databases_of_its_own_changes_nothing(server: Server) -> None:
    before = read_cluster_state(server)
    database = server.create_database()
    run_in(server, database, "create table app (id int); create extension pgcrypto; create schema app")
    run_in(server, database, "create role app; drop role app")
    run_in(server, database, f"alter database {database} set search_path = app")
    assert read_cluster_state(server) == before


def test_the_next_project_gets_the_same_server_without_the_databases_of_the_first(run_folder: Path) -> None:
    with SharedServers(serves_several=True) as servers:
        with servers.lend_server(plan_server("local"), folder=run_folder) as first:
            first_database = first.create_database()
            first.create_database()
            left_open = first.connect(first_database)
        with servers.lend_server(plan_server("local"), folder=run_folder) as second:
            left_open.close()
            assert second is first
            with second.connect() as connection:
                databases = connection.execute("select datname from pg_database order by 1").fetchall()
            assert databases == [("postgres",), ("template0",), ("template1",)]
        with pytest.raises(SeveralDatabases), servers.lend_server(plan_server("local"), folder=run_folder):
            raise SeveralDatabases((), ())
        with servers.lend_server(plan_server("local"), folder=run_folder) as third:
            assert third is first
            run_in(third, "postgres", "alter role postgres password 'another'")
        with servers.lend_server(plan_server("local"), folder=run_folder) as fourth:
            assert fourth.token != first.token
    assert not Path(first.socket_directory).exists()
    assert not Path(fourth.socket_directory).exists()


def test_a_project_that_ends_with_an_error_stops_its_server(run_folder: Path) -> None:
    with SharedServers(serves_several=True) as servers:
        with (
            pytest.raises(ProjectNotImported),
            servers.lend_server(plan_server("local"), folder=run_folder) as first,
        ):
            raise ProjectNotImported("no")
        assert not Path(first.socket_directory).exists()
        with servers.lend_server(plan_server("local"), folder=run_folder) as second:
            assert second.token != first.token


def test_the_databases_of_one_project_share_a_server(run_folder: Path) -> None:
    with SharedServers(serves_several=False) as servers:
        with (
            pytest.raises(SeveralDatabases),
            servers.lend_server(plan_server("local"), folder=run_folder) as first,
        ):
            raise SeveralDatabases((), ())
        assert not Path(first.socket_directory).exists()
        with servers.lend_server(plan_server("local"), folder=run_folder) as second:
            pass
        with servers.lend_server(plan_server("local"), folder=run_folder) as third:
            assert third is second


def test_two_projects_may_create_the_same_role(here: World) -> None:
    creates_role = project(one_py=revision("one", None, 'op.execute("CREATE ROLE app")'), two_py=None)
    models = "from sqlalchemy.orm import declarative_base\n\nBase = declarative_base()\n"
    files: dict[str, str | bytes] = {
        f"{name}/{path}": text
        for name in ("api", "billing")
        for path, text in {**creates_role, "shop/models.py": models}.items()
    }
    files[".migration-gate.yml"] = (
        "projects: {api: {path: api}, billing: {path: billing}}\n"
        "checks: {missing-models: off, unchecked: off}\n"
    )
    here.lay(files)
    ran = here.check()
    assert "already exists" not in ran.said
    assert ran.status == 0, ran.said
