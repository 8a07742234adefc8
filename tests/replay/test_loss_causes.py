"""Which statement a change of rows is put down to; to look for it takes no longer for each of many."""

from __future__ import annotations

from collections.abc import Sequence

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


def make_causes(statements: Sequence[str]) -> LossCauses:
    """Of a revision with these statements, the first in line 1; the database has `app.correct`."""
    executed = [ExecutedStatement(sql, 0.0, line) for line, sql in enumerate(statements, 1)]
    return LossCauses(executed, ["correct"])


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
        pytest.param(
            ("SELECT app.correct('log')", "SELECT id FROM log", "SELECT count(*) FROM log", "SET x = 1"),
            1,
            id="a function of the database, and one of Postgres'",
        ),
        pytest.param(
            ('CREATE FUNCTION app."set"() RETURNS void AS $$ … $$', 'SELECT app."set"()', "SELECT now()"),
            2,
            id="a function that the revision makes",
        ),
        pytest.param(("SELECT 1", "CALL correct_all()", "SELECT count(*) FROM log"), 2, id="a procedure"),
    ],
)
def test_what_cannot_have_done_it_is_passed_over(statements: tuple[str, ...], line: int) -> None:
    change = make_causes(statements).find_cause(RowChange("other values", "app", "Big Log", "Kind"))
    assert (change.line, change.statement) == (line, statements[line - 1])


@pytest.mark.parametrize(
    "harmless",
    [
        "ALTER TABLE log ALTER COLUMN type SET DEFAULT 'a'",
        "ALTER TABLE log ALTER type DROP DEFAULT",
        "ALTER TABLE log ALTER COLUMN type DROP NOT NULL",
        "ALTER TABLE log DROP CONSTRAINT type_check",
        "DROP INDEX ix_log_type",
    ],
)
@pytest.mark.parametrize(
    "cause",
    [
        "UPDATE log SET type = NULL",
        'ALTER TABLE log ALTER COLUMN "type" TYPE text',
        "ALTER TABLE log ALTER type SET DATA TYPE text",
    ],
)
@pytest.mark.parametrize("kind", ["merged values", "emptied values", "other values"])
def test_a_column_with_the_name_of_a_keyword(kind: RowLoss, cause: str, harmless: str) -> None:
    change = make_causes((cause, harmless)).find_cause(RowChange(kind, "public", "log", "type"))
    assert change.statement == cause


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


ROLE = "SET LOCAL session_replication_role = "
ADDED = "ALTER TABLE pet ADD CONSTRAINT pet_owner_fkey FOREIGN KEY (owner) REFERENCES app.owner NOT VALID"


@pytest.mark.parametrize(
    ("is_validated", "statements", "line"),
    [
        (True, (f"{ROLE}replica", "DELETE FROM app.owner", "UPDATE cage SET size = 1"), 2),
        (
            True,
            (
                "ALTER TABLE pet DISABLE TRIGGER ALL",
                "INSERT INTO pet VALUES (1)",
                "DELETE FROM pet",
                "ALTER TABLE pet ENABLE TRIGGER ALL",
                "UPDATE pet SET owner = 2",
            ),
            2,
        ),
        (True, (f"{ROLE}'replica'", "SELECT load()", f"{ROLE}DEFAULT", "DELETE FROM app.owner"), 1),
        (
            True,
            (
                "SELECT set_config('session_replication_role', 'replica', true)",
                "UPDATE app.owner SET id = 2",
                "SELECT set_config('session_replication_role', 'origin', true)",
                "UPDATE pet SET owner = 2",
            ),
            2,
        ),
        (True, (f"{ROLE}replica; UPDATE pet SET owner = 3; {ROLE}origin", "UPDATE pet SET owner = 1"), 1),
        (False, (ADDED, "UPDATE pet SET owner = 1", "COMMENT ON CONSTRAINT pet_owner_fkey ON pet IS ''"), 1),
        (
            False,
            (
                "ALTER TABLE pet ADD FOREIGN KEY (owner) REFERENCES app.owner NOT VALID",
                "UPDATE pet SET a = 1",
            ),
            1,
        ),
        (False, ("UPDATE pet SET owner = 1", "DELETE FROM app.owner"), None),
    ],
)
def test_a_rule_is_broken_while_it_is_not_kept_or_where_it_was_made(
    is_validated: bool, statements: tuple[str, ...], line: int | None
) -> None:
    definition = "FOREIGN KEY (owner) REFERENCES app.owner(id)"
    rule = BrokenRule("public", "pet", "pet_owner_fkey", definition, "broken", is_validated=is_validated)
    broken = make_causes(statements).find_breaker(rule)
    assert (broken.line, broken.statement) == (line, statements[line - 1] if line else "")


def test_rows_that_were_not_copied_are_lost_where_their_table_is_dropped() -> None:
    """Another table has its name afterwards; a DELETE of other rows has nothing to do with it."""
    statements = (
        "INSERT INTO new_log SELECT * FROM log WHERE n > 0",
        "DROP TABLE log",
        "ALTER TABLE new_log RENAME TO log",
        "DELETE FROM other",
    )
    causes = LossCauses([ExecutedStatement(sql, 0.0, line) for line, sql in enumerate(statements, 1)])
    assert causes.find_cause(RowChange("lost rows", "public", "log")).line == 2
    assert causes.find_cause(RowChange("lost rows", "public", "other")).line == 4


@pytest.mark.parametrize(
    "statements",
    [
        ("UPDATE log SET at = now()", "DROP TABLE event_rest"),
        ("ALTER TABLE event RENAME TO event_old", "DROP TABLE event_old"),
    ],
)
def test_rows_of_a_table_that_stays_may_go_with_another_one(statements: Sequence[str]) -> None:
    change = make_causes(statements).find_cause(RowChange("lost rows", "public", "event"))
    assert change.line == 2
