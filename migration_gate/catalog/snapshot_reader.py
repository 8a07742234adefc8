"""Reads a Postgres catalog as a `Snapshot`, with one statement that any driver can run.

Each kind of object has its own `.sql` file, whose output columns are the fields of the fact. The server makes
one JSON text of all rows, so the driver's types and its style of parameters do not matter.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from importlib.resources import files
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
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
from migration_gate.facts import Sequence as DatabaseSequence

if TYPE_CHECKING:
    import psycopg

_FACTS: Mapping[str, type[CatalogObject]] = {
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
    "details": OtherObject,
}
"""the fields of `Snapshot` and what they hold; each has a `.sql` file of its name"""

RARE_FIELDS = ("others", "details")
"""fields that are empty in most databases: `rare.sql` says whether they are"""

CATALOG_FIELDS = tuple(_FACTS)

_PARTS_OF_TABLES = ("columns", "constraints", "indexes", "triggers", "policies", "rules")

MAX_CHARACTERS = 8_000_000
"""of the texts that are held in `ParsedCatalogs`"""

Row: TypeAlias = dict[str, Any]
"""one row of a `.sql` file, by the names of its columns, which are the fields of the fact"""


def _build_query(empty: Collection[str] = ()) -> str:
    """All `.sql` files as one statement that makes one JSON text of their rows; without those of `empty`."""
    queries = {field: "'[]'::json" if field in empty else f"({_array_query(field)})" for field in _FACTS}
    arrays = ",\n".join(f"'{field}', {query}" for field, query in queries.items())
    return f"with {read_sql_file('relation')}\nselect json_build_object(\n{arrays}\n)::text"


def _array_query(field: str) -> str:
    rows = read_sql_file(field)
    return f"select coalesce(json_agg(noun), '[]'::json) from (\n{rows}\n) noun"  # noqa: S608  (our own files)


@cache
def read_sql_file(name: str) -> str:
    """A file of this folder without its comments, which may hold what a driver takes for a parameter."""
    text = files("migration_gate.catalog").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def state_query(field: str) -> str:
    """The rows of one `.sql` file as a JSON array of arrays: the fields of the fact, in their order.

    It uses `relation` and `remark`, as the file does.
    """
    return f"select json_agg({_array_of_fields(field)}) from (\n{read_sql_file(field)}\n) noun"  # noqa: S608


def type_state_query(field: str) -> str:
    """The row of `enums` or `types` as a JSON array. It uses `space`, and `pg_type`, which has one row."""
    return f"select {_array_of_fields(field)} from (\n{read_sql_file(field)}\n) noun"  # noqa: S608


def _array_of_fields(field: str) -> str:
    columns = ", ".join(f'noun."{fact_field.name}"' for fact_field in fields(_FACTS[field]))
    return f"json_build_array({columns})"


SNAPSHOT_QUERY = _build_query()
"""One statement, one row, one text column. It has neither `%` nor `:name`, so no driver looks for parameters
in it. Run it with an empty `search_path`, or names come out unqualified."""

SHORT_SNAPSHOT_QUERY = _build_query(empty=RARE_FIELDS)
"""The same for a database in which HAS_RARE is false; planning it takes half as long."""

HAS_RARE = read_sql_file("rare")
"""Whether objects are there that the short query leaves out."""

CatalogRows: TypeAlias = list[tuple[str, str]]
"""the field of `Snapshot` and the JSON of each object"""


def parse_snapshot(text: str, *, seconds: float = 0.0, version_tables: Sequence[str] = ()) -> Snapshot:
    """The answer of `SNAPSHOT_QUERY` as a snapshot, without the tables in `version_tables` (`schema.name`).

    `seconds` is how long the reading took. Raises ValueError if the text is no such answer.
    """
    snapshot = _PARSED.get(text)
    if snapshot is None:
        snapshot = _parse_catalog(text)
        _PARSED.keep(text, snapshot)
    hidden = frozenset(version_tables)
    try:
        objects = {field: _without_hidden(field, getattr(snapshot, field), hidden) for field in _FACTS}
    except TypeError as error:
        raise ValueError(f"expected names of tables: {error}") from error
    return Snapshot(seconds=seconds, **objects)


class ParsedCatalogs:
    """Catalogs that were parsed last, by their texts: what one revision leaves is what the next one finds.

    They are few, and their texts short enough for them to be held beside what is made of them.
    """

    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}
        self._characters = 0
        self._lock = Lock()

    def get(self, text: str) -> Snapshot | None:
        """The catalog of this text, with all its tables; None if it is not held."""
        return self._snapshots.get(text)

    def keep(self, text: str, snapshot: Snapshot) -> None:
        """Hold a catalog; others are given up for it, if they are too long together."""
        with self._lock:
            if self._characters + len(text) > MAX_CHARACTERS:
                self._snapshots.clear()
                self._characters = 0
            self._snapshots[text] = snapshot
            self._characters += len(text)


_PARSED = ParsedCatalogs()


def _parse_catalog(text: str) -> Snapshot:
    """With all tables. Raises ValueError."""
    answer = json.loads(text)
    if not isinstance(answer, dict) or answer.keys() != _FACTS.keys():
        raise ValueError("expected the catalog as one JSON object with a field for each kind of object")
    return _build_snapshot(answer, ())


def _without_hidden(field: str, objects: tuple[Any, ...], hidden: frozenset[str]) -> tuple[Any, ...]:
    """The objects of one kind without those of hidden tables."""
    if not hidden or not (field in _PARTS_OF_TABLES or field in ("tables", "grants")):
        return objects
    return tuple(item for item in objects if not _belongs_to(field, item, hidden))


def _belongs_to(field: str, item: Any, hidden: frozenset[str]) -> bool:
    """Whether an object is one of the hidden tables, or a part of one; see `is_hidden`."""
    if field == "tables":
        return f"{item.schema}.{item.name}" in hidden
    if field == "grants":
        return item.kind in ("table", "column") and item.name in hidden
    return f"{item.schema}.{item.table}" in hidden


def parse_catalog_rows(rows: CatalogRows, version_tables: Sequence[str] = ()) -> Snapshot:
    """What `read_catalog_rows` read, as a snapshot, without the tables in `version_tables`."""
    texts: dict[str, list[str]] = {field: [] for field in _FACTS}
    for field, text in rows:
        texts[field].append(text)
    answer = {field: json.loads(f"[{','.join(found)}]") for field, found in texts.items()}
    return _build_snapshot(answer, version_tables)


def _build_snapshot(
    answer: Mapping[str, list[Row]], version_tables: Sequence[str], seconds: float = 0.0
) -> Snapshot:
    hidden = frozenset(version_tables)
    try:
        objects = {field: _make_facts(field, rows, hidden) for field, rows in answer.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"expected rows of the catalog: {error}") from error
    return Snapshot(seconds=seconds, **objects)


def _make_facts(field: str, rows: list[Row], hidden: frozenset[str]) -> tuple[Any, ...]:
    """The rows of one `.sql` file as facts, without those of hidden tables."""
    if hidden:
        rows = [row for row in rows if not is_hidden(field, row, hidden)]
    return build_objects(field, rows)


def build_objects(field: str, rows: list[Row]) -> tuple[Any, ...]:
    """The rows of the `.sql` file `field` as facts. Raises KeyError for another field, TypeError for rows."""
    if not rows:
        return ()
    fact = _FACTS[field]
    # The rows of one file are of one shape: looking at the first is enough, and catalogs are large.
    array_columns = [name for name, value in rows[0].items() if isinstance(value, list)]
    for row in rows:
        for name in array_columns:
            row[name] = tuple(row[name])
    return tuple([fact(**row) for row in rows])


def is_hidden(field: str, row: Row, hidden: frozenset[str]) -> bool:
    """Whether the row of the `.sql` file `field` is one of the hidden tables, or belongs to one."""
    if field == "tables":
        return f"{row['schema']}.{row['name']}" in hidden
    if field in _PARTS_OF_TABLES:
        return f"{row['schema']}.{row['table']}" in hidden
    return field == "grants" and row["kind"] in ("table", "column") and row["name"] in hidden


def read_snapshot(connection: psycopg.Connection, version_tables: Sequence[str] = ()) -> Snapshot:
    """The catalog of the connection's database, as its transaction sees it, without `version_tables`.

    The session's settings stay as they were.
    """
    start = perf_counter()
    snapshot = parse_snapshot(read_catalog_text(connection), version_tables=version_tables)
    return replace(snapshot, seconds=perf_counter() - start)


def read_catalog_text(connection: psycopg.Connection) -> str:
    """The answer of `SNAPSHOT_QUERY`. The session's settings stay as they were."""
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('search_path', '', true)")
        has_rare = connection.execute(HAS_RARE.encode()).fetchone() == (True,)
        row = connection.execute(SNAPSHOT_QUERY if has_rare else SHORT_SNAPSHOT_QUERY).fetchone()
    if row is None:
        raise ValueError("expected one row from the catalog")
    return str(row[0])
