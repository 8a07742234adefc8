"""The example schema in databases of a real server: created, copied, read and changed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import psycopg
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql

from benchmarks.drift import example_schema
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.facts import Snapshot

Connect: TypeAlias = Callable[[str], psycopg.Connection]
"""opens a connection to the database of that name"""


def create_example(connect: Connect, database: str, *, with_partitions: bool) -> None:
    """Create the schema in an empty database: of the models alone, or as a history would have left it."""
    run_statements(connect, database, example_schema.BEFORE)
    with open_engine(connect, database) as engine:
        example_schema.metadata.create_all(engine)
    if with_partitions:
        run_statements(connect, database, example_schema.AFTER)


def run_statements(connect: Connect, database: str, statements: Iterable[str]) -> None:
    """Run statements one after the other, with `public` on the search path."""
    with connect(database) as connection:
        connection.execute("SET search_path TO public")
        for statement in statements:
            connection.execute(statement)


def run_revision_body(connect: Connect, database: str, code: str) -> None:
    """Run the body of a revision's function on a database, in one transaction."""
    with open_engine(connect, database) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection)
        with context.begin_transaction():
            exec(code, {"op": Operations(context), "sa": sa, "postgresql": postgresql})


def copy_database(connect: Connect, source: str, name: str) -> str:
    """Make a fresh copy of a database under that name; returns the name."""
    with connect("postgres") as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        strategy = " STRATEGY file_copy" if connection.info.server_version >= 150000 else ""
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"{strategy}')
    return name


def read_database(connect: Connect, database: str) -> Snapshot:
    """The catalog of a database."""
    with connect(database) as connection:
        return read_snapshot(connection)


@contextmanager
def open_engine(connect: Connect, database: str) -> Iterator[sa.Engine]:
    """SQLAlchemy on one database, without its warnings."""
    engine = sa.create_engine(
        "postgresql+psycopg://", creator=lambda: connect(database), poolclass=sa.NullPool
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield engine
    engine.dispose()
