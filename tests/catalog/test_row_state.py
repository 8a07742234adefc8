"""What a revision has touched is read again, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migration_gate.catalog.row_state import RowState, read_row_state
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow

TABLES = """
create type kind as enum ('a', 'b');
create table item (id int primary key, kind kind);
insert into item values (1, 'a'), (2, 'b');
create table other (id int primary key);
insert into other values (1);
create table parent (id int);
create table child () inherits (parent);
insert into child values (1);
create table part (id int) partition by list (id);
create table part_1 partition of part for values in (1);
insert into part values (1);
"""


@pytest.fixture
def connection(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """To a database with the tables."""
    name = engine.server.create_database()
    with engine.server.connect(name) as opened:
        opened.execute(TABLES.encode())
        yield opened
    engine.drop(name)


def name_read(before: RowState, after: RowState) -> set[str]:
    """The tables of `after` that were read anew."""
    return {table.name for oid, table in after.tables.items() if table is not before.tables.get(oid)}


@pytest.mark.parametrize(
    ("command", "touched"),
    [
        ("select 1", set()),
        ("update item set kind = 'b' where id = 1", {"item"}),
        ("delete from item where id = 1; insert into item values (1, 'a')", {"item"}),
        ("delete from item where id = 1", {"item"}),
        ("alter table item add note text default 'x'", {"item"}),
        ("alter table item rename kind to sort", {"item"}),
        ("alter table other rename to another", {"another"}),
        ("alter type kind rename value 'a' to 'z'", {"item", "other", "child", "part_1"}),
        ("begin; delete from item; rollback", set()),
        ("insert into child values (2)", {"child"}),
    ],
)
def test_only_what_was_touched_is_read_again(
    connection: psycopg.Connection[Any], command: str, touched: set[str]
) -> None:
    before = read_row_state(connection)
    connection.execute(command.encode())
    after = read_row_state(connection, before)
    # The rows of these two may be those of other tables.
    assert name_read(before, after) == touched | {"parent", "part"}
    assert after.tables == read_row_state(connection).tables


def test_a_column_may_have_the_name_that_a_query_gives_its_table(connection: psycopg.Connection[Any]) -> None:
    connection.execute("create table odd (id int primary key, t text); insert into odd values (1, 'x')")
    tables = {table.name: table for table in read_row_state(connection).tables.values()}
    assert tables["odd"].rows == ({"id": 1, "t": "x"},)
