"""Reads a Postgres catalog as a `Snapshot`, with one statement that any driver can carry.

Each noun has its own `.sql` file, whose output columns are the noun's fields. The server makes one JSON text
of all rows, so neither the driver's types nor its way with parameters matter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from time import perf_counter
from typing import TYPE_CHECKING

from migration_gate.facts.catalog import (
    AttachedObject,
    Column,
    Constraint,
    EnumType,
    Extension,
    Grant,
    Index,
    NamedType,
    OtherObject,
    Routine,
    Schema,
    Snapshot,
    Table,
    View,
)
from migration_gate.facts.catalog import Sequence as DatabaseSequence

if TYPE_CHECKING:
    import psycopg

_NOUNS: Mapping[str, type] = {
    "schemas": Schema,
    "extensions": Extension,
    "tables": Table,
    "columns": Column,
    "constraints": Constraint,
    "indexes": Index,
    "enums": EnumType,
    "types": NamedType,
    "sequences": DatabaseSequence,
    "views": View,
    "routines": Routine,
    "triggers": AttachedObject,
    "policies": AttachedObject,
    "rules": AttachedObject,
    "others": OtherObject,
    "grants": Grant,
}
"""the fields of `Snapshot`, each with its `.sql` file"""

_TABLE_FIELDS = ("columns", "constraints", "indexes", "triggers", "policies", "rules")


def _text(name: str) -> str:
    lines = files("migration_gate.catalog").joinpath(f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def _query() -> str:
    parts = ",\n".join(
        f"'{noun}', (select coalesce(json_agg(noun), '[]'::json) from (\n{_text(noun)}\n) noun)"  # noqa: S608 - our files
        for noun in _NOUNS
    )
    return f"with {_text('relation')}\nselect json_build_object(\n{parts}\n)::text"


SNAPSHOT_QUERY = _query()
"""One statement, one row, one text column. It has neither `%` nor `:name`, so no driver looks for parameters
in it. Run it with an empty `search_path`, or names come out unqualified."""


def parse_snapshot(text: str, *, seconds: float = 0.0, version_tables: Sequence[str] = ()) -> Snapshot:
    """The answer of `SNAPSHOT_QUERY` as a snapshot, without the tables in `version_tables` (`schema.name`).

    `seconds` is what the reading took. Raises ValueError where the text is no such answer.
    """
    answer = json.loads(text)
    if not isinstance(answer, dict) or answer.keys() != _NOUNS.keys():
        raise ValueError("wanted the catalog as one JSON object with all its nouns, found something else")
    hidden = frozenset(version_tables)
    found: dict[str, tuple[object, ...]] = {}
    for field, noun in _NOUNS.items():
        rows = answer[field]
        if hidden:
            rows = [row for row in rows if not _is_hidden(field, row, hidden)]
        listed = [key for key, value in rows[0].items() if isinstance(value, list)] if rows else []
        for row in rows:
            for key in listed:
                row[key] = tuple(row[key])
        found[field] = tuple([noun(**row) for row in rows])
    return Snapshot(seconds=seconds, **found)  # type: ignore[arg-type]


def _is_hidden(field: str, row: Mapping[str, str], hidden: frozenset[str]) -> bool:
    if field == "tables":
        return f"{row['schema']}.{row['name']}" in hidden
    if field in _TABLE_FIELDS:
        return f"{row['schema']}.{row['table']}" in hidden
    return field == "grants" and row["kind"] in ("table", "column") and row["name"] in hidden


def read_snapshot(connection: psycopg.Connection, version_tables: Sequence[str] = ()) -> Snapshot:
    """The catalog of the connection's database, as its transaction sees it; the session stays as it was."""
    began = perf_counter()
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('search_path', '', true)")
        row = connection.execute(SNAPSHOT_QUERY).fetchone()
    if row is None:
        raise ValueError("wanted one row from the catalog, found none")
    snapshot = parse_snapshot(str(row[0]), version_tables=version_tables)
    object.__setattr__(snapshot, "seconds", perf_counter() - began)
    return snapshot
