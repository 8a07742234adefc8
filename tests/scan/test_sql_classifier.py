from __future__ import annotations

import pytest

from migration_gate.scan.sql_classifier import SqlStatement, classify_statements, shorten


def only(text: str) -> SqlStatement:
    (statement,) = classify_statements(text)
    return statement


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


def test_a_statement_in_another_dialect_is_foreign() -> None:
    text = "CREATE TABLE `a` (b int); CREATE TABLE a (b int AUTO_INCREMENT); CREATE TABLE a (b int);"
    assert [statement.is_foreign for statement in classify_statements(text)] == [True, True, False]


def test_backslashes_escape_in_a_mysql_dump_only() -> None:
    dump = "-- MySQL dump\nINSERT INTO a VALUES ('it\\'s; x'); SELECT 1"
    assert [statement.kind for statement in classify_statements(dump)] == ["data", "query"]
    assert len(list(classify_statements("INSERT INTO a VALUES ('c:\\'); SELECT 1"))) == 2


def test_template_tags_are_white_space() -> None:
    assert only("{% if x %}CREATE TABLE a (b int){# no ; #}{% endif %}").relations == ("a",)


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("SELECT 1 -- one\n  /* two /* three */ */ FROM a", 160, "SELECT 1 FROM a"),
        ("SELECT '-- no comment'", 160, "SELECT '-- no comment'"),
        ("SELECT 1 FROM a", 10, "SELECT 1…"),
    ],
)
def test_a_statement_is_shortened_to_one_line_without_comments(text: str, limit: int, line: str) -> None:
    assert shorten(text, limit) == line
