"""Measures what a migration does to tables with rows: which locks it holds while it reads how many blocks.

Nothing here is the gate's: the locks are read in a second session, every millisecond, and the blocks are
Postgres' own counters.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine

BLOCKING_MODES = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
LIST_RELATIONS = """
select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'ledger') and c.relkind not in ('i', 'I')
    and c.relname not like 'alembic_version%'
"""
READ_LOCKS = """
select distinct relation from pg_locks join pg_class on pg_class.oid = relation
where pid = %s and locktype = 'relation' and granted and mode = any (%s)
    and (relkind <> 'm' or mode = 'AccessExclusiveLock')
"""
"""nobody writes a materialized view, so only a lock that keeps readers away blocks anybody"""
READ_BLOCKS = "select coalesce(sum(pg_stat_get_xact_blocks_fetched(oid)), 0) from pg_class where oid > 16000"
READ_ALL_BLOCKS = "select blks_hit + blks_read from pg_stat_database where datname = current_database()"
FLUSH = "select pg_stat_force_next_flush()"
PAUSE_SECONDS = 0.0005


@dataclass
class StatementRun:
    """What one statement did."""

    blocks: int = 0
    """that were read, of tables and indexes"""
    is_blocking: bool = False
    """a lock of at least SHARE was held on a relation that stood before"""


@dataclass
class Measurement:
    """All statements of a migration, in their order."""

    statements: list[StatementRun] = field(default_factory=list)
    error: str = ""


class LockWatch:
    """Looks at a session's locks for as long as a statement runs."""

    def __init__(self, connection: psycopg.Connection[Any], relations: frozenset[int]) -> None:
        self._connection = connection
        self._relations = relations
        self._lock = threading.Lock()

    def is_blocking(self, pid: int) -> bool:
        """Whether the session holds a blocking lock now."""
        with self._lock:
            rows = self._connection.execute(READ_LOCKS, [pid, list(BLOCKING_MODES)]).fetchall()
        return any(oid in self._relations for (oid,) in rows)

    @contextlib.contextmanager
    def watching(self, pid: int, run: StatementRun) -> Iterator[None]:
        """Look again and again inside."""
        ended = threading.Event()

        def look() -> None:
            while not ended.is_set():
                run.is_blocking = run.is_blocking or self.is_blocking(pid)
                time.sleep(PAUSE_SECONDS)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


class StatementMeter:
    """Listens on every engine, and measures each statement."""

    def __init__(self, address: str) -> None:
        self.measurement = Measurement()
        self._watcher = psycopg.connect(address, autocommit=True)
        relations = frozenset(oid for (oid,) in self._watcher.execute(LIST_RELATIONS).fetchall())
        self._watch = LockWatch(self._watcher, relations)
        self._before = 0
        self._known = 0
        """what the session's counter said after its last statement"""
        self._all_before = 0
        self._watching: Any = None

    def install(self) -> None:
        """From now on."""
        event.listen(Engine, "before_cursor_execute", self._begin)
        event.listen(Engine, "after_cursor_execute", self._end)
        event.listen(Engine, "commit", self._end_transaction)

    def close(self) -> None:
        """No more statements."""
        event.remove(Engine, "before_cursor_execute", self._begin)
        event.remove(Engine, "after_cursor_execute", self._end)
        event.remove(Engine, "commit", self._end_transaction)
        self._watcher.close()

    def _begin(self, connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        raw = connection.connection.dbapi_connection
        self._before, self._all_before = self._read_blocks(raw)
        self._add_unseen(raw, self._before)
        run = StatementRun(is_blocking=self._watch.is_blocking(raw.info.backend_pid))
        self.measurement.statements.append(run)
        self._watching = self._watch.watching(raw.info.backend_pid, run)
        self._watching.__enter__()

    def _end(self, connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        self._watching.__exit__(None, None, None)
        raw = connection.connection.dbapi_connection
        run = self.measurement.statements[-1]
        blocks, all_blocks = self._read_blocks(raw)
        self._known = blocks
        run.blocks = (all_blocks - self._all_before) if raw.autocommit else max(0, blocks - self._before)
        run.is_blocking = run.is_blocking or self._watch.is_blocking(raw.info.backend_pid)

    def _read_blocks(self, raw: Any) -> tuple[int, int]:
        with raw.cursor() as cursor:
            if raw.autocommit:
                cursor.execute(FLUSH)
                cursor.execute("select 1")
                return 0, int(self._watcher.execute(READ_ALL_BLOCKS).fetchone()[0])  # type: ignore[index]
            cursor.execute(READ_BLOCKS)
            return int(cursor.fetchone()[0]), 0

    def _end_transaction(self, connection: Any) -> None:
        raw = connection.connection.dbapi_connection
        if not raw.autocommit:
            self._add_unseen(raw, self._read_blocks(raw)[0])

    def _add_unseen(self, raw: Any, blocks: int) -> None:
        """Add what the driver's own cursors did since the last statement, as one."""
        if not raw.autocommit:
            is_blocking = self._watch.is_blocking(raw.info.backend_pid)
            unseen = blocks - self._known if blocks >= self._known else blocks
            self.measurement.statements.append(StatementRun(unseen, is_blocking))
            self._known = blocks


def measure_migration(project: Path, url: str, address: str) -> Measurement:
    """Upgrade the project's database to its head, and measure each statement.

    `url`: SQLAlchemy's; `address`: libpq's, of the same database.
    """
    os.environ["BENCHMARK_URL"] = url
    meter = StatementMeter(address)
    config = alembic.config.Config(str(project / "alembic.ini"), stdout=io.StringIO())
    config.set_main_option("script_location", str(project / "migrations"))
    meter.install()
    sys.path.insert(0, str(project))
    try:
        alembic.command.upgrade(config, "head")
    except Exception as error:  # noqa: BLE001 - whatever Alembic or the driver raises
        meter.measurement.error = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    finally:
        sys.path.remove(str(project))
        meter.close()
    return meter.measurement
