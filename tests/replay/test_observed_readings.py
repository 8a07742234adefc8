"""Statements that read all rows of a table, or none, in an unusual way."""

from __future__ import annotations

import pytest

from migration_gate.checks import blocking_change, work_under_lock
from migration_gate.facts import Facts
from tests.replay.test_observation import ADD, run_new_revisions
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("add primary key (name)", ["constraint-index"]),
        ("add unique (name)", ["constraint-index", "not-null-scan"]),
    ],
)
def test_columns_that_a_key_does_not_require_are_read_for_themselves(
    engine: Engine, key: str, found: list[str]
) -> None:
    replay = run_new_revisions(
        engine,
        f'op.execute("alter table loose alter name set not null, {key}")',
        before='op.execute("create table loose (name text)")',
    ).replay
    findings = list(blocking_change.check(Facts("shop", replay)))
    assert sorted(str(finding.kind) for finding in findings) == found


def test_a_cursor_reads_the_rows_when_it_is_fetched_from(engine: Engine) -> None:
    replay = run_new_revisions(
        engine,
        f'{ADD}\nop.execute("declare items cursor for select * from item")\n'
        'op.execute("fetch all from items")',
    ).replay
    (finding,) = work_under_lock.check(Facts("shop", replay))
    assert finding.kind == "scan"
    assert finding.location is not None
    assert finding.location.line == 14


def test_a_refresh_without_data_empties_the_view(engine: Engine) -> None:
    before = (
        'op.execute("create materialized view names as select name from item")\n'
        'op.execute("create unique index ux_names on names (name)")'
    )
    replay = run_new_revisions(
        engine,
        'op.execute("refresh materialized view names with no data")',
        'op.execute("refresh materialized view names")',
        before=before,
    ).replay
    assert list(blocking_change.check(Facts("shop", replay))) == []
    filled = run_new_revisions(engine, 'op.execute("refresh materialized view names")', before=before).replay
    (finding,) = blocking_change.check(Facts("shop", filled))
    assert finding.kind == "materialized-view-refresh"


def test_a_block_that_locks_a_table_and_reads_another_one_is_work_under_lock(engine: Engine) -> None:
    replay = run_new_revisions(
        engine,
        'op.execute("do $$ begin lock table item in exclusive mode; perform count(*) from kind; end $$")',
        before='op.execute("create table kind (id int)")',
    ).replay
    (finding,) = work_under_lock.check(Facts("shop", replay))
    assert finding.object == "item"
    assert "take the work with rows out of the function or block" in (finding.fix or "")


INDEX = 'op.create_index("i", "part", ["item_id"])'
KEY = 'op.execute("alter table loose add foreign key (item_id) references item not valid")'
GRANDCHILD = """
op.execute("create table piece (part_id int references part on delete {})")
"""


@pytest.mark.parametrize(
    ("before", "behind", "found"),
    [
        pytest.param("pass", "pass", ["part"], id="no index"),
        pytest.param(INDEX, "pass", [], id="an index"),
        pytest.param("pass", INDEX, ["part"], id="an index that is built behind it"),
        pytest.param(INDEX, KEY, [], id="a key that is made behind it"),
        pytest.param(
            INDEX + GRANDCHILD.format("cascade"), "pass", ["piece"], id="rows that are deleted, too"
        ),
        pytest.param(INDEX + GRANDCHILD.format("restrict"), "pass", ["piece"], id="rows that prevent that"),
    ],
)
def test_a_delete_looks_for_rows_that_reference_what_it_deletes(
    engine: Engine, before: str, behind: str, found: list[str]
) -> None:
    tables = (
        'op.execute("create table part (id int primary key, "\n'
        '           "item_id int references item on delete cascade)")\n'
        'op.execute("create table other (name int)")\n'
        'op.execute("create table loose (item_id int)")\n'
    )
    replay = run_new_revisions(
        engine,
        'op.execute("alter table other alter name set default 1")\n'
        f'op.execute("delete from item where id = 5")\n{behind}',
        before=tables + before,
    ).replay
    findings = list(work_under_lock.check(Facts("shop", replay)))
    assert [finding.kind for finding in findings] == ["backfill"] * len(found)
    assert all(f"goes through the rows of `{found[0]}`" in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("before", "behind", "is_found"),
    [
        pytest.param("pass", "pass", True, id="no index"),
        pytest.param('op.create_index("i", "item", ["name"])', "pass", False, id="an index"),
        pytest.param("pass", 'op.create_index("i", "item", ["name"])', True, id="built behind it"),
        pytest.param(
            'op.create_index("i", "item", ["name"], postgresql_using="hash")',
            "pass",
            True,
            id="without order",
        ),
    ],
)
def test_a_sorted_query_stops_early_if_an_index_gives_the_order(
    engine: Engine, before: str, behind: str, is_found: bool
) -> None:
    replay = run_new_revisions(
        engine,
        'op.execute("alter table other alter name set default 1")\n'
        f'op.execute("select id from item order by name limit 5")\n{behind}',
        before=f'op.execute("create table other (name int)")\n{before}',
    ).replay
    findings = list(work_under_lock.check(Facts("shop", replay)))
    assert [finding.kind for finding in findings] == ["scan"] * is_found
