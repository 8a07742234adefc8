"""How much work a finding is about: severity by sizes alone, times by what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from migration_gate.analysis.work_extent import list_needed_kinds
from migration_gate.check import Check, Extent, Finding, Severity
from migration_gate.checks import (
    ALL,
    blocking_change,
    breaks_running_code,
    destructive,
    required_column,
    work_under_lock,
)
from migration_gate.facts import (
    Facts,
    HeldLock,
    LockMode,
    Observation,
    ObservedStatement,
    Replay,
    RowWork,
    Snapshot,
    StoredRelation,
    Table,
    TableSize,
    TableSizes,
    WorkKind,
    WorkRate,
    WorkRates,
)
from migration_gate.verdict.novelty import compare_with_older
from migration_gate.verdict.outcome import Verdict
from tests.support import fact_builders

GB = 1 << 30
ORDERS, ITEMS = StoredRelation("public", "orders"), StoredRelation("public", "items")
BIG = TableSize("public", "orders", 120_000_000, 48 * GB, "gate.sizes, 2027-01-31")
TINY = TableSize("public", "orders", 40, 8192, ".migration-gate.yml:2")
RATES = WorkRates(
    (
        WorkRate(WorkKind.VERIFICATION, 10_000_000, GB),
        WorkRate(WorkKind.REWRITE, 1_000_000, GB / 8),
        WorkRate(WorkKind.INDEX_BUILD, 2_000_000, GB / 4),
        WorkRate(WorkKind.ROWS, 100_000, GB / 64),
    )
)


def rewrite(
    number: int = 1, relation: StoredRelation = ORDERS, *works: RowWork, transaction: int = 1
) -> ObservedStatement:
    """A statement that rewrites a table under its own lock."""
    lock = HeldLock(relation, LockMode.ACCESS_EXCLUSIVE, number)
    return ObservedStatement(
        number,
        1,
        "b2",
        f"ALTER TABLE {relation} ALTER n TYPE bigint",
        "ALTER TABLE",
        transaction=transaction,
        locks=(lock,),
        taken=(lock,),
        works=(RowWork(WorkKind.REWRITE, relation), *works),
    )


def update(sql: str = "UPDATE items SET n = 1") -> ObservedStatement:
    """A statement that changes rows of `items` while an earlier one has locked `orders`."""
    return ObservedStatement(
        2, 1, "b2", sql, "UPDATE", transaction=1,
        locks=(HeldLock(ORDERS, LockMode.ACCESS_EXCLUSIVE, 1),),
        works=(RowWork(WorkKind.ROWS, ITEMS),), written=(ITEMS,),
    )  # fmt: skip


def make_facts(
    *statements: ObservedStatement, sizes: tuple[TableSize, ...], rates: WorkRates = RATES
) -> Facts:
    catalog = fact_builders.make_table("orders", "id bigint", "index id")
    observation = Observation("all", ("b2",), statements, (ORDERS, ITEMS))
    return Facts(
        replay=Replay(catalog=catalog, observation=observation), sizes=TableSizes(sizes), work_rates=rates
    )


def find(check: Check, facts: Facts) -> list[Finding]:
    return list(check.check(facts))


def find_extent(check: Check, facts: Facts) -> Extent:
    (finding,) = find(check, facts)
    assert finding.extent is not None
    return finding.extent


def test_a_rewrite_says_how_much_it_is_and_how_long_it_takes() -> None:
    facts = make_facts(rewrite(), sizes=(BIG,))
    (finding,) = find(blocking_change, facts)
    assert finding.headline == (
        "`orders`: reads and writes wait while the statement writes every row of `orders` anew, and builds "
        "its indexes (ACCESS EXCLUSIVE): 48 GB, 120 million rows, about 6 min at this machine's rate"
    )
    assert finding.severity is None
    assert [(item.label, item.text) for item in finding.evidence[-2:]] == [
        ("size", "`orders`: 48 GB, 120 million rows (gate.sizes, 2027-01-31)"),
        ("rate", "this machine rewrites 128 MB (1 million rows) a second, in memory and with nothing else to "
                 "do; production may be slower"),
    ]  # fmt: skip


def test_the_indexes_that_a_statement_builds_take_their_time_too() -> None:
    index = RowWork(WorkKind.INDEX_REBUILD, ORDERS, "ix_orders_id")
    extent = find_extent(blocking_change, make_facts(rewrite(1, ORDERS, index), sizes=(BIG,)))
    assert extent.time == "about 7 min"  # 384 s, and 60 s for the index
    unknown = RowWork(WorkKind.INDEX_REBUILD, ORDERS, "gone")
    extent = find_extent(blocking_change, make_facts(rewrite(1, ORDERS, index, unknown), sizes=(BIG,)))
    assert extent.time == "more than 7 min"


@pytest.mark.parametrize("rates", [WorkRates(), WorkRates((WorkRate(WorkKind.REWRITE, 1.0, 1.0),)), RATES])
def test_no_severity_depends_on_a_measured_time(rates: WorkRates) -> None:
    for size, severity in ((BIG, None), (TINY, Severity.WARNING)):
        (finding,) = find(blocking_change, make_facts(rewrite(), sizes=(size,), rates=rates))
        assert finding.severity == severity
    assert (find_extent(blocking_change, make_facts(rewrite(), sizes=(BIG,), rates=rates)).time == "") == (
        rates == WorkRates()
    )


def test_without_sizes_nothing_is_claimed_and_nothing_is_needed() -> None:
    for facts in (make_facts(rewrite(), sizes=()), make_facts(rewrite(), sizes=(replace(BIG, name="x"),))):
        (finding,) = find(blocking_change, facts)
        assert finding.extent is None
        assert finding.severity is None
        assert list_needed_kinds(facts) == frozenset()
    assert finding.evidence[-1].text == "`orders` is not among the sizes: nothing is concluded"


def test_a_small_table_makes_it_a_warning_that_says_so() -> None:
    (finding,) = find(blocking_change, make_facts(rewrite(), sizes=(TINY,)))
    assert finding.severity is Severity.WARNING
    assert finding.headline.endswith(
        "8 kB, 40 rows, less than 1 s at this machine's rate; small, so a warning instead of an error"
    )
    assert finding.evidence[-1].text == (
        "a warning instead of an error: all that is gone through is less than `small_table`, 10 MB, "
        "100 thousand rows"
    )


@pytest.mark.parametrize(
    ("rows", "size", "is_small"),
    [
        (99_999, (10 << 20) - 1, True),
        (100_000, 1, False),
        (1, 10 << 20, False),
        (5, None, True),
        (None, 5, True),
        (100_000, None, False),
    ],
)
def test_a_table_is_small_in_each_measure_that_is_known(
    rows: int | None, size: int | None, is_small: bool
) -> None:
    table = TableSize("public", "orders", rows, size)
    (finding,) = find(blocking_change, make_facts(rewrite(), sizes=(table,)))
    assert (finding.severity is Severity.WARNING) == is_small


def test_a_limit_that_is_off_makes_no_table_small() -> None:
    facts = make_facts(rewrite(), sizes=(TINY,))
    facts = replace(facts, sizes=replace(facts.sizes, small_rows=None, small_bytes=None))
    assert find(blocking_change, facts)[0].severity is None


def test_many_small_tables_of_one_transaction_are_not_small() -> None:
    """Their locks are held to its end; a large one among them is a finding of its own."""
    relations = [StoredRelation("public", f"t{number}") for number in range(3)]
    sizes = tuple(TableSize("public", relation.name, None, 4 << 20) for relation in relations)
    statements = [rewrite(number, relation) for number, relation in enumerate(relations, 1)]
    together = find(blocking_change, make_facts(*statements, sizes=sizes))
    assert [finding.severity for finding in together] == [None] * 3
    apart = [replace(statement, transaction=statement.number) for statement in statements]
    found = find(blocking_change, make_facts(*apart, sizes=sizes))
    assert [finding.severity for finding in found] == [Severity.WARNING] * 3
    beside_big = make_facts(rewrite(), rewrite(2, ITEMS), sizes=(BIG, replace(TINY, name="items")))
    assert [item.severity for item in find(blocking_change, beside_big)] == [None, Severity.WARNING]


def test_work_under_a_lock_weighs_by_the_tables_that_it_goes_through() -> None:
    earlier = replace(rewrite(), works=())
    items = replace(BIG, name="items")
    extent = find_extent(work_under_lock, make_facts(earlier, update(), sizes=(items, TINY)))
    assert (extent.time, extent.weight) == ("about 51 min", "")
    limited = make_facts(earlier, update("UPDATE items SET n = 1 WHERE n = 2"), sizes=(items, TINY))
    assert find_extent(work_under_lock, limited).time == ""  # how many rows is not known
    small = make_facts(earlier, update(), sizes=(replace(TINY, name="items"), BIG))
    assert find_extent(work_under_lock, small).weight == "a warning instead of an error"


def test_what_cannot_be_told_from_a_rate_is_not_told() -> None:
    view = StoredRelation("public", "orders", "materialized view")
    facts = make_facts(rewrite(1, view), sizes=(BIG,))
    assert find_extent(blocking_change, facts) == Extent("48 GB, 120 million rows")
    moved = replace(rewrite(), sql="ALTER TABLE orders SET TABLESPACE fast")
    assert find_extent(blocking_change, make_facts(moved, sizes=(BIG,))).time == ""


def test_only_what_findings_are_about_is_measured() -> None:
    assert list_needed_kinds(make_facts(rewrite(), sizes=(BIG,))) == {WorkKind.REWRITE}
    assert list_needed_kinds(make_facts(replace(rewrite(), locks=()), sizes=(BIG,))) == frozenset()


def test_other_checks_never_weigh_less() -> None:
    """Deploy order does not depend on rows: the two checks alone look at sizes."""
    assert {breaks_running_code, required_column, destructive} <= set(ALL)

    def list_severities(sizes: tuple[TableSize, ...]) -> Iterator[tuple[str, Severity | None]]:
        facts = make_facts(
            replace(rewrite(), works=(RowWork(WorkKind.VERIFICATION, ORDERS),)), update(), sizes=sizes
        )
        for check in ALL:
            if check not in (blocking_change, work_under_lock):
                yield from ((check.__name__, finding.severity) for finding in check.check(facts))

    assert len(list(list_severities(()))) > 0
    assert list(list_severities((TINY,))) == list(list_severities(()))


PARTS = tuple(
    Table("public", f"orders_{number}", partition_bound="FOR VALUES IN (1)", inherits=("public.orders",))
    for number in (1, 2)
)


@pytest.mark.parametrize(
    ("sizes", "amount", "severity"),
    [
        ((BIG,), "48 GB, 120 million rows with all partitions", None),
        ((BIG, replace(TINY, name="orders_1")), "48 GB, 120 million rows with all partitions", None),
        ((TINY,), "8 kB, 40 rows with all partitions", Severity.WARNING),
        ((replace(TINY, name="orders_1"), replace(TINY, name="orders_2")), "16 kB, 80 rows", None),
    ],
)
def test_a_statement_on_a_partitioned_table_has_the_size_of_all_its_partitions(
    sizes: tuple[TableSize, ...], amount: str, severity: Severity | None
) -> None:
    """Production may have more of them than the replayed database: one that is small proves nothing."""
    parts = [StoredRelation("public", part.name) for part in PARTS]
    locks = tuple(HeldLock(relation, LockMode.ACCESS_EXCLUSIVE, 1) for relation in (ORDERS, *parts))
    works = tuple(RowWork(WorkKind.REWRITE, part) for part in parts)
    facts = make_facts(replace(rewrite(), locks=locks, works=works), sizes=sizes)
    tables = (Table("public", "orders", "partitioned table"), *PARTS)
    facts = replace(facts, replay=replace(facts.replay, catalog=Snapshot(tables=tables)))
    (finding,) = find(blocking_change, facts)
    assert (finding.object, finding.extent and finding.extent.amount) == ("orders", amount)
    assert finding.severity is severity


def test_a_statement_that_names_a_partition_has_its_size() -> None:
    part = StoredRelation("public", "orders_1")
    facts = make_facts(rewrite(1, part), sizes=(BIG, replace(TINY, name="orders_1")))
    facts = replace(facts, replay=replace(facts.replay, catalog=Snapshot(tables=PARTS)))
    assert find_extent(blocking_change, facts).amount == "8 kB, 40 rows"


def test_a_longer_time_or_a_grown_table_makes_no_finding_worse() -> None:
    (before,) = find(blocking_change, make_facts(rewrite(), sizes=(replace(BIG, bytes=GB),)))
    (after,) = find(blocking_change, make_facts(rewrite(), sizes=(BIG,)))
    assert before.headline != after.headline
    verdict = Verdict("blocking-change", Severity.ERROR, after, "1", "p")
    assert compare_with_older(verdict, before.message) == "old"
