"""The example schema of `benchmarks/drift` on a real server, with one change at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from benchmarks.drift.example_database import (
    Connect,
    copy_database,
    create_example,
    read_database,
)
from benchmarks.drift.measurement import compare_snapshots
from benchmarks.drift.mutation import Mutation
from benchmarks.drift.origin_measurement import FoundOrigin, begin_history, find_origins
from migration_gate.autofix.fixes import add_fixes
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.facts import Difference, Snapshot
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory


@dataclass(frozen=True, slots=True)
class DriftExample:
    """A database that agrees with the models, to be changed."""

    connect: Connect
    source: str
    models: Snapshot

    def find_differences(self, statements: Sequence[str] = ()) -> tuple[Difference, ...]:
        """The differences after the statements, which are rolled back."""
        with self.connect(self.source) as connection, connection.transaction(force_rollback=True):
            for statement in statements:
                connection.execute(statement)
            return compare_snapshots(read_snapshot(connection), self.models)[1]

    def find_origins(self, mutation: Mutation) -> tuple[FoundOrigin, ...]:
        """The differences after a mutation, which is rolled back, and the statements that are blamed."""
        with self.connect(self.source) as connection, connection.transaction(force_rollback=True):
            return find_origins(connection, mutation, self.models)

    def make_drifted_copy(self, sql: str) -> str:
        """A copy of the database after the statements; returns its name."""
        database = copy_database(self.connect, self.source, "drifted")
        with self.connect(database) as connection:
            for statement in sql.split(";"):
                connection.execute(statement)
        return database

    def write_fixes(self, database: str) -> tuple[Difference, ...]:
        """The differences of a database with their fixes."""
        replay, differences = compare_snapshots(read_database(self.connect, database), self.models)
        return add_fixes(differences, replay)


@contextmanager
def start_drift_example() -> Iterator[DriftExample]:
    """The example on a server of its own."""
    with temporary_run_directory() as folder, start_server("auto", folder=folder) as server:

        def connect(database: str) -> psycopg.Connection:
            return server.connect(database)

        source, modelled = (server.create_database() for _ in range(2))
        with connect(source) as connection:
            begin_history(connection, server)
        create_example(connect, source, with_partitions=True)
        create_example(connect, modelled, with_partitions=False)
        yield DriftExample(connect, source, read_database(connect, modelled))
