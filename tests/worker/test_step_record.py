"""Of a long step, all is kept that a verdict may depend on."""

from __future__ import annotations

import pytest

from migration_gate.worker import step_record
from migration_gate.worker.protocol.reported_error import ErrorReport
from migration_gate.worker.protocol.step_lines import ExecutedStatement, RecordedBoundary
from migration_gate.worker.step_record import StepLog, StepRecord

INSERT = "INSERT INTO item (name) VALUES (%s)"


def log_statements(*texts: str, error: ErrorReport | None = None) -> StepRecord:
    """The record of a step that runs more inserts than are kept, and then these."""
    log = StepLog()
    for _ in range(step_record.MAX_STATEMENTS + 10):
        log.add_statement(ExecutedStatement(INSERT, 0.0))
    for text in texts:
        log.add_statement(ExecutedStatement(text, 0.0, error=error))
    return log.finish()


def last_texts(record: StepRecord) -> list[str]:
    return [statement.sql for statement in record.statements[step_record.MAX_STATEMENTS :]]


def test_rows_are_counted_and_the_last_statement_is_kept() -> None:
    record = log_statements()
    assert last_texts(record) == [INSERT]
    assert (record.dropped_statements, record.unrecorded_statements) == (9, 0)


@pytest.mark.parametrize(
    "text",
    [
        "COMMIT",
        "alter table item drop column name",
        "-- a comment\nselect 1",
        "insert into item values (1); COMMIT",
        "with gone as (delete from item returning 1) select 1",
        "select pg_sleep(0); select 2",
    ],
)
def test_a_statement_that_does_more_than_touch_rows_is_kept(text: str) -> None:
    record = log_statements(text, INSERT, INSERT)
    assert last_texts(record) == [text, INSERT]
    assert (record.dropped_statements, record.unrecorded_statements) == (11, 0)


@pytest.mark.parametrize("text", ["select 1;", "update item set name = 'a'", " Delete from item ;\n"])
def test_a_statement_about_rows_is_only_counted(text: str) -> None:
    assert last_texts(log_statements(text, INSERT)) == [INSERT]


def test_an_error_is_kept_once() -> None:
    error = ErrorReport("duplicate key", sqlstate="23505")
    record = log_statements(INSERT, INSERT, INSERT, error=error)
    kept = record.statements[step_record.MAX_STATEMENTS :]
    assert [statement.error for statement in kept] == [error, error]  # the first one, and the last statement
    assert record.dropped_statements == 11


def test_boundaries_of_rows_that_are_not_kept_are_kept_once() -> None:
    log = StepLog()
    for _ in range(step_record.MAX_STATEMENTS):
        log.add_boundary("savepoint")
        log.add_statement(ExecutedStatement(INSERT, 0.0))
    for _ in range(100):
        log.add_boundary("savepoint")
        log.add_statement(ExecutedStatement(INSERT, 0.0))
        log.add_boundary("rollback to savepoint")
    transactions = log.finish().transactions
    assert transactions[step_record.MAX_STATEMENTS :] == (
        RecordedBoundary("savepoint", step_record.MAX_STATEMENTS),
        RecordedBoundary("rollback to savepoint", step_record.MAX_STATEMENTS),
    )


def test_too_many_notable_statements_are_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_record, "MAX_NOTABLE_STATEMENTS", step_record.MAX_STATEMENTS + 3)
    record = log_statements(*["lock table item"] * 10)
    assert len(record.statements) == step_record.MAX_STATEMENTS + 4
    assert record.unrecorded_statements == 6
