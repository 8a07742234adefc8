"""A long history whose DDL is sent ahead: the same facts, and never a word about an error that came late."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from migration_gate.config.settings import Settings
from migration_gate.errors import AnswersMissing, TimedOut
from migration_gate.replay import history_run, worker_answer_stream
from migration_gate.replay.examination import examine_project
from migration_gate.worker.protocol.step_lines import StepFinished, StepStarted
from migration_gate.worker.step_pipeline import MIN_STEPS
from tests.support.alembic_projects import Rev, env, lay, line_of
from tests.support.replay_engine import Engine, Ran

pytestmark = pytest.mark.slow

URL = "postgresql+psycopg://app:secret@db.invalid/app"
LENGTH = MIN_STEPS + 20
AT = 50
"""the number of the revision that is another one"""
OTHER_ENGINE = """
engine = sa.create_engine(op.get_bind().engine.url)
with engine.begin() as connection:
    connection.execute(sa.text("CREATE TABLE elsewhere (id int)"))
engine.dispose()
"""
BODIES = {
    "an enum": 'sa.Enum("x", name="kind").create(op.get_bind(), checkfirst=True)\n'
    'op.add_column("t1", sa.Column("k", sa.Enum("x", name="kind")))\n'
    'op.create_table("k", sa.Column("k", sa.Enum("x", name="own")))',
    "rows": 'op.bulk_insert(sa.table("t1", sa.column("id")), [{"id": 1}, {"id": 2}])\n'
    'op.execute("UPDATE t1 SET id = id + 1")',
    "a question": 'assert "t1" in sa.inspect(op.get_bind()).get_table_names()',
    "a count": 'assert op.get_bind().execute(sa.text("SELECT count(*) FROM t2")).scalar() == 0',
    "changed rows": 'op.execute("INSERT INTO t3 VALUES (1)")\n'
    'assert op.get_bind().execute(sa.text("DELETE FROM t3")).rowcount == 1',
    "a savepoint": "with op.get_bind().begin_nested():\n"
    '    op.add_column("t1", sa.Column("inside", sa.Integer))',
    "an error in a savepoint": "try:\n    with op.get_bind().begin_nested():\n"
    '        op.create_table("t1", sa.Column("id", sa.Integer))\n'
    "except Exception:\n    op.create_table('instead', sa.Column('id', sa.Integer))",
    "a block without a transaction": "with op.get_context().autocommit_block():\n"
    '    op.create_index("by_id", "t1", ["id"], postgresql_concurrently=True)',
    "another engine": OTHER_ENGINE,
    "the driver's cursor": "with op.get_bind().connection.cursor() as cursor:\n"
    '    cursor.execute("CREATE TABLE raw (id int)")\n    cursor.execute("SELECT count(*) FROM t4")\n'
    "    assert cursor.fetchone() == (0,)",
    "the driver's COPY": "with op.get_bind().connection.cursor() as cursor:\n"
    '    with cursor.copy("COPY t5 FROM STDIN") as copy:\n        copy.write("7\\n")',
    "several statements": 'op.execute(sa.DDL("CREATE TABLE one (id int); CREATE TABLE two (id int)"))',
    "a comment with a semicolon": 'op.create_table_comment("t1", "one; two")',
    "a table that is there": 'op.create_table("t1", sa.Column("id", sa.Integer), if_not_exists=True)',
    "a fork": "import os\nchild = os.fork()\nif child == 0:\n    try:\n        op.execute('select 1')\n"
    "    finally:\n        os._exit(0)\nos.waitpid(child, 0)",
    "a block": 'op.execute("DO $$ BEGIN CREATE TABLE t1 (id int); EXCEPTION WHEN OTHERS THEN NULL; END $$")',
    "the models": 'sa.Table("m", sa.MetaData(), sa.Column("id", sa.Integer)).create(op.get_bind())',
}
"""bodies that succeed"""
TWICE = 'op.create_table("t1", sa.Column("id", sa.Integer))'
SLOW = 'op.create_check_constraint("slow", "t1", "pg_sleep({})::text IS NOT NULL")'
FAILING = {
    "a table that is there": (TWICE, 'relation "t1" already exists'),
    "an error that is caught": (f"try:\n    {TWICE}\nexcept Exception:\n    pass", 'relation "t1" already'),
    "an error of Python's": ('raise RuntimeError("never mind")', "never mind"),
    "a version table without its row": (
        'op.execute("DELETE FROM alembic_version")',
        f"expected to match one row when updating '{AT - 1}' to '{AT}'",
    ),
    "another row in the version table": (
        'op.drop_table("alembic_version")\n'
        'op.create_table("alembic_version", sa.Column("version_num", sa.String(32), primary_key=True))',
        f"expected to match one row when updating '{AT - 1}' to '{AT}'",
    ),
    "an end of the interpreter": (
        "import os\nos._exit(3)",
        f"ended with exit status 3 while revision {AT} ran",
    ),
}
"""bodies that do not, and what the error says"""


def make_history(bodies: Mapping[int, str]) -> list[Rev]:
    """A table in each revision, but for those that have another body."""
    plain = 'op.create_table("t{0}", sa.Column("id", sa.Integer))'
    return [
        Rev(f"{number}", bodies.get(number, plain.format(number)), f"{number - 1}" if number > 1 else None)
        for number in range(1, LENGTH + 1)
    ]


def run(
    engine: Engine, bodies: Mapping[int, str], env_py: str = "", *, sends_ahead: bool = True, **settings: Any
) -> Ran:
    folder = lay(engine.folder(), make_history(bodies), env_py, url=URL)
    return engine.run(folder, sends_ahead=sends_ahead, **settings)


def count_ahead(ran: Ran) -> int:
    return sum(isinstance(line, StepFinished) and line.is_ahead for line in ran.lines)


def simplify(value: Any) -> Any:
    """A fact without what differs in each run."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        volatile = {"oid", "seconds", "stage_times", "output"}
        return {name: simplify(item) for name, item in items.items() if name not in volatile}
    if isinstance(value, list | tuple):
        return [simplify(item) for item in value]
    return value


def test_all_facts_are_the_same(engine: Engine) -> None:
    bodies = {10 + 5 * number: body for number, body in enumerate(BODIES.values())}
    ahead, waiting = (run(engine, bodies, sends_ahead=sends_ahead) for sends_ahead in (True, False))
    assert count_ahead(ahead) >= 40  # until one takes the driver's connection
    assert count_ahead(waiting) == 0
    assert ahead.replay.failure is None
    first, second = simplify(ahead.replay), simplify(waiting.replay)
    assert {name: item for name, item in first.items() if item != second[name]} == {}


@pytest.mark.parametrize(("body", "words"), FAILING.values(), ids=FAILING)
def test_what_fails_is_reported_from_a_run_that_waited_for_each_answer(
    engine: Engine, body: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[bool] = []

    def send_order(*given: Any) -> Any:
        runs.append(given[-1].sends_ahead)
        return worker_answer_stream.send_order(*given)

    monkeypatch.setattr(history_run, "send_order", send_order)
    folder = lay(engine.folder(), make_history({AT: body}), url=URL)
    settings = Settings("long", folder, folder, project_folder=folder, python=Path(sys.executable))
    examination = examine_project(settings)
    while True:
        try:
            next(examination)
        except StopIteration as end:
            failure = end.value.replay.failure
            break
    assert runs == [True, False]
    assert words in (failure.first_error or failure).message
    assert failure.revision == f"{AT}"
    if body == TWICE:
        assert failure.location.line == line_of(folder, f"{AT}", "create_table")


@pytest.mark.parametrize(
    "env_py",
    [
        env(url=URL, configure="transaction_per_migration=True"),
        env(url=URL, connect="engine.connect().execution_options(isolation_level='AUTOCOMMIT')"),
        env(url=URL, configure="on_version_apply=lambda **_: connection.execute(text('SELECT 1')).scalar()"),
        env(url=URL.replace("+psycopg", "+psycopg2")),
        env(url=URL, before='connection.execute(text("SELECT 1"))\nconnection.commit()'),
        env(url=URL, run="with connection.begin():\n    context.run_migrations()"),
    ],
    ids=["a transaction for each", "none", "a callback", "another driver", "a question before", "its own"],
)
def test_other_environments_arrive(engine: Engine, env_py: str) -> None:
    ran = run(engine, {}, env_py)
    assert ran.replay.failure is None
    assert len(ran.replay.catalog.tables) == LENGTH


def test_a_short_history_waits(engine: Engine) -> None:
    history = make_history({})[: MIN_STEPS - 1]
    ran = engine.run(lay(engine.folder(), history, url=URL), sends_ahead=True)
    assert not any(isinstance(line, StepStarted) and line.is_ahead for line in ran.lines)


def test_a_time_limit_names_the_revision_that_the_server_is_in(engine: Engine) -> None:
    bodies = {AT - 1: 'op.execute("INSERT INTO t1 VALUES (1)")', AT: SLOW.format(60)}
    with pytest.raises(TimedOut, match=f"took longer than 5 s while revision {AT} ran"):
        run(engine, bodies, run_seconds=5)


def test_the_time_is_that_of_the_revision_that_took_it(engine: Engine) -> None:
    ran = run(engine, {AT - 1: 'op.execute("INSERT INTO t1 VALUES (1)")', AT: SLOW.format(0.3)})
    seconds = {step.revision: step.seconds for step in ran.replay.steps}
    assert seconds[f"{AT}"] >= 0.3
    assert max(seconds, key=lambda revision: seconds[revision]) == f"{AT}"


ASKS_AFTERWARDS = """
from alembic import context
from sqlalchemy import engine_from_config, pool, text

section = context.config.get_section(context.config.config_ini_section)
engine = engine_from_config(section, prefix="sqlalchemy."{})
with engine.connect() as lock:
    lock.execute(text("SELECT pg_advisory_lock(42)"))
    try:
        with engine.connect() as connection:
            context.configure(connection=connection, transaction_per_migration=True)
            with context.begin_transaction():
                context.run_migrations()
    finally:
        lock.execute(text("SELECT pg_advisory_unlock(42)"))
"""
"""env.py holds a lock by another connection, and returns it when that of the revisions is closed"""


@pytest.mark.parametrize("pool", ["", ", poolclass=pool.NullPool"], ids=["a pool", "no pool"])
def test_a_connection_that_env_py_asks_afterwards_does_not_hide_the_error(engine: Engine, pool: str) -> None:
    ran = run(engine, {AT: 'op.execute("SELECT 1 / 0")'}, ASKS_AFTERWARDS.format(pool))
    assert ran.replay.failure is not None
    assert ran.replay.failure.message.startswith("division by zero")


def test_a_time_limit_names_the_revision_where_nothing_is_sent_ahead(engine: Engine) -> None:
    """The log has no step any more; nothing is sent ahead, so the worker's own position is right."""
    env_py = env(url=URL, connect="engine.connect().execution_options(isolation_level='AUTOCOMMIT')")
    bodies = {AT - 20: 'op.execute("DROP SCHEMA migration_gate CASCADE")', AT: "import time\ntime.sleep(60)"}
    with pytest.raises(TimedOut, match=f"took longer than 5 s while revision {AT} ran"):
        run(engine, bodies, env_py, run_seconds=5)


def test_the_frames_of_a_time_limit_are_not_those_of_a_later_revision(engine: Engine) -> None:
    bodies = {
        AT - 1: 'op.execute("INSERT INTO t1 VALUES (1)")',
        AT: SLOW.format(60),
        AT + 1: 'op.execute("SELECT 1")',
    }
    with pytest.raises(TimedOut) as caught:
        run(engine, bodies, run_seconds=5)
    assert f"versions/{AT + 1}.py" not in (caught.value.evidence or "")


DRIVER = "driver = op.get_bind().connection.dbapi_connection\n"
MAKE = 'op.create_table("{}", sa.Column("id", sa.Integer))'
NOT_BY_CURSOR = {
    "the driver's transaction": f"{DRIVER}try:\n    with driver.transaction():\n        {TWICE}\n"
    "except Exception:\n    pass",
    "the state of the driver": f"{DRIVER}if driver.info.transaction_status.name == 'INTRANS':\n"
    f"    {MAKE.format('inside')}",
    "notices": f"notices = []\n{DRIVER}driver.add_notice_handler(notices.append)\n"
    'op.create_table("t1", sa.Column("id", sa.Integer), if_not_exists=True)\n'
    f"if notices:\n    {MAKE.format('noticed')}",
    "a table of rows": 'op.execute("INSERT INTO t1 VALUES (1)")\nif hasattr(sa.schema, "CreateTableAs"):\n'
    '    op.execute(sa.schema.CreateTableAs(sa.select(sa.table("t1", sa.column("id"))), "copied"))',
}
"""what asks the driver without a statement, or needs the answer to DDL"""


@pytest.mark.parametrize("body", NOT_BY_CURSOR.values(), ids=NOT_BY_CURSOR)
def test_the_facts_are_the_same_without_a_cursor(engine: Engine, body: str) -> None:
    ahead, waiting = (run(engine, {AT: body}, sends_ahead=sends_ahead) for sends_ahead in (True, False))
    first, second = simplify(ahead.replay), simplify(waiting.replay)
    assert {name for name, item in first.items() if item != second[name]} == set()


def test_the_facts_are_the_same_where_a_listener_reads_the_answer(engine: Engine) -> None:
    listener = """
    @event.listens_for(connection, "after_cursor_execute")
    def audit(connection, cursor, statement, *more):
        if cursor.statusmessage == "CREATE TABLE" and "t60" in statement:
            connection.exec_driver_sql("CREATE TABLE audited (id int)")
    """
    ran = run(engine, {}, env(url=URL, before=listener))
    assert "audited" in ran.tables


SWALLOWED = {
    "a rollback of the driver's transaction": f"import psycopg\n{DRIVER}with driver.transaction() as block:\n"
    f"    {TWICE}\n    raise psycopg.Rollback(block)",
    "two rollbacks of the driver's": f"import contextlib\n{TWICE}\nfor _ in range(2):\n"
    "    with contextlib.suppress(Exception):\n        op.get_bind().connection.rollback()",
}
"""bodies that fail at their DDL; where it is sent ahead, psycopg throws the error away"""


@pytest.mark.parametrize("body", SWALLOWED.values(), ids=SWALLOWED)
def test_no_error_is_lost(engine: Engine, body: str) -> None:
    env_py = env(url=URL, configure="transaction_per_migration=True")
    try:
        failure = run(engine, {AT: body}, env_py).replay.failure
    except AnswersMissing:
        return
    assert failure is not None


def test_a_fork_that_makes_something_leaves_the_session_as_it_was(engine: Engine) -> None:
    body = (
        "import os\nop.execute('SELECT 1')\nchild = os.fork()\nif child == 0:\n    try:\n"
        f"        {MAKE.format('of_child')}\n    finally:\n        os._exit(0)\nos.waitpid(child, 0)\n"
        'assert op.get_bind().execute(sa.text("SELECT 7")).scalar() == 7'
    )
    try:
        failure = run(engine, {AT: body}).replay.failure
    except AnswersMissing:
        return
    assert failure is None


def test_no_library_listens_where_statements_are_sent_ahead(engine: Engine) -> None:
    """The count of the gate's own listeners is right: with one more, nothing is sent ahead."""
    listener = 'event.listen(engine, "after_cursor_execute", lambda *given: None)'
    assert count_ahead(run(engine, {}, env(url=URL, before=listener))) == 0
    assert count_ahead(run(engine, {AT: f"sa.{listener}".replace("engine", "op.get_bind()")})) == AT - 1


def test_a_limit_of_idle_time_holds(engine: Engine) -> None:
    limit = (
        "connection.exec_driver_sql('SET idle_in_transaction_session_timeout = 9000')\nconnection.commit()"
    )
    assert count_ahead(run(engine, {}, env(url=URL, before=limit))) == 0
    setting = 'op.execute("SET idle_in_transaction_session_timeout = 9000")'
    assert count_ahead(run(engine, {AT: setting})) == AT - 2  # the answer to the first INSERT is read


def test_a_revision_that_rolls_back_takes_nothing_of_the_log_with_it(engine: Engine) -> None:
    body = (
        f"{DRIVER}try:\n    {TWICE}\nexcept Exception:\n    driver.rollback()\n    {MAKE.format('instead')}"
    )
    env_py = env(url=URL, configure="transaction_per_migration=True")
    ahead, waiting = (run(engine, {AT: body}, env_py, sends_ahead=ahead) for ahead in (True, False))
    first, second = simplify(ahead.replay), simplify(waiting.replay)
    assert {name for name, item in first.items() if item != second[name]} == set()
    assert [fact.step for fact in ahead.replay.skipped_creations] == [AT]


def test_the_time_of_the_newest_that_was_sent_ahead_is_its_own(engine: Engine) -> None:
    """What comes between it and the next step, which is looked at, is nobody's."""
    folder = lay(engine.folder(), make_history({LENGTH: 'op.execute("SELECT 1")'}), url=URL)
    files = (str(folder.resolve() / f"migrations/versions/{LENGTH}.py"),)
    ran = engine.run(
        folder,
        changed=files,
        new_files=(f"migrations/versions/{LENGTH}.py",),
        sends_ahead=True,
        observe="off",
    )
    line = next(line for line in ran.lines if isinstance(line, StepFinished) and line.number == LENGTH - 1)
    assert not line.is_ahead
    assert ran.replay.steps[LENGTH - 2].seconds <= line.seconds
