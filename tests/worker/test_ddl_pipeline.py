"""DDL in the driver's pipeline: what is sent, where the pipeline ends, and what Postgres refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from migration_gate.worker.ddl_pipeline import pipelined_ddl
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow


@pytest.fixture(params=["psycopg", "psycopg2"])
def connection(engine: Engine, request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    server = engine.server
    url = sa.URL.create(
        f"postgresql+{request.param}",
        server.user,
        server.password,
        database=server.create_database(),
        query={"host": server.socket_directory, "port": str(server.port)},
    )
    with sa.create_engine(url, poolclass=NullPool).begin() as connection:
        yield connection


def build_models() -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table(
        "a",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("k", sa.Enum("x", name="kind")),
    )
    sa.Table("b", metadata, sa.Column("a_id", sa.ForeignKey("a.id"), index=True, comment="of a"))
    return metadata


def is_pipelined(connection: sa.Connection) -> bool:
    driver: Any = connection.connection.dbapi_connection
    return hasattr(driver, "pgconn") and bool(driver.pgconn.pipeline_status)


def test_the_models_are_created(connection: sa.Connection) -> None:
    with pipelined_ddl(connection):
        assert is_pipelined(connection) == (connection.dialect.driver == "psycopg")
        build_models().create_all(connection, checkfirst=False)
    assert not is_pipelined(connection)
    assert set(sa.inspect(connection).get_table_names()) == {"a", "b"}
    assert sa.inspect(connection).get_indexes("b")


def test_the_pipeline_ends_where_an_answer_is_read(connection: sa.Connection) -> None:
    metadata = build_models()
    names: list[Any] = []

    def read_name(_target: Any, connection: sa.Connection, **_keywords: Any) -> None:
        names.append(connection.execute(sa.text("select to_regclass('a')::text")).scalar())
        assert not is_pipelined(connection)

    sa.event.listen(metadata.tables["a"], "after_create", read_name)
    with pipelined_ddl(connection):
        metadata.create_all(connection, checkfirst=False)
    assert names == ["a"]
    assert set(sa.inspect(connection).get_table_names()) == {"a", "b"}


def test_what_postgres_refuses_is_raised_and_can_be_undone(connection: sa.Connection) -> None:
    metadata = build_models()
    sa.Table("c", metadata, sa.Column("id", sa.Integer, server_default=sa.text("nothing()")))
    with pytest.raises(Exception, match="nothing"), connection.begin_nested(), pipelined_ddl(connection):
        metadata.create_all(connection, checkfirst=False)
    build_models().create_all(connection)
    assert set(sa.inspect(connection).get_table_names()) == {"a", "b"}
