"""What it costs to run the fixes before they are shown: each alone, and those of many differences at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import psycopg

from benchmarks.drift.example_database import copy_database
from benchmarks.drift.measurement import compare_snapshots
from benchmarks.drift.mutation import Mutation
from migration_gate.facts import Snapshot
from migration_gate.postgres.server import Server
from migration_gate.replay.history_end import read_catalog_for_fixes
from migration_gate.replay.offered_fixes import offer_fixes


@dataclass(frozen=True, slots=True)
class FixCost:
    """How long the fixes of several runs took."""

    runs: int
    fixes: int
    """that were written and run"""
    seconds: float
    """wall time, of writing and of running them"""

    @property
    def seconds_per_fix(self) -> float:
        """0 where there was none."""
        return self.seconds / self.fixes if self.fixes else 0.0

    def __add__(self, other: FixCost) -> FixCost:
        return FixCost(self.runs + other.runs, self.fixes + other.fixes, self.seconds + other.seconds)


def measure_alone(server: Server, source: str, models: Snapshot, mutations: Sequence[Mutation]) -> FixCost:
    """A run for each of these differences."""
    cost = FixCost(0, 0, 0.0)
    for mutation in mutations:
        cost += _measure(server, _mutate(server, source, [mutation]), models)
    return cost


def measure_together(server: Server, source: str, models: Snapshot, mutations: Sequence[Mutation]) -> FixCost:
    """One run for all of these differences that one database can have."""
    return _measure(server, _mutate(server, source, mutations), models)


def _mutate(server: Server, source: str, mutations: Sequence[Mutation]) -> str:
    """A copy of the database with all of these that do not exclude each other; its name."""

    def connect(name: str) -> psycopg.Connection:
        return server.connect(name)

    database = copy_database(connect, source, "cost")
    with connect(database) as connection:
        connection.autocommit = True
        for mutation in mutations:
            try:
                with connection.transaction():
                    for statement in mutation.statements:
                        connection.execute(statement.encode())
            except psycopg.Error:
                continue
    return database


def _measure(server: Server, database: str, models: Snapshot) -> FixCost:
    snapshot = read_catalog_for_fixes(server, database)
    replay, differences = compare_snapshots(snapshot, models)
    started = perf_counter()
    offered = offer_fixes(server, database, replace(replay, differences=differences), differences)
    seconds = perf_counter() - started
    fixes = sum(bool(item.upgrade or item.fix_refused) for item in offered.differences)
    return FixCost(1, fixes, seconds)
