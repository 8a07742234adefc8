"""CREATE TABLE, CREATE INDEX and the end of a transaction, read from the text of a statement."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration_gate.analysis.ddl_text import CreateIndex, CreateTable, find_transaction_end, parse_creations


def test_the_columns_of_a_table_are_read_without_its_constraints() -> None:
    sql = """
    CREATE UNLOGGED TABLE IF NOT EXISTS App."Users" (
        id numeric(10, 2) PRIMARY KEY, -- a comment, with a comma
        "Like" text DEFAULT 'a, b' CHECK ("Like" <> ')'),
        CONSTRAINT named UNIQUE (id, "Like"),
        FOREIGN KEY (id) REFERENCES other (a, b)
    )
    """
    assert list(parse_creations(sql)) == [CreateTable("app", "Users", ("id", "Like"), if_not_exists=True)]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (LIKE other)",
        "CREATE TABLE t (a int, LIKE other INCLUDING ALL)",
        "CREATE TABLE t PARTITION OF other FOR VALUES IN (1)",
        "CREATE TABLE t AS SELECT 1",
        "CREATE TABLE t (a int, a int)",
        "CREATE TEMPORARY TABLE t (a int)",
        "CREATE TABLE",
        "CREATE INDEX ON t (a)",
        "CREATE INDEX ix",
        "SELECT 'CREATE TABLE t (a int)'",
    ],
)
def test_a_statement_that_does_not_name_all_columns_or_no_name_gives_nothing(sql: str) -> None:
    assert list(parse_creations(sql)) == []


def test_an_index_as_the_project_writes_it_is_the_index_that_postgres_prints() -> None:
    written = 'create unique index concurrently if not exists ix on only Users ( "email" ASC, lower( name ) )'
    printed = "CREATE UNIQUE INDEX ix ON public.users USING btree (email, lower(name)) WHERE (id > 1)"
    (wanted,) = parse_creations(written)
    (existing,) = parse_creations(printed)
    assert wanted == CreateIndex("ix", "users", ("email", "lower(name)"), is_unique=True, if_not_exists=True)
    assert existing == CreateIndex("ix", "users", wanted.keys, is_unique=True, if_not_exists=False)


def test_every_statement_of_a_text_is_read() -> None:
    sql = "CREATE TABLE a (x int); CREATE TABLE b (y int); CREATE INDEX c ON b (y)"
    assert [creation.name for creation in parse_creations(sql)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("COMMIT AND NO CHAIN", "COMMIT"),
        ("rollback work", "ROLLBACK"),
        ("SELECT 1; abort", "ABORT"),
        ("COMMIT PREPARED 'x'", None),
        ("ROLLBACK TO a", None),
        ("SELECT 'COMMIT'", None),
    ],
)
def test_a_statement_that_ends_the_transaction_is_named_by_its_first_word(sql: str, word: str | None) -> None:
    assert find_transaction_end(sql) == word


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["CREATE", "TABLE", "INDEX", "IF NOT EXISTS", "ON", "t", ".", "(", ")", ",", '"'])
    )
)
def test_no_text_raises(words: list[str]) -> None:
    list(parse_creations(" ".join(words)))
