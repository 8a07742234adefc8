"""Facts by hand: small builders, so that a test says only what it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain as chain_objects
from typing import cast

from migration_gate.analysis.origin import find_origin
from migration_gate.facts import (
    Column,
    ColumnState,
    Constraint,
    DdlCommand,
    Difference,
    DifferenceKind,
    Facts,
    Failure,
    History,
    Index,
    Location,
    Models,
    Origin,
    Owners,
    Replay,
    Revision,
    Snapshot,
    Statement,
    Step,
    Table,
)
from migration_gate.facts.catalog import CatalogObject, ReferentialAction

USERS = ("id integer NOT NULL",)


def revision(identifier: str, *parents: str, message: str = "", labels: tuple[str, ...] = ()) -> Revision:
    """A revision in `migrations/versions/<id>.py`, its `upgrade()` on line 12."""
    place = Location(f"migrations/versions/{identifier}.py", 12)
    return Revision(identifier, parents, message or f"step {identifier}", place, labels=labels)


def history(*revisions: Revision, target: tuple[str, ...] = ("heads",)) -> History:
    """The graph of `revisions`, its heads and bases worked out."""
    below = {parent for one in revisions for parent in one.parents}
    heads = tuple(one.id for one in revisions if one.id not in below)
    bases = tuple(one.id for one in revisions if not one.parents)
    return History(revisions, heads, bases, locations=("migrations/versions",), target=target)


def chain(*identifiers: str) -> History:
    """A straight line of revisions."""
    pairs = zip(identifiers, (None, *identifiers), strict=False)
    return history(*(revision(one, *([parent] if parent else [])) for one, parent in pairs))


def steps(graph: History) -> tuple[Step, ...]:
    """Every revision of the graph, run in its order."""
    return tuple(Step(number, one.id, 0.01) for number, one in enumerate(graph.revisions, 1))


def table(name: str, *lines: str, schema: str = "public", oid: int = 0) -> Snapshot:
    """One table; each line is a column (`owner_id integer NOT NULL`) or a foreign key.

    `owner_id -> users.id cascade` is a foreign key, `index owner_id` an index, `primary key id` the key.
    """
    columns: list[Column] = []
    constraints: list[Constraint] = []
    indexes: list[Index] = []
    for line in lines:
        if found := re.fullmatch(r"(\w+) -> (?:(\w+)\.)?(\w+)\.(\w+) ?(.*)", line):
            constraints.append(foreign_key(schema, name, found))
        elif found := re.fullmatch(r"(unique )?(partial )?index ([\w, ]+)", line):
            indexes.append(index(schema, name, found[3], unique=bool(found[1]), partial=bool(found[2])))
        elif line.startswith("check "):
            text = f"CHECK ({line.removeprefix('check ')})"
            constraints.append(Constraint(schema, name, f"{name}_check", "check", text))
        else:
            word, kind, *rest = line.split()
            number = len(columns) + 1
            nullable = "NULL" not in rest
            columns.append(
                Column(schema, name, word, kind, nullable=nullable, position=number, number=number)
            )
    return Snapshot(
        tables=(Table(schema, name, oid=oid),),
        columns=tuple(columns),
        constraints=tuple(constraints),
        indexes=tuple(indexes),
    )


def foreign_key(schema: str, name: str, found: re.Match[str]) -> Constraint:
    """A foreign key, as Postgres names it."""
    column, to, other, key, action = found.groups(default="public")
    definition = f"FOREIGN KEY ({column}) REFERENCES {to}.{other}({key})"
    return Constraint(
        schema,
        name,
        f"{name}_{column}_fkey",
        "foreign key",
        definition + (f" ON DELETE {action.upper()}" if action else ""),
        (column,),
        references=f"{to}.{other}",
        referenced_columns=(key,),
        on_delete=cast("ReferentialAction", action or "no action"),
        on_update="no action",
    )


def index(schema: str, name: str, columns: str, *, unique: bool = False, partial: bool = False) -> Index:
    """An index over the named columns."""
    keys = tuple(column.strip() for column in columns.split(","))
    label = f"ix_{name}_{'_'.join(keys)}"
    definition = (
        f"CREATE {'UNIQUE ' if unique else ''}INDEX {label} ON {schema}.{name} USING btree ({columns})"
    )
    where = " WHERE (kind = 1)" if partial else ""
    return Index(schema, name, label, definition + where, keys, unique=unique, partial=partial)


def database(*tables: Snapshot) -> Snapshot:
    """Several tables in one catalog."""
    return Snapshot(
        tables=tuple(t for one in tables for t in one.tables),
        columns=tuple(c for one in tables for c in one.columns),
        constraints=tuple(c for one in tables for c in one.constraints),
        indexes=tuple(i for one in tables for i in one.indexes),
    )


def touch(step: int, name: str, *columns: str, oid: int = 0, tag: str = "CREATE TABLE") -> DdlCommand:
    """A table after one DDL command; columns as in `table`."""
    states = []
    for number, line in enumerate(columns, 1):
        word, kind, *rest = line.split()
        states.append(ColumnState(number, word, kind, "NULL" not in rest, None))
    return DdlCommand(step, tag, "table", f"public.{name}", oid, columns=tuple(states))


def owned(*tables: Snapshot, owners: Owners | None = None, touches: Iterable[DdlCommand] = ()) -> Facts:
    """Facts about a database of these tables and `users`, made by revisions a1 and b2."""
    graph = chain("a1", "b2")
    replay = Replay(
        history=graph,
        steps=steps(graph),
        ddl_commands=tuple(touches),
        catalog=database(table("users", *USERS), *tables),
        models=Models(tables=("public.users",), metadatas=1),
    )
    return Facts("library", replay, owners=owners or Owners())


def replayed(graph: History, **fields: object) -> Facts:
    """Facts about a history that ran; `fields` are those of Replay."""
    given: dict[str, object] = {
        "history": graph,
        "steps": steps(graph),
        "models": Models(tables=("public.users",), metadatas=1),
    }
    return Facts("library", Replay(**(given | fields)))  # type: ignore[arg-type]


def failed(says: str, **fields: object) -> Facts:
    """Facts about a chain a1, b2, c3 whose c3 failed."""
    graph = chain("a1", "b2", "c3")
    place = Location("migrations/versions/c3.py", 20)
    given: dict[str, object] = {"revision": "c3", "location": place}
    failure = Failure(says, **(given | fields))  # type: ignore[arg-type]
    return replayed(graph, failure=failure, steps=steps(graph)[:2])


def statement(sql: str, *, line: int | None = None, error: str = "", sqlstate: str = "42P01") -> Statement:
    """One statement, failed where `error` says so."""
    return Statement(sql, 0.001, line, error=Failure(error, sqlstate=sqlstate) if error else None)


def difference(kind: DifferenceKind, name: str, database: str | None, models: str | None) -> Difference:
    """A drift, without a revision that would mend it."""
    return Difference(kind, name, database, models)


def origin_of(replay: Replay, name: str) -> Origin:
    """The origin of the object of that name: `users`, `users.email`, `users.users_pkey`, `ix_users_email`."""
    catalog = replay.catalog
    objects: Iterable[CatalogObject] = chain_objects(
        catalog.tables,
        catalog.columns,
        catalog.constraints,
        catalog.indexes,
        catalog.enums,
        catalog.sequences,
        catalog.views,
    )
    return find_origin(replay, next(found for found in objects if str(found) == name))
