"""Rows of the project's own are part of the rehearsal, or it is said why not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migration_gate.catalog.row_state import read_row_state
from migration_gate.config.settings import Settings
from migration_gate.facts import Rehearsal
from migration_gate.replay.initial_state import set_statement_timeout
from migration_gate.replay.own_rows import OwnRows
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.sql_rows import OwnRowsRefused
from tests.replay.test_rollback import write_project
from tests.support.project_files import commit_all, revision_text
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
BASE = (
    'op.execute("CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL, '
    "kind text NOT NULL DEFAULT 'a' CHECK (kind IN ('a', 'b')))\")\n"
    'op.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS '
    "$$ BEGIN IF NEW.code <> 'A-7' THEN RAISE 'no code'; END IF; RETURN NEW; END $$\")\n"
    'op.execute("CREATE TABLE coded (id int PRIMARY KEY, code text NOT NULL)")\n'
    'op.execute("CREATE TRIGGER refuse BEFORE INSERT ON coded FOR EACH ROW EXECUTE FUNCTION refuse()")'
)
ROWS = """\
INSERT INTO users (id, email) VALUES (1, 'ann@example.org'), (2, 'bo@example.org'); -- a; b
INSERT INTO coded VALUES (1, 'A-7');
"""
ADD_PHONE_AND_EMPTY = 'op.execute("ALTER TABLE users ADD phone text")\nop.execute("DELETE FROM coded")'
FUNCTION = """\
import os

import sqlalchemy as sa


def add_rows(connection):
    connection.execute(sa.text("INSERT INTO coded VALUES (1, 'A-7')"))


def add_by_itself(connection):
    with sa.create_engine("postgresql://nobody@example.org/live").begin() as own:
        add_rows(own)


def leave_open(connection):
    sa.orm.Session(connection).execute(sa.text("SELECT 1"))


def misspell(connection):
    connection.execute(sa.text("INSERT INTO coded VALUES (1)"))


def end(connection):
    os._exit(0)


def loop(connection):
    connection.execute(sa.text("DO 'BEGIN LOOP PERFORM 1; END LOOP; END'"))
"""


def rehearse(
    engine: Engine, upgrade: str, rows: str | bytes = "", function: str = "", **settings: Any
) -> Rehearsal:
    """What came of one revision behind the base, with the project's rows."""
    texts = [revision_text("0", None, BASE), revision_text("1", "0", upgrade)]
    folder = write_project(engine.folder(), *texts)
    (folder / "seeds.py").write_text(FUNCTION)
    if rows:
        (folder / "rows.sql").write_bytes(rows if isinstance(rows, bytes) else rows.encode())
        settings["rehearsal_sql"] = folder / "rows.sql"
    if function:
        settings["rehearsal_function"] = function
    changed = ("migrations/versions/02.py",)
    paths = tuple(str(folder.resolve() / path) for path in changed)
    ran = engine.run(folder, changed=paths, new_files=changed, rollback="off", **settings)
    assert ran.replay.rehearsal.unchecked == () or ran.replay.rehearsal.unchecked[0] in ran.replay.unchecked
    return ran.replay.rehearsal


@pytest.mark.parametrize("function", ["seeds:add_rows", "seeds:add_by_itself", ""])
def test_own_rows_are_compared_like_others_and_fill_what_cannot_be_generated(
    engine: Engine, function: str
) -> None:
    rehearsal = rehearse(engine, 'op.execute("DELETE FROM coded")', "" if function else ROWS, function)
    assert (rehearsal.unchecked, rehearsal.unproven, rehearsal.rowless) == ((), "", ())
    assert rehearsal.own_rows == (1 if function else 3)
    (change,) = rehearsal.revisions[0].changes
    assert (change.kind, change.table, change.count, change.row) == (
        "lost rows",
        "coded",
        1,
        "id=1, code='A-7'",
    )


def test_generated_rows_come_beside_them_with_other_keys(engine: Engine) -> None:
    rehearsal = rehearse(engine, 'op.execute("DELETE FROM users")', ROWS)
    (change,) = rehearsal.revisions[0].changes
    assert change.total > 10
    assert "ann@example.org" in change.row


def test_a_failure_that_only_own_rows_make_is_named_so(engine: Engine) -> None:
    upgrade = "op.execute(\"ALTER TABLE coded ADD CHECK (code <> 'A-7')\")"
    rehearsal = rehearse(engine, upgrade, ROWS)
    failure = rehearsal.revisions[0].failure
    assert failure is not None
    assert (failure.rows, failure.failure.sqlstate, failure.tables) == ("own", "23514", ("coded",))


def test_a_failure_that_generated_rows_make_as_well_is_theirs(engine: Engine) -> None:
    failure = (
        rehearse(engine, 'op.execute("ALTER TABLE users ADD phone text NOT NULL")', ROWS).revisions[0].failure
    )
    assert failure is not None
    assert (failure.rows, failure.failure.sqlstate) == ("plain", "23502")


@pytest.fixture(scope="module")
def base_database(shared_engine: Engine) -> Iterator[str]:
    """A database with the tables of `BASE`."""
    name = shared_engine.server.create_database()
    with shared_engine.server.connect(name) as connection:
        exec(BASE, {"op": connection})
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('0')")
        set_statement_timeout(connection, 1.0)
    yield name
    shared_engine.drop(name)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("SELECT 1;\n\nINSERT INTO users (emial) VALUES ('x');", '`rows.sql:3`: column "emial" of relation'),
        ("INSERT INTO users (email) VALUES (NULL)", '`rows.sql:1`: null value in column "email"'),
        ("INSERT INTO later VALUES (1)", '`rows.sql:1`: relation "later" does not exist'),
        ("BEGIN;\nINSERT INTO users (email) VALUES ('x');\nCOMMIT;", "`rows.sql:1`: BEGIN is not for this"),
        ("COPY users (email) FROM stdin;\nx\n\\.\n", "`rows.sql:1`: only psql reads the rows"),
        (f"{ROWS}ALTER TABLE users ADD phone text;", "they change the schema (`users.phone`)"),
        (f"{ROWS}UPDATE alembic_version SET version_num = '1';", "they change the version table"),
        ("-- nothing yet\n", "they add no row"),
        ("INSERT INTO users (email) SELECT g FROM generate_series(1, 2000) g", "`users` has 2000 rows"),
        (b"SELECT 1;\n-- caf\xe9\n", "`rows.sql:2` is not UTF-8"),
        ("COPY users TO stdout;", "`rows.sql:1`: only psql shows COPY ... TO stdout"),
        (f"{ROWS}\0{ROWS}", "`rows.sql:3` is not UTF-8"),
        ("DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$", "`rows.sql:1`: canceling statement due to"),
        ("SET statement_timeout = 0;\nDO $$ BEGIN LOOP NULL; END LOOP; END $$", "`rows.sql:2`: canceling"),
    ],
)  # fmt: skip
def test_a_file_that_makes_no_rows_is_refused(
    shared_engine: Engine, base_database: str, tmp_path: Path, rows: str | bytes, why: str
) -> None:
    (tmp_path / "rows.sql").write_bytes(rows if isinstance(rows, bytes) else rows.encode())
    settings = Settings("x", tmp_path, tmp_path, rehearsal_sql=tmp_path / "rows.sql", statement_seconds=1.0)
    nothing: Any = None
    setup = ReplaySetup(settings, nothing, shared_engine.server, tmp_path, tmp_path, "db", "models", (), ())
    own_rows = OwnRows(setup, nothing, nothing, ["public.alembic_version"], "")
    database = shared_engine.server.create_database(base_database)
    try:
        with shared_engine.server.connect(database) as connection:
            set_statement_timeout(connection, 1.0)
            before = read_row_state(connection)
            with pytest.raises(OwnRowsRefused) as refused:
                own_rows.add(connection, before)
    finally:
        shared_engine.drop(database)
    assert why in refused.value.why
    own_rows.refuse(refused.value)
    assert (own_rows.is_active, own_rows.unchecked[0].object) == (False, "rehearsal.sql_file")


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("seeds:misspell", '`seeds:misspell` (seeds.py:20): null value in column "code"'),
        ("seeds:leave_open", "they add no row"),
        ("nowhere:rows", "`nowhere:rows`: ModuleNotFoundError: No module named 'nowhere'"),
        ("seeds:nothing", "`seeds:nothing`: AttributeError: module 'seeds' has no attribute 'nothing'"),
        ("seeds:end", "`seeds:end`: the interpreter ended with exit status 0"),
        ("seeds:loop", "canceling statement due to statement timeout"),
    ],
)  # fmt: skip
def test_a_function_that_makes_no_rows_is_refused_and_the_rehearsal_goes_on(
    engine: Engine, function: str, why: str
) -> None:
    rehearsal = rehearse(engine, 'op.execute("DELETE FROM users")', function=function, statement_seconds=1.0)
    (unchecked,) = rehearsal.unchecked
    assert (unchecked.object, rehearsal.own_rows) == ("rehearsal.python", 0)
    assert why in unchecked.why
    assert [change.kind for change in rehearsal.revisions[0].changes] == ["lost rows"]


def test_a_file_that_leads_out_of_the_repository_is_not_read(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    folder = write_project(
        engine.folder(), revision_text("0", None, BASE), revision_text("1", "0", 'op.execute("SELECT 1")')
    )
    (folder / ".git").mkdir()
    (folder / "rows.sql").symlink_to(tmp_path / "secret")
    changed = ("migrations/versions/02.py",)
    paths = tuple(str(folder.resolve() / path) for path in changed)
    ran = engine.run(
        folder, changed=paths, new_files=changed, rollback="off", rehearsal_sql=folder / "rows.sql"
    )
    (unchecked,) = ran.replay.rehearsal.unchecked
    assert "leads out of the repository" in unchecked.why


def test_an_edited_file_that_fits_only_the_new_schema_is_used_as_it_is_at_the_base(engine: Engine) -> None:
    folder = write_project(
        engine.folder(), revision_text("0", None, BASE), revision_text("1", "0", ADD_PHONE_AND_EMPTY)
    )
    (folder / "rows.sql").write_text(ROWS)
    base = commit_all(folder)
    (folder / "rows.sql").write_text(ROWS.replace("(id, email)", "(id, phone)"))
    changed = ("migrations/versions/02.py", "rows.sql")
    ran = engine.run(
        folder,
        changed=tuple(str(folder.resolve() / path) for path in changed),
        new_files=changed[:1],
        base_commit=base,
        rollback="off",
        rehearsal_sql=folder / "rows.sql",
    )
    rehearsal = ran.replay.rehearsal
    assert (rehearsal.unchecked, rehearsal.own_rows) == ((), 3)
    assert any("`rows.sql` was used as it is at the base" in note for note in ran.replay.notes)
    assert ("lost rows", "coded") in {
        (change.kind, change.table) for change in rehearsal.revisions[0].changes
    }
