"""The session that is left to the next step, as the steps between may find it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from migration_gate.catalog.catalog_rows import read_catalog_rows
from migration_gate.catalog.snapshot_reader import parse_catalog_rows
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.kept_session import KeptSession
from migration_gate.postgres.server import Server
from migration_gate.replay.history_end import read_catalog_for_fixes

pytestmark = pytest.mark.slow

END_OTHERS = """select pg_terminate_backend(pid, 10000) from pg_stat_activity
where pid <> pg_backend_pid() and backend_type = 'client backend'"""
GENERIC_PLANS = "select generic_plans from pg_prepared_statements where name = 'migration_gate_catalog'"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("kept")
    with start_server("auto", folder=folder) as started:
        yield started


def backend(server: Server, database: str) -> tuple[int, bool]:
    """The process of the session that the next step has, and whether it has planned the query."""
    with server.connect_again(database) as connection:
        row = connection.execute(b"select pg_backend_pid()").fetchone()
        assert row is not None
        assert isinstance(row[0], int)
        return row[0], connection.execute(GENERIC_PLANS).fetchone() is not None


def test_the_next_step_has_the_session_with_its_plan_once(server: Server) -> None:
    database = server.create_database()
    read_catalog_for_fixes(server, database)
    first, is_planned = backend(server, database)
    assert is_planned
    second, is_planned = backend(server, database)
    assert not is_planned
    assert second != first


def test_a_session_of_another_database_is_not_taken(server: Server) -> None:
    database, other = server.create_database(), server.create_database()
    read_catalog_for_fixes(server, database)
    assert not backend(server, other)[1]
    assert backend(server, database)[1]


@pytest.mark.parametrize(
    "way", ["a copy of what is in use", "a copy of what is not", "a session that was ended"]
)
def test_what_ends_the_session_leads_to_a_new_one(server: Server, way: str) -> None:
    database = server.create_database()
    read_catalog_for_fixes(server, database)
    if way == "a copy of what is in use":
        server.copy_used_database(database, f"{database}_copy")
    elif way == "a copy of what is not":
        server.create_database(template=database)
    else:
        with server.connect() as connection:
            connection.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = %s", [database]
            )
    assert not backend(server, database)[1]


class Session:
    """What is known of a connection."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True


def test_what_a_thread_leaves_when_all_have_ended_is_closed() -> None:
    kept = KeptSession()
    first, second = Session(), Session()
    kept.keep("shop", cast("Any", first))
    kept.end()
    kept.keep("shop", cast("Any", second))
    assert (first.is_closed, second.is_closed) == (True, True)
    assert kept.take("shop") is None


def test_databases_are_made_in_one_session(server: Server) -> None:
    first = server.create_database()
    with server.connect() as connection:
        sessions = "select array_agg(pid) from pg_stat_activity where query like 'COMMENT ON DATABASE%'"
        before = connection.execute(sessions).fetchone()
        server.copy_used_database(first, f"{first}_copy")
        assert connection.execute(sessions).fetchone() == before
        connection.execute(END_OTHERS)
        server.copy_used_database(first, f"{first}_copy")
        assert connection.execute(sessions).fetchone() not in (before, (None,))


def test_no_session_outlives_the_run(tmp_path: Path) -> None:
    with start_server("auto", folder=tmp_path) as server:
        read_catalog_for_fixes(server, server.database)
        kept = server.kept_session.take(server.database)
        assert kept is not None
        server.kept_session.keep(server.database, kept)
    assert kept.closed


def test_the_plan_outlives_what_is_rolled_back_and_sees_what_was_done(server: Server) -> None:
    database = server.create_database()
    with server.connect(database) as connection:
        for number in range(1, 4):
            with connection.transaction(force_rollback=True):
                connection.execute(f"create table t{number} (id int)".encode())
                connection.execute(f"alter table t{number} add name text".encode())
                snapshot = parse_catalog_rows(read_catalog_rows(connection))
                assert [(table.name, len(snapshot.columns)) for table in snapshot.tables] == [
                    (f"t{number}", 2)
                ]
        assert parse_catalog_rows(read_catalog_rows(connection)).tables == ()
        assert connection.execute(GENERIC_PLANS).fetchone() == (4,)
