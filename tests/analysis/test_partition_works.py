"""Work on all partitions of a table is one finding, about the table that the statement names."""

from __future__ import annotations

from dataclasses import replace

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


def make_facts(sql: str, kind: RelationKind, bound: str | None, *worked_on: str) -> Facts:
    """A statement that works on these of the tables `orders`, `orders_1` and `orders_2`."""
    orders = StoredRelation("public", "orders", kind)
    heirs = [StoredRelation("public", f"orders_{number}") for number in (1, 2)]
    locks = tuple(HeldLock(relation, LockMode.ACCESS_EXCLUSIVE, 1) for relation in (orders, *heirs))
    works = tuple(
        RowWork(WorkKind.REWRITE, relation) for relation in (orders, *heirs) if relation.name in worked_on
    )
    statement = ObservedStatement(1, 1, "new", sql, "ALTER TABLE", locks=locks, taken=locks, works=works)
    tables = (
        Table("public", "orders", "partitioned table" if bound else "table"),
        *(Table("public", heir.name, partition_bound=bound, inherits=("public.orders",)) for heir in heirs),
    )
    observation = Observation(revisions=("new",), statements=(statement,))
    return Facts("app", Replay(observation=observation, catalog=Snapshot(tables=tables)))


@pytest.mark.parametrize(
    ("sql", "bound", "worked_on", "expected"),
    [
        (
            "ALTER TABLE orders ALTER n TYPE bigint",
            "FOR VALUES IN (1)",
            ("orders_1", "orders_2"),
            [
                (
                    "orders",
                    "of `orders_1` anew, and builds its indexes, and does the same with 1 more partition (",
                )
            ],
        ),
        (
            "ALTER TABLE orders ALTER n TYPE bigint",
            "FOR VALUES IN (1)",
            ("orders_1",),
            [("orders", "of `orders_1` anew, and builds its indexes (")],
        ),
        (
            "ALTER TABLE orders ALTER n TYPE bigint",
            None,
            ("orders", "orders_1", "orders_2"),
            [
                (
                    "orders",
                    "of `orders` anew, and builds its indexes, and does the same with 2 more tables",
                )
            ],
        ),
        (
            "ALTER TABLE orders_1 ALTER n TYPE bigint",
            "FOR VALUES IN (1)",
            ("orders_1",),
            [("orders_1", "of `orders_1` anew, and builds its indexes (")],
        ),
        (
            "ALTER TABLE orders ATTACH PARTITION orders_1 FOR VALUES IN (1)",
            "FOR VALUES IN (1)",
            ("orders_1", "orders_2"),
            [("orders_1", "of `orders_1` anew"), ("orders_2", "of `orders_2` anew")],
        ),
    ],
)
def test_one_finding_is_about_the_table_that_the_statement_names(
    sql: str, bound: str | None, worked_on: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    kind: RelationKind = "partitioned table" if bound else "table"
    facts = make_facts(sql, kind, bound, *worked_on)
    if "ATTACH" in sql:  # which reads, and rewrites nothing
        facts = _read_rows(facts)
        expected = [(table, f"reads every row of `{table}`") for table, _ in expected]
    findings = list(blocking_change.check(facts))
    assert [finding.object for finding in findings] == [table for table, _ in expected]
    for finding, (_, words) in zip(findings, expected, strict=True):
        assert words in finding.message


def _read_rows(facts: Facts) -> Facts:
    (statement,) = facts.replay.observation.statements
    works = tuple(replace(work, kind=WorkKind.VERIFICATION) for work in statement.works)
    observation = replace(facts.replay.observation, statements=(replace(statement, works=works),))
    return replace(facts, replay=replace(facts.replay, observation=observation))
