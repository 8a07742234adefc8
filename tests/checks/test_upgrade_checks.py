"""failing-upgrade with its advice, and silent-upgrade."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.checks import failing_upgrade, silent_upgrade
from migration_gate.facts import (
    DdlCommand,
    Facts,
    Failure,
    Location,
    NamedDefinition,
    RevisionFile,
    SoftwareVersion,
    Statement,
    TransactionBoundary,
)
from tests.support import fact_builders


def check_failure(message: str, **fields: object) -> Finding:
    (finding,) = failing_upgrade.check(fact_builders.make_failure_facts(message, **fields))
    return finding


def test_a_replay_that_arrived_did_not_fail() -> None:
    assert list(failing_upgrade.check(fact_builders.make_replay_facts(fact_builders.make_chain("a1")))) == []


def test_the_first_error_is_shown_and_the_one_that_hid_it_is_evidence() -> None:
    first = Failure(
        'relation "queries" does not exist', "UndefinedTable", "42P01", statement="UPDATE queries"
    )
    finding = check_failure("current transaction is aborted", sqlstate="25P02", first_error=first)
    assert finding.object == "c3"
    assert finding.message == '`c3` failed: relation "queries" does not exist'
    assert finding.location == Location("migrations/versions/c3.py", 20)
    assert Evidence("statement", "UPDATE queries") in finding.evidence
    assert Evidence("error", "UndefinedTable (SQLSTATE 42P01)") in finding.evidence
    assert Evidence("seen as", "current transaction is aborted") in finding.evidence
    assert Evidence("progress", "2 revisions ran before it, the last was `b2`") in finding.evidence


def test_a_history_that_cannot_be_read_is_reported_by_broken_history_only() -> None:
    facts = fact_builders.make_failure_facts("Can't locate revision", revision=None)
    history = replace(facts.replay.history, error=Failure("Can't locate revision"))
    facts = replace(facts, replay=replace(facts.replay, history=history))
    assert list(failing_upgrade.check(facts)) == []


def test_an_error_in_python_shows_the_projects_frames() -> None:
    finding = check_failure(
        "boom", exception_class="ValueError", traceback=("env.py:1 in <module>", "c3.py:9 in upgrade")
    )
    assert [piece.text for piece in finding.evidence if piece.label == "frame"] == [
        "env.py:1 in <module>",
        "c3.py:9 in upgrade",
    ]


@pytest.mark.parametrize(
    ("message", "fields", "expected"),
    [
        (
            'type "vector" does not exist',
            {"sqlstate": "42704"},
            "- sql: CREATE EXTENSION IF NOT EXISTS vec",
        ),
        ('type "public.geometry" does not exist', {"sqlstate": "42704"}, "IF NOT EXISTS postgis"),
        ('type "citext" does not exist', {}, "IF NOT EXISTS citext"),
        ("function uuid_generate_v4() does not exist", {"sqlstate": "42883"}, 'IF NOT EXISTS "uuid-ossp"'),
        ("function gen_random_uuid() does not exist", {"sqlstate": "42883"}, "IF NOT EXISTS pgcrypto"),
        ("function crypt(text, text) does not exist", {"sqlstate": "42883"}, "IF NOT EXISTS pgcrypto"),
        ("function similarity(text, unknown) does not exist", {}, "IF NOT EXISTS pg_trgm"),
        (
            'operator class "gin_trgm_ops" does not exist for access method "gin"',
            {"sqlstate": "42704"},
            "IF NOT EXISTS pg_trgm",
        ),
        ('extension "vector" is not available', {"sqlstate": "0A000"}, "postgres: pgvector/pgvector:pg17"),
        (
            'could not open extension control file "/usr/share/extension/postgis.control": No such',
            {"sqlstate": "58P01"},
            "postgres: postgis/postgis:17-3.5",
        ),
        ('extension "mine" is not available', {"sqlstate": "0A000"}, "Name an image or a server"),
        (
            'extension "mine" is not available',
            {"sqlstate": "0A000"},
            """FROM pg_available_extensions WHERE name = 'mine'").scalar()""",
        ),
        (
            'extension "pg_partman" is not available',
            {"sqlstate": "0A000"},
            "RUN apt-get update && apt-get install --yes postgresql-17-partman",
        ),
        (
            'extension "plpython3u" is not available',
            {"sqlstate": "0A000"},
            "Debian's package `postgresql-plpython3-17`",
        ),
        (
            'extension "pg_cron" is not available',
            {"sqlstate": "0A000"},
            "SELECT position('pg_cron' IN current_setting('shared_preload_libraries'))",
        ),
        (
            "pg_cron can only be loaded via shared_preload_libraries",
            {"sqlstate": "55000"},
            'op.execute("CREATE EXTENSION IF NOT EXISTS pg_cron")',
        ),
        (
            'pgaudit must be loaded via "shared_preload_libraries"',
            {"sqlstate": "55000"},
            "pgaudit works only on a server that loads it",
        ),
        (
            "CREATE INDEX CONCURRENTLY cannot run inside a transaction block",
            {"sqlstate": "25001", "statement": "CREATE INDEX CONCURRENTLY i ON t (a)"},
            "postgresql_concurrently=True",
        ),
        (
            "VACUUM cannot run inside a transaction block",
            {"sqlstate": "25001"},
            "VACUUM must run outside",
        ),
        (
            'unsafe use of new value "x" of enum type y',
            {"sqlstate": "55P04"},
            "transaction_per_migration=True",
        ),
        ('unsafe use of new value "x" of enum type y', {"sqlstate": "55P04"}, "ALTER TYPE y ADD VALUE 'x'"),
        ('syntax error at or near "`"', {"sqlstate": "42601", "statement": "ALTER TABLE `t`"}, "MySQL's SQL"),
        (
            'syntax error at or near "AUTO_INCREMENT"',
            {"sqlstate": "42601", "statement": "CREATE TABLE t (id int AUTO_INCREMENT)"},
            "MySQL's SQL",
        ),
        ('type "datetime" does not exist', {"sqlstate": "42704"}, "MySQL's SQL"),
        ('schema "audit" does not exist', {"sqlstate": "3F000"}, "- sql: CREATE SCHEMA audit"),
        ('role "app-user" does not exist', {"sqlstate": "42704"}, '- sql: CREATE ROLE "app-user"'),
        ('column "nick" does not exist', {"sqlstate": "42703"}, "gives that table a column `nick`"),
        ('relation "users" already exists', {"sqlstate": "42P07"}, "Revision `a1` has made it already"),
        ('relation "other" already exists', {"sqlstate": "42P07"}, "a `create_all` on import"),
        (
            'column "email" of relation "users" already exists',
            {"sqlstate": "42701"},
            "Revision `a1` has made it already",
        ),
        (
            'language "plpython3u" does not exist',
            {"sqlstate": "42704"},
            "CREATE EXTENSION IF NOT EXISTS plpython3u",
        ),
        (
            'syntax error at or near "order"',
            {"sqlstate": "42601", "statement": "CREATE TABLE order (id int)"},
            '`"order"`',
        ),
        (
            'syntax error at or near "USER"',
            {"sqlstate": "42601", "statement": "SELECT a FROM x.USER"},
            '`"user"`',
        ),
        (
            'syntax error at or near "check"',
            {"sqlstate": "42601", "statement": "CREATE TABLE t (id int, check int)"},
            '`"check"`',
        ),
        (
            'syntax error at or near "group"',
            {"sqlstate": "42601", "statement": "SELECT a b c group by a"},
            "Fix the revision",
        ),
        ('null value in column "x"', {"sqlstate": "23502"}, "fill the column first"),
        ("canceling statement due to lock timeout", {"sqlstate": "55P03"}, "second connection"),
        ("current transaction is aborted", {"sqlstate": "25P02"}, "error was swallowed"),
        ("", {"exception_class": "NotImplementedError"}, "refuses to run"),
        (
            "No module named 'app.old'",
            {"exception_class": "ModuleNotFoundError"},
            "`app.old` is gone or not installed",
        ),
        (
            "[Errno 2] No such file: 'data.json'",
            {"exception_class": "FileNotFoundError"},
            "working_directory:",
        ),
        ("'SECRET'", {"exception_class": "KeyError"}, "SECRET: ..."),
        ("division by zero", {"sqlstate": "22012"}, "Fix the revision"),
    ],
)
def test_a_usual_cause_is_recognised_and_its_fix_suggested(
    message: str, fields: dict[str, object], expected: str
) -> None:
    facts = fact_builders.make_failure_facts(message, **fields)
    ddl_commands = (fact_builders.make_ddl_command(1, "users", "id integer", "email text"),)
    (finding,) = failing_upgrade.check(
        replace(facts, replay=replace(facts.replay, ddl_commands=ddl_commands))
    )
    assert expected in finding.fix


@pytest.mark.parametrize(
    ("name", "knows_table", "expected"),
    [
        (
            "users_pkei",
            True,
            "no constraint of this name. Did you mean `users_pkey`? It has these: `users_pkey`",
        ),
        ("PRIMARY", True, "MySQL calls every primary key. In PostgreSQL that of `users` is `users_key`."),
        (
            "PRIMARY",
            False,
            "In PostgreSQL that of `users` is called `users_pkey`, if no other name was given.",
        ),
        ("users_pkei", False, "Fix the revision"),
    ],
)
def test_a_constraint_that_is_not_there(name: str, knows_table: bool, expected: str) -> None:
    message = f'constraint "{name}" of relation "users" does not exist'
    facts = fact_builders.make_failure_facts(message, sqlstate="42704")
    key = NamedDefinition(
        "users_key" if name == "PRIMARY" else "users_pkey", "PRIMARY KEY (id)", 1, ("id",), ""
    )
    made = replace(fact_builders.make_ddl_command(1, "users", "id integer"), constraints=(key,))
    replay = replace(facts.replay, ddl_commands=(made,) if knows_table else ())
    (finding,) = failing_upgrade.check(replace(facts, replay=replay))
    assert expected in finding.fix


def suggest_fix_for_missing_table(**fields: object) -> str:
    facts = fact_builders.make_failure_facts('relation "queries" does not exist', sqlstate="42P01")
    replay = replace(facts.replay, **fields)  # type: ignore[arg-type]
    (finding,) = failing_upgrade.check(replace(facts, replay=replay))
    return finding.fix


def test_a_table_that_nobody_makes_was_made_by_create_all() -> None:
    advice = suggest_fix_for_missing_table()
    assert "No revision creates `queries`" in advice
    assert "start_from:" in advice
    assert "prepare:" in advice


def test_a_table_that_a_later_revision_makes_is_traced_to_it() -> None:
    graph = fact_builders.make_chain("a1", "b2", "c3", "d4")
    file = RevisionFile("migrations/versions/d4.py", "d4", ("c3",), created_tables=("queries",))
    advice = suggest_fix_for_missing_table(history=replace(graph, files=(file,)))
    assert "created by revision `d4` (migrations/versions/d4.py)" in advice


def test_a_table_that_was_dropped_is_traced_to_the_revision_that_did() -> None:
    made = fact_builders.make_ddl_command(1, "queries", "id integer")
    gone = DdlCommand(2, "DROP TABLE", "table", "public.queries")
    assert "until revision `b2` dropped it" in suggest_fix_for_missing_table(ddl_commands=(made, gone))


def test_the_image_fits_the_major_version() -> None:
    facts = fact_builders.make_failure_facts('extension "vector" is not available', sqlstate="0A000")
    replay = replace(facts.replay, versions=(SoftwareVersion("postgres", "15.18"),))
    (finding,) = failing_upgrade.check(replace(facts, replay=replay))
    assert "pgvector/pgvector:pg15" in finding.fix


def check_step(
    *statements: Statement,
    transactions: tuple[TransactionBoundary, ...] = (),
    ddl_commands: tuple[DdlCommand, ...] = (),
) -> list[Finding]:
    graph = fact_builders.make_chain("a1", "b2")
    first, second = fact_builders.make_steps(graph)
    second = replace(second, statements=statements, transactions=transactions)
    return list(
        silent_upgrade.check(
            fact_builders.make_replay_facts(graph, steps=(first, second), ddl_commands=ddl_commands)
        )
    )


def test_statements_that_worked_are_no_findings() -> None:
    assert (
        check_step(
            fact_builders.make_statement("CREATE TABLE t (id int)"),
            fact_builders.make_statement("SELECT 'COMMIT; END'"),
        )
        == []
    )


def test_a_swallowed_error_is_found_with_what_it_cost() -> None:
    (finding,) = check_step(
        fact_builders.make_statement("ALTER TABLE t ADD a int", line=30, error='relation "t" does not exist'),
        fact_builders.make_statement(
            "UPDATE x SET a = 1", error="current transaction is aborted", sqlstate="25P02"
        ),
    )
    assert finding.message == '`b2` swallowed an error: relation "t" does not exist'
    assert finding.location == Location("migrations/versions/b2.py", 30)
    assert finding.kind == "swallowed-error"
    assert finding.severity is None
    assert Evidence("lost", "1 later statement failed because of it, and did nothing") in finding.evidence


def test_an_error_inside_a_savepoint_is_a_warning() -> None:
    probe = fact_builders.make_statement("SELECT 1 FROM t", error="no t")
    marks = (
        TransactionBoundary("begin", 0),
        TransactionBoundary("savepoint", 0),
        TransactionBoundary("rollback to savepoint", 1),
    )
    (finding,) = check_step(probe, transactions=marks)
    assert finding.severity is Severity.WARNING
    (spoken,) = check_step(
        fact_builders.make_statement("SAVEPOINT a"), probe, fact_builders.make_statement("ROLLBACK TO a")
    )
    assert spoken.severity is Severity.WARNING


def test_what_a_savepoint_undid_with_the_statement_that_failed_is_named() -> None:
    outside = fact_builders.make_statement("CREATE TABLE kept (id int)")
    inside = fact_builders.make_statement("UPDATE t SET a = 1")
    probe = fact_builders.make_statement("SELECT 1")
    failed = fact_builders.make_statement("ALTER TABLE u ADD a int", error="no u")
    marks = (
        TransactionBoundary("begin", 0),
        TransactionBoundary("savepoint", 0),  # released again
        TransactionBoundary("savepoint", 1),
        TransactionBoundary("rollback to savepoint", 4),
    )
    (finding,) = check_step(outside, inside, probe, failed, outside, transactions=marks)
    undone = [piece.text for piece in finding.evidence if piece.label == "undone with it"]
    assert undone == ["UPDATE t SET a = 1"]


def test_of_a_savepoint_that_undid_much_the_first_statements_are_named() -> None:
    inside = [fact_builders.make_statement(f"UPDATE t SET a = {number}") for number in range(5)]
    (finding,) = check_step(
        fact_builders.make_statement("SAVEPOINT mine"),
        *inside,
        fact_builders.make_statement("SAVEPOINT other"),
        fact_builders.make_statement("ALTER TABLE u ADD a int", error="no u"),
        fact_builders.make_statement("ROLLBACK TO SAVEPOINT mine"),
        fact_builders.make_statement("UPDATE t SET a = 9"),
    )
    undone = [piece.text for piece in finding.evidence if piece.label == "undone with it"]
    assert undone == [*(item.sql for item in inside[:3]), "2 more statements of the savepoint"]


def test_a_savepoint_elsewhere_makes_no_error_a_warning() -> None:
    probe = fact_builders.make_statement("SELECT 1 FROM t", error="no t")
    marks = (
        TransactionBoundary("begin", 0),
        TransactionBoundary("rollback", 1),
        TransactionBoundary("begin", 1),
        TransactionBoundary("savepoint", 1),
        TransactionBoundary("rollback to savepoint", 2),
    )
    findings = check_step(
        probe, fact_builders.make_statement("SELECT 2", error="no u", sqlstate="42703"), transactions=marks
    )
    assert [finding.severity for finding in findings] == [None, Severity.WARNING]


def test_errors_of_the_revision_that_failed_are_not_swallowed_ones() -> None:
    facts = fact_builders.make_failure_facts("no", sqlstate="42P01")
    step = replace(
        fact_builders.make_steps(facts.replay.history)[2],
        statements=(fact_builders.make_statement("SELECT", error="no"),),
    )
    facts = replace(facts, replay=replace(facts.replay, steps=(step,)))
    assert list(silent_upgrade.check(facts)) == []


@pytest.mark.parametrize("sql", ["COMMIT", "commit;", " END TRANSACTION ", "BEGIN; DELETE FROM t; COMMIT"])
def test_a_raw_commit_is_found(sql: str) -> None:
    (finding,) = check_step(fact_builders.make_statement(sql, line=14))
    assert finding.kind == "raw-commit"
    assert finding.location == Location("migrations/versions/b2.py", 14)
    assert "autocommit_block" in finding.fix


@pytest.mark.parametrize("sql", ["ROLLBACK", "abort work;", "ROLLBACK AND CHAIN"])
def test_a_raw_rollback_keeps_nothing_of_what_came_before(sql: str) -> None:
    (finding,) = check_step(fact_builders.make_statement(sql, line=14))
    assert finding.kind == "raw-commit"
    assert "what came before it in the transaction is undone" in finding.evidence[1].text
    assert "begin_nested" in finding.fix


@pytest.mark.parametrize(
    "sql",
    [
        "ROLLBACK TO SAVEPOINT a",
        "COMMENT ON TABLE t IS 'COMMIT;'",
        "CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END; $$ LANGUAGE plpgsql",
        "DO $body$ BEGIN PERFORM 1; END; $body$",
        "-- COMMIT;\nSELECT 1",
        "SELECT CASE WHEN true THEN 1 END",
    ],
)
def test_text_that_only_resembles_a_commit_is_no_finding(sql: str) -> None:
    assert check_step(fact_builders.make_statement(sql)) == []


def test_an_empty_run_has_no_findings() -> None:
    assert list(silent_upgrade.check(Facts())) == []


def test_a_failure_on_one_of_several_branches_names_the_target() -> None:
    facts = fact_builders.make_failure_facts("division by zero", sqlstate="22012")
    other = replace(facts.replay.history.revisions[0], id="z9", parents=())
    history = replace(
        facts.replay.history, revisions=(*facts.replay.history.revisions, other), heads=("c3", "z9")
    )
    several = replace(facts, replay=replace(facts.replay, history=history))
    (finding,) = failing_upgrade.check(several)
    assert "2 heads, of which `z9` can be reached without this revision" in finding.fix
    assert "    target: z9\n" in finding.fix
    chosen = replace(several, replay=replace(several.replay, history=replace(history, target=("c3",))))
    (finding,) = failing_upgrade.check(chosen)
    assert "target:" not in finding.fix


def test_a_message_is_one_line() -> None:
    assert check_failure("it is\n  not\nso").message == "`c3` failed: it is not so"
