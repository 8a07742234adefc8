"""Which revision and which statement made a difference: measured on a history whose statements are known.

The example schema is revision 0001, the statements of a mutation are 0002 (or several revisions, where the
mutation has them), and the last revision touches their tables again without changing them. Each statement
stands on a line of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from benchmarks.drift.mutation import Mutation
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.drift.model_comparison import compare_with_models
from migration_gate.facts import (
    Difference,
    History,
    Location,
    Models,
    Replay,
    Revision,
    Snapshot,
    Statement,
    Step,
)
from migration_gate.postgres.server import Server
from migration_gate.replay.ddl_log import install_ddl_log, read_ddl_log
from migration_gate.replay.statement_lines import add_statement_lines

CREATION = "0001"
LINES_OF_STEP = 100
"""lines of each revision's file: the first statement is on the line after"""
TABLES = """
SELECT oid::regclass::text, relname FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition AND oid >= 16384
  AND relnamespace::regnamespace::text NOT IN ('migration_gate', 'pg_catalog', 'information_schema')
"""
TOUCH = "ALTER TABLE {table} ADD COLUMN touched_ integer; ALTER TABLE {table} DROP COLUMN touched_"


@dataclass(frozen=True, slots=True)
class FoundOrigin:
    """A difference, and the statement that our comparison blames for it."""

    difference: Difference
    revision: str | None
    statement: int | None
    """of all statements of the mutation, from 0"""


def find_origins(
    connection: psycopg.Connection, mutation: Mutation, models: Snapshot
) -> tuple[FoundOrigin, ...]:
    """Run the mutation as revisions, in the open transaction, and compare; None where nobody is blamed."""
    steps = [Step(1, CREATION, 0.0)]
    for revision in mutation.revisions:
        steps.append(_run_step(connection, len(steps) + 1, revision))
    touched = _tables_of(connection, mutation)
    noise = tuple(part for table in touched for part in TOUCH.format(table=table).split("; "))
    steps.append(_run_step(connection, len(steps) + 1, noise))
    replay = _make_replay(connection, steps, models)
    return tuple(_find_statement(difference, mutation) for difference in compare_with_models(replay))


def _tables_of(connection: psycopg.Connection, mutation: Mutation) -> tuple[str, ...]:
    """The tables that the mutation names, as they are called in the end."""
    rows = connection.execute(TABLES).fetchall()
    return tuple(printed for printed, name in rows if name in mutation.sql)


def _run_step(connection: psycopg.Connection, number: int, statements: Sequence[str]) -> Step:
    connection.execute("SELECT migration_gate.begin_step(%s)", (number,))
    recorded = []
    for line, statement in enumerate(statements, 1):
        # psycopg would be given the same text by SQLAlchemy.
        connection.execute(statement)
        recorded.append(Statement(statement, 0.0, LINES_OF_STEP + line))
    return Step(number, f"{number:04}", 0.0, tuple(recorded))


def _make_replay(connection: psycopg.Connection, steps: Sequence[Step], models: Snapshot) -> Replay:
    history = History(
        tuple(Revision(step.revision, (), "", Location(f"versions/{step.revision}.py", 1)) for step in steps)
    )
    return Replay(
        history=history,
        steps=tuple(steps),
        ddl_commands=add_statement_lines(read_ddl_log(connection), steps),
        catalog=read_snapshot(connection),
        models=Models(metadatas=1, snapshot=models),
    )


def _find_statement(difference: Difference, mutation: Mutation) -> FoundOrigin:
    location = difference.location
    if difference.revision is None or location is None or not (location.line or 0) > LINES_OF_STEP:
        return FoundOrigin(difference, difference.revision, None)
    earlier = mutation.revisions[: int(difference.revision) - 2]
    line = (location.line or 0) - LINES_OF_STEP - 1
    return FoundOrigin(difference, difference.revision, sum(map(len, earlier)) + line)


def find_wrong_origins(
    connection: psycopg.Connection, mutation: Mutation, models: Snapshot
) -> tuple[FoundOrigin, ...]:
    """The differences of a mutation for which another statement than the one that made them is blamed."""
    return tuple(
        found
        for found in find_origins(connection, mutation, models)
        if found.difference.kind != "unmanaged" and found.statement != mutation.find_culprit(found.difference)
    )


def begin_history(connection: psycopg.Connection, server: Server) -> None:
    """Install the log of DDL commands in an empty database: what follows is revision 0001."""
    install_ddl_log(connection, server)
    connection.execute("SELECT migration_gate.begin_step(1)")
