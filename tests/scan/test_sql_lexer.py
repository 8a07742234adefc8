from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration_gate.scan.sql_lexer import SqlStatement, statements


def only(text: str) -> SqlStatement:
    found = statements(text)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        ("CREATE TABLE users (id int)", ("users",)),
        ("create unlogged table if not exists app.users as select 1", ("app.users",)),
        ('CREATE TABLE "Users" (id int)', ('"Users"',)),
        ('ALTER TABLE IF EXISTS ONLY "app"."Users" ADD x int', ('"app"."Users"',)),
        ("DROP TABLE IF EXISTS a, b.c CASCADE", ("a", "b.c")),
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix ON ONLY media (a)", ("media",)),
        ("CREATE INDEX ON media (a)", ("media",)),
        ("DROP INDEX CONCURRENTLY ix", ("ix",)),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", ("v",)),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", ("v",)),
        ("CREATE TRIGGER t BEFORE UPDATE OF a ON media EXECUTE FUNCTION f()", ("media",)),
        ("CREATE POLICY p ON media USING (true)", ("media",)),
        ("ALTER TYPE mood ADD VALUE 'sad'", ("mood",)),
        ("COMMENT ON COLUMN app.users.name IS 'x'", ("app.users",)),
        ("COMMENT ON TABLE users IS 'x'", ("users",)),
        ("SELECT a INTO copied FROM users", ("copied",)),
        ("ALTER TABLE {{ schema }}.users ADD x int", ("{{ schema }}.users",)),
        ("ALTER TABLE {prefix}_users ADD x int", ("{prefix}_users",)),
        ("DO $$ BEGIN ALTER TABLE a ADD b int; EXECUTE 'DROP TABLE c'; END $$", ("a", "c")),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DROP TABLE a'", ()),
        ("GRANT SELECT ON users TO reader", ()),
        ("DO $$ BEGIN EXECUTE format('ALTER TABLE app.%I ADD x int', t); END $$", ()),
        ("CREATE TABLE y2024 PARTITION OF events FOR VALUES IN (1)", ()),
        ("ALTER TABLE events DETACH PARTITION y2024", ()),
        ("ALTER TABLE events DISABLE TRIGGER ALL", ()),
        ("ALTER SEQUENCE s RESTART", ()),
    ],
)
def test_a_schema_statement_names_what_it_changes(text: str, relations: tuple[str, ...]) -> None:
    statement = only(text)
    assert (statement.kind, statement.relations) == ("schema", relations)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("INSERT INTO a VALUES (1)", "data"),
        ("WITH x AS (SELECT 1) INSERT INTO a SELECT * FROM x", "data"),
        ("WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x", "data"),
        ("WITH x AS (SELECT 1) UPDATE a SET b = 1", "data"),
        ("SELECT * FROM a FOR UPDATE", "query"),
        ("WITH x AS (SELECT 1) SELECT * FROM x FOR NO KEY UPDATE", "query"),
        ("(SELECT 1) UNION (SELECT 2)", "query"),
        ("SELECT pg_catalog.setval('s', 1)", "data"),
        ("SELECT pg_catalog.set_config('search_path', '', false)", ""),
        ("COPY a FROM '/tmp/x'", "data"),
        ("COPY a TO STDOUT", "query"),
        ("\\copy a from 'x.csv'", "data"),
        ("CREATE TEMP TABLE a (b int)", "query"),
        ("SELECT a INTO TEMP b FROM c", "query"),
        ("DO $$ BEGIN DELETE FROM a; END $$", "data"),
        ("{{ config(materialized='table') }} select 1", "query"),
        ("BEGIN", ""),
        ("SET x = 1", ""),
        ("hello world", ""),
    ],
)
def test_a_statement_is_data_query_or_neither(text: str, kind: str) -> None:
    assert only(text).kind == kind


def test_semicolons_inside_strings_comments_and_bodies_end_nothing() -> None:
    text = """
    -- one; two
    /* a /* nested; */ DROP TABLE no; */
    INSERT INTO a VALUES (';''', E'it\\'s;', "x;");
    CREATE FUNCTION f() RETURNS int AS $body$ SELECT 1; SELECT ';' $body$ LANGUAGE sql;
    CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
    SELECT 1
    """
    assert [(s.kind, s.line) for s in statements(text)] == [
        ("data", 4),
        ("schema", 5),
        ("schema", 6),
        ("query", 7),
    ]


def test_commands_of_psql_and_copied_rows_are_no_statements() -> None:
    text = "\\connect db\n\\i other.sql\n"
    text += "COPY a (b) FROM stdin;\n1\t; DROP TABLE x;\n\\.\nSELECT 1 \\gexec\nSELECT 2;"
    assert [(s.kind, s.line) for s in statements(text)] == [("data", 3), ("query", 6), ("query", 7)]


def test_a_mysql_delimiter_is_obeyed() -> None:
    text = "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//\nDELIMITER ;\nDROP TABLE `a`;"
    assert [(s.kind, s.foreign) for s in statements(text)] == [("schema", False), ("schema", True)]


def test_backslashes_escape_in_a_mysql_dump_only() -> None:
    assert len(statements("-- MySQL dump\nINSERT INTO a VALUES ('it\\'s; x'); SELECT 1")) == 2
    assert len(statements("INSERT INTO a VALUES ('c:\\'); SELECT 1")) == 2


def test_go_on_a_line_of_its_own_ends_a_batch() -> None:
    assert [s.text for s in statements("SELECT 1\nGO\nSELECT go FROM x\nGO")] == [
        "SELECT 1",
        "SELECT go FROM x",
    ]


def test_template_tags_are_white_space() -> None:
    assert only("{% if x %}CREATE TABLE a (b int){# no ; #}{% endif %}").relations == ("a",)


@given(st.text(alphabet=st.sampled_from(list("'\"$;-/*{}%#\\`\n ab(),.E")) | st.characters(), max_size=200))
def test_no_text_makes_it_raise(text: str) -> None:
    statements(text, 1.0)


@pytest.mark.parametrize(
    "piece", ["{%", "$a$b", "/*", "'", "(", "insert into a values (1);\n", "{", "$$", '"', "\\"]
)
def test_no_text_makes_it_hang(piece: str) -> None:
    start = time.process_time()
    statements(piece * (200_000 // len(piece)), 0.1)
    assert time.process_time() - start < 1
