"""Single differences, each in a fresh copy of one database: who sees them?

Ours, `alembic check` as it is, and `alembic check` with compare_server_default look at the same copies.
Run it from the repository's top folder: `python -m benchmarks.drift [WANTED POSTGRES]`.
"""

from __future__ import annotations

import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql

from benchmarks.drift import schema
from benchmarks.drift.mutations import DRIFT, NONE, UNMANAGED
from migration_gate.autofix.fixes import add_fixes
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.drift.model_comparison import compare_with_models
from migration_gate.facts import Difference, Models, Replay, Snapshot
from migration_gate.postgres.choice import start_server

Connect = Callable[[str], psycopg.Connection]


@dataclass(frozen=True, slots=True)
class Row:
    """One difference, and who saw it."""

    category: str
    what: str
    ours: tuple[Difference, ...]
    alembic: str
    """seen, -, or raised"""
    alembic_defaults: str
    mended: str
    """both ways, up only, no, or empty where nothing was to mend"""


@contextmanager
def engine(connect: Connect, database: str) -> Iterator[sa.Engine]:
    """SQLAlchemy on one database."""
    made = sa.create_engine("postgresql+psycopg://", creator=lambda: connect(database), poolclass=sa.NullPool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield made
    made.dispose()


def build(connect: Connect, database: str, *, partitions: bool) -> None:
    """The schema in an empty database; the models alone, or as a history would have left it."""
    with connect(database) as connection:
        for statement in schema.BEFORE:
            connection.execute(statement)
    with engine(connect, database) as made:
        schema.metadata.create_all(made)
    with connect(database) as connection:
        for statement in schema.AFTER if partitions else ():
            connection.execute(statement)


def read(connect: Connect, database: str) -> Snapshot:
    """The catalog of a database."""
    with connect(database) as connection:
        return read_snapshot(connection)


def alembic(connect: Connect, database: str, **options: Any) -> str:
    """All differences that Alembic's comparison finds, as one text; `raised` where it fails."""
    with engine(connect, database) as made, made.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_schemas": True, **options})
        try:
            found = sorted(repr(one) for one in compare_metadata(context, schema.metadata))
            return re.sub(r" at 0x\w+", "", "\n".join(found))
        except Exception as error:  # noqa: BLE001 - what it raises is a result
            return f"raised {type(error).__name__}"


def run(connect: Connect, database: str, code: str) -> None:
    """Run the body of a revision on a database."""
    with engine(connect, database) as made, made.connect() as connection:
        context = MigrationContext.configure(connection)
        with context.begin_transaction():
            exec(code, {"op": Operations(context), "sa": sa, "postgresql": postgresql})


def clone(connect: Connect, source: str, name: str) -> str:
    """A fresh copy of a database."""
    with connect("postgres") as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        copying = " STRATEGY file_copy" if connection.info.server_version >= 150000 else ""
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"{copying}')
    return name


def compare(replayed: Snapshot, models: Snapshot) -> tuple[Replay, tuple[Difference, ...]]:
    """Our comparison."""
    replay = Replay(catalog=replayed, models=Models(metadatas=1, snapshot=models))
    return replay, compare_with_models(replay)


def mended(connect: Connect, database: str, models: Snapshot) -> str:
    """Whether the ready revision takes the drift away, and its downgrade brings it back."""
    replay, differences = compare(read(connect, database), models)
    ready = [d for d in add_fixes(differences, replay) if d.kind != "unmanaged"]
    if not ready:
        return ""
    if not all(difference.upgrade for difference in ready):
        return "none"
    before = read(connect, database)
    try:
        run(connect, database, "\n".join(difference.upgrade for difference in ready))
    except Exception as error:  # noqa: BLE001 - what it raises is a result
        return f"no: {error}".splitlines()[0][:150]
    left = [d for d in compare(read(connect, database), models)[1] if d.kind != "unmanaged"]
    if left:
        return f"no: {[(d.kind, d.object) for d in left]}"
    try:
        run(connect, database, "\n".join(difference.downgrade for difference in reversed(ready)))
    except Exception as error:  # noqa: BLE001 - what it raises is a result
        return f"up only: {error}".splitlines()[0][:150]
    again = [d for d in compare(read(connect, database), before)[1] if d.kind != "unmanaged"]
    return f"up only: {[(d.kind, d.object, d.database, d.models) for d in again]}" if again else "both ways"


def measure(connect: Connect, source: str, models: Snapshot) -> Iterator[Row]:
    """Every difference in its own copy."""
    quiet = [alembic(connect, source), alembic(connect, source, compare_server_default=True)]
    for category, what, sql in (*DRIFT, *UNMANAGED, *NONE):
        database = clone(connect, source, "bench_one")
        with connect(database) as connection:
            connection.execute("SET search_path TO public")
            for statement in sql.split(";"):
                connection.execute(statement)
        ours = compare(read(connect, database), models)[1]
        theirs = []
        for base, options in zip(quiet, ({}, {"compare_server_default": True}), strict=True):
            told = alembic(connect, database, **options)
            theirs.append("raised" if told.startswith("raised") else "seen" if told != base else "-")
        yield Row(category, what, ours, theirs[0], theirs[1], mended(connect, database, models))


def verdict(row: Row) -> str:
    """In one word, what ours says of a row."""
    kinds = sorted({difference.kind for difference in row.ours})
    return ", ".join(kinds) or "-"


def _told(row: Row) -> tuple[str, str]:
    return row.alembic, row.alembic_defaults


def table(rows: list[Row]) -> Iterator[str]:
    """The rows and the totals in Markdown."""
    yield "| category | difference | ours | `alembic check` | with server defaults | mended |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        yield (
            f"| {row.category} | {row.what} | {verdict(row)} | {row.alembic} | {row.alembic_defaults} "
            f"| {row.mended} |"
        )
    drifts = rows[: len(DRIFT)]
    rest = rows[len(DRIFT) : len(DRIFT) + len(UNMANAGED)]
    none = rows[len(DRIFT) + len(UNMANAGED) :]
    yield ""
    yield "| | of | ours | `alembic check` | with server defaults |"
    yield "|---|---|---|---|---|"
    for name, group, whole in (
        ("drift that is seen", drifts, False),
        ("not for models to say: listed as unmanaged", rest, True),
        ("not for models to say: called drift", rest, False),
        ("false alarms", none, True),
    ):
        ours = sum(any(whole or d.kind != "unmanaged" for d in row.ours) for row in group)
        theirs = [sum(told != "-" for told in column) for column in zip(*map(_told, group), strict=True)]
        yield f"| {name} | {len(group)} | {ours} | {theirs[0]} | {theirs[1]} |"
    raised = [sum(told == "raised" for told in column) for column in zip(*map(_told, drifts), strict=True)]
    yield f"| of the seen: the comparison itself failed | | 0 | {raised[0]} | {raised[1]} |"
    yield ""
    both = sum(row.mended == "both ways" for row in drifts)
    yield f"Ready revisions that mend the drift and bring it back: {both} of {len(drifts)}."


def main(wanted: str = "auto") -> int:
    """Measure, print, and return 1 where ours missed a drift or raised a false alarm."""
    with tempfile.TemporaryDirectory() as folder, start_server(wanted, folder=Path(folder)) as server:

        def connect(database: str) -> psycopg.Connection:
            return server.connect(database)

        source, modelled = (server.create_database() for _ in range(2))
        build(connect, source, partitions=True)
        build(connect, modelled, partitions=False)
        models = read(connect, modelled)
        undrifted = compare(read(connect, source), models)[1]
        rows = list(measure(connect, source, models))
        print(f"{server.description}, {len(schema.metadata.tables)} tables\n")
        print("\n".join(table(rows)))
        print(f"\nOn the undrifted schema ours reports {len(undrifted)}: {undrifted or 'nothing'}.")
        base = alembic(connect, source)
        print(f"Alembic reports {len(base.splitlines())}.")
    wrong = [row for row in rows[: len(DRIFT)] if all(d.kind == "unmanaged" for d in row.ours)]
    wrong += [row for row in rows[len(DRIFT) + len(UNMANAGED) :] if row.ours]
    return 1 if wrong or undrifted else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
