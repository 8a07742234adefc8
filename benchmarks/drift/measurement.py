"""Each mutation in a fresh copy of one database: which comparison sees it, and does its fix work?

Migration Gate, `alembic check` as it is, and `alembic check` with compare_server_default see the same copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from benchmarks.drift import example_schema
from benchmarks.drift.example_database import (
    Connect,
    copy_database,
    open_engine,
    read_database,
    run_revision_body,
    run_statements,
)
from benchmarks.drift.mutation import Mutation
from benchmarks.drift.mutations import DRIFT_MUTATIONS, HARMLESS_MUTATIONS, UNMANAGED_MUTATIONS
from benchmarks.drift.origin_measurement import FoundOrigin, find_wrong_origins
from migration_gate.autofix.fixes import add_fixes
from migration_gate.drift.model_comparison import compare_with_models
from migration_gate.facts import Difference, Models, Replay, Snapshot

AlembicVerdict: TypeAlias = Literal["seen", "raised", "-"]
BOTH_WAYS = "both ways"
"""what `try_fixes` returns where the fixes remove the drift, and their downgrades restore it"""


@dataclass(frozen=True, slots=True)
class Observation:
    """The answer of each comparison to a mutation."""

    mutation: Mutation
    differences: tuple[Difference, ...]
    """ours"""
    alembic: AlembicVerdict
    alembic_with_defaults: AlembicVerdict
    fix: str
    """`BOTH_WAYS`, or what went wrong; empty where there is nothing to fix"""
    wrong_origins: tuple[FoundOrigin, ...] = ()
    """differences for which another statement is blamed than the one that made them"""


def measure_mutations(connect: Connect, source: str, models: Snapshot) -> Iterator[Observation]:
    """Every mutation in its own copy of the `source` database."""
    undrifted = compare_with_alembic(connect, source)
    undrifted_with_defaults = compare_with_alembic(connect, source, compare_server_default=True)
    for mutation in (*DRIFT_MUTATIONS, *UNMANAGED_MUTATIONS, *HARMLESS_MUTATIONS):
        database = copy_database(connect, source, "mutated")
        with connect(source) as connection, connection.transaction(force_rollback=True):
            wrong_origins = find_wrong_origins(connection, mutation, models)
        run_statements(connect, database, mutation.statements)
        _, differences = compare_snapshots(read_database(connect, database), models)
        alembic = compare_with_alembic(connect, database)
        with_defaults = compare_with_alembic(connect, database, compare_server_default=True)
        yield Observation(
            mutation,
            differences,
            _alembic_verdict(alembic, undrifted),
            _alembic_verdict(with_defaults, undrifted_with_defaults),
            try_fixes(connect, database, models),
            wrong_origins,
        )


def compare_snapshots(replayed: Snapshot, models: Snapshot) -> tuple[Replay, tuple[Difference, ...]]:
    """Our comparison: a replay that ended with this database, and its differences from the models."""
    replay = Replay(catalog=replayed, models=Models(metadatas=1, snapshot=models))
    return replay, compare_with_models(replay)


def compare_with_alembic(connect: Connect, database: str, *, compare_server_default: bool = False) -> str:
    """All differences that Alembic's comparison finds, as one text; `raised` where it fails."""
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _: (kind, name) != ("schema", "migration_gate"),
        "compare_server_default": compare_server_default,
    }
    with open_engine(connect, database) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        try:
            differences = sorted(map(repr, compare_metadata(context, example_schema.metadata)))
        except Exception as error:  # noqa: BLE001  (whatever it raises is the result)
            return f"raised {type(error).__name__}"
    return re.sub(r" at 0x\w+", "", "\n".join(differences))


def _alembic_verdict(answer: str, undrifted: str) -> AlembicVerdict:
    """Alembic sees a mutation where its answer is not the one for the undrifted database."""
    if answer.startswith("raised"):
        return "raised"
    return "-" if answer == undrifted else "seen"


def try_fixes(connect: Connect, database: str, models: Snapshot) -> str:
    """Whether the fixes remove the drift, and their downgrades restore the database; else what goes wrong.

    Empty where there is nothing to fix.
    """
    before = read_database(connect, database)
    replay, differences = compare_snapshots(before, models)
    fixes = _managed(add_fixes(differences, replay))
    if not fixes:
        return ""
    if not all(fix.upgrade for fix in fixes):
        return "none"
    upgrade = "\n".join(fix.upgrade for fix in fixes)
    downgrade = "\n".join(fix.downgrade for fix in reversed(fixes))
    problem = _run_and_compare(connect, database, upgrade, models)
    if problem:
        return f"no: {problem}"
    problem = _run_and_compare(connect, database, downgrade, _without_oids(before))
    return f"up only: {problem}" if problem else BOTH_WAYS


def _without_oids(snapshot: Snapshot) -> Snapshot:
    """The snapshot for a comparison with the same database, whose types count as copied otherwise."""
    return replace(
        snapshot,
        enums=tuple(replace(enum, oid=0) for enum in snapshot.enums),
        sequences=tuple(replace(sequence, oid=0) for sequence in snapshot.sequences),
    )


def _run_and_compare(connect: Connect, database: str, code: str, expected: Snapshot) -> str:
    """What goes wrong when the code should make the database equal to the expected one; empty if nothing."""
    try:
        run_revision_body(connect, database, code)
    except Exception as error:  # noqa: BLE001  (whatever it raises is the result)
        return str(error).splitlines()[0][:150]
    _, differences = compare_snapshots(read_database(connect, database), expected)
    remaining = [(item.kind, item.object, item.database, item.models) for item in _managed(differences)]
    return str(remaining) if remaining else ""


def _managed(differences: tuple[Difference, ...]) -> list[Difference]:
    """The differences that models can express."""
    return [difference for difference in differences if difference.kind != "unmanaged"]
