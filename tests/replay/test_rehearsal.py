"""The new revisions run from the base with rows in all tables, and what became of the rows is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from migration_gate.analysis.rehearsal_messages import collect_failure_evidence
from migration_gate.errors import WorkerDied
from migration_gate.facts import Rehearsal
from migration_gate.replay.filled_copy import FilledCopy, open_filled_copy
from migration_gate.replay.rollback_run import RollbackRun
from migration_gate.replay.runs_channel import RunsChannel
from migration_gate.worker.protocol.order import RevisionRun
from tests.replay.test_rollback import write_project
from tests.support.project_files import revision_text
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
BASE = (
    'op.execute("CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL, name text)")\n'
    'op.execute("CREATE TABLE notes (id serial PRIMARY KEY, u_id int NOT NULL REFERENCES users, body text)")'
)


def rehearse(engine: Engine, *upgrades: str, base: str = BASE, **settings: Any) -> Rehearsal:
    """What came of the revisions behind the base, which are the change."""
    texts = [revision_text("0", None, base)]
    texts += [revision_text(str(n), str(n - 1), upgrade) for n, upgrade in enumerate(upgrades, start=1)]
    folder = write_project(engine.folder(), *texts)
    changed = tuple(f"migrations/versions/{number:02}.py" for number in range(2, len(texts) + 1))
    paths = tuple(str(folder.resolve() / path) for path in changed)
    settings = {"rollback": "off", **settings}
    ran = engine.run(folder, changed=paths, new_files=changed, **settings)
    return ran.replay.rehearsal


def test_each_revision_is_told_what_it_did_and_a_failure_does_not_end_it(engine: Engine) -> None:
    rehearsal = rehearse(
        engine,
        "op.execute(\"UPDATE notes SET body = 'x'\")",
        'op.execute("ALTER TABLE users ALTER name SET NOT NULL")',
        'op.execute("ALTER TABLE users ADD phone text NOT NULL")',
        'op.execute("DELETE FROM notes")',
        'op.execute("DROP TABLE users CASCADE")',
    )
    assert rehearsal.unproven == ""
    assert rehearsal.tables == 2
    overwritten, unusual, plain, deleted, dropped = rehearsal.revisions
    assert [change.kind for change in overwritten.changes] == ["merged values"]
    assert unusual.failure is not None
    assert (unusual.failure.rows, unusual.failure.tables) == ("unusual", ("users",))
    assert unusual.failure.row.endswith(",)")
    assert plain.failure is not None
    assert (plain.failure.rows, plain.failure.failure.sqlstate) == ("plain", "23502")
    # No rows are left in either table, after that failure.
    assert deleted.changes == dropped.changes == ()


def test_a_failure_is_put_down_to_the_table_that_its_statement_names(engine: Engine) -> None:
    alter = "ALTER TABLE notes ALTER body TYPE varchar(90)"
    rehearsal = rehearse(
        engine,
        f'op.execute("{alter}")\nop.execute("ALTER TABLE users ALTER name SET NOT NULL")',
        f'op.execute("{alter}")\nop.execute("CREATE UNIQUE INDEX one_name ON users (length(email))")',
    )
    failures = [revision.failure for revision in rehearsal.revisions]
    assert [failure and failure.tables for failure in failures] == [("users",), ("users",)]


def test_rows_of_tables_that_nothing_names_are_no_reason_for_silence(engine: Engine) -> None:
    base = f"""{BASE}
op.execute("CREATE FUNCTION tidy() RETURNS void LANGUAGE sql AS 'UPDATE notes SET body = 1 / (id - id)'")
op.execute("CREATE TABLE vehicle (id serial, plate text)")
op.execute("CREATE TABLE truck () INHERITS (vehicle)")
op.execute('CREATE TABLE "order" (id serial, note text)')
"""
    rehearsal = rehearse(
        engine,
        'op.execute("ALTER TABLE vehicle ALTER plate TYPE uuid USING plate::uuid")',
        'op.execute("CREATE TABLE first AS SELECT id / (id - id) AS id FROM users ORDER BY id")',
        base=base,
    )
    hidden = rehearse(
        engine, 'op.execute("ALTER TABLE users ADD age int")\nop.execute("SELECT tidy()")', base=base
    )
    failures = [revision.failure for revision in (*rehearsal.revisions, *hidden.revisions)]
    assert [failure and failure.failure.sqlstate for failure in failures] == ["22P02", "22012", "22012"]
    assert [failure.tables for failure in failures[:2] if failure] == [("vehicle",), ("users",)]


def test_code_that_runs_without_rows_alone_is_told_apart(engine: Engine) -> None:
    code = 'for row in op.get_bind().execute(sa.text("SELECT body FROM notes")).all():\n    row.body.upper()'
    rehearsal = rehearse(engine, code, 'op.execute("DELETE FROM notes")')
    failing, deleting = rehearsal.revisions
    assert failing.failure is not None
    assert (failing.failure.rows, failing.failure.failure.exception_class) == ("unusual", "AttributeError")
    assert [change.kind for change in deleting.changes] == ["lost rows"]


def test_a_dropped_column_is_told_with_its_own_statement(engine: Engine) -> None:
    drops = [f"ALTER TABLE notes DROP COLUMN {column}" for column in ("body", "long_body")]
    upgrade = "\n".join(f'op.execute("{drop}")' for drop in drops)
    rehearsal = rehearse(engine, upgrade, base=f"{BASE}\nop.execute('ALTER TABLE notes ADD long_body text')")
    (dropping,) = rehearsal.revisions
    assert [change.statement for change in dropping.changes] == drops


@pytest.mark.parametrize(
    ("base", "repeated"),
    [(BASE, []), (f"{BASE}\nop.execute('CREATE TEMPORARY TABLE own (id int)')", [("0",), ("1",)])],
    ids=["copied", "repeated"],
)
def test_the_base_is_copied_unless_a_commit_would_change_something(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, base: str, repeated: list[tuple[str, ...]]
) -> None:
    sent: list[tuple[str, ...]] = []
    real_run = RunsChannel.run

    def run(
        channel: RunsChannel, database: str, runs: Sequence[RevisionRun], *, prepares: bool = False
    ) -> Any:
        sent.append(tuple(run.revision for run in runs))
        return real_run(channel, database, runs, prepares=prepares)

    monkeypatch.setattr(RunsChannel, "run", run)
    rehearsal = rehearse(engine, 'op.execute("DELETE FROM notes")', base=base)
    (deleting,) = rehearsal.revisions
    assert [change.kind for change in deleting.changes] == ["lost rows"]
    assert sent == repeated


@pytest.mark.parametrize("prepares", [True, False], ids=["in the background", "one by one"])
def test_rows_are_made_in_the_background_and_closed_if_the_rollback_breaks(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, prepares: bool
) -> None:
    opened: list[FilledCopy] = []

    def open_and_keep(*arguments: Any) -> FilledCopy:
        opened.append(open_filled_copy(*arguments))
        return opened[-1]

    def prove(run: RollbackRun) -> Any:
        raise OSError("the rollback breaks")

    monkeypatch.setattr("migration_gate.replay.rehearsal_run.open_filled_copy", open_and_keep)
    monkeypatch.setattr(RollbackRun, "prove", prove)
    base = BASE if prepares else f"{BASE}\nop.execute('CREATE TEMPORARY TABLE own (id int)')"
    with pytest.raises(OSError, match="the rollback breaks"):
        rehearse(engine, 'op.execute("DELETE FROM notes")', base=base, rollback="change")
    assert [copy.connection.closed for copy in opened] == ([True] if prepares else [])


def test_rows_that_the_background_had_no_connection_for_are_made_after_the_rollback(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[None] = []

    def refuse_first(*arguments: Any) -> FilledCopy:
        calls.append(None)
        if len(calls) == 1:
            raise psycopg.errors.TooManyConnections("sorry, too many clients already")
        return open_filled_copy(*arguments)

    monkeypatch.setattr("migration_gate.replay.rehearsal_run.open_filled_copy", refuse_first)
    rehearsal = rehearse(engine, 'op.execute("DELETE FROM notes")', rollback="change")
    (deleting,) = rehearsal.revisions
    assert [change.kind for change in deleting.changes] == ["lost rows"]
    assert (rehearsal.unproven, len(calls)) == ("", 2)


def test_of_code_that_fails_it_is_said_whether_rows_with_null_pass(engine: Engine) -> None:
    parse = "import json\nfor text, in op.get_bind().execute(sa.text('SELECT {0} FROM {1}')).all():\n"
    rehearsal = rehearse(
        engine,
        parse.format("body", "notes") + "    text is None or json.loads(text)",
        parse.format("email", "users") + "    json.loads(text)",
        'op.execute("UPDATE notes SET body = NULL")',
    )
    optional, required, emptied = rehearsal.revisions
    assert optional.failure is not None
    assert (optional.failure.rows, optional.failure.failure.sqlstate) == ("filled", None)
    assert required.failure is not None
    assert required.failure.rows == "plain"
    texts = [
        [evidence.text for evidence in collect_failure_evidence(failure) if evidence.label == "rows"]
        for failure in (optional.failure, required.failure)
    ]
    assert texts == [
        ["plain ones, with made-up values in optional columns; with NULL there it runs"],
        ["plain ones, with made-up values in the columns that need one"],
    ]
    assert emptied.failure is None


def test_without_a_change_nothing_is_rehearsed(engine: Engine) -> None:
    assert rehearse(engine) == Rehearsal()
    assert rehearse(engine, 'op.execute("DELETE FROM notes")', observe="off") == Rehearsal()


def test_an_interpreter_that_is_killed_over_rows_is_no_fault_of_the_revision(engine: Engine) -> None:
    kill = """
if op.get_bind().execute(sa.text("SELECT count(*) FROM users")).scalar():
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
"""
    with pytest.raises(
        WorkerDied, match=r"killed by signal 9 \(SIGKILL\) while `upgrade\(\)` of 1 ran once more"
    ):
        rehearse(engine, kill)


def test_a_role_that_the_first_run_made_is_not_put_down_to_rows(engine: Engine) -> None:
    role = (
        'op.execute("CREATE ROLE gate_test_reader")\nop.execute("GRANT SELECT ON users TO gate_test_reader")'
    )
    try:
        rehearsal = rehearse(engine, f'{role}\nop.execute("ALTER TABLE users ADD phone text")')
    finally:
        with engine.server.connect() as connection:
            connection.execute("DROP ROLE IF EXISTS gate_test_reader")
    assert rehearsal.revisions == ()
    assert rehearsal.is_limit
    assert 'role "gate_test_reader" already exists' in rehearsal.unproven
