"""A database in which fixes are tried: lines are run, the catalog is read, and all of it is rolled back."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias, cast

import psycopg
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from migration_gate.catalog.catalog_rows import read_catalog_rows
from migration_gate.catalog.snapshot_reader import parse_catalog_rows
from migration_gate.facts import Difference, Snapshot
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.revision_interpreter import RefusedCode, run_revision_code, uses_autocommit
from migration_gate.replay.server_watch import find_lost_session

Connect: TypeAlias = Callable[[], psycopg.Connection[Any]]
"""opens a connection to the database in which fixes are tried"""

DISABLE_DDL_LOG = """
select format('alter event trigger %I disable', evtname) from pg_event_trigger
where evtfoid::regproc::text like 'migration_gate.%'
"""
"""our own log of DDL, which nobody reads any more; the project's event triggers stay"""
OUT_OF_RESOURCES = "53"
"""class of SQLSTATE: the server had no memory, locks or room left, which says nothing about the lines"""


class TrialFailed(Exception):
    """The lines could not be tried, for a reason that lies in the server; the message says it."""


class FixRefused(Exception):
    """The lines failed; the message has Postgres' words."""


@dataclass(frozen=True, slots=True)
class FixTrial:
    """A connection to a database in which nothing stays."""

    connection: sa.Connection
    context: MigrationContext
    operations: Operations
    version_tables: Sequence[str]

    def run(self, code: str) -> str:
        """Run the lines; what went wrong, in Postgres' words, and empty if nothing did.

        After an error the database is as before the lines. Lines that commit, which needs a copy, run as
        Alembic runs a revision. Raises TrialFailed.
        """
        if uses_autocommit(code):
            return self._run_as_revision(code)
        savepoint = self.connection.begin_nested()
        try:
            _run_lines(code, self.operations)
        except FixRefused as error:
            savepoint.rollback()
            return str(error)
        savepoint.commit()
        return ""

    def run_each(self, codes: Sequence[str]) -> list[str]:
        """Run the lines of several fixes in their order, each as `run` does; what went wrong, one for each.

        All run in one savepoint first, because the server's work for a savepoint grows with all that was done
        before it. If one of them fails, each half is run by itself.
        """
        if len(codes) == 1 or any(map(uses_autocommit, codes)):
            return [self.run(code) for code in codes]
        savepoint = self.connection.begin_nested()
        try:
            for code in codes:
                _run_lines(code, self.operations)
        except FixRefused:
            savepoint.rollback()
            middle = len(codes) // 2
            return self.run_each(codes[:middle]) + self.run_each(codes[middle:])
        savepoint.commit()
        return [""] * len(codes)

    def try_in_turn(self, *codes: str) -> str:
        """Run lines, and undo them; what went wrong first, empty if nothing did. None of them may commit."""
        with self.rolled_back():
            try:
                for code in codes:
                    _run_lines(code, self.operations)
            except FixRefused as error:
                return str(error)
        return ""

    def _run_as_revision(self, code: str) -> str:
        """Run the lines for good, and what was run before them."""
        self.connection.commit()
        try:
            with self.context.begin_transaction():
                _run_lines(code, self.operations)
        except FixRefused as error:
            return str(error)
        return ""

    def read_snapshot(self) -> Snapshot:
        """The catalog as it is now."""
        return parse_catalog_rows(read_catalog_rows(self.driver_connection), self.version_tables)

    @property
    def driver_connection(self) -> psycopg.Connection[Any]:
        """The connection itself, in the transaction of the trial."""
        return cast("psycopg.Connection[Any]", self.connection.connection.driver_connection)

    @contextmanager
    def rolled_back(self) -> Iterator[None]:
        """What is run inside is undone at the end."""
        savepoint = self.connection.begin_nested()
        try:
            yield
        finally:
            savepoint.rollback()


def _run_lines(code: str, operations: Operations) -> None:
    """Run the lines. Raises FixRefused, and TrialFailed if the server is to blame."""
    try:
        run_revision_code(code, operations)
    except sa.exc.DBAPIError as error:
        raise FixRefused(_describe_error(error.orig)) from error
    except RefusedCode as error:
        raise FixRefused(f"a line is not one of Alembic's operations: {error}") from error
    except (sa.exc.SQLAlchemyError, ValueError, TypeError, SyntaxError) as error:
        raise FixRefused(str(error)) from error


def _describe_error(error: BaseException | None) -> str:
    """Postgres' message and its detail. Raises TrialFailed if it ran out of something, `error` if lost."""
    if not isinstance(error, psycopg.Error):
        return str(error)
    if find_lost_session(error):
        raise error
    message = error.diag.message_primary or str(error)
    if error.sqlstate is None and isinstance(error, psycopg.ProgrammingError):
        return message  # the driver did not send it: a percent sign in a statement, for example
    if error.sqlstate is None or error.sqlstate.startswith(OUT_OF_RESOURCES):
        raise TrialFailed(message)
    return f"{message} ({error.diag.message_detail})" if error.diag.message_detail else message


OpenTrial: TypeAlias = Callable[[bool], AbstractContextManager[FixTrial]]
"""opens the replayed database, or a copy of it if lines commit (True), without the log of DDL"""


@contextmanager
def open_trial(connect: Connect, version_tables: Sequence[str] = ()) -> Iterator[FixTrial]:
    """A trial on the database; what is not committed by the lines themselves is rolled back at its end."""

    def open_connection() -> psycopg.Connection[Any]:
        connection = connect()
        connection.autocommit = False
        return connection

    engine = sa.create_engine("postgresql+psycopg://", creator=open_connection, poolclass=sa.NullPool)
    try:
        with warnings.catch_warnings(), engine.connect() as connection:
            warnings.simplefilter("ignore")
            connection.rollback()  # what SQLAlchemy asked the server for when it connected
            context = MigrationContext.configure(connection)
            yield FixTrial(connection, context, Operations(context), version_tables)
            connection.rollback()
    finally:
        engine.dispose()


def needs_copy(difference: Difference) -> bool:
    """Whether the lines of either direction commit: then they are tried in a copy of the database."""
    return uses_autocommit(difference.upgrade) or uses_autocommit(difference.downgrade)


def disable_ddl_log(trial: FixTrial) -> None:
    """Keep our own event triggers from logging the trial; rolled back with it."""
    for (statement,) in trial.connection.execute(sa.text(DISABLE_DDL_LOG)).fetchall():
        trial.connection.execute(sa.text(statement.replace(":", r"\:")))
