"""What the databases of a rollback hold: rows that are put there, and the catalog at each point."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.catalog_rows import read_catalog_again
from migration_gate.catalog.comparable_catalog import (
    CatalogReader,
    CatalogSet,
    RevisionChanges,
    parse_changes,
)
from migration_gate.catalog.full_rows import FullRows
from migration_gate.catalog.old_shape import OldShape, describe_old_shape, loosens
from migration_gate.catalog.row_source import FilledTable, RowSource, RowVariety
from migration_gate.catalog.snapshot_reader import CatalogRows, parse_catalog_rows
from migration_gate.catalog.stored_rows import (
    StoredRows,
    read_rows_again,
    read_stored_rows,
    select_new_rows,
    select_same_rows,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.rollback_tables import (
    add_single_parents,
    list_reached_tables,
    list_touched_tables,
)
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.step_lines import StepFinished

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True)
class RolledBackHistory:
    """What is known of the history before the first downgrade."""

    order: tuple[str, ...]
    """all revisions that ran"""
    changes: Mapping[str, tuple[RevisionChanges, ...]]
    """what each revision to prove made of the catalog, in each context that ran it"""
    statements: Mapping[str, tuple[str, ...]]
    """SQL of these revisions"""
    contexts: int = 1
    """how many contexts of env.py ran revisions"""


def read_rolled_back_history(lines: Iterable[Line], version_tables: Sequence[str]) -> RolledBackHistory:
    """From the lines of the first run."""
    steps = [line for line in lines if isinstance(line, StepFinished)]
    changes: dict[str, tuple[RevisionChanges, ...]] = {}
    statements: dict[str, tuple[str, ...]] = {}
    for step in steps:
        if step.changes is not None:
            change = parse_changes(step.changes, version_tables)
            changes[step.revision] = (*changes.get(step.revision, ()), change)
            sql = tuple(statement.sql for statement in step.statements)
            sql += tuple(statement.sql for statement in step.cursor_statements)
            statements[step.revision] = (*statements.get(step.revision, ()), *sql)
    order = tuple(dict.fromkeys(step.revision for step in steps))
    return RolledBackHistory(order, changes, statements, len({step.context for step in steps}))


@dataclass
class DatabaseState:
    """A database between two runs of env.py."""

    catalog: CatalogSet
    rows: dict[int, StoredRows] = field(default_factory=dict)
    """the simple rows that the gate made, by the oid of the table"""
    unusual: dict[int, StoredRows] = field(default_factory=dict)
    """the other rows that it made"""
    convertible: frozenset[int] = frozenset()
    """tables whose values fit the earlier types of their columns"""
    replaced: dict[int, StoredRows] = field(default_factory=dict)
    """what has the name of a table that is gone, by the oid of that one"""


class StateReader:
    """Puts rows into the tables of copies, and reads their states."""

    def __init__(
        self,
        history: RolledBackHistory,
        version_tables: Sequence[str],
        row_source: RowSource | None = None,
    ) -> None:
        self._history = history
        self._version_tables = version_tables
        self._reader = CatalogReader(version_tables)
        self._row_source = row_source or FullRows()
        self.refused: dict[str, FilledTable] = {}
        """tables that took no row, by their names"""
        self.without_unusual: dict[str, FilledTable] = {}
        """tables that took simple rows alone, by their names"""

    def fill(
        self,
        connection: psycopg.Connection[Any],
        revisions: Sequence[str],
        variety: RowVariety = RowVariety.EXTREME,
        *,
        fits_old: bool = True,
        catalog_rows: CatalogRows | None = None,
    ) -> DatabaseState:
        """Put rows into the tables that the revisions are about; the state of the database then.

        `fits_old`: rows fit the tables as they were before the revisions, too. `catalog_rows`: of the
        database, if they were read already.
        """
        catalog_rows = catalog_rows or read_catalog_again(connection)
        snapshot = parse_catalog_rows(catalog_rows, self._version_tables)
        in_order = [revision for revision in self._history.order if revision in revisions]
        changes = [change for revision in in_order for change in self._history.changes[revision]]
        old = describe_old_shape(changes)
        statements = [sql for revision in in_order for sql in self._history.statements[revision]]
        tables = list_touched_tables(snapshot, old.touched, statements)
        reached = list_reached_tables(snapshot, tables, old)
        known = read_stored_rows(connection, [table.oid for table in reached])
        shape = old if fits_old else OldShape()
        filled = self._row_source.fill_tables(connection, snapshot, tables, shape)
        oids = [table.oid for table in filled if table.is_filled]
        simple = rows = select_new_rows(read_stored_rows(connection, oids), known)
        if variety > RowVariety.PLAIN:
            wanted = {table.oid for table in tables}
            several = {table.oid for table in add_single_parents(snapshot, tables)}
            chosen = [table for table in filled if table.is_filled and table.oid in several]
            unusual = self._row_source.add_unusual(connection, snapshot, chosen, shape, variety)
            rows = select_new_rows(read_stored_rows(connection, oids), known)
            simple = select_same_rows(rows, simple)  # triggers may have changed them
            if fits_old:
                _remember_refused(self.without_unusual, wanted, unusual)
                _remember_refused(self.refused, wanted, filled)
        # Rows may have had routines run: one that makes partitions, for example.
        if snapshot.routines or any(table.partition_key for table in tables):
            catalog_rows = read_catalog_again(connection)
        return DatabaseState(
            self._reader.make_set(catalog_rows),
            simple,
            select_new_rows(rows, simple),
            frozenset(table.oid for table in filled if table.fits_old_types),
        )

    def has_loosened(self, revision: str) -> bool:
        """Whether tables may have rows now that did not fit their shape before the revision."""
        return any(loosens(change) for change in self._history.changes[revision])

    def read_without_rows(self, connection: psycopg.Connection[Any]) -> DatabaseState:
        """The state of a database into which no rows were put."""
        return DatabaseState(self.read_catalog(connection))

    def read_state(self, connection: psycopg.Connection[Any], before: DatabaseState) -> DatabaseState:
        """The state after a function, of the rows that were there before it."""
        named = read_rows_again(connection, before.rows)
        rows = {oid: table for oid, table in named.items() if table.oid == oid}
        return DatabaseState(
            self.read_catalog(connection),
            select_same_rows(rows, before.rows),
            select_same_rows(rows, before.unusual),
            before.convertible,
            {oid: table for oid, table in named.items() if oid not in rows},
        )

    def read_catalog(self, connection: psycopg.Connection[Any]) -> CatalogSet:
        """The catalog as it is now."""
        return self._reader.read(connection)


def _remember_refused(
    known: dict[str, FilledTable], wanted: Collection[int], filled: Iterable[FilledTable]
) -> None:
    for table in filled:
        if not table.is_filled and table.oid in wanted:
            known.setdefault(f"{table.schema}.{table.name}", table)
