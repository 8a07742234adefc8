"""A copy of the database before the first new revision, with rows in its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.generated_rows import fill_database
from migration_gate.catalog.row_source import FilledTable, RowVariety
from migration_gate.catalog.row_state import RowState, read_row_state
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.catalog.stored_rows import StoredRows, select_new_rows
from migration_gate.facts import Snapshot
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.base_database import copy_base_database
from migration_gate.replay.own_rows import OwnRows
from migration_gate.replay.replay_setup import ReplaySetup

if TYPE_CHECKING:
    import psycopg


@dataclass
class FilledDatabase:
    """A copy of the base with rows, as it is between two revisions."""

    snapshot: Snapshot
    filled: tuple[FilledTable, ...]
    state: RowState
    tracked: Mapping[int, StoredRows]
    """the made rows of `state`"""
    own_rows: int = 0


@dataclass(frozen=True, slots=True)
class FilledCopy:
    """A copy that has its rows."""

    connection: psycopg.Connection[Any]
    """to it; the caller closes it"""
    database: FilledDatabase


def open_filled_copy(
    setup: ReplaySetup,
    version_tables: Sequence[str],
    own_rows: OwnRows | None,
    varieties: Mapping[str, RowVariety],
    others: RowVariety,
) -> FilledCopy:
    """Make `setup.rehearsal_database` anew, and fill it.

    `own_rows`: those of the project, which come first.
    `varieties`: of the rows of some tables, by `schema.name`; `others`: of all other tables. Raises
    OwnRowsRefused, and RowRefused.
    """
    copy_base_database(setup)
    connection = setup.server.connect(setup.rehearsal_database)
    try:
        return FilledCopy(connection, _fill(connection, version_tables, own_rows, varieties, others))
    except BaseException:
        connection.close()
        raise


def _fill(
    connection: psycopg.Connection[Any],
    version_tables: Sequence[str],
    own_rows: OwnRows | None,
    varieties: Mapping[str, RowVariety],
    others: RowVariety,
) -> FilledDatabase:
    snapshot = read_snapshot(connection, version_tables)
    known = read_row_state(connection)
    added = own_rows.add(connection, known) if own_rows is not None and own_rows.is_active else 0
    connection.autocommit = False
    filled = fill_database(connection, snapshot, varieties, others=others)
    connection.autocommit = True
    state = read_row_state(connection, known)
    ours = {table.oid: state.tables[table.oid] for table in filled if table.oid in state.tables}
    tracked = select_new_rows(ours, known.tables)
    if added:
        filled = tuple(_add_own_rows(table, tracked) for table in filled)
    return FilledDatabase(snapshot, filled, state, tracked, added)


def _add_own_rows(table: FilledTable, made: Mapping[int, StoredRows]) -> FilledTable:
    """The table with all rows that it got: the project's, too."""
    rows = len(made[table.oid].rows) if table.oid in made else table.rows
    return replace(table, rows=max(rows, table.rows), refusal="" if rows else table.refusal)
