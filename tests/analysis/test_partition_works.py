"""Work on all partitions of a table is one finding, about the table that the statement names."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from migration_gate.checks import blocking_change
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
    WorkKind,
)
from migration_gate.facts.locks import RelationKind


def make_facts(sql: str, work_kind: WorkKind, bound: str | None, worked_on: Iterable[str]) -> Facts:
    """A statement that works on these of the tables `orders`, `orders_1` and `orders_2`."""
    kind: RelationKind = "partitioned table" if bound else "table"
    orders = StoredRelation("public", "orders", kind)
    heirs = [StoredRelation("public", f"orders_{number}") for number in (1, 2)]
    locks = tuple(HeldLock(relation, LockMode.ACCESS_EXCLUSIVE, 1) for relation in (orders, *heirs))
    works = tuple(RowWork(work_kind, relation) for relation in (orders, *heirs) if relation.name in worked_on)
    statement = ObservedStatement(1, 1, "new", sql, "ALTER TABLE", locks=locks, taken=locks, works=works)
    tables = (
        Table("public", "orders", "partitioned table" if bound else "table"),
        *(Table("public", heir.name, partition_bound=bound, inherits=("public.orders",)) for heir in heirs),
    )
    observation = Observation(revisions=("new",), statements=(statement,))
    return Facts("app", Replay(observation=observation, catalog=Snapshot(tables=tables)))


CHANGES_TYPE = "ALTER TABLE orders ALTER n TYPE bigint"
IN_PARTITIONS = "FOR VALUES IN (1)"


@pytest.mark.parametrize(
    ("sql", "kind", "bound", "worked_on", "expected"),
    [
        (
            CHANGES_TYPE, WorkKind.REWRITE, IN_PARTITIONS, ("orders_1", "orders_2"),
            [("orders", "of `orders_1` anew, and builds its indexes, and does the same with 1 more")],
        ),
        (
            CHANGES_TYPE, WorkKind.REWRITE, IN_PARTITIONS, ("orders_1",),
            [("orders", "of `orders_1` anew, and builds its indexes (")],
        ),
        (
            CHANGES_TYPE, WorkKind.REWRITE, None, ("orders", "orders_1", "orders_2"),
            [("orders", "of `orders` anew, and builds its indexes, and does the same with 2 more tables")],
        ),
        (
            "ALTER TABLE orders_1 ALTER n TYPE bigint", WorkKind.REWRITE, IN_PARTITIONS, ("orders_1",),
            [("orders_1", "of `orders_1` anew, and builds its indexes (")],
        ),
        (
            "ALTER TABLE orders ATTACH PARTITION orders_1 FOR VALUES IN (1)", WorkKind.VERIFICATION,
            IN_PARTITIONS, ("orders_1", "orders_2"),
            [("orders_1", "reads every row of `orders_1`"), ("orders_2", "reads every row of `orders_2`")],
        ),
    ],
)  # fmt: skip
def test_one_finding_is_about_the_table_that_the_statement_names(
    sql: str, kind: WorkKind, bound: str | None, worked_on: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    findings = list(blocking_change.check(make_facts(sql, kind, bound, worked_on)))
    assert [finding.object for finding in findings] == [table for table, _ in expected]
    for finding, (_, words) in zip(findings, expected, strict=True):
        assert words in finding.message
