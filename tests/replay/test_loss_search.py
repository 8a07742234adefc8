"""Which statement changed rows is seen after each of them, where more than one may have."""

from __future__ import annotations

import pytest

from tests.replay.test_rehearsal import BASE, rehearse
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
UNNAMED = (
    f"{BASE}\n"
    'op.execute("CREATE TABLE logs (body text, size int)")\n'
    'op.execute("CREATE TABLE kept (body text)")\n'
    'op.execute("CREATE TABLE marks (id serial PRIMARY KEY, word text NOT NULL,"\n'
    '    " u_id int REFERENCES users)")\n'
    'op.execute("DO $$BEGIN CREATE ROLE plain_role; EXCEPTION WHEN duplicate_object THEN END$$")\n'
    'op.execute("CREATE FUNCTION shorten() RETURNS void LANGUAGE sql AS $$UPDATE notes SET body = NULL$$")\n'
    'op.execute("CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$"\n'
    '    "BEGIN DELETE FROM notes WHERE id = 1; RETURN NULL; END$$")\n'
    'op.execute("CREATE TRIGGER forget AFTER UPDATE ON logs EXECUTE FUNCTION forget()")'
)
RAW = "op.get_bind().connection.cursor().execute({!r})"


def execute(*statements: str) -> str:
    """The body of an upgrade, a line for each."""
    return "\n".join(f"op.execute({statement!r})" for statement in statements)


@pytest.mark.parametrize(
    ("upgrade", "found"),
    [
        pytest.param(
            execute("UPDATE notes SET body = left(body, 1)", "ALTER TABLE notes ALTER body TYPE varchar(90)"),
            [("merged values", "UPDATE notes SET body = left(body, 1)")],
            id="cut before the type is narrowed",
        ),
        pytest.param(
            execute(
                "UPDATE notes SET body = body || ''",
                "ALTER TABLE notes ALTER body TYPE char(1) USING body::char(1)",
            ),
            [("merged values", "ALTER TABLE notes ALTER body TYPE char(1) USING body::char(1)")],
            id="cut by the type",
        ),
        pytest.param(
            execute(
                "DELETE FROM marks WHERE id % 3 = 0",
                "DELETE FROM marks WHERE false",
                "DELETE FROM marks WHERE id % 3 = 1",
                "DELETE FROM marks WHERE false",
            ),
            [
                ("lost rows", "DELETE FROM marks WHERE id % 3 = 0"),
                ("lost rows", "DELETE FROM marks WHERE id % 3 = 1"),
            ],
            id="two that delete",
        ),
        pytest.param(
            execute(
                "TRUNCATE notes",
                "ALTER TABLE marks DROP CONSTRAINT marks_u_id_fkey",
                "ALTER TABLE marks ADD FOREIGN KEY (u_id) REFERENCES users ON DELETE CASCADE",
                "DELETE FROM users",
                "DELETE FROM marks",
            ),
            [
                ("lost rows", "DELETE FROM users"),
                ("lost rows", "TRUNCATE notes"),
                ("lost rows", "DELETE FROM users"),
                ("lost rows", "DELETE FROM marks"),
            ],
            id="a cascade",
        ),
        pytest.param(
            execute(
                "UPDATE notes SET body = body",
                "SELECT shorten()",
                "UPDATE notes SET u_id = u_id, body = body",
            ),
            [("emptied values", "SELECT shorten()")],
            id="a function",
        ),
        pytest.param(
            execute(
                "UPDATE notes SET body = 'x'",
                "ALTER TABLE notes RENAME TO remarks",
                "UPDATE remarks SET u_id = u_id",
            ),
            [("merged values", "UPDATE notes SET body = 'x'")],
            id="a table that is renamed later",
        ),
        pytest.param(
            "\n".join(
                [
                    RAW.format("DELETE FROM notes WHERE id = 2"),
                    execute("UPDATE notes SET body = body"),
                    RAW.format("DELETE FROM notes WHERE false"),
                ]
            ),
            [("lost rows", "DELETE FROM notes WHERE id = 2")],
            id="a driver's own cursor",
        ),
        pytest.param(
            execute(
                "INSERT INTO kept SELECT body FROM logs",
                "DELETE FROM logs WHERE size < 0",
                "DELETE FROM notes WHERE id = 1",
            ),
            [
                ("lost rows", "DELETE FROM logs WHERE size < 0"),
                ("lost rows", "DELETE FROM notes WHERE id = 1"),
            ],
            id="of two tables, one without a key",
        ),
        pytest.param(
            execute("UPDATE logs SET size = size", "DELETE FROM marks WHERE false"),
            [("lost rows", "UPDATE logs SET size = size")],
            id="a trigger, beside a statement that does nothing to the table",
        ),
        pytest.param(
            "for number in (1, 2, 3):\n"
            '    op.execute(f"DELETE FROM notes WHERE id = {number}")\n'
            + execute("DELETE FROM notes WHERE false"),
            [("lost rows", "DELETE FROM notes WHERE id = 1")],
            id="a loop is told once",
        ),
        pytest.param(
            execute("UPDATE marks SET word = word") + "\n"
            "with op.get_bind().engine.begin() as other:\n"
            '    other.exec_driver_sql("DELETE FROM notes WHERE id = 1")\n'
            + execute("DELETE FROM notes WHERE false"),
            [("lost rows", "DELETE FROM notes WHERE id = 1")],
            id="another connection",
        ),
        pytest.param(
            execute(
                "CREATE RULE forget AS ON UPDATE TO kept DO ALSO DELETE FROM notes WHERE id = 1",
                "UPDATE kept SET body = body",
            ),
            [("lost rows", "UPDATE kept SET body = body")],
            id="a rule",
        ),
        pytest.param(
            execute(
                "INSERT INTO notes (u_id, body) SELECT u_id, body FROM notes",
                "INSERT INTO notes (u_id, body) SELECT id, 'the end' FROM users LIMIT 1",
            ),
            [("repeated rows", "INSERT INTO notes (u_id, body) SELECT u_id, body FROM notes")],
            id="repeated by the first of two",
        ),
        pytest.param(
            "with op.get_context().autocommit_block():\n"
            '    op.execute("DELETE FROM notes WHERE id = 1")\n'
            '    op.execute("DELETE FROM notes WHERE false")',
            [("lost rows", "DELETE FROM notes WHERE id = 1")],
            id="each its own transaction",
        ),
        pytest.param(
            "with op.get_bind().begin_nested() as undone:\n"
            '    op.execute("DELETE FROM notes")\n'
            "    undone.rollback()\n"
            + execute("UPDATE notes SET body = body", "DELETE FROM notes WHERE id = 1"),
            [("lost rows", "DELETE FROM notes WHERE id = 1")],
            id="one that is undone",
        ),
        pytest.param(
            execute(
                "GRANT ALL ON ALL TABLES IN SCHEMA public TO plain_role",
                "SET ROLE plain_role",
                "DELETE FROM notes WHERE id = 1",
                "DELETE FROM notes WHERE false",
                "RESET ROLE",
            ),
            [("lost rows", "DELETE FROM notes WHERE id = 1")],
            id="another role",
        ),
    ],
)
def test_a_change_of_rows_has_the_statement_after_which_it_was_there(
    engine: Engine, upgrade: str, found: list[tuple[str, str]]
) -> None:
    rehearsal = rehearse(engine, upgrade, base=UNNAMED)
    (revision,) = rehearsal.revisions
    assert rehearsal.unproven == ""
    assert sorted((change.kind, change.statement) for change in revision.changes) == sorted(found)


def test_rows_of_each_statement_are_counted_and_shown(engine: Engine) -> None:
    deletes = ("DELETE FROM notes WHERE id = 2", "DELETE FROM notes WHERE id IN (3, 4)")
    rehearsal = rehearse(engine, "pass", execute(*deletes), "pass", base=UNNAMED)
    _, revision, _ = rehearsal.revisions
    assert [(change.count, change.row.split(",")[0], change.line) for change in revision.changes] == [
        (1, "id=2", 12),
        (2, "id=3", 13),
    ]


def test_what_the_texts_tell_stays_if_the_revision_does_not_run_once_more(engine: Engine) -> None:
    fail_at_the_third_run = (
        "DO $$BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ran_twice') THEN RAISE 'no more'; "
        "ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ran_once') THEN CREATE ROLE ran_twice; "
        "ELSE CREATE ROLE ran_once; END IF; END$$"
    )
    deletes = ("DELETE FROM marks WHERE id = 2", "DELETE FROM marks WHERE false")
    try:
        rehearsal = rehearse(engine, execute(fail_at_the_third_run, *deletes), base=UNNAMED)
    finally:
        with engine.server.connect() as connection:
            connection.execute("DROP ROLE IF EXISTS ran_once, ran_twice")
    (revision,) = rehearsal.revisions
    assert (rehearsal.unproven, rehearsal.unchecked) == ("", ())
    assert [(change.statement, change.count) for change in revision.changes] == [(deletes[1], 1)]


def test_a_statement_that_changes_other_rows_each_time_is_named(engine: Engine) -> None:
    count_runs = (
        "DO $$BEGIN EXECUTE format('CREATE ROLE ran_%s', 1 + (SELECT count(*) FROM pg_roles "
        "WHERE rolname ~ '^ran_')); END$$"
    )
    deletes = (
        "WITH made AS (SELECT count(*) AS runs FROM pg_roles WHERE rolname ~ '^ran_') "
        "DELETE FROM notes USING made WHERE id > 2 * runs AND id <= 3 * runs",
        "DELETE FROM notes WHERE false",
    )
    try:
        rehearsal = rehearse(engine, execute(count_runs, *deletes), base=UNNAMED)
    finally:
        with engine.server.connect() as connection:
            connection.execute("DROP ROLE IF EXISTS ran_1, ran_2, ran_3, ran_4")
    (revision,) = rehearsal.revisions
    assert [(change.statement, change.count) for change in revision.changes] == [(deletes[0], 2)]
