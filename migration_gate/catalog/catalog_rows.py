"""Reads the objects of a catalog one by one, in a session that may read it again.

Reading a hundred tables takes 16 ms, finding out which of them have changed since the reading before 2 ms. A
row of a system catalog says which transaction wrote it: a relation has not changed if its rows there are by
the same transactions as before. What is printed of a relation has names of others in it, too: everything is
read again when a relation, a column or an index was renamed, and when a schema, type, routine, operator, cast
or anything else was made or changed that definitions depend on. An array of `regclass` depends on nothing:
where a constant of one names a table that has gone, it is read as before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from migration_gate.catalog.snapshot_reader import (
    CATALOG_FIELDS,
    HAS_RARE,
    RARE_FIELDS,
    CatalogRows,
    read_sql_file,
)
from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import psycopg

_NAME_COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("tables", "sequences"), 'noun.schema, noun."name"'),
    **dict.fromkeys(("columns", "constraints", "indexes", "triggers"), 'noun.schema, noun."table"'),
}
"""of the fields whose rows belong to a relation and change with it alone, where its schema and name are

Not views, rules and policies: what is printed of them changes with the columns of the tables that they read.
"""

_SET_SESSION = """select pg_catalog.set_config('search_path', '', true),
pg_catalog.set_config('migration_gate.chosen', %s, true)"""
NO_OID = 0
_EVERYTHING = "{}"
"""the value of `migration_gate.chosen` with which no relation is left out; else it is an array of oids"""

_CHOSEN = f"""chosen as materialized (
  select * from relation
  where current_setting('migration_gate.chosen') = '{_EVERYTHING}'
     or oid in (select unnest(current_setting('migration_gate.chosen')::oid[]))
)"""  # noqa: S608 - our own text

_PART_NAMES = """
select attrelid::bigint, attnum::bigint, attname::text from pg_attribute
where attrelid = any(%(relations)s::oid[]) and attnum > 0 and not attisdropped
union all
select i.indrelid::bigint, -c.oid::bigint, c.relname::text
from pg_index i join pg_class c on c.oid = i.indexrelid
where i.indrelid = any(%(relations)s::oid[])
"""

Versions: TypeAlias = dict[int, tuple[str, str, bool, int, str]]
"""by the oid of the relation: the further columns of `relation_versions.sql`"""

PartNames: TypeAlias = dict[int, dict[int, str]]
"""by the oid of the relation: names of columns by their numbers, of indexes by the negatives of their oids"""


def _build_query(fields: Iterable[str]) -> str:
    """These `.sql` files as one statement, with a row for each of theirs.

    Its columns: the file's name, the row as JSON, and the schema and name of the relation that it belongs to.
    """
    parts = []
    for name in fields:
        rows, names = read_sql_file(name), "null, null"
        if name in _NAME_COLUMNS:
            rows, names = f"with relation as (select * from chosen)\n{rows}", _NAME_COLUMNS[name]  # noqa: S608
        parts.append(f"select '{name}', row_to_json(noun)::text, {names} from (\n{rows}\n) noun")  # noqa: S608
    return f"with {read_sql_file('relation')},\n{_CHOSEN}\n" + "\nunion all\n".join(parts)


_PREPARED = {
    "migration_gate_catalog": _build_query(name for name in CATALOG_FIELDS if name not in RARE_FIELDS),
    "migration_gate_rare": _build_query(RARE_FIELDS),
    "migration_gate_has_rare": HAS_RARE,
    "migration_gate_versions": f"with {read_sql_file('relation')},\n{read_sql_file('relation_versions')}",
    "migration_gate_shared_names": read_sql_file("shared_names"),
}
"""the names and texts of prepared statements"""

_LIST_PREPARED = "select name from pg_prepared_statements where left(name, 15) = 'migration_gate_'"


def read_catalog_rows(connection: psycopg.Connection[Any]) -> CatalogRows:
    """The objects of the catalog, one by one. The session's settings stay as they were.

    Planning the queries takes as long as running them, so the session keeps the plans; with SQL's PREPARE,
    because the driver drops what it prepares itself after each ROLLBACK, ALTER and DROP.
    """
    with connection.transaction(force_rollback=True):
        return [(name, text) for name, text, _, _ in _CatalogSession(connection).read(_EVERYTHING)]


def read_catalog_again(connection: psycopg.Connection[Any]) -> CatalogRows:
    """The same, for a session that reads more than once: the rows of relations that have changed are read.

    Inside a transaction all is read: what it has done itself has the same number before and after.
    """
    from psycopg.pq import TransactionStatus  # noqa: PLC0415 - loaded while the server starts

    if connection.info.transaction_status != TransactionStatus.IDLE:
        _KNOWN.pop(connection, None)
        return read_catalog_rows(connection)
    with connection.transaction(force_rollback=True):
        known = _read_changed(_CatalogSession(connection), _KNOWN.get(connection))
    _KNOWN[connection] = known
    return known.list_rows()


class _CatalogSession:
    """A session in the transaction of a reading."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        connection.execute(_SET_SESSION, [_EVERYTHING])
        self._prepared = {name for (name,) in connection.execute(_LIST_PREPARED, prepare=False)}

    def read(self, chosen: str) -> list[tuple[Any, ...]]:
        """The rows of the chosen relations, and of all that belongs to none."""
        self._connection.execute(_SET_SESSION, [chosen])
        rows = self._execute("migration_gate_catalog")
        if self._execute("migration_gate_has_rare") == [(True,)]:
            rows += self._execute("migration_gate_rare")
        return rows

    def read_versions(self) -> Versions:
        """How each relation was written."""
        return {row[0]: row[1:] for row in self._execute("migration_gate_versions")}

    def read_shared_names(self) -> tuple[Any, ...]:
        """How all that has a name was written, but for relations and their columns."""
        return self._execute("migration_gate_shared_names")[0]

    def read_part_names(self, relations: Iterable[int]) -> PartNames:
        """The names of the columns and indexes of each relation that has some."""
        names: PartNames = {}
        query = {"relations": list(relations)}
        for oid, number, name in self._connection.execute(_PART_NAMES, query, prepare=False):
            names.setdefault(oid, {})[number] = name
        return names

    def _execute(self, name: str) -> list[tuple[Any, ...]]:
        if name not in self._prepared:
            self._connection.execute(f"prepare {name} as {_PREPARED[name]}".encode(), prepare=False)
        return self._connection.execute(f"execute {name}".encode(), prepare=False).fetchall()


@dataclass
class _KnownCatalog:
    """What a session has read."""

    versions: Versions
    shared_names: tuple[Any, ...]
    part_names: PartNames
    of_relations: dict[tuple[str, str], CatalogRows] = field(default_factory=dict)
    """the rows of each relation, by its schema and name"""
    others: CatalogRows = field(default_factory=list)

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add what was read."""
        for name, text, schema, relation in rows:
            if schema is None:
                self.others.append((name, text))
            else:
                self.of_relations.setdefault((schema, relation), []).append((name, text))

    def take_unchanged(self, before: _KnownCatalog) -> None:
        """Add what was read before of the relations that have not changed."""
        for oid, version in self.versions.items():
            if before.versions.get(oid) == version:
                place = version[:2]
                self.of_relations[place] = before.of_relations.get(place, [])
                self.part_names[oid] = before.part_names.get(oid, {})

    def list_rows(self) -> CatalogRows:
        """All of them, in an order that does not depend on what was read when."""
        in_order = (rows for _, rows in sorted(self.of_relations.items()))
        return [row for rows in (*in_order, self.others) for row in rows]

    def has_same_names(self, now: _KnownCatalog) -> bool:
        """Whether all that is still there has its name; `now` has the part names of what has changed."""
        if now.shared_names != self.shared_names:
            return False
        return all(
            now.versions[oid][:2] == version[:2]
            and _has_same_names(self.part_names.get(oid, {}), now.part_names.get(oid, {}))
            for oid, version in self.versions.items()
            if oid in now.versions and now.versions[oid] != version
        )


def _has_same_names(before: Mapping[int, str], now: Mapping[int, str]) -> bool:
    """Whether those that are still there have their names."""
    return all(now.get(number, name) == name for number, name in before.items())


_KNOWN: WeakKeyDictionary[psycopg.Connection[Any], _KnownCatalog] = WeakKeyDictionary()
"""by the session"""


def _read_changed(session: _CatalogSession, before: _KnownCatalog | None) -> _KnownCatalog:
    """How all was written is read first: what changes while the rest is read is read again the next time."""
    versions = session.read_versions()
    earlier = before.versions if before is not None else {}
    changed = [oid for oid, version in versions.items() if earlier.get(oid) != version]
    known = _KnownCatalog(versions, session.read_shared_names(), session.read_part_names(changed))
    if before is not None and 2 * len(changed) <= len(versions) and before.has_same_names(known):
        known.take_unchanged(before)
        known.add(session.read(f"{{{','.join(map(str, changed or [NO_OID]))}}}"))
        return known
    if before is not None:
        known.part_names = session.read_part_names(versions)
    known.add(session.read(_EVERYTHING))
    return known
