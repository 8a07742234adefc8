"""Every fix that is offered runs, removes its difference and nothing else, and its downgrade restores."""

# ruff: noqa: E501  (SQL stays on one line)
from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import psycopg
import pytest

from benchmarks.drift.fuzz import FixTry, try_pairs
from benchmarks.drift.measurement import compare_snapshots
from migration_gate.analysis.drift_messages import describe_fix
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.facts import Difference, Replay, Snapshot
from migration_gate.replay import lone_fixes
from migration_gate.replay.fix_trial import open_trial
from migration_gate.replay.offered_fixes import offer_fixes
from tests.support.empty_pass import judge_project
from tests.support.release_tests import spread_over_every_run
from tests.support.replay_engine import Engine
from tests.support.user_project import MODELS

pytestmark = pytest.mark.slow


class Offer(NamedTuple):
    """The fixes that were offered, and what is wrong with them."""

    replay: Replay
    faults: list[str]

    def find(self, kind: str) -> Difference:
        """The first difference of a kind."""
        return next(item for item in self.replay.differences if item.kind == kind)


def offer(engine: Engine, database_sql: str, models_sql: str) -> Offer:
    database, models = (engine.server.create_database() for _ in range(2))

    def connect(name: str) -> psycopg.Connection:
        return engine.server.connect(name)

    def read(name: str, sql: str) -> Snapshot:
        with connect(name) as connection:
            connection.execute(sql.encode())
            return read_snapshot(connection)

    try:
        replay, differences = compare_snapshots(read(database, database_sql), read(models, models_sql))
        offered = offer_fixes(engine.server, database, replace(replay, differences=differences), differences)
        with connect(database) as connection:
            assert read_snapshot(connection) == replay.catalog
        return Offer(offered, list(FixTry(connect, database, offered).find_faults()))
    finally:
        engine.drop(database, models, "fuzz_copy")


READY = (
    ("smallint and boolean", "create table t (ok smallint not null default 0); insert into t default values", "create table t (ok boolean not null default false)"),
    ("boolean and bigint", "create table t (ok boolean default true); insert into t default values", "create table t (ok bigint default 1)"),
    ("a generated column with all that depends on it",
     "create table t (a int, v int generated always as (a * 2) stored, w int, constraint ck check (v > 0), constraint uq unique (v, w)); create index ix on t (v)",
     "create table t (a int, v int generated always as (a * 3) stored, w int, constraint ck check (v > 0), constraint uq unique (v, w)); create index ix on t (v)"),
    ("a key that a foreign key needs",
     "create table a (x int constraint aa unique); create table b (x int constraint k references a (x))",
     "create table a (x int constraint ab unique, y int); create table b (x int constraint k references a (x))"),
    ("an index that a foreign key needs",
     "create table a (x int); create unique index aa on a (x); create table b (x int constraint k references a (x))",
     "create table a (x int constraint aa unique); create table b (x int constraint k references a (x))"),
    ("a narrower serial", "create table t (id bigserial primary key)", "create table t (id serial primary key)"),
    ("a wider serial", "create table t (id serial primary key)", "create table t (id bigserial primary key)"),
    ("a lost owner of a sequence", "create table t (id serial primary key); alter sequence t_id_seq owned by none", "create table t (id serial primary key)"),
    ("another sequence without an owner", "create sequence s; create table t (id bigint primary key default nextval('s'))", "create table t (id bigserial primary key)"),
    ("a type and a default", "create table t (a varchar(9) default 'x')", "create table t (a int default 5)"),
    ("a type, and a default on one side", "create table t (a varchar(9))", "create table t (a int default 5)"),
    ("an identity and no NOT NULL", "create table t (a int generated always as identity)", "create table t (a int)"),
    ("reserved words", 'create table "user" ("order" int, "select" int)', 'create table "user" ("order" bigint default 1, "select" text not null unique)'),
    ("both ends of a foreign key",
     "create table a (id varchar(36) primary key); create table b (a_id varchar(36) constraint k references a)",
     "create table a (id uuid primary key); create table b (a_id uuid constraint k references a)"),
    ("an enum for one column", "create table t (k varchar(9) default 'x')", "create type kind as enum ('x', 'y'); create table t (k kind default 'x')"),
    ("a label that goes while views, a trigger and a policy use columns of the enum",
     """create type kind as enum ('x', 'y', 'z'); create table t (id int primary key, k kind default 'x', ks kind[]); create table u (k kind not null);
     create view v as select t.k, ks from t join u using (k) where t.k <> 'y'; create view w as select k from v union select k from u;
     create materialized view m as select unnest(ks) as k from v; create index mi on m (k);
     create function f() returns trigger language plpgsql as 'begin return new; end';
     create trigger g before update of k on t for each row execute function f(); create policy p on t using (k = 'x'); insert into t values (1, 'y', '{x,y}')""",
     "create type kind as enum ('x', 'y'); create table t (id int primary key, k kind default 'x', ks kind[]); create table u (k kind not null)"),
    ("a label that comes while a view uses the enum",
     "create type kind as enum ('x'); create table t (k kind); create view v as select k from t where k = 'x'",
     "create type kind as enum ('x', 'y'); create table t (k kind)"),
    ("an enum that is left over", "create type kind as enum ('x', 'y'); create table t (k kind default 'x')", "create table t (k varchar(9) default 'x')"),
    ("a label that is used at once",
     "create type kind as enum ('x'); create table t (k kind)",
     "create type kind as enum ('x', 'y'); create table t (k kind default 'y')"),
    ("views on views, with all that belongs to them",
     """create table t (id int primary key, a int, b text); create view v with (security_barrier) as select a, b from t where b <> 'x:y %s';
     create view w as select a + 1 as a1, (select max(a) from v) as m from v; create materialized view m as select a1 from w;
     create unique index mi on m (a1); comment on index mi is 'i'; comment on view v is 'it''s v'; comment on column v.a is 'c';
     create materialized view empty as select m from w with no data; create rule r as on delete to w do instead nothing;
     grant select on w to public; grant select (a) on v to public; comment on materialized view m is 'm'""",
     "create table t (id int primary key, a bigint, b varchar)"),
    ("triggers on a column",
     """create table t (a int, v varchar(9)); create function f() returns trigger language plpgsql as 'begin return new; end';
     create trigger g before update of a on t for each row when (new.v <> 'x') execute function f(); alter table t disable trigger g;
     create trigger h after update of a on t for each row execute function f(); comment on trigger g on t is 'x'""",
     "create table t (a bigint, v text)"),
    ("policies on a column",
     """create table t (a int, b int); create table u (a varchar, b text); alter table t enable row level security;
     create policy p on t as restrictive for update to public using (a > 1) with check (a < 9); comment on policy p on t is 'c';
     create policy q on t using (exists (select from u where u.a <> 'x:y')); create policy r on u using (b <> 'x')""",
     "create table t (a bigint, b int); create table u (a text, b text); alter table t enable row level security"),
    ("a column that generated columns use",
     "create table t (a int, b int, v bigint generated always as (a * 2 + b) stored not null, w text, constraint ck check (v > 0), constraint uq unique (v, w)); create index ix on t (v)",
     "create table t (a bigint, b smallint, v bigint generated always as (a * 2 + b) stored not null, w text, constraint ck check (v > 0), constraint uq unique (v, w)); create index ix on t (v)"),
    ("a type that a CHECK which goes does not allow",
     "create table t (a smallint not null default 0 constraint ck check (a in (0, 1))); insert into t values (1)", "create table t (a boolean not null default false)"),
    ("two options of a table", "create unlogged table t (a int) with (fillfactor=70)", "create table t (a int)"),
    ("a column that another table inherits, which the models part from it",
     "create table t (a text); create table u (b int) inherits (t)", "create table t (a varchar(9)); create table u (a text, b bigint)"),
    ("a schema that is missing",
     "create table t (a int)",
     'create table t (a int); create schema "order"; create type "order".k as enum (\'a\'); create table "order".x (id serial primary key, k "order".k); create table "order".y (id int references "order".x); create sequence "order".q'),
    ("names that want to be code",
     "create table \"t'); import os #\" (\"a\\'b\" int)",
     "create table \"t'); import os #\" (\"a\\'b\" bigint default 1, \"x\"\" y\" text default ''')')"),
)  # fmt: skip


@pytest.mark.parametrize(("database", "models"), spread_over_every_run([tuple(sql) for _, *sql in READY], 4))
def test_a_fix_that_is_offered_runs_both_ways(engine: Engine, database: str, models: str) -> None:
    offered = offer(engine, database, models)
    assert offered.faults == []
    assert not any(item.fix_refused for item in offered.replay.differences)
    assert offered.replay.drift_revision is not None
    assert offered.replay.drift_revision.left_out == ()


def test_a_moment_becomes_a_call(engine: Engine) -> None:
    sql = "create table t (at timestamptz default 'now()')"
    offered = offer(engine, sql, sql).find("default")
    assert "server_default=sa.func.now()" in offered.upgrade
    assert not offered.fix_refused


def test_a_default_that_changes_with_its_type_is_no_second_finding(engine: Engine) -> None:
    offered = offer(
        engine,
        "create table t (a varchar(9) default 'no', b bigint default 3, c text default 'q')",
        "create table t (a boolean default true, b uuid default gen_random_uuid(), c varchar default 'p')",
    )
    assert offered.faults == []
    found = [(item.kind, item.object, item.includes_default) for item in offered.replay.differences]
    # text and varchar hold the same: there the default alone matters.
    assert found == [
        ("type", "t.a", True),
        ("type", "t.b", True),
        ("type", "t.c", False),
        ("default", "t.c", False),
    ]
    advice = describe_fix(offered.find("type"))
    assert advice.startswith(
        "Correct the model: `boolean` does not hold every value of `character varying(9)`."
    )
    assert offered.replay.differences[0].models == "boolean DEFAULT true"
    assert "give `postgresql_using` the expression" in describe_fix(offered.replay.differences[1])


LOSSES = {
    "bigint->smallint": "narrower", "bigint->boolean": "does not hold", "bigint->numeric(9,2)": "does not hold",
    "double precision->integer": "does not hold", "interval->time": "does not hold", "uuid->varchar(9)": "does not hold",
    "text->varchar(9)": "narrower", "text->mood": "does not hold", "timestamptz->date": "narrower",
    "integer->bigint": "", "integer->numeric(12,2)": "", "boolean->integer": "", "json->jsonb": "", "date->timestamp": "",
    "mood->text": "", "uuid->text": "", "timestamp->timestamptz": "", "varchar(9)->text": "",
}  # fmt: skip


@pytest.mark.release
def test_a_type_that_holds_fewer_values_is_first_corrected_in_the_model(engine: Engine) -> None:
    sides = [
        "create type mood as enum ('a'); "
        + "; ".join(f'create table "{pair}" (x {pair.split("->")[side]})' for pair in LOSSES)
        for side in (0, 1)
    ]
    offered = offer(engine, *sides)
    assert offered.faults == []
    for item in offered.replay.differences:
        words = LOSSES[item.object.removesuffix(".x")]
        first_line = describe_fix(item).partition("\n")[0]
        assert words in first_line, item.object
        assert words or first_line.startswith("Correct the model, or write into a revision"), item.object


def test_a_shorter_text_is_refused_and_not_cut(engine: Engine) -> None:
    offered = offer(engine, "create table t (a text, b text)", "create table t (a varchar(2), b char(2))")
    database = engine.server.create_database()
    with engine.server.connect(database) as connection:
        for item in offered.replay.differences:
            connection.execute("create table t (a text, b text); insert into t values ('long', 'long')")
            with open_trial(lambda: engine.server.connect(database)) as trial:
                assert "value too long" in trial.run(item.upgrade)
            connection.execute("drop table t")
    engine.drop(database)


REFUSED = (
    ("a function with a body", "create table t (a int); create function f() returns int begin atomic select a from t; end", "create table t (a bigint)", "depends on column"),
    ("a view with a default", "create table t (a int); create view v as select a from t; alter view v alter column a set default 5", "create table t (a bigint)", "used by a view or rule"),
    ("no cast", "create table t (a bigint)", "create table t (a uuid)", "cannot cast type bigint to uuid"),
    ("no cast, and a default", "create table t (a jsonb default '{}')", "create table t (a date)", "cannot cast type jsonb to date"),
    ("privileges of a generated column",
     "create table t (a int, v int generated always as (a * 2) stored); grant select (v) on t to public",
     "create table t (a int, v int generated always as (a * 3) stored)", "privileges on column `t.v`"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("database", "models", "reason"), [pytest.param(*row, id=title) for title, *row in REFUSED]
)
def test_a_fix_that_fails_is_not_offered_and_the_reason_is_said(
    engine: Engine, database: str, models: str, reason: str
) -> None:
    offered = offer(engine, database, models)
    assert offered.faults == []
    refused = [item for item in offered.replay.differences if item.fix_refused]
    assert reason in refused[0].fix_refused
    assert not any(item.upgrade or item.downgrade for item in refused)


def test_what_would_be_dropped_is_not_in_the_one_revision(engine: Engine) -> None:
    offered = offer(
        engine,
        "create table t (a int, gone text); create table old (a int)",
        "create table t (a bigint, b date)",
    )
    assert offered.faults == []
    revision = offered.replay.drift_revision
    assert revision is not None
    assert revision.left_out == ("old", "t.gone")
    assert "drop" not in revision.upgrade
    assert offered.find("table").upgrade == "op.drop_table('old')"


def test_what_a_revision_that_did_not_run_may_make_is_not_in_the_one_revision(engine: Engine) -> None:
    models = MODELS.replace("String(50), ", "String(60), index=True, ")
    for target, left_out in ("one", ("ix_item_name",)), ("heads", ()):
        report = judge_project(engine, {"models_py": models}, {"target": (target,)})
        revision = report.facts.replay.drift_revision
        assert revision is not None
        assert (revision.left_out, "create_index" in revision.upgrade) == (left_out, not left_out)


def test_a_fix_that_needs_another_says_so(engine: Engine) -> None:
    offered = offer(
        engine,
        "create table a (x int constraint aa unique); create table b (x int references a (x))",
        "create table a (x int); create unique index aa on a (x); create table b (x int)",
    )
    assert offered.faults == []
    assert "depends on index aa" in offered.find("unique").runs_only_with
    assert not offered.find("foreign key").runs_only_with


def test_of_very_many_differences_of_a_table_not_each_is_tried_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lone_fixes, "MAX_BATCHES", 2)
    table = "create table a (x int); create table b (x int)"
    indexes = [f"create index i{number} on a (x)" for number in range(5)]
    offered = offer(engine, "; ".join((table, *indexes, "create index j on b (x)")), table)
    assert offered.faults == []
    reasons = [item.runs_only_with for item in offered.replay.differences]
    assert sorted(reasons) == [""] * 3 + [lone_fixes.NOT_TRIED] * 3


@pytest.mark.release
def test_no_fix_that_is_offered_fails_for_random_schemas(engine: Engine) -> None:
    """`python -m benchmarks.drift.fuzz 500` tries many more."""
    tried = list(try_pairs(engine.server, 6, 1000))
    engine.drop("fuzz_database", "fuzz_models", "fuzz_copy")
    assert [(pair.seed, pair.faults) for pair in tried if pair.faults] == []
    assert sum(bool(item.upgrade) for pair in tried for item in pair.replay.differences) > 5


RENAMES = (
    ("a column with another type, NOT NULL and an index",
     "create table t (id int primary key, email varchar(50)); insert into t values (1, 'a'); create index ix_t_email on t (email)",
     "create table t (id int primary key, email_address text not null default ''); create index ix_t_email_address on t (email_address)"),
    ("a column with another comment and default",
     "create table t (qty int default 1); comment on column t.qty is 'a'",
     "create table t (quantity int default 2); comment on column t.quantity is 'b'"),
    ("a column that becomes an enum", "create table t (kind varchar(9))", "create type kind as enum ('x', 'y'); create table t (kinds kind)"),
    ("a column with a foreign key",
     "create table a (id int primary key); create table b (author int constraint k references a)",
     "create table a (id int primary key); create table b (author_id int constraint k2 references a on delete cascade)"),
    ("a serial column", "create table t (num serial, x int)", "create table t (number bigserial, x int)"),
    ("a column under a view", "create table t (a int, name text); create view v as select name from t", "create table t (a int, full_name text)"),
    ("a column of another type under a view", "create table t (a int, name text); create view v as select name from t", "create table t (a int, full_name varchar(9))"),
    ("a table with one more column, and a key to it",
     "create table user_account (id serial primary key, login varchar(9) unique, born date); create table p (u int references user_account)",
     "create table accounts (id serial primary key, login varchar(40) unique, born date, extra int); create table p (u int references accounts)"),
    ("a table in another schema",
     "create table account (id serial primary key, login text, born date)",
     "create schema auth; create table auth.account (id serial primary key, login text, born date)"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("database", "models"), spread_over_every_run([tuple(sql) for _, *sql in RENAMES], 3)
)
def test_a_rename_with_changes_is_offered_first_and_keeps_rows(
    engine: Engine, database: str, models: str
) -> None:
    offered = offer(engine, database, models)
    assert offered.faults == []
    renamed = [item for item in offered.replay.differences if item.rename_is_likely]
    assert len(renamed) == 2
    for item in renamed:
        assert item.rename_fix is not None
        assert "drop_column" not in item.rename_fix.upgrade
        assert "drop_table" not in item.rename_fix.upgrade
        advice = describe_fix(item)
        assert advice.startswith("It may be `")
        assert advice.index(item.rename_fix.upgrade.splitlines()[0]) < advice.index("If not, ")
    revision = offered.replay.drift_revision
    assert revision is None or "drop_table" not in revision.upgrade


def test_a_rename_that_cannot_run_is_not_offered(engine: Engine) -> None:
    body = "create function f() returns text begin atomic select flags from t; end"
    database = f"create table t (a int, flags text); {body}"
    offered = offer(engine, database, "create table t (a int, flag varchar(9))")
    assert offered.faults == []
    advice = describe_fix(offered.find("column"))
    assert "those that were tried failed" in advice
    assert "new_column_name" not in advice


def test_a_renamed_table_does_not_lose_a_column_with_it(engine: Engine) -> None:
    offered = offer(
        engine,
        "create table user_account (login text, born date, town text, phone text)",
        "create table accounts (login text, born date, town text)",
    )
    fix = offered.find("table").rename_fix
    assert offered.faults == []
    assert fix is not None
    assert fix.remaining == ("accounts.phone",)
    assert "drop" not in fix.upgrade


def test_a_renamed_table_takes_its_renamed_column_along(engine: Engine) -> None:
    models = MODELS.replace('"item"', '"items"').replace("    name =", "    full_name =")
    facts = judge_project(engine, {"models_py": models}, {}).facts
    fixes = {item.rename_fix for item in facts.replay.differences}
    (fix,) = fixes
    assert fix is not None
    assert fix.remaining == ()
    assert fix.upgrade.splitlines()[:2] == [
        "op.rename_table('item', 'items')",
        "op.alter_column('items', 'name', new_column_name='full_name')",
    ]
    assert fix.downgrade.splitlines()[-2:] == [
        "op.alter_column('items', 'full_name', new_column_name='name')",
        "op.rename_table('items', 'item')",
    ]
