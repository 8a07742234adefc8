"""What is written to finish an index of a partitioned table finishes it."""

from __future__ import annotations

import textwrap

import pytest

from migration_gate.checks import dropped_object, unfinished_change
from migration_gate.facts import Base, Facts
from tests.replay.test_observation import run_new_revisions
from tests.support.release_tests import first_in_every_run
from tests.support.replay_engine import Engine

PARTITIONED = """
op.execute("create table events (id bigint not null, happened date not null) partition by range (happened)")
op.execute("create table events_may partition of events for values from ('2026-05-01') to ('2026-06-01')")
op.execute(
    "create table events_rest partition of events for values from ('2026-06-01') to ('2027-01-01')"
    " partition by list (id)"
)
op.execute("create table events_first partition of events_rest for values in (1)")
"""
HALF_BUILT = {
    "an index": """
op.execute("create index events_id on only events (id)")
op.execute("create index own_name on events_may (id)")
""",
    "a constraint": 'op.execute("alter table only events add constraint events_key unique (id, happened)")',
}


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.parametrize("body", first_in_every_run(HALF_BUILT.values(), 1))
def test_the_fix_finishes_the_index_of_a_partitioned_table(engine: Engine, body: str) -> None:
    ran = run_new_revisions(engine, body, before=PARTITIONED)
    (finding,) = unfinished_change.check(Facts("a", ran.replay))
    fix = textwrap.dedent(finding.fix.partition(":\n\n")[2])
    fixed = run_new_revisions(engine, body, fix, before=PARTITIONED)
    assert fixed.replay.failure is None
    assert list(unfinished_change.check(Facts("a", fixed.replay))) == []
    indexes = [index for index in fixed.replay.catalog.indexes if index.table.startswith("events")]
    assert all(index.valid for index in indexes)
    assert len(indexes) == 4


LOADED = """
op.execute("create function remember() returns trigger language plpgsql as 'begin return new; end'")
op.execute("create schema app")
for table in ("app.owner", "pet", "toy", "dish", "bed", "cage"):
    op.execute(f"create table {table} (id integer primary key, owner_id integer references app.owner)")
    for name in ("audit", "stamp", "asleep", '"Own Name"'):
        op.execute(f"create trigger {name} before insert on {table} for each row execute function remember()")
    op.execute(f"alter table {table} disable trigger asleep")
    op.execute(f"alter table {table} enable always trigger stamp")
op.execute("create table year (n integer primary key) partition by range (n)")
op.execute("create table year_1 partition of year for values from (1) to (9)")
op.execute("create trigger alone before insert on year_1 for each row execute function remember()")
op.execute("create table event (n integer references year)")
op.execute("create constraint trigger kept after insert on year for each row execute function remember()")
"""
STATEMENTS = (
    "alter table app.owner disable trigger all",
    "alter table pet disable trigger all",
    'alter table toy enable replica trigger "Own Name"',
    "do $$ begin execute 'alter table dish disable trigger user'; end $$",
    "alter table bed disable trigger audit, enable trigger audit, disable trigger asleep",
    "create trigger own before insert on cage for each row execute function remember();"
    "alter table cage disable trigger own",
    "alter table cage rename to cave",
    "alter table year disable trigger all",
    "alter table year_1 disable trigger alone",
    "alter table year add constraint early check (n < 5) not valid",
)
NOT_ENFORCED = (
    "`app.owner`: `owner_owner_id_fkey`, `bed_owner_id_fkey`, `cage_owner_id_fkey`, `dish_owner_id_fkey`, "
    "`pet_owner_id_fkey` and `toy_owner_id_fkey` are not enforced"
)
ALL = "`Own Name`, `audit` and `stamp` do not fire any more"
EXPECTED = (
    f"{NOT_ENFORCED} and {ALL}",
    f"`dish`: {ALL}",
    f"`pet`: `pet_owner_id_fkey` is not enforced and {ALL}",
    "`toy`: `Own Name` does not fire any more",
    "`year`: `event_n_fkey` is not enforced and `kept` does not fire any more",
    "`year_1`: `alone` does not fire any more",
)
UNVALIDATED = "`year.early` is NOT VALID when the change has run: rows from before may break it"


@pytest.mark.slow
def test_triggers_that_the_change_leaves_disabled_are_told_with_what_enables_them(engine: Engine) -> None:
    """Not those that were disabled before, are enabled again, or are new."""
    before = run_new_revisions(engine, before=LOADED).replay
    base = Base("c0ffee", "the base", Facts("a", before))
    body = "\n".join(f"op.execute({statement!r})" for statement in STATEMENTS)
    ran = run_new_revisions(engine, body, before=LOADED)
    findings = list(unfinished_change.check(Facts("a", ran.replay, base=base)))
    assert [finding.message.partition(": triggers are disabled when")[0] for finding in findings] == [
        *EXPECTED,
        UNVALIDATED,
    ]
    told = dropped_object.check(Facts("a", ran.replay, base=base))
    assert [finding.object for finding in told if finding.kind == "trigger"] == []
    lines = (ran.folder / "migrations/versions/new0.py").read_text().splitlines()
    first = next(number for number, line in enumerate(lines, 1) if STATEMENTS[0] in line)
    assert [finding.location and finding.location.line for finding in findings] == [
        first,
        first + 3,
        first + 1,
        first + 2,
        first + 7,
        first + 8,
        first + 9,
    ]
    fixes = [textwrap.dedent(finding.fix.partition(":\n\n")[2]) for finding in findings]
    fixed = run_new_revisions(engine, "\n".join([body, *fixes]), before=LOADED)
    assert fixed.replay.failure is None
    assert list(unfinished_change.check(Facts("a", fixed.replay, base=base))) == []
    modes = {item.name: item.enabled for item in before.catalog.triggers} | {"own": "disabled"}
    assert all(item.enabled == modes[item.name] for item in fixed.replay.catalog.triggers)
