"""Builds small facts by hand, so that a test says only what it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import cast

from migration_gate.analysis.origin import find_origin
from migration_gate.facts import (
    CatalogObject,
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
    ReferentialAction,
    Replay,
    Revision,
    Snapshot,
    Statement,
    Step,
    Table,
    TableState,
)

USERS = ("id integer NOT NULL",)


def make_revision(
    identifier: str, *parents: str, message: str = "", labels: tuple[str, ...] = ()
) -> Revision:
    """A revision in `migrations/versions/<id>.py`, with its `upgrade()` on line 12."""
    location = Location(f"migrations/versions/{identifier}.py", 12)
    return Revision(identifier, parents, message or f"step {identifier}", location, labels=labels)


def make_history(*revisions: Revision, target: tuple[str, ...] = ("heads",)) -> History:
    """The graph of the revisions, with its heads and bases."""
    parents = {parent for revision in revisions for parent in revision.parents}
    heads = tuple(revision.id for revision in revisions if revision.id not in parents)
    bases = tuple(revision.id for revision in revisions if not revision.parents)
    return History(revisions, heads, bases, locations=("migrations/versions",), target=target)


def make_chain(*identifiers: str) -> History:
    """A straight line of revisions."""
    first, *others = identifiers
    children = [make_revision(child, parent) for parent, child in zip(identifiers, others, strict=False)]
    return make_history(make_revision(first), *children)


def make_steps(graph: History) -> tuple[Step, ...]:
    """The run of every revision of the graph, in its order."""
    return tuple(Step(number, revision.id, 0.01) for number, revision in enumerate(graph.revisions, 1))


def make_table(name: str, *lines: str, schema: str = "public", oid: int = 0) -> Snapshot:
    """A catalog with one table. A line is one of:

    a column            `owner_id integer NOT NULL`
    a foreign key       `owner_id -> users.id cascade`, with its ON DELETE
    an index            `index owner_id, id`, `unique index owner_id`, `partial index owner_id`
    a primary key       `primary key id, number`
    a CHECK constraint  `check (owner_id IS NOT NULL)`
    """
    columns: list[Column] = []
    constraints: list[Constraint] = []
    indexes: list[Index] = []
    for line in lines:
        if " -> " in line:
            constraints.append(parse_foreign_key(schema, name, line))
        elif re.match(r"(unique |partial )?index ", line):
            indexes.append(parse_index(schema, name, line))
        elif line.startswith("primary key "):
            key = tuple(column.strip() for column in line.removeprefix("primary key ").split(","))
            definition = f"PRIMARY KEY ({', '.join(key)})"
            constraints.append(Constraint(schema, name, f"{name}_pkey", "primary key", definition, key))
        elif line.startswith("check "):
            definition = f"CHECK ({line.removeprefix('check ')})"
            constraints.append(Constraint(schema, name, f"{name}_check", "check", definition))
        else:
            columns.append(parse_column(schema, name, line, number=len(columns) + 1))
    return Snapshot(
        tables=(Table(schema, name, oid=oid),),
        columns=tuple(columns),
        constraints=tuple(constraints),
        indexes=tuple(indexes),
    )


def parse_column(schema: str, table: str, line: str, number: int) -> Column:
    """A column from its name, type and perhaps NOT NULL."""
    name, type_name, *options = line.split()
    return Column(
        schema, table, name, type_name, nullable="NULL" not in options, position=number, number=number
    )


def parse_foreign_key(schema: str, table: str, line: str) -> Constraint:
    """A foreign key, with the name that Postgres gives it."""
    match = re.fullmatch(r"(\w+) -> (?:(\w+)\.)?(\w+)\.(\w+) ?(.*)", line)
    assert match is not None
    column, other_schema, other_table, key, action = match.groups(default="public")
    definition = f"FOREIGN KEY ({column}) REFERENCES {other_schema}.{other_table}({key})"
    if action:
        definition += f" ON DELETE {action.upper()}"
    return Constraint(
        schema,
        table,
        f"{table}_{column}_fkey",
        "foreign key",
        definition,
        (column,),
        references=f"{other_schema}.{other_table}",
        referenced_columns=(key,),
        on_delete=cast("ReferentialAction", action or "no action"),
        on_update="no action",
    )


def parse_index(schema: str, table: str, line: str) -> Index:
    """An index over the named columns."""
    options, _, columns = line.rpartition("index ")
    keys = tuple(column.strip() for column in columns.split(","))
    name = f"ix_{table}_{'_'.join(keys)}"
    is_unique, is_partial = "unique" in options, "partial" in options
    create = "CREATE UNIQUE INDEX" if is_unique else "CREATE INDEX"
    where = " WHERE (kind = 1)" if is_partial else ""
    definition = f"{create} {name} ON {schema}.{table} USING btree ({columns}){where}"
    return Index(schema, table, name, definition, keys, unique=is_unique, partial=is_partial)


def join_tables(*tables: Snapshot) -> Snapshot:
    """Several tables in one catalog."""
    return Snapshot(
        tables=tuple(table for catalog in tables for table in catalog.tables),
        columns=tuple(column for catalog in tables for column in catalog.columns),
        constraints=tuple(constraint for catalog in tables for constraint in catalog.constraints),
        indexes=tuple(index for catalog in tables for index in catalog.indexes),
    )


def make_ddl_command(
    step: int, name: str, *columns: str, oid: int = 0, tag: str = "CREATE TABLE"
) -> DdlCommand:
    """A DDL command on a table; the columns after it are lines as in `make_table`."""
    parsed = [parse_column("public", name, line, number) for number, line in enumerate(columns, 1)]
    states = tuple(
        ColumnState(column.number, column.name, column.type, column.nullable, None) for column in parsed
    )
    table = TableState("public", name)
    return DdlCommand(step, tag, "table", f"public.{name}", oid, columns=states, table=table)


def make_owner_facts(
    *tables: Snapshot, owners: Owners | None = None, ddl_commands: Iterable[DdlCommand] = ()
) -> Facts:
    """Facts about a database of these tables and `users`, made by revisions a1 and b2."""
    graph = make_chain("a1", "b2")
    replay = Replay(
        history=graph,
        steps=make_steps(graph),
        ddl_commands=tuple(ddl_commands),
        catalog=join_tables(make_table("users", *USERS), *tables),
        models=Models(tables=("public.users",), metadatas=1),
    )
    return Facts("library", replay, owners=owners or Owners())


def make_replay_facts(graph: History, **fields: object) -> Facts:
    """Facts about a history that ran; `fields` are those of Replay."""
    replay = Replay(
        history=graph, steps=make_steps(graph), models=Models(tables=("public.users",), metadatas=1)
    )
    return Facts("library", replace(replay, **fields))  # type: ignore[arg-type]


def make_failure_facts(message: str, **fields: object) -> Facts:
    """Facts about a chain a1, b2, c3 whose c3 failed; `fields` are those of Failure."""
    graph = make_chain("a1", "b2", "c3")
    failure = Failure(message, revision="c3", location=Location("migrations/versions/c3.py", 20))
    failure = replace(failure, **fields)  # type: ignore[arg-type]
    return make_replay_facts(graph, failure=failure, steps=make_steps(graph)[:2])


def make_statement(
    sql: str, *, line: int | None = None, error: str = "", sqlstate: str = "42P01"
) -> Statement:
    """A statement; it failed where `error` is given."""
    failure = Failure(error, sqlstate=sqlstate) if error else None
    return Statement(sql, 0.001, line, error=failure)


def make_difference(kind: DifferenceKind, name: str, database: str | None, models: str | None) -> Difference:
    """A drift without a revision that removes it."""
    return Difference(kind, name, database, models)


def find_origin_by_name(replay: Replay, name: str) -> Origin:
    """The origin of the object of that name: `users`, `users.email`, `users.users_pkey`, `ix_users_email`."""
    catalog = replay.catalog
    objects: Iterable[CatalogObject] = chain(
        catalog.tables,
        catalog.columns,
        catalog.constraints,
        catalog.indexes,
        catalog.enums,
        catalog.sequences,
        catalog.views,
    )
    return find_origin(replay, next(item for item in objects if str(item) == name))
