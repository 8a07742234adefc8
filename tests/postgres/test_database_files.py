"""A database that is in use is copied with its files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migration_gate.postgres import database_files
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow


@pytest.fixture
def source(engine: Engine) -> Iterator[str]:
    """A database with a bit of everything."""
    name = engine.server.create_database()
    role = f"{name}_owner"
    with engine.server.connect(name) as connection:
        connection.execute(
            f"""
            create role {role};
            create table item (id serial primary key, name text);
            insert into item (name) select repeat('x', 5000) from generate_series(1, 50);
            create unlogged table quick as select 1 as id;
            create table owned (id int);
            alter table owned owner to {role};
            create function twice(n int) returns int language sql as 'select 2 * n';
            create materialized view names as select name from item;
            """.encode()
        )
    yield name
    engine.drop(name)


def count_rows(connection: psycopg.Connection[Any], table: str) -> int:
    """How many the table has."""
    ((count,),) = connection.execute(f"select count(*) from {table}".encode()).fetchall()
    return int(count)


def test_the_copy_has_everything_and_is_one_of_its_own(engine: Engine, source: str) -> None:
    copy = f"{source}_copy"
    with engine.server.connect(source) as staying:
        staying.execute("begin; select count(*) from item")
        assert engine.server.copy_resting_database(source, copy) == ""
        staying.execute("commit; drop table quick")
        with engine.server.connect(copy) as connection:
            counts = [count_rows(connection, table) for table in ("item", "quick", "names")]
            assert counts == [50, 1, 50]
            assert connection.execute("select twice(2)").fetchone() == (4,)
            connection.execute("insert into item (name) values ('y')")
            connection.execute(f"drop owned by {source}_owner".encode())
            assert connection.execute("select to_regclass('owned')").fetchone() == (None,)
        assert [count_rows(staying, table) for table in ("item", "owned")] == [50, 0]
    engine.drop(copy)


def test_what_is_not_committed_is_in_the_way(engine: Engine, source: str) -> None:
    with engine.server.connect(source) as writing:
        writing.execute("begin; delete from item")
        assert "not committed" in engine.server.copy_resting_database(source, f"{source}_copy")


def test_a_program_that_fails_leaves_no_database(
    engine: Engine, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_files, "COPY_FOLDER", "cd base && cp -R {old} {new}/none/none")
    assert "could not be copied" in engine.server.copy_resting_database(source, f"{source}_copy")
    with pytest.raises(psycopg.OperationalError):
        engine.server.connect(f"{source}_copy")


def test_a_program_that_ends_at_once_is_no_error(
    engine: Engine, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_files, "COPY_FOLDER", "true")  # it does not wait for what is written to it
    copy = f"{source}_copy"
    for _ in range(50):
        assert engine.server.copy_resting_database(source, copy) == ""
    engine.drop(copy)
