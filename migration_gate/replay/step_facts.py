"""The steps that the worker reports, as facts."""

from __future__ import annotations

from collections.abc import Sequence

from migration_gate.catalog.snapshot_reader import parse_snapshot
from migration_gate.facts import CursorStatement, Snapshot, Statement, Step, TransactionBoundary
from migration_gate.replay.failure_facts import FailureBuilder
from migration_gate.worker.protocol import step_lines
from migration_gate.worker.protocol.step_lines import ExecutedStatement, StepFinished


def build_step(line: StepFinished, version_tables: Sequence[str], failures: FailureBuilder) -> Step:
    """The step; `version_tables` (`schema.name`) are left out of its snapshots."""
    return Step(
        number=line.number,
        revision=line.revision,
        seconds=line.seconds,
        statements=build_statements(line.statements, line.revision, failures),
        transactions=tuple(
            TransactionBoundary(boundary.name, boundary.statements_before) for boundary in line.transactions
        ),
        in_transaction=line.in_transaction,
        context=line.context,
        before=parse_optional_snapshot(line.before, version_tables),
        after=parse_optional_snapshot(line.after, version_tables),
        dropped_statements=line.dropped_statements,
        unrecorded_statements=line.unrecorded_statements,
        cursor_statements=tuple(map(build_cursor_statement, line.cursor_statements)),
    )


def build_statements(
    statements: Sequence[ExecutedStatement], revision: str, failures: FailureBuilder
) -> tuple[Statement, ...]:
    """The statements of a step that ran the revision."""
    return tuple(_build_statement(statement, revision, failures) for statement in statements)


def _build_statement(statement: ExecutedStatement, revision: str, failures: FailureBuilder) -> Statement:
    error = failures.build_failure(statement.error, revision) if statement.error is not None else None
    return Statement(
        sql=statement.sql,
        seconds=statement.seconds,
        line=statement.line,
        rows=statement.rows,
        error=error,
        in_migration_transaction=statement.in_migration_transaction,
        parameters=statement.parameters,
    )


def build_cursor_statement(line: step_lines.CursorStatement) -> CursorStatement:
    """A statement of a driver's own cursor."""
    return CursorStatement(line.sql, line.line, line.statements_before, line.has_failed)


def parse_optional_snapshot(text: str | None, version_tables: Sequence[str]) -> Snapshot | None:
    """A catalog as JSON, without the version tables; None if none was taken."""
    if text is None:
        return None
    return parse_snapshot(text, version_tables=version_tables)
