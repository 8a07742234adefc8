"""Keeps the rows after each statement of a revision, which runs again with rows: see row_watch.sql."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.row_state import RowState
from migration_gate.catalog.stored_rows import MAX_ROWS, StoredColumn, StoredRows
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.literals import quote_literal

if TYPE_CHECKING:
    import psycopg

SETTINGS = (
    "TimeZone", "DateStyle", "IntervalStyle", "bytea_output", "extra_float_digits", "lc_monetary", "xmlbinary"
)  # fmt: skip
"""on which it depends how a value is written"""
HAS_SCHEMA = "select pg_catalog.to_regnamespace('migration_gate') is not null"
INSERT_TABLES = "insert into migration_gate.known_table select * from unnest(%s::oid[], %s::boolean[])"
READ_ROWS = "select session, number, tables from migration_gate.watched_rows order by number"


@dataclass(frozen=True, slots=True)
class WatchedState:
    """The rows after a statement."""

    number: int
    """of the statement, among those of SQLAlchemy's that succeeded: from 1"""
    rows: RowState
    """the same object as after the session's statement before, if nothing was done to the tables"""
    is_own: bool = True
    """of the session in which most of the revision's statements ran"""


def begin_row_watch(
    connection: psycopg.Connection[Any], known: Collection[int], watched: Collection[int]
) -> bool:
    """Have the rows of these tables kept; of others that are known, nothing is. False if that cannot be.

    The connection commits each statement, and is the one that reads rows before and after.
    """
    if connection.execute(HAS_SCHEMA).fetchone() != (True,):
        return False
    values = {name: connection.execute(f"show {name}".encode()).fetchone() for name in SETTINGS}
    settings = " ".join(f"set {name} = {quote_literal(str(row[0]))}" for name, row in values.items() if row)
    script = files(__package__).joinpath("row_watch.sql").read_text("utf-8")
    texts = {"{settings} as": f"{settings} as", "{most}": str(MAX_ROWS)}
    for mark, text in texts.items():
        script = script.replace(mark, text)
    connection.execute(script.encode())
    connection.execute(INSERT_TABLES, [list(known), [oid in watched for oid in known]])
    return True


def read_watched_states(
    connection: psycopg.Connection[Any], before: RowState, watched: Collection[int]
) -> tuple[WatchedState, ...]:
    """The states in their order. `before`: the state before the revision, whose other tables are taken."""
    found = connection.execute(READ_ROWS).fetchall()
    sessions = Counter(session for session, _, _ in found)
    own = max(sessions, key=lambda session: sessions[session], default=0)
    states: list[WatchedState] = []
    newest: dict[int, tuple[Mapping[str, Any], RowState]] = {}
    for session, number, tables in found:
        if session not in newest or newest[session][0] != tables:
            newest[session] = (tables, _build_state(before, watched, tables))
        states.append(WatchedState(number, newest[session][1], session == own))
    return tuple(states)


def _build_state(before: RowState, watched: Collection[int], texts: Mapping[str, Any]) -> RowState:
    tables = {oid: table for oid, table in before.tables.items() if oid not in watched}
    unread = {oid: name for oid, name in before.unread.items() if oid not in watched}
    for text, item in texts.items():
        oid = int(text)
        if item["rows"] is None:
            unread[oid] = f"{item['schema']}.{item['name']}"
            continue
        table = StoredRows(
            oid, item["schema"], item["name"], _build_columns(item["columns"]), tuple(item["rows"])
        )
        earlier = before.tables.get(oid)
        # The same object says that nothing was done to the table.
        tables[oid] = earlier if earlier is not None and earlier == table else table
    return replace(before, tables=tables, unread=unread)


def _build_columns(columns: Sequence[Sequence[Any]]) -> tuple[StoredColumn, ...]:
    return tuple(StoredColumn(*column) for column in columns)
