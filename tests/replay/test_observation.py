"""What is observed of the looked-at revisions: locks, work, and what could not be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from migration_gate.analysis.lock_messages import describe_work
from migration_gate.checks import blocking_change, work_under_lock
from migration_gate.facts import Facts, Observation, ObservedStatement
from migration_gate.report.change_table import list_change_rows
from migration_gate.report.change_table_markdown import render_change_table
from migration_gate.verdict.outcome import ProjectReport
from tests.support.fact_builders import find_origin_by_name
from tests.support.project_files import write_files
from tests.support.release_tests import first_in_every_run
from tests.support.replay_engine import Engine, Ran
from tests.support.user_project import ENV, project, revision

pytestmark = pytest.mark.slow
ADD = 'op.add_column("item", sa.Column("n", sa.Integer))'
IN_SAVEPOINT = ENV.replace("context.begin_transaction()", "connection.begin(), connection.begin_nested()")
WITH_LOCAL_SETTINGS = ENV.replace(
    "        context.run_migrations()",
    "        from sqlalchemy import text\n"
    "        connection.execute(text(\"set local lock_timeout = '7s'\"))\n"
    "        connection.execute(text(\"select set_config('app.tenant', 'a', true)\"))\n"
    "        context.run_migrations()",
)
ASYNC_ENV = """
import asyncio

from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

from shop.models import Base


def run(connection):
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    async with create_async_engine(URL).connect() as connection:
        await connection.run_sync(run)


asyncio.run(main())
"""
PER_MIGRATION = ENV.replace("Base.metadata)", "Base.metadata, transaction_per_migration=True)")


def run_new_revisions(
    engine: Engine,
    *bodies: str,
    environment: str = ENV,
    observe: str = "change",
    before: str = "pass",
    **settings: Any,
) -> Ran:
    """Run a history of old revisions, the last of which is `before`, and these new ones."""
    files = project(env_py=environment)
    names = [f"new{number}" for number in range(len(bodies))]
    files["migrations/versions/old.py"] = revision("old", "two", before)
    for name, parent, body in zip(names, ["old", *names], bodies, strict=False):
        files[f"migrations/versions/{name}.py"] = revision(name, parent, body)
    folder = write_files(engine.folder(), files)
    paths = tuple(f"migrations/versions/{name}.py" for name in names)
    changed = tuple(str(folder.resolve() / path) for path in paths)
    return engine.run(folder, changed=changed, new_files=paths, observe=observe, **settings)


def describe(statement: ObservedStatement) -> str:
    """The statement's kind, its own locks, and its work."""
    taken = [
        f"{lock.mode} {lock.relation}"
        for lock in statement.taken
        if lock.relation.kind == "table" and lock.mode.blocks_writes
    ]
    works = [f"{work.kind} {work.relation} {work.detail}".strip() for work in statement.works]
    return f"{statement.tag}: {', '.join(taken) or '-'}: {', '.join(works) or '-'}"


def describe_all(statements: Sequence[ObservedStatement]) -> list[str]:
    return [describe(statement) for statement in statements]


def test_each_statement_has_its_locks_and_its_work(engine: Engine) -> None:
    ran = run_new_revisions(
        engine,
        f'op.create_index("ix_name", "item", ["name"])\n{ADD}\nop.execute("update item set n = 1")',
        'op.create_table("other", sa.Column("item_id", sa.Integer, sa.ForeignKey("item.id")))\n'
        'op.create_index("ix_other", "other", ["item_id"])\n'
        'op.alter_column("item", "n", type_=sa.BigInteger())',
    )
    observation = ran.replay.observation
    assert describe_all(observation.statements) == [
        "CREATE INDEX: SHARE item: index build item ix_name",
        "ALTER TABLE: ACCESS EXCLUSIVE item: -",
        "UPDATE: -: rows item",
        "CREATE TABLE: SHARE ROW EXCLUSIVE item: -",
        "CREATE INDEX: -: -",
        "ALTER TABLE: -: rewrite item, index rebuild item item_pkey, index build item ix_name",
    ]
    assert {statement.transaction for statement in observation.statements} == {1}
    assert [statement.location and statement.location.line for statement in observation.statements] == [
        12, 13, 14, 12, 13, 14,
    ]  # fmt: skip
    assert [(str(lock.relation), lock.since) for lock in observation.statements[-2].locks] == [("item", 2)]


def test_statements_inside_of_blocks_and_texts_have_entries_of_their_own(engine: Engine) -> None:
    block = "do $$ begin alter table item add column m int; create index ix_m on item (m); end $$"
    text = "alter table item add k int; update item set k = 1; create index ix_k on item (k)"
    led = "set local lock_timeout = '2s'; alter table item add j int"
    ran = run_new_revisions(engine, f'op.execute("{block}")\nop.execute("{text}")\nop.execute("{led}")')
    statements = ran.replay.observation.statements
    assert [(item.tag, item.sql) for item in statements] == [
        ("ALTER TABLE", "alter table item add column m int"),
        ("CREATE INDEX", "create index ix_m on item (m)"),
        ("ALTER TABLE", "alter table item add k int"),
        ("UPDATE", "update item set k = 1"),
        ("CREATE INDEX", "create index ix_k on item (k)"),
        ("ALTER TABLE", "alter table item add j int"),
    ]
    assert statements[-1].lock_timeout == 2000
    assert {item.client_sql for item in statements[:2]} == {block}


def test_statements_that_release_their_locks_at_once_show_them_by_their_work(engine: Engine) -> None:
    ran = run_new_revisions(
        engine,
        "with op.get_context().autocommit_block():\n"
        '    op.create_index("ix_c", "item", ["name"], postgresql_concurrently=True)\n'
        '    op.execute("vacuum full item")\n'
        'op.execute("truncate item")\nop.create_index("ix_d", "item", ["name"])',
    )
    build, vacuum, truncate, later = ran.replay.observation.statements
    assert describe(build) == "CREATE INDEX: -: index build item ix_c"
    assert describe(vacuum).startswith("VACUUM: ACCESS EXCLUSIVE item: ")
    assert not vacuum.is_in_block
    assert [str(table) for table in truncate.emptied] == ["item"]
    assert later.works == ()  # the table is empty


@pytest.mark.parametrize(
    "driver", first_in_every_run(["psycopg", "psycopg2", "pg8000", "asyncpg", "psycopg_async"], kept=2)
)
def test_statements_of_a_drivers_cursor_are_at_the_lines_that_ran_them(engine: Engine, driver: str) -> None:
    """Whatever they were made of, and not at that of the next statement; that of a failure is told, too."""
    is_async = driver in ("asyncpg", "psycopg_async")
    lines: tuple[str, ...] = (
        "cursor = op.get_bind().connection.cursor()",
        'cursor.execute("create index ix_first on item (name)")',
        'NARROW = "alter table item " + "alter column name type varchar(2)"',
        "for statement in (NARROW,):",
        "    cursor.execute(statement)",
        'op.execute("create index ix_next on item (name)")',
        "try:",
        '    op.execute("savepoint s")',
        '    cursor.execute("create index {} on item (id)".format("ix_next"))',
        "except Exception:",
        '    op.execute("rollback to savepoint s")',
        'make = "create index ix_{} on item (name)".format',
        'cursor.execute(make("built"))',
        'cursor.execute(make("other"))',
        'op.get_bind().exec_driver_sql(make("last"))',
        "cursor.execute('update item set name = ' + repr(str(1)))",
        'cursor.execute("alter table item add a int")' if is_async else 'cursor.execute(b"alter table item "',
        "" if is_async or driver == "pg8000" else '   b"add a int")',
    )
    if driver == "pg8000":
        lines = tuple(line.replace('b"alter table item "', "'alter table item add a int')") for line in lines)
    url = f"postgresql+{driver}://app:app@db.invalid/app"
    environment = ASYNC_ENV if is_async else ENV
    ran = run_new_revisions(engine, "\n".join(lines), environment=environment.replace("URL)", f"{url!r})"))
    assert ran.replay.failure is None, ran.replay.failure
    text = (ran.folder / "migrations/versions/new0.py").read_text().splitlines()

    def find_line(words: str) -> int:
        return next(number for number, line in enumerate(text, 1) if words in line)

    expected = [
        ("CREATE INDEX", "ix_first"),
        ("ALTER TABLE", "execute(statement)"),
        ("CREATE INDEX", "ix_next on item (name)"),
        ("CREATE INDEX", 'format("ix_next")'),  # failed
        ("CREATE INDEX", 'make("built")'),
        ("CREATE INDEX", 'make("other")'),
        ("CREATE INDEX", 'make("last")'),
        ("UPDATE", "update item"),
        ("ALTER TABLE", "alter table item add a" if is_async or driver == "pg8000" else "(b"),
    ]

    assert [
        (item.tag, item.location and item.location.line) for item in ran.replay.observation.statements
    ] == [(tag, find_line(words)) for tag, words in expected]
    location = find_origin_by_name(ran.replay, "ix_other").location
    assert location is not None
    assert location.line == find_line('make("other")')
    failure = ran.replay.rehearsal.revisions[0].failure
    assert failure is not None
    assert failure.failure.statement == "alter table item alter column name type varchar(2)"
    assert failure.tables == ("item",)


def test_a_statement_after_which_the_driver_forgets_prepared_ones_keeps_its_line(engine: Engine) -> None:
    """Psycopg prepares what it has run five times, and sends `DEALLOCATE ALL` behind the next ALTER."""
    body = (
        "for number in range(9):\n"
        "    op.get_bind().execute(sa.text('select id from item where id = :id'), {'id': number})\n"
        "op.alter_column('item', 'name', type_=sa.Text())"
    )
    environment = ENV.replace("URL)", "'postgresql+psycopg://app:app@db.invalid/app')")
    ran = run_new_revisions(engine, body, environment=environment)
    (altered,) = [item for item in ran.replay.observation.statements if item.tag == "ALTER TABLE"]
    assert altered.location is not None
    assert altered.location.line == ran.replay.steps[-1].statements[-1].line
    assert describe(altered).startswith("ALTER TABLE: ACCESS EXCLUSIVE item")


def test_a_statement_behind_a_deallocate_of_the_same_text_is_observed(engine: Engine) -> None:
    body = (
        "op.execute('update item set id = id where id = 1')\n"
        "op.execute('DEALLOCATE ALL; alter table item alter name type text')"
    )
    ran = run_new_revisions(engine, body)
    (altered,) = [item for item in ran.replay.observation.statements if item.tag == "ALTER TABLE"]
    assert altered.sql == "alter table item alter name type text"
    assert altered.location is not None
    assert altered.location.line == ran.replay.steps[-1].statements[-1].line


def test_a_foreign_key_is_verified_on_the_rows_of_its_own_table(engine: Engine) -> None:
    """Not on those of the table whose column it refers to; and a new table has none."""
    before = (
        'op.execute("create schema app")\n'
        'op.execute("create table app.a (id int primary key)")\n'
        'op.execute("create table p (k int primary key, r int references app.a)")'
    )
    body = (
        'op.execute("alter table p rename to q")\n'
        'op.execute("create table z (a_id int references app.a)")\n'
        'op.execute("alter table app.a alter column id type bigint")\n'
        'op.execute("alter table q add constraint other foreign key (r) references app.a")'
    )
    ran = run_new_revisions(engine, body, before=before)
    works = [list(map(describe_work, item.works)) for item in ran.replay.observation.statements]
    assert works == [
        [],
        [],
        [
            "writes every row of `app.a` anew, and builds its indexes",
            "builds the index `a_pkey` of `app.a` anew",
            "looks up every row of `p` for the foreign key `p_r_fkey`",
        ],
        ["looks up every row of `p` for the foreign key `other`"],
    ]
    findings = list(blocking_change.check(Facts("shop", ran.replay)))
    assert [finding.object for finding in findings] == ["app.a", "p", "p"]
    assert "writes `app.a` anew" in findings[1].fix


def test_other_sessions_are_observed_too(engine: Engine) -> None:
    ran = run_new_revisions(
        engine,
        "import psycopg\n"
        'with psycopg.connect("host=db.invalid dbname=app") as own:\n'
        '    own.execute("create index ix_raw on item (name)")\n'
        "    own.execute(\"update item set name = 'x'\")\n"
        "with sa.create_engine(op.get_bind().engine.url).begin() as connection:\n"
        '    connection.execute(sa.text("alter table item add column k int"))',
    )
    described = describe_all(ran.replay.observation.statements)
    assert [text for text in described if not text.startswith("SELECT")] == [
        "CREATE INDEX: SHARE item: index build item ix_raw",
        "UPDATE: -: rows item",
        "ALTER TABLE: ACCESS EXCLUSIVE item: -",
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "op.execute(\"do $$ begin set log_min_messages = 'panic';"
            ' create index i on item (name); end $$")',
            "changes what the server logs",
        ),
        ('op.execute("drop schema migration_gate cascade")', "breaks off"),
    ],
)
def test_a_migration_that_blinds_the_gate_is_reported(engine: Engine, body: str, words: str) -> None:
    ran = run_new_revisions(engine, body)
    (spot,) = ran.replay.observation.blind_spots
    assert words in spot
    assert spot in [item.why for item in ran.replay.unchecked]
    assert set(ran.replay.observation.partly_seen) == set(ran.replay.observation.revisions[-1:])


def test_settings_of_the_session_blind_nobody(engine: Engine) -> None:
    ran = run_new_revisions(
        engine,
        "op.execute(\"set log_min_messages = 'error'\")\nop.execute(\"set client_min_messages = 'error'\")\n"
        'op.create_index("ix_a", "item", ["name"])\nop.execute("reset all")\n'
        'op.create_index("ix_b", "item", ["name"])\nop.execute("create extension pg_trgm")',
    )
    observation = ran.replay.observation
    assert [work.detail for item in observation.statements for work in item.works] == ["ix_a", "ix_b"]
    assert observation.blind_spots == ()


@pytest.mark.release
def test_settings_of_env_py_for_its_transaction_stay(engine: Engine) -> None:
    ran = run_new_revisions(
        engine,
        "op.execute(\"insert into item values (1, current_setting('app.tenant'))\")",
        environment=WITH_LOCAL_SETTINGS,
    )
    assert ran.replay.failure is None
    assert [item.lock_timeout for item in ran.replay.observation.statements] == [7000]


def test_locks_of_earlier_revisions_are_not_those_of_the_change(engine: Engine) -> None:
    ran = run_new_revisions(engine, ADD, ADD.replace('"n"', '"m"'), environment=IN_SAVEPOINT)
    assert "inside of a savepoint" in ran.replay.observation.blind_spots[0]
    ran = run_new_revisions(engine, ADD, ADD.replace('"n"', '"m"'), environment=PER_MIGRATION)
    transactions = [item.transaction for item in ran.replay.observation.statements]
    assert transactions == [1, 2]


def test_nothing_is_observed_without_new_revisions(engine: Engine) -> None:
    assert run_new_revisions(engine).replay.observation == Observation()
    assert run_new_revisions(engine, ADD, observe="off").replay.observation == Observation("off")


@pytest.mark.release
def test_every_revision_can_be_observed_by_itself(engine: Engine) -> None:
    ran = run_new_revisions(engine, ADD, observe="all")
    observation = ran.replay.observation
    assert observation.revisions == ("one", "two", "old", "new0")
    assert [item.revision for item in observation.statements if item.taken] == ["two", "new0"]


ADD_LABEL = """
op.execute("create type kind as enum ('a')")
op.execute("create table thing (kind kind)")
op.execute("alter type kind add value 'b'")
"""
USE_LABEL = "op.execute(\"insert into thing values ('b')\")"


@pytest.mark.parametrize(
    ("environment", "fails"),
    [(ENV, True), (PER_MIGRATION, False)],
    ids=["one transaction", "one per migration"],
)
def test_a_new_value_of_an_enum_is_as_unsafe_as_without_a_change(
    engine: Engine, environment: str, fails: bool
) -> None:
    ran = run_new_revisions(engine, USE_LABEL, environment=environment, before=ADD_LABEL)
    failure = ran.replay.failure
    assert (failure.sqlstate if failure is not None else None) == ("55P04" if fails else None)


def test_where_a_commit_would_change_something_new_revisions_are_observed_from_the_base(
    engine: Engine,
) -> None:
    """The old revision locks the table, too, in the same transaction."""
    before = f"{ADD_LABEL}\nop.execute('alter table item add old int')"
    ran = run_new_revisions(engine, ADD, 'op.create_index("ix_n", "item", ["n"])', before=before)
    assert ran.replay.failure is None
    assert not any("`transaction_per_migration=True`" in note for note in ran.replay.notes)
    assert ran.replay.unchecked == ()
    added, built = ran.replay.observation.statements
    assert describe(added) == "ALTER TABLE: ACCESS EXCLUSIVE item: -"
    assert describe(built) == "CREATE INDEX: SHARE item: index build item ix_n"
    assert [(item.revision, item.location and item.location.line) for item in (added, built)] == [
        ("new0", 12),
        ("new1", 12),
    ]


def test_where_the_base_cannot_be_made_again_it_is_said_that_locks_were_not_seen(engine: Engine) -> None:
    before = f"{ADD_LABEL}\nop.execute('alter table item add old int')\nopen('ran', 'x').close()"
    ran = run_new_revisions(engine, ADD, before=before)
    assert ran.replay.failure is None
    assert any("`transaction_per_migration=True`" in note for note in ran.replay.notes)
    assert describe_all(ran.replay.observation.statements) == ["ALTER TABLE: -: -"]


@pytest.mark.release
def test_many_statements_of_one_revision_are_one_finding_and_one_row(engine: Engine) -> None:
    ran = run_new_revisions(
        engine, f"{ADD}\nfor number in range(800):\n    op.execute(f'update item set n = {{number}}')"
    )
    facts = Facts("app", ran.replay)
    assert len(ran.replay.observation.statements) == 801
    (finding,) = work_under_lock.check(facts)
    assert finding.evidence[-1].text == "799 more statements of this revision do the same (line 14)"
    (row,) = list_change_rows(ProjectReport("app", facts))
    assert len(row.operations) == 801
    assert len(render_change_table([row])) < 600


@pytest.mark.release
def test_a_sleep_is_told_as_a_sleep(engine: Engine) -> None:
    block = "do $$ begin lock table item; perform pg_sleep(0.01); end $$"
    ran = run_new_revisions(engine, 'op.execute("lock table item")\nop.execute("select pg_sleep(0.01)")')
    (finding,) = work_under_lock.check(Facts("app", ran.replay))
    assert (finding.kind, finding.location and finding.location.line) == ("sleep", 13)
    assert "Take the sleep out" in finding.fix
    ran = run_new_revisions(engine, f'op.execute("{block}")')
    assert [item.kind for item in work_under_lock.check(Facts("app", ran.replay))] == ["sleep"]


def test_a_commit_by_hand_releases_what_was_locked(engine: Engine) -> None:
    ran = run_new_revisions(
        engine, f'{ADD}\nop.execute("commit")\nop.execute("begin")\nop.execute("update item set n = 1")'
    )
    add, update = ran.replay.observation.statements
    assert [(describe(item), item.transaction) for item in (add, update)] == [
        ("ALTER TABLE: ACCESS EXCLUSIVE item: -", 1),
        ("UPDATE: -: rows item", 2),
    ]
    assert list(work_under_lock.check(Facts("app", ran.replay))) == []
