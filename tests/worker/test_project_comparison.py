"""Alembic's operations in the words of its filters, and which of them are the project's own."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import ops

from migration_gate.worker.project_comparison import OperationDescription, OperationRecorder, is_reversible
from migration_gate.worker.protocol.model_lines import FilteredObject

OPERATIONS: list[tuple[Any, set[tuple[str, str, str | None, str | None]]]] = [
    (ops.DropTableOp("a"), {("table", "public", "a", "a")}),
    (ops.CreateTableOp("a", [], schema="s"), {("table", "s", "a", "a")}),
    (ops.DropColumnOp("a", "c"), {("column", "public", "a", "c")}),
    (ops.AddColumnOp("a", sa.Column("c", sa.Integer)), {("column", "public", "a", "c")}),
    (ops.DropIndexOp("ix", "a"), {("index", "public", "a", "ix")}),
    (ops.DropConstraintOp("fk", "a", type_="foreignkey"), {("foreign_key_constraint", "public", "a", "fk")}),
    (ops.CreateUniqueConstraintOp("uq", "a", ["c"]), {("unique_constraint", "public", "a", "uq")}),
    (ops.CreateForeignKeyOp("fk", "a", "b", ["c"], ["d"]), {("foreign_key_constraint", "public", "a", "fk")}),
    (
        ops.AlterColumnOp("a", "c", modify_type=sa.Integer(), modify_nullable=True),
        {("type", "public", "a", "c"), ("nullability", "public", "a", "c")},
    ),
    (ops.AlterColumnOp("a", "c", modify_server_default=None), {("default", "public", "a", "c")}),
    (ops.AlterColumnOp("a", "c", modify_comment=None), {("comment", "public", "a", "c")}),
    (ops.ExecuteSQLOp("select 1"), set()),
]


@pytest.mark.parametrize(("operation", "words"), OPERATIONS)
def test_an_operation_is_described_as_a_filter_would_name_it(operation: Any, words: set[Any]) -> None:
    expected = {FilteredObject(*parts) for parts in words}
    assert OperationDescription("public").list_all([operation]) == expected


UNNAMED = (
    ops.CreateUniqueConstraintOp(None, "a", ["c"]),
    ops.CreateForeignKeyOp(None, "a", "b", ["c"], ["d"]),
)


@pytest.mark.parametrize("operation", UNNAMED)
def test_a_key_without_a_name_is_described_by_its_columns(operation: Any) -> None:
    (item,) = OperationDescription("public").list_all([operation])
    assert (item.name, item.columns) == (None, ("c",))


def test_what_a_comparator_adds_is_recorded_and_what_was_there_is_not() -> None:
    recorder = OperationRecorder()
    first, second = ops.DropTableOp("a"), ops.ExecuteSQLOp("select 1")
    upgrade_ops = ops.UpgradeOps(ops=[first])

    def compare(autogen_context: Any, given: Any, schemas: Any) -> str:
        given.ops.append(second)
        return "result"

    assert recorder.wrap(compare)(None, upgrade_ops, [None]) == "result"
    assert recorder.has_recorded(second)
    assert not recorder.has_recorded(first)


def test_an_operation_without_a_way_back_does_not_end_the_comparison() -> None:
    recorder = OperationRecorder()
    operation = ops.ExecuteSQLOp("select 1")
    recorder.add_new([], [operation])
    assert operation.reverse() is operation
    assert not is_reversible(operation)
    assert is_reversible(ops.CreateUniqueConstraintOp("uq", "a", ["c"]))


def test_a_column_that_a_comparator_changes_is_recorded() -> None:
    recorder = OperationRecorder()
    operation = ops.AlterColumnOp("a", "c")

    def compare(autogen_context: Any, given: Any, *more: Any) -> None:
        given.modify_nullable = True

    recorder.wrap(compare)(None, operation, None, "a", "c", None, None)
    assert recorder.has_recorded(operation)
