"""`migration-gate sizes`: what it reads of a live database, what it refuses, and no password is shown."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from migration_gate.config.sizes_file import parse_sizes
from migration_gate.corrections.sizes_command import hide_secrets, parse_database_url
from migration_gate.errors import Misconfigured
from migration_gate.postgres.server import Server
from tests.support.replay_engine import Engine
from tests.test_cli import run

SECRET = "s3cr3t-pass"
SCHEMA = """
CREATE SCHEMA sales;
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
INSERT INTO orders SELECT n, repeat('x', 100) FROM generate_series(1, 5000) n;
CREATE TABLE sales."Big One" (id int);
INSERT INTO sales."Big One" SELECT generate_series(1, 10);
CREATE TABLE empty (id int);
CREATE TABLE fresh (id int);
INSERT INTO fresh VALUES (1);
CREATE TABLE days (day date NOT NULL, note text) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-07-01')
    PARTITION BY RANGE (day);
CREATE TABLE days_1a PARTITION OF days_1 FOR VALUES FROM ('2026-01-01') TO ('2026-04-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
CREATE TABLE days_3 PARTITION OF days FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
INSERT INTO days SELECT '2026-02-01', 'a' FROM generate_series(1, 300);
INSERT INTO days SELECT '2026-08-01', 'a' FROM generate_series(1, 200);
CREATE TABLE logs (day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO logs VALUES ('2026-02-01');
CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM orders;
CREATE UNLOGGED TABLE scratch (id int);
"""
ANALYZED = ("orders", 'sales."Big One"', "empty", "days_1a", "days_2", "totals", "scratch")


def make_url(server: Server, database: str, user: str = "", password: str = "") -> str:
    name, secret = quote(user or server.user), quote(password or server.password, safe="")
    return (
        f"postgresql://{name}:{secret}@/{database}?host={quote(server.socket_directory)}&port={server.port}"
    )


@pytest.fixture
def live(engine: Engine) -> Iterator[str]:
    """A database with tables, of which most have statistics."""
    name = engine.server.create_database()
    try:
        with engine.server.connect(name) as connection:
            connection.execute(SCHEMA.encode())
            for table in ANALYZED:
                connection.execute(f"VACUUM ANALYZE {table}".encode())
            connection.execute(
                "SELECT pg_stat_force_next_flush()" if engine.server.version >= 150000 else "SELECT 1"
            )
        yield name
    finally:
        engine.drop(name)


@pytest.mark.slow
def test_each_table_has_a_line_and_a_partitioned_one_the_sum(
    engine: Engine, live: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "live.sizes"
    url = make_url(engine.server, live)
    status, out, _ = run(capsys, "sizes", "--database", url, "--output", str(file))
    assert status == 0
    assert out.startswith(f"{file}: 13 tables\n4 tables of them are unknown: VACUUM ANALYZE")
    assert engine.server.password not in out
    read = parse_sizes(file.read_text(), "live.sizes")
    rows = {f"{table.schema}.{table.name}": table.size and table.size.rows for table in read.tables}
    assert rows == {
        "public.days": 500, "public.days_1": 300, "public.days_1a": 300, "public.days_2": 200,
        "public.days_3": None,  # never analyzed; as nothing was ever written, it counts for nothing above
        "public.empty": 0, "public.fresh": None, "public.logs": None, "public.logs_1": None,
        "public.orders": 5000, "public.scratch": 0, "public.totals": 1, "sales.Big One": 10,
    }  # fmt: skip
    with engine.server.connect(live) as connection:
        (size,) = connection.execute("SELECT pg_table_size('orders')").fetchone() or (0,)
        (main,) = connection.execute("SELECT pg_relation_size('orders')").fetchone() or (0,)
    written = next(table.size for table in read.tables if table.name == "orders")
    assert written is not None
    assert written.bytes is not None
    assert int(str(main)) <= written.bytes <= int(str(size)) * 1.1


@pytest.mark.slow
def test_tables_that_others_have_locked_or_forbid_are_no_obstacle(
    engine: Engine, live: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing but the system's own catalogs is read: a user without any right on the tables may do so."""
    role = f"reader_{live[-8:]}"
    with engine.server.connect(live) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'".encode())
        try:
            with engine.server.connect(live) as holder, holder.transaction():
                holder.execute("LOCK TABLE orders, days, fresh IN ACCESS EXCLUSIVE MODE")
                url = make_url(engine.server, live, role, SECRET)
                status, out, err = run(capsys, "sizes", "--database", url, "--output", "-")
            assert (status, err) == (0, "")
            assert "public.orders: 5 thousand rows, " in out
        finally:
            admin.execute(f"DROP ROLE {role}".encode())


@pytest.mark.slow
def test_a_database_may_have_no_encoding_and_another_search_path(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"unencoded_{secrets.token_hex(4)}"
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    with engine.server.connect("postgres") as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0".encode())
        admin.execute(f"ALTER DATABASE {name} SET search_path = public, pg_catalog".encode())
    try:
        with engine.server.connect(name) as connection:
            connection.execute("SET client_encoding = 'SQL_ASCII'")
            connection.execute("CREATE TABLE orders (id int); ANALYZE orders")
            connection.execute('CREATE TABLE "caf\xe9" (id int)'.encode("latin-1"))
            connection.execute("CREATE VIEW public.pg_class AS SELECT * FROM pg_catalog.pg_class LIMIT 0")
        status, out, err = run(capsys, "sizes", "--database", make_url(engine.server, name), "--output", "-")
    finally:
        engine.drop(name)
    assert (status, err) == (0, "")
    assert out.splitlines()[2:] == ["public.orders: 0 rows, 0 B"]


@pytest.mark.slow
def test_what_cannot_be_read_is_said_without_the_password(
    engine: Engine, live: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kept.sizes"
    file.write_text("as it was")
    empty = engine.server.create_database()
    role = f"nobody_{live[-8:]}"
    try:
        with engine.server.connect(live) as admin:
            admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'".encode())
            admin.execute("REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC")
        for url, words in (
            (make_url(engine.server, live, role, f"{SECRET}-not"), "cannot be connected to"),
            (make_url(engine.server, f"{live}_not", role, SECRET), "cannot be connected to"),
            (make_url(engine.server, live, role, SECRET), "permission denied for table pg_class"),
            (make_url(engine.server, empty), "has no tables"),
        ):
            status, out, err = run(capsys, "sizes", "--database", url, "--output", str(file))
            assert status == 2
            assert words in " ".join(err.split())
            assert SECRET not in out + err
    finally:
        with engine.server.connect(live) as admin:
            admin.execute(f"DROP ROLE {role}".encode())
        engine.drop(empty)
    assert file.read_text() == "as it was"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"mysql://u:{SECRET}@h/d", "is no URL of a Postgres database"),
        (f"host=h password={SECRET}", "is no URL of a Postgres database"),
        (SECRET, "is no URL of a Postgres database"),
        (f"postgresql://u:{SECRET}/x@h/d", "special letter"),
        (f"postgresql://u:{SECRET}@x@h/d", "special letter"),
        (f"postgresql://u:{SECRET}#x@h/d", "special letter"),
        (f"postgresql://u:{SECRET}?x@h/d", "special letter"),
        (f"postgresql://u@h/d?password={SECRET}%00", "special letter"),
        (f"postgresql://{SECRET}%zz@h/d", "special letter"),
        (f"postgresql://{SECRET} x@h/d", "special letter"),
        (f"postgresql://u:{SECRET}@h:{SECRET}/d", "is no URL of a Postgres database"),
        (f"postgresql://u:{SECRET}@[h/d", "is no URL of a Postgres database"),
        (f"postgresql://u:{SECRET}@h", "names no database"),
        (f"postgresql://u:{SECRET}@h1,h2/d", "has to name one host"),
    ],
)
def test_what_is_no_url_is_refused_and_not_repeated(
    url: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, "sizes", "--database", url)
    assert status == 2
    assert words in " ".join(err.split())
    assert SECRET not in out + err


def test_one_database_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        ((), "No live database is named"),
        (("--database", "postgresql://h/a", "--database", "postgresql://h/b"), "names 2 databases"),
    ):
        status, _, err = run(capsys, "sizes", *arguments)
        assert status == 2
        assert words in err


def test_a_url_is_taken_as_sqlalchemy_writes_it_too() -> None:
    assert parse_database_url("postgresql+psycopg2://u:p%40@h:6432/d") == "postgresql://u:p%40@h:6432/d"
    socket = "postgresql:///d?host=/run/postgresql&port=5433"
    assert parse_database_url(socket) == socket
    with pytest.raises(Misconfigured):
        parse_database_url("")


def test_a_password_is_hidden_in_whichever_form_it_appears() -> None:
    url = "postgresql://u:p%40ss@h/d?sslpassword=other&pass%77ord=a+b%2F"
    assert hide_secrets("p@ss p%40ss other a+b%2F a+b/", url) == "*** *** *** *** ***"
