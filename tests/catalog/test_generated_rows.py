"""Rows are made for every table whose rules allow any, the same ones in each run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migration_gate.catalog.generated_rows import fill_database
from migration_gate.catalog.row_source import FilledTable, RowVariety
from migration_gate.catalog.snapshot_reader import read_snapshot
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow


@pytest.fixture
def connection(shared_engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """A new database."""
    database = shared_engine.server.create_database()
    with shared_engine.server.connect(database) as connection:
        yield connection
    shared_engine.drop(database)


def fill(
    connection: psycopg.Connection[Any], *statements: str, others: RowVariety = RowVariety.EXTREME
) -> dict[str, FilledTable]:
    """The tables of a database of these statements, filled, by their names."""
    connection.execute(";\n".join(statements).encode())
    snapshot = read_snapshot(connection, ())
    connection.autocommit = False
    filled = fill_database(connection, snapshot, others=others)
    connection.autocommit = True
    return {table.name: table for table in filled}


def read_values(connection: psycopg.Connection[Any], query: str) -> list[Any]:
    """The first column."""
    return [row[0] for row in connection.execute(query.encode()).fetchall()]


SHOP = (
    "CREATE TYPE state AS ENUM ('new', 'paid', 'sent')",
    "CREATE TABLE users (id serial PRIMARY KEY, email varchar(40) NOT NULL UNIQUE, name text, born date)",
    """CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_id int NOT NULL REFERENCES users, gift_for int REFERENCES users, state state NOT NULL,
        amount numeric(8, 2) NOT NULL CHECK (amount >= 0), doubled numeric GENERATED ALWAYS AS (amount * 2)
        STORED, extra jsonb)""",
)


def test_a_table_gets_about_twenty_rows_with_the_edges_that_break_migrations(
    connection: psycopg.Connection[Any],
) -> None:
    filled = fill(connection, *SHOP)
    assert 18 <= filled["users"].rows <= 21
    assert 18 <= filled["orders"].rows <= 21
    emails = read_values(connection, "select email from users")
    assert "" in emails
    assert sum(len(email) == 40 for email in emails) == 2
    names = read_values(connection, "select name from users")
    assert None in names
    assert len(set(names)) < len(names)
    born = read_values(connection, "select born::text from users")
    assert {"infinity", "-infinity", None} <= set(born)
    assert set(read_values(connection, "select state::text from orders")) == {"new", "paid", "sent"}
    assert None in read_values(connection, "select gift_for from orders")
    assert None in read_values(connection, "select extra from orders")
    assert "null" in read_values(connection, "select extra::text from orders")
    assert 0 in read_values(connection, "select amount from orders")


@pytest.mark.parametrize(
    ("type_text", "cut"),
    [
        ("bytea", "substring(a from 1 for 20)"),
        ("bit varying", "a::bit varying(8)"),
        ("bit varying(16)", "a::bit varying(15)"),
        ("bit(80)", "a::bit(79)"),
        ("interval", "a::interval(0)"),
        ("interval", "a::interval hour to minute"),
        ("inet", "network(a)"),
        ("int[]", "a[1:1]"),
    ],
)
def test_two_values_are_alike_where_one_is_cut(
    connection: psycopg.Connection[Any], type_text: str, cut: str
) -> None:
    fill(connection, f"CREATE TABLE t (id serial PRIMARY KEY, a {type_text})")
    merged = f"select ({cut})::text from t where a is not null group by 1 having count(distinct a::text) > 1"
    assert read_values(connection, merged)


def test_each_run_makes_the_same_rows(connection: psycopg.Connection[Any], shared_engine: Engine) -> None:
    fill(connection, *SHOP)
    rows = (
        "select u::text || coalesce(o::text, '') from users u left join orders o on user_id = u.id order by 1"
    )
    first = read_values(connection, rows)
    database = shared_engine.server.create_database()
    with shared_engine.server.connect(database) as second:
        fill(second, *SHOP)
        assert read_values(second, rows) == first
    shared_engine.drop(database)


def test_plain_rows_have_a_value_in_every_column(connection: psycopg.Connection[Any]) -> None:
    filled = fill(connection, *SHOP, others=RowVariety.PLAIN)
    assert filled["users"].rows == 8
    assert read_values(connection, "select count(*) from users where name is null or born is null") == [0]


def test_keys_are_those_of_an_application(connection: psycopg.Connection[Any]) -> None:
    fill(
        connection,
        "CREATE TABLE users (id uuid PRIMARY KEY)",
        "CREATE TABLE orders (id uuid PRIMARY KEY, user_id uuid NOT NULL)",
        "CREATE TABLE mails (id uuid PRIMARY KEY, sender uuid REFERENCES users, "
        "receiver uuid REFERENCES users)",
        others=RowVariety.PLAIN,
    )
    assert read_values(connection, "select count(*) from users join orders using (id)") == [0]
    assert read_values(connection, "select count(*) from users u join orders on user_id = u.id") == [8]
    assert read_values(connection, "select count(*) from mails where sender = receiver") == [2]


@pytest.mark.parametrize(
    ("rule", "count"),
    [("", 2), ("NOT NULL", 4), ("UNIQUE", 1), ("UNIQUE (user_id, kind)", 2), ("PRIMARY KEY", 1)],
)
def test_some_rows_have_the_same_parent_where_no_rule_forbids_that(
    connection: psycopg.Connection[Any], rule: str, count: int
) -> None:
    column_rule, table_rule = (rule, "") if "(" not in rule else ("", f", {rule}")
    filled = fill(
        connection,
        "CREATE TABLE users (id serial PRIMARY KEY, name text)",
        f"CREATE TABLE orders (user_id int REFERENCES users {column_rule}, kind text NOT NULL {table_rule})",
    )
    assert filled["orders"].rows >= 17
    most = "select max(n) from (select count(*) n from orders where user_id is not null group by user_id) t"
    assert read_values(connection, most) == [count]


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE t (a int, b int, CHECK ((a IS NULL) <> (b IS NULL)))"],
        ["CREATE TABLE t (a text CHECK (a ~ '^[a-z]+@[a-z]+[.]com$'))"],
        ["CREATE TABLE t (a text NOT NULL CHECK (a IN ('x', 'y')), b int CHECK (b BETWEEN 1 AND 5))"],
        ["CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%')", "CREATE TABLE t (a email NOT NULL)"],
        ["CREATE TABLE t (id serial PRIMARY KEY, parent_id int REFERENCES t, name text NOT NULL)"],
        ["CREATE TABLE t (id int PRIMARY KEY, parent_id int NOT NULL REFERENCES t)"],
        [
            "CREATE TABLE t (id serial PRIMARY KEY, u_id int)",
            "CREATE TABLE u (id serial PRIMARY KEY, t_id int NOT NULL REFERENCES t)",
            "ALTER TABLE t ADD FOREIGN KEY (u_id) REFERENCES u",
        ],
        [
            "CREATE TABLE t (id int PRIMARY KEY, u_id int NOT NULL)",
            "CREATE TABLE u (id int PRIMARY KEY, t_id int NOT NULL REFERENCES t DEFERRABLE)",
            "ALTER TABLE t ADD FOREIGN KEY (u_id) REFERENCES u DEFERRABLE INITIALLY DEFERRED",
        ],
        [
            "CREATE TABLE t (id int, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
            "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2031-01-01') TO ('2032-01-01')",
        ],
        [
            "CREATE TABLE t (id int, kind text NOT NULL) PARTITION BY LIST (kind)",
            "CREATE TABLE t_1 PARTITION OF t FOR VALUES IN ('a', 'b')",
        ],
        ["CREATE TABLE t (id int, during int4range, EXCLUDE USING gist (during WITH &&))"],
        [
            "CREATE TABLE u (tenant int, id int, PRIMARY KEY (tenant, id))",
            "CREATE TABLE t (tenant int, a int, b int, FOREIGN KEY (tenant, a) REFERENCES u, "
            "FOREIGN KEY (tenant, b) REFERENCES u)",
        ],
        ['CREATE TABLE t ("Odd name" int[] NOT NULL, "a""b" uuid UNIQUE, c bytea, d inet, e interval)'],
        ["CREATE TABLE t ()"],
        [
            "CREATE TABLE t (id int PRIMARY KEY)",
            "INSERT INTO t SELECT 1200 * i FROM generate_series(1, 30) i",
        ],
        ["CREATE TABLE t (id serial PRIMARY KEY)", "INSERT INTO t SELECT i FROM generate_series(1, 5) i"],
    ],
)
def test_rules_are_kept(connection: psycopg.Connection[Any], statements: list[str]) -> None:
    filled = fill(connection, *statements)
    assert filled["t"].rows >= 1, filled["t"].refusal


@pytest.mark.parametrize(
    "rule",
    [
        "text UNIQUE CHECK (value ~* '^[^@ ]+@[a-z.]+$')",
        "email PRIMARY KEY",
        "varchar(20) NOT NULL UNIQUE CHECK (value ~ '^[a-z][a-z0-9_]{2,19}$')",
        "char(3) UNIQUE CHECK (value ~ '^[A-Z]{3}$')",
        "text UNIQUE CHECK (value LIKE 'https://%')",
        "text UNIQUE CHECK (value ~ '^[0-9a-f]{32}$')",
        "text UNIQUE CHECK (value = upper(value) AND length(value) BETWEEN 2 AND 10)",
        "text UNIQUE CHECK (value ~ '^[a-z]+(-[a-z]+)*$')",
    ],
)
def test_a_unique_text_with_a_rule_is_another_one_in_each_row(
    connection: psycopg.Connection[Any], rule: str
) -> None:
    domain = "CREATE DOMAIN email AS varchar(80) CHECK (VALUE ~ '@')"
    filled = fill(connection, domain, f"CREATE TABLE item (value {rule}, note text)")
    assert filled["item"].rows >= 15


def test_the_default_partition_gets_rows_too(connection: psycopg.Connection[Any]) -> None:
    fill(
        connection,
        "CREATE TABLE event (kind text, note text) PARTITION BY LIST (kind)",
        "CREATE TABLE event_a PARTITION OF event FOR VALUES IN ('a', 'b')",
        "CREATE TABLE event_rest PARTITION OF event DEFAULT",
        "CREATE TABLE sale (day date, note text) PARTITION BY RANGE (day)",
        "CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
        "CREATE TABLE sale_rest PARTITION OF sale DEFAULT",
    )
    for table in ("event_a", "event_rest", "sale_1", "sale_rest"):
        assert read_values(connection, f"select count(*) from {table}")[0] >= 5


def test_a_row_that_a_domain_refuses_is_plain_in_its_column_alone(
    connection: psycopg.Connection[Any],
) -> None:
    fill(
        connection,
        "CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%')",
        "CREATE TABLE item (mail email NOT NULL UNIQUE, langs text[], lasts interval, ip inet, name text)",
    )
    assert len(read_values(connection, "select mail from item where name is null")) >= 2
    assert ["text 1", "text 2"] in read_values(connection, "select langs from item")
    assert len(set(read_values(connection, "select lasts from item where lasts < '2 days'"))) >= 3
    assert read_values(connection, "select ip::text from item where masklen(ip) = 24")


def test_a_table_without_rows_names_what_refused_them(connection: psycopg.Connection[Any]) -> None:
    filled = fill(connection, "CREATE TABLE t (a int, CONSTRAINT never CHECK (a > 5 AND a < 5))")
    if filled["t"].rows == 0:
        assert "never" in filled["t"].refusal


def test_a_deferred_rule_that_refuses_rows_is_named(connection: psycopg.Connection[Any]) -> None:
    filled = fill(
        connection,
        "CREATE TABLE t (a int)",
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never' USING "
        "SCHEMA = 'public', TABLE = 't'; END $$",
        "CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
        "EXECUTE FUNCTION no()",
    )
    assert (filled["t"].rows, filled["t"].refusal) == (0, "never")
