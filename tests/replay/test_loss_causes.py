"""Which statement a change of rows is put down to; to look for it takes no longer for each of many."""

from __future__ import annotations

import pytest

from migration_gate.facts import BrokenRule, RowChange, RowLoss
from migration_gate.replay.loss_causes import LossCauses
from migration_gate.worker.protocol.step_lines import ExecutedStatement
from tests.support.counted_work import count_lines

FEW, MANY = 50, 100
ALLOWED_GROWTH = 2.4
"""where there are twice as many statements and changes"""
SQL = (
    "update t set a = 1",
    "update T set b = 2",
    "delete from other",
    "update t set a = 3 where b = 2",
    "alter table t drop column c",
    "select a, b, c from t",
)


def name_cause(kind: RowLoss, table: str, column: str = "") -> int | None:
    """The line of the statement."""
    statements = [ExecutedStatement(sql, 0.0, line) for line, sql in enumerate(SQL, 1)]
    change = LossCauses(statements).find_cause(RowChange(kind, "public", table, column))
    assert change.statement == (SQL[change.line - 1] if change.line else "")
    return change.line


@pytest.mark.parametrize(
    ("kind", "table", "column", "line"),
    [
        pytest.param("other values", "t", "a", 4, id="the last that names table and column"),
        pytest.param("other values", "t", "c", 5, id="a column that another kind of statement names, too"),
        pytest.param("other values", "T", "d", 5, id="the last that names the table"),
        pytest.param("lost rows", "t", "", 3, id="the last that does such things"),
        pytest.param("dropped column", "t", "c", 5, id="one fits"),
        pytest.param("dropped table", "t", "", None, id="none fits"),
    ],
)
def test_the_last_statement_that_fits_best(kind: RowLoss, table: str, column: str, line: int | None) -> None:
    assert name_cause(kind, table, column) == line


@pytest.mark.parametrize(
    ("statements", "line"),
    [
        pytest.param(
            (
                'ALTER TABLE app."Big Log" ALTER COLUMN "Kind" TYPE kind USING NULL',
                'ALTER TABLE app."Big Log" ALTER COLUMN "Kind" SET DEFAULT 1',
                'ALTER TABLE app."Big Log" ALTER COLUMN "Kind" DROP NOT NULL',
                'ALTER TABLE app."Big Log" ADD CONSTRAINT kept CHECK ("Kind" > 0)',
                "ALTER TABLE big ALTER COLUMN kind TYPE text",
            ),
            1,
            id="a name of several words, and what leaves values alone",
        ),
        pytest.param(("SELECT id FROM log", "SELECT app.correct('log')", "SET x = 1"), 2, id="a function"),
    ],
)
def test_what_cannot_have_done_it_is_passed_over(statements: tuple[str, ...], line: int) -> None:
    causes = LossCauses([ExecutedStatement(sql, 0.0, number) for number, sql in enumerate(statements, 1)])
    change = causes.find_cause(RowChange("other values", "app", "Big Log", "Kind"))
    assert (change.line, change.statement) == (line, statements[line - 1])


@pytest.mark.parametrize("sql", ["drop table m{}", "alter table one drop column m{}"])
def test_twice_as_many_take_twice_the_work(sql: str) -> None:
    def find_all(number: int) -> int:
        statements = [ExecutedStatement(sql.format(i), 0.0, 1) for i in range(number)]
        one = "one" in sql
        changes = [
            RowChange("dropped column", "public", "one" if one else f"m{i}", f"m{i}" if one else "")
            for i in range(number)
        ]
        found: list[str] = []

        def find() -> None:
            causes = LossCauses(statements)
            found.extend(causes.find_cause(change).statement for change in changes)

        lines = count_lines(find)
        assert found == [statement.sql for statement in statements]
        return lines

    assert find_all(MANY) < ALLOWED_GROWTH * find_all(FEW)


@pytest.mark.parametrize(("is_validated", "line"), [(True, 2), (False, 1)])
def test_a_rule_is_broken_by_a_change_of_rows_or_where_it_was_made(is_validated: bool, line: int) -> None:
    sql = (
        "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID",
        "UPDATE t SET a = -1",
        "DELETE FROM u",
    )
    causes = LossCauses([ExecutedStatement(text, 0.0, number) for number, text in enumerate(sql, 1)])
    rule = BrokenRule("public", "t", "positive", "CHECK (a > 0)", "broken", is_validated=is_validated)
    broken = causes.find_breaker(rule)
    assert (broken.line, broken.statement) == (line, sql[line - 1])
