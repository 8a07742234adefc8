"""Revisions are downgraded and upgraded again when the history has run: what is said of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from migration_gate import checks
from migration_gate.errors import WorkerDied
from migration_gate.facts import Facts, RevisionRollback
from tests.support.alembic_projects import URL, async_env, env, lay
from tests.support.project_files import revision_text, write_files
from tests.support.replay_engine import Engine, Ran
from tests.support.worker_interpreters import python

pytestmark = pytest.mark.slow
TENANTS = """
for name in ("t1", "t2"):
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {name}"))
    connection.execute(text(f"SET search_path TO {name}"))
    connection.commit()
    context.configure(
        connection=connection, target_metadata=target_metadata, version_table_schema=name
    )
    with context.begin_transaction():
        context.run_migrations()
"""
CREATE = 'op.create_table("{0}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))'
DROP = 'op.drop_table("{0}")'
ENUM = (
    'op.create_table("c", sa.Column("id", sa.Integer, primary_key=True), '
    'sa.Column("kind", sa.Enum("x", "y", name="kind")))'
)


def write_project(folder: Path, *revisions: str, env_py: str = "", url: str = URL) -> Path:
    """A project of these revisions: `name` or `name: parents`, then the two bodies."""
    lay(folder, (), env_py, url=url)
    return write_files(
        folder,
        {f"migrations/versions/{number:02}.py": text for number, text in enumerate(revisions, 1)},
    )


def roll_back(
    engine: Engine, folder: Path, *changed: int, versions: str = "newest"
) -> Mapping[str, RevisionRollback]:
    """The rollbacks of a run, by revision; without numbers of files all are wanted."""
    return {item.revision: item for item in run(engine, folder, *changed, versions=versions).replay.rollbacks}


def run(engine: Engine, folder: Path, *changed: int, versions: str = "newest") -> Ran:
    """The run, without a rehearsal: it runs revisions, too. Changed files are new ones."""
    names = tuple(f"migrations/versions/{number:02}.py" for number in changed)
    ran = engine.run(
        folder,
        python(versions),
        changed=tuple(str(folder.resolve() / name) for name in names),
        new_files=names,
        rollback="change" if changed else "all",
        observe="off",
    )
    assert ran.replay.failure is None
    return ran


@pytest.mark.parametrize("versions", ["newest", "oldest"])
def test_a_chain_is_judged_one_by_one(engine: Engine, versions: str) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", 'op.add_column("a", sa.Column("x", sa.Integer))', 'op.drop_column("a", "x")'),
        revision_text("c", "b", ENUM, DROP.format("c")),
    )
    found = roll_back(engine, folder, versions=versions)
    assert found["a"].is_complete
    assert found["b"].is_complete
    assert not found["a"].leftovers
    assert found["b"].lost_values == ("a.x",)
    assert [item.object for item in found["c"].leftovers] == ["kind"]
    assert found["c"].reupgrade_failure is not None
    assert found["c"].reupgrade_failure.sqlstate == "42710"


def test_casts_that_postgres_adds_to_a_rule_of_a_column_are_no_leftovers(engine: Engine) -> None:
    table = """op.execute("create table a (state varchar(20) check (state in ('x', 'y')), n integer)")
op.execute("create index by_n on a (n) where n > 0")"""
    change = 'op.alter_column("a", "state", type_=sa.String({}))\nop.alter_column("a", "n", type_=sa.{}())'
    other = "op.execute('alter table a drop constraint a_state_check')"
    folder = write_project(
        engine.folder(),
        revision_text("a", None, table, DROP.format("a")),
        revision_text("b", "a", change.format(40, "Numeric"), change.format(20, "Integer")),
        revision_text("c", "b", other, "op.execute(\"alter table a add check (state in ('x', 'y', 'z'))\")"),
    )
    found = roll_back(engine, folder)
    assert found["b"].is_complete
    assert (found["b"].leftovers, found["b"].reupgrade_differences) == ((), ())
    assert [item.object for item in found["c"].leftovers] == ["a.a_state_check"]


def test_a_constraint_that_was_validated_may_stay_so(engine: Engine) -> None:
    """No downgrade can undo it, and the older release wrote nothing else."""
    table = "op.execute('create table a (id int, n int); alter table a add check (n > 0) not valid')"
    validate = "op.execute('alter table a validate constraint a_n_check')"
    anew = "op.execute('alter table a drop constraint a_n_check; alter table a add check (n > 0) not valid')"
    folder = write_project(
        engine.folder(),
        revision_text("a", None, table, DROP.format("a")),
        revision_text("b", "a", validate, "pass"),
        revision_text("c", "b", f"{validate}\nop.add_column('a', sa.Column('x', sa.Text))", anew),
    )
    ran = run(engine, folder)
    found = {item.revision: item for item in ran.replay.rollbacks}
    assert found["b"].leftovers == ()
    assert {item.object for item in found["c"].leftovers} == {"a.a_n_check", "a.x"}
    said = [finding.object for finding in checks.missing_downgrade.check(Facts(replay=ran.replay))]
    assert said == []


PARTS_BEFORE = """
create table a (id int primary key, name text)
create index by_name on a (lower(name))
create statistics both_columns on id, name from a
create publication part for table a (id) where (id > 3)
create publication whole
create text search configuration words (copy = simple)
create foreign data wrapper far
create server there foreign data wrapper far
create foreign table distant (n int) server there options (place 'x')
create type kind as enum ('x')
create schema other
create role owner_of_parts
"""
PARTS_CHANGED = {
    "alter table a set (toast.autovacuum_enabled = false)": ("TOAST options", "public.a"),
    "alter table a alter name set (n_distinct = 5)": ("column options", "public.a.name"),
    "alter index by_name alter column 1 set statistics 9": ("statistics target", "public.by_name.lower"),
    "alter statistics both_columns set statistics 9": ("statistics target", "public.both_columns"),
    "alter publication part set table a": ("publication filter", "part: public.a"),
    "alter publication whole add tables in schema other": ("published schema", "whole: other"),
    "alter text search configuration words drop mapping for word": (
        "text search configuration",
        "public.words",
    ),
    "create user mapping for public server there options (password 'secret')": (
        "user mapping",
        "public on there",
    ),
    "alter foreign table distant options (set place 'y')": ("foreign table options", "public.distant"),
    "alter type kind owner to owner_of_parts": ("owner", "public.kind"),
    "alter schema other owner to owner_of_parts": ("owner", "other"),
}


def test_parts_that_are_seldom_changed_are_compared_as_well(engine: Engine) -> None:
    before = "\n".join(f"op.execute({line!r})" for line in PARTS_BEFORE.split("\n") if line)
    change = "\n".join(f"op.execute({statement!r})" for statement in PARTS_CHANGED)
    folder = write_project(
        engine.folder(),
        revision_text("a", None, before),
        revision_text("b", "a", change, "op.execute('select 1')"),
    )
    leftovers = roll_back(engine, folder, 2)["b"].leftovers
    assert {(item.noun, item.object) for item in leftovers} == set(PARTS_CHANGED.values())
    assert "secret" not in repr(leftovers)


REVOKE = "op.execute('revoke select on a from {0}')"
DROP_ROLE = "op.execute('drop role {0}')"


@pytest.mark.parametrize(
    ("role", "downgrade", "said"),
    [
        ("stays", REVOKE, ["failing_reupgrade"]),
        ("used_here", DROP_ROLE, ["failing_downgrade"]),
        ("used_there", f"{REVOKE}\n{DROP_ROLE}", []),
    ],
    ids=["it stays", "the own table uses it", "other databases of the run use it"],
)
def test_a_role_is_of_all_databases(engine: Engine, role: str, downgrade: str, said: list[str]) -> None:
    create = "op.execute('create role {0}; grant select on a to {0}')"
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", create.format(role), downgrade.format(role)),
    )
    facts = Facts(replay=run(engine, folder, 2).replay)
    modules = (checks.failing_reupgrade, checks.failing_downgrade)
    assert [module.__name__.rpartition(".")[2] for module in modules for _ in module.check(facts)] == said
    assert [item.is_foreseen for item in facts.replay.unchecked] == ([] if said else [True])


def test_foreign_tables_are_not_read(engine: Engine) -> None:
    """That would be to connect to another server."""
    tables = """
        op.execute("create foreign data wrapper far")
        op.execute("create server there foreign data wrapper far")
        op.execute("create table a (n int) partition by list (n)")
        op.execute("create foreign table distant partition of a for values in (1) server there")
    """
    add, drop = "op.execute('alter table a add x int')", "op.execute('alter table a drop x')"
    folder = write_project(
        engine.folder(), revision_text("a", None, tables), revision_text("b", "a", add, drop)
    )
    rollback = roll_back(engine, folder, 2)["b"]
    assert (rollback.is_complete, rollback.unproven) == (True, "")


def test_a_column_that_numbers_its_rows_loses_the_numbers(engine: Engine) -> None:
    """Rows are numbered anew by the next upgrade, and those that were deleted since have left gaps."""
    columns = ("n1 int GENERATED ALWAYS AS IDENTITY", "n2 int GENERATED BY DEFAULT AS IDENTITY", "n3 serial")
    add = "\n".join(f"op.execute('ALTER TABLE a ADD {column}')" for column in columns)
    drop = "\n".join(f"op.drop_column('a', '{column[:2]}')" for column in columns)
    keep = "op.execute('CREATE TABLE kept AS SELECT id, n FROM a')\nop.drop_column('a', 'n')"
    restore = """
        op.execute("ALTER TABLE a ADD n serial")
        op.execute("CREATE TABLE IF NOT EXISTS kept (id int, n int)")
        op.execute("UPDATE a SET n = kept.n FROM kept WHERE kept.id = a.id")
        op.execute("DROP TABLE kept")
    """
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", add, drop),
        revision_text("c", "b", restore, keep),
    )
    found = roll_back(engine, folder)
    assert found["b"].lost_values == ("a.n1", "a.n2", "a.n3")
    assert found["c"].lost_values == ()


def test_what_stands_below_a_one_way_revision_is_judged_all_the_same(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", CREATE.format("b"), "op.drop_table('nothing')"),
        revision_text("c", "b", CREATE.format("c"), 'raise NotImplementedError("no way back")'),
        revision_text("d", "c", CREATE.format("d"), DROP.format("d")),
    )
    ran = run(engine, folder)
    found = {item.revision: item for item in ran.replay.rollbacks}
    assert found["d"].is_complete
    assert "no way back" in found["c"].refusal
    assert found["b"].failure is not None
    assert found["a"].is_complete
    assert any("`c` (NotImplementedError('no way back'))" in note for note in ran.replay.notes)


def test_an_edited_revision_in_the_middle_is_judged_on_the_history_up_to_it(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", CREATE.format("b"), "op.drop_table('a')"),
        revision_text("c", "b", CREATE.format("c")),
    )
    found = roll_back(engine, folder, 2)
    assert list(found) == ["b"]
    assert {(item.noun, item.object, item.found is None) for item in found["b"].leftovers} == {
        ("table", "a", True),
        ("table", "b", False),
    }


MADE_AT_START = """
from sqlalchemy import create_engine, text

with create_engine("postgresql://app:secret@db.invalid:5432/app").begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS users (id int PRIMARY KEY)"))
"""
READ_SETTING = "op.execute(\"SELECT current_setting('app.mode')\")"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('op.add_column("users", sa.Column("x", sa.Integer))', CREATE.format("b")),
        ("op.execute(\"SET app.mode = 'old'\")", f"{READ_SETTING}\n{CREATE.format('b')}"),
    ],
    ids=["the application makes a table", "a revision needs the session of an older one"],
)
def test_below_a_one_way_revision_the_history_begins_at_the_base_or_at_its_start(
    engine: Engine, first: str, second: str
) -> None:
    env_py = env(top="import made_at_start") if "users" in first else env()
    folder = write_project(
        engine.folder(),
        revision_text("a", None, first),
        revision_text("b", "a", second, DROP.format("b")),
        revision_text("c", "b", CREATE.format("c"), "raise NotImplementedError('no way back')"),
        env_py=env_py,
    )
    write_files(folder, {"made_at_start.py": MADE_AT_START})
    found = roll_back(engine, folder, 2, 3)
    assert found["c"].refusal
    assert found["b"].unproven == ""
    assert found["b"].leftovers == ()


PARSE_NAMES = """
import json
for (name,) in op.get_bind().execute(sa.text("select name from a")).fetchall():
    json.loads(name)
op.drop_column("a", "x")
"""


@pytest.mark.parametrize("stands_below", [False, True])
def test_code_that_fails_over_what_a_made_up_row_holds_is_proven_without_rows(
    engine: Engine, stands_below: bool
) -> None:
    add = 'op.add_column("a", sa.Column("x", sa.Integer))'
    revisions = [
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", add, PARSE_NAMES),
    ]
    if stands_below:
        revisions.append(revision_text("c", "b", CREATE.format("c"), "op.drop_table('nothing')"))
    found = roll_back(engine, write_project(engine.folder(), *revisions))
    assert found["b"].is_complete
    assert found["b"].failure is None
    assert found["b"].row_failure is not None
    assert found["b"].row_failure.exception_class == "JSONDecodeError"
    assert found["a"].is_complete


def test_each_of_several_revisions_is_proven_without_rows(engine: Engine) -> None:
    parse_more = PARSE_NAMES.replace('"x"', '"y"')
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", 'op.add_column("a", sa.Column("x", sa.Integer))', PARSE_NAMES),
        revision_text("c", "b", 'op.add_column("a", sa.Column("y", sa.Integer))', parse_more),
        revision_text("d", "c", "pass", "pass"),
    )
    found = roll_back(engine, folder)
    assert {name: rollback.row_failure is not None for name, rollback in found.items()} == {
        "a": False, "b": True, "c": True, "d": False,
    }  # fmt: skip


def test_code_that_fails_on_empty_tables_fails(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text(
            "b", "a", 'op.add_column("a", sa.Column("x", sa.Integer))', f"{PARSE_NAMES}\nundefined_name"
        ),
    )
    found = roll_back(engine, folder)
    # What it says of a made-up row comes first, and is not what has to be corrected.
    assert found["b"].row_failure is None
    assert found["b"].failure is not None
    assert found["b"].failure.exception_class == "NameError"


def test_branches_and_merges_go_down_in_the_opposite_order(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b1", "a", CREATE.format("b1"), DROP.format("b1")),
        revision_text("b2", "a", CREATE.format("b2"), DROP.format("b2")),
        revision_text("m", ("b1", "b2"), "pass"),
        revision_text("d", "m", CREATE.format("d"), DROP.format("d"), depends_on=None),
    )
    found = roll_back(engine, folder)
    assert [
        (item.revision, item.is_complete, item.unproven) for item in found.values() if not item.is_complete
    ] == []
    assert len(found) == 5


def test_a_dependency_of_another_branch_is_a_head_again(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a"), labels=("one",)),
        revision_text("x", None, CREATE.format("x"), DROP.format("x"), labels=("two",), depends_on="a"),
    )
    found = roll_back(engine, folder)
    assert {name: item.is_complete for name, item in found.items()} == {"a": True, "x": True}


def test_every_tenant_goes_down_and_up(engine: Engine) -> None:
    whole = env(run=TENANTS).replace(
        "        context.configure(connection=connection, target_metadata=target_metadata)\n", ""
    )
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", ENUM, DROP.format("c")),
        env_py=whole,
    )
    found = roll_back(engine, folder)
    assert found["a"].is_complete
    assert [item.object for item in found["b"].leftovers] == ["t1.kind", "t2.kind"]


def test_an_async_env_py_and_autocommit_blocks_go_down(engine: Engine) -> None:
    block = (
        "with op.get_context().autocommit_block():\n    op.{0}_index('ix', {1}, postgresql_concurrently=True)"
    )
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text(
            "b", "a", block.format("create", "'a', ['name']"), block.format("drop", "table_name='a'")
        ),
        env_py=async_env(),
        url="postgresql+asyncpg://app@db.invalid/app",
    )
    found = roll_back(engine, folder)
    assert {name: item.is_complete for name, item in found.items()} == {"a": True, "b": True}


def test_a_pool_that_is_kept_and_an_interpreter_that_ends_harm_nobody(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", CREATE.format("b"), "import os\nos._exit(0)"),
        env_py=env(imports="import kept", engine="kept.engine", configure="transaction_per_migration=True"),
    )
    write_files(
        folder,
        {
            "kept.py": 'import sqlalchemy\n\nengine = sqlalchemy.create_engine("postgresql://app@db.invalid/app")\n'
        },
    )
    found = roll_back(engine, folder)
    assert found["a"].is_complete
    failure = found["b"].failure
    assert failure is not None or "ended" in found["b"].unproven


def test_rows_show_what_an_empty_database_does_not(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text(
            "a",
            None,
            'op.create_table("a", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text, '
            'nullable=False), sa.Column("cents", sa.Integer))',
            DROP.format("a"),
        ),
        revision_text(
            "b", "a", 'op.execute("UPDATE a SET cents = cents * 2")', 'op.execute("UPDATE a SET cents = 0")'
        ),
        revision_text(
            "c",
            "b",
            'op.drop_column("a", "name")',
            'op.add_column("a", sa.Column("name", sa.Text, nullable=False))',
        ),
    )
    found = roll_back(engine, folder)
    failure = found["c"].failure
    assert failure is not None
    assert failure.sqlstate == "23502"
    assert failure.direction == "downgrade"
    (altered,) = found["b"].altered_rows
    assert (altered.object, altered.by_downgrade) == ("a.cents", True)


def test_what_a_revision_does_to_rows_is_not_said_of_the_one_below_it(engine: Engine) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, CREATE.format("a"), DROP.format("a")),
        revision_text("b", "a", CREATE.format("b"), DROP.format("b")),
        revision_text(
            "c",
            "b",
            "op.execute(\"UPDATE a SET name = ''\")",
            "op.execute(\"UPDATE a SET name = name || '!'\")",
        ),
    )
    found = roll_back(engine, folder, 2, 3)
    assert [item.object for item in found["c"].altered_rows] == ["a.name"]
    assert found["b"].is_complete
    assert found["b"].altered_rows == ()


def test_nothing_is_rolled_back_without_a_change(engine: Engine) -> None:
    folder = write_project(engine.folder(), revision_text("a", None, CREATE.format("a")))
    ran = engine.run(folder)
    assert ran.replay.rollbacks == ()


KILL = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


def test_an_interpreter_that_is_killed_in_a_rollback_is_no_finding(engine: Engine) -> None:
    folder = write_project(engine.folder(), revision_text("a", None, CREATE.format("a"), KILL))
    words = r"killed by signal 9 \(SIGKILL\) while `downgrade\(\)` of a ran once more, without"
    with pytest.raises(WorkerDied, match=words):
        roll_back(engine, folder)
