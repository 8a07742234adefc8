"""The quoter of names agrees with Postgres."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration_gate.sql.identifiers import (
    QUOTED_KEYWORDS,
    name_on_search_path,
    qualified_name,
    quote_identifier,
    split_qualified_name,
    truncate_identifier,
)
from tests.support.replay_engine import Engine


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("notes", "notes"),
        ("_private2", "_private2"),
        ("Notes", '"Notes"'),
        ("like", '"like"'),
        ("user", '"user"'),
        ("position", '"position"'),
        ("two words", '"two words"'),
        ('say "x"', '"say ""x"""'),
        ("2nd", '"2nd"'),
        ("price$", '"price$"'),
        ("größe", '"größe"'),
        ("", '""'),
    ],
)
def test_a_name_is_quoted_only_where_postgres_needs_it(name: str, quoted: str) -> None:
    assert quote_identifier(name) == quoted


def test_the_schema_public_is_left_out_only_where_the_search_path_finds_it() -> None:
    assert qualified_name("public", "like") == 'public."like"'
    assert name_on_search_path("public", "like") == '"like"'
    assert name_on_search_path("audit", "log") == "audit.log"


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_qualified_name_is_split_into_the_names_it_was_made_of(schema: str, name: str) -> None:
    assert split_qualified_name(qualified_name(schema, name)) == (schema, name)


def test_a_name_without_quotes_is_folded_to_lower_case() -> None:
    assert split_qualified_name('App . "Like"') == ("app", "Like")
    assert split_qualified_name("GRÖSSE") == ("grÖsse",)


def test_a_long_name_is_cut_at_63_bytes_between_two_characters() -> None:
    assert truncate_identifier("a" * 70) == "a" * 63
    assert truncate_identifier("é" * 40) == "é" * 31


@pytest.mark.slow
def test_every_keyword_of_a_server_is_quoted_as_the_server_quotes_it(engine: Engine) -> None:
    with engine.server.connect() as connection:
        rows = connection.execute("select word, quote_ident(word) from pg_get_keywords()").fetchall()
    quoted_by_server = {str(word): str(quoted) for word, quoted in rows}
    reserved_by_server = {word for word, quoted in quoted_by_server.items() if word != quoted}
    assert reserved_by_server <= QUOTED_KEYWORDS
    only_in_newer_servers = QUOTED_KEYWORDS - reserved_by_server
    for word in quoted_by_server.keys() - only_in_newer_servers:
        assert quote_identifier(word) == quoted_by_server[word]


@pytest.mark.slow
def test_odd_names_are_quoted_as_the_server_quotes_them(engine: Engine) -> None:
    names = ["notes", "Notes", "_x", "x$", "1x", "größe", 'say "x"', "a b", "semi;colon"]
    with engine.server.connect() as connection:
        for name in names:
            row = connection.execute("select quote_ident(%s)", (name,)).fetchone()
            assert row is not None
            assert quote_identifier(name) == row[0]
