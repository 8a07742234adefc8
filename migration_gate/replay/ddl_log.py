"""The log of DDL commands that the ephemeral database keeps during a replay: installed, and read as facts."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from migration_gate.catalog.snapshot_reader import (
    HAS_RARE,
    SHORT_SNAPSHOT_QUERY,
    SNAPSHOT_QUERY,
    state_query,
    type_state_query,
)
from migration_gate.facts import (
    ColumnIdentity,
    ColumnState,
    DdlCommand,
    EnumType,
    NamedDefinition,
    NamedType,
    TableState,
    View,
)
from migration_gate.facts import Sequence as DatabaseSequence
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.server import Server

if TYPE_CHECKING:
    import psycopg

STEP_BEGINS = "STEP"
"""the tag of a row that no command made: a step begins"""
SAME_STATE = "="
"""the state of a row whose command left the object as the row before it did"""
ADDED_INDEX, DROPPED_INDEX = "+", "-"
"""how the state of a row begins that has no more than an index of a table with many"""
MANY_INDEXES = 50
CONSTRAINT_INDEX = 5
"""where the state of a constraint has the oid of its index"""
INDEX = """json_build_array(
            r.oid, r.relname, pg_get_indexdef(i.indexrelid), i.indkey::int2[],
            r.reloptions, i.indisvalid and i.indisready)"""
"""what the log has of an index `r`, `i` of the table `target`"""
RELATION_STATES = ("sequences", "views")
TYPE_STATES = ("enums", "types")
_OBJECTS: Mapping[str, Callable[..., DatabaseSequence | View | EnumType | NamedType]] = {
    "sequences": DatabaseSequence,
    "views": View,
    "enums": EnumType,
    "types": NamedType,
}
"""states that are a fact of the catalog, by their key"""
_GENERATED = {"s": "stored", "v": "virtual"}
_IDENTITIES: Mapping[str, ColumnIdentity | None] = {"": None, "a": "always", "d": "by default"}
IS_INSTALLED = "select to_regclass('migration_gate.ddl_log') is not null"
READ_ROWS = """
select id, step, tag, kind, identity, oid::bigint, dropped, query, moment::text, state
from migration_gate.ddl_log order by id
"""
FETCHED_ROWS = 200
"""at once"""
FactT = TypeVar("FactT")


def install_ddl_log(connection: psycopg.Connection[Any], server: Server) -> None:
    """Create the log in an empty database, with event triggers if the server allows them."""
    connection.execute(_build_log_script().encode())
    if server.superuser:
        connection.execute(files(__package__).joinpath("ddl_log_triggers.sql").read_bytes())


def _build_log_script() -> str:
    """The log's tables and functions, with the queries of the catalog in them."""
    script = files(__package__).joinpath("ddl_log.sql").read_text(encoding="utf-8")
    script = script.replace("{index}", INDEX).replace("{many}", str(MANY_INDEXES))
    script = script.replace("{catalog}", SNAPSHOT_QUERY).replace("{has_rare}", HAS_RARE)
    script = script.replace("{short_catalog}", SHORT_SNAPSHOT_QUERY)
    for name in RELATION_STATES:
        script = script.replace(f"{{{name}}}", state_query(name))
    for name in TYPE_STATES:
        script = script.replace(f"{{{name}}}", type_state_query(name))
    return script


class _LogRow(NamedTuple):
    """A row of the log, as READ_ROWS prints it."""

    id: int
    step: int
    tag: str
    kind: str
    identity: str
    oid: int
    dropped: bool
    query: str | None
    moment: str
    """when the client's statement began: two statements of the same text have two moments"""
    state: str | None


@dataclass(frozen=True, slots=True)
class _State:
    """What a command left behind."""

    table: TableState | None = None
    columns: tuple[ColumnState, ...] = ()
    constraints: tuple[NamedDefinition, ...] = ()
    indexes: tuple[NamedDefinition, ...] = ()
    object: DatabaseSequence | View | EnumType | NamedType | None = None


_NO_STATE = _State()


@dataclass(slots=True)
class _Comments:
    """The comments on a table and its parts."""

    columns: dict[int, str] = field(default_factory=dict)
    """by number; 0: on the table"""
    constraints: dict[str, str] = field(default_factory=dict)
    """by oid"""
    indexes: dict[str, str] = field(default_factory=dict)
    """by oid"""


def read_ddl_log(connection: psycopg.Connection[Any]) -> tuple[DdlCommand, ...]:
    """The commands in their order; none if a migration dropped the log, which the worker reports.

    A command of a session without a step number (another connection of the migration, or a session that was
    reset) belongs to the newest step that had begun before it.
    """
    if connection.execute(IS_INSTALLED).fetchone() != (True,):
        return ()
    commands: list[DdlCommand] = []
    states = _StateReader()
    queries: dict[tuple[str | None, str], int] = {}
    newest_step = 0
    for row in _read_rows(connection):
        newest_step = max(newest_step, row.step)
        if row.tag != STEP_BEGINS:
            query_number = queries.setdefault((row.query, row.moment), len(queries) + 1)
            commands.append(_build_command(row, row.step or newest_step, query_number, states.read(row)))
    return tuple(commands)


def _read_rows(connection: psycopg.Connection[Any]) -> Iterator[_LogRow]:
    """The rows one after the other: together, their states may be larger than the memory."""
    with connection.transaction(), connection.cursor(name="ddl_log") as cursor:
        cursor.itersize = FETCHED_ROWS
        yield from map(_LogRow._make, cursor.execute(READ_ROWS))


def _build_command(row: _LogRow, step: int, query_number: int, state: _State) -> DdlCommand:
    query = row.query or ""
    return DdlCommand(
        step=step,
        tag=row.tag,
        kind=row.kind,
        identity=row.identity,
        oid=row.oid,
        statement=None if row.identity else query,
        columns=state.columns,
        constraints=state.constraints,
        indexes=state.indexes,
        table=state.table,
        object=state.object,
        dropped=row.dropped,
        query=query,
        query_number=query_number,
    )


@dataclass(slots=True)
class _StateReader:
    """Reads states one after the other. A part that did not change is the same fact in all of them."""

    _latest: dict[int, _State] = field(default_factory=dict)
    """by oid"""
    _parts: dict[Any, Any] = field(default_factory=dict)

    def read(self, row: _LogRow) -> _State:
        """The state after the row's command; empty if the row has none."""
        if row.state is None:
            return _NO_STATE
        if row.state[0] in (ADDED_INDEX, DROPPED_INDEX):
            latest = self._latest.get(row.oid, _NO_STATE)
            self._latest[row.oid] = replace(latest, indexes=self._change_indexes(latest, row.state))
        elif row.state != SAME_STATE:
            self._latest[row.oid] = self._parse(row.state)
        return self._latest.get(row.oid, _NO_STATE)

    def _change_indexes(self, latest: _State, text: str) -> tuple[NamedDefinition, ...]:
        """The table's indexes with one more or less, by name as before. (Their oids are texts in the log.)"""
        if text[0] == DROPPED_INDEX:
            return tuple(index for index in latest.indexes if str(index.oid) != text[1:])
        names = {column.number: column.name for column in latest.columns}
        index = self._share(_build_index(json.loads(text[1:]), names))
        position = bisect_left(latest.indexes, index.name.encode(), key=lambda item: item.name.encode())
        return (*latest.indexes[:position], index, *latest.indexes[position:])

    def _parse(self, text: str) -> _State:
        state = json.loads(text)
        if "table" in state:
            return self._parse_table(state)
        for name, fact in _OBJECTS.items():
            if state.get(name):
                return _State(
                    object=self._share(_build_object(fact, state[name])),
                    indexes=tuple(
                        NamedDefinition(name, text, oid) for oid, name, text in state.get("indexes") or ()
                    ),
                )
        return _NO_STATE

    def _parse_table(self, state: dict[str, Any]) -> _State:
        comments = _read_comments(state)
        columns = tuple(self._share(_build_column(row, comments.columns)) for row in state["columns"] or ())
        names = {column.number: column.name for column in columns}
        constraints = state["constraints"] or ()
        constraint_names = {row[CONSTRAINT_INDEX]: row[1] for row in constraints if row[CONSTRAINT_INDEX]}
        return _State(
            self._share(_build_table(state["table"], comments.columns.get(0))),
            columns,
            tuple(self._share(_build_constraint(row, names, comments.constraints)) for row in constraints),
            tuple(
                self._share(_build_index(row, names, constraint_names.get(row[0]), comments.indexes))
                for row in state["indexes"] or ()
            ),
        )

    def _share(self, part: FactT) -> FactT:
        """The first fact that is equal to this one."""
        shared: FactT = self._parts.setdefault(part, part)
        return shared


def _read_comments(state: dict[str, Any]) -> _Comments:
    comments = _Comments()
    oid = state["oid"]
    for is_constraint, owner, number, comment in state["comments"] or ():
        if is_constraint:
            comments.constraints[owner] = comment
        elif owner == oid:
            comments.columns[number] = comment
        else:
            comments.indexes[owner] = comment
    return comments


def _build_object(fact: Callable[..., FactT], rows: list[Any]) -> FactT:
    """The fact with these fields in their order: one row, or a list of one row."""
    row = rows[0] if isinstance(rows[0], list) else rows
    return fact(*(tuple(value) if isinstance(value, list) else value for value in row))


def _build_table(row: list[Any], comment: str | None) -> TableState:
    schema, name, kind, persistence, options, partition_key, partition_bound, inherits = row
    return TableState(
        schema,
        name,
        kind,
        persistence,
        tuple(options or ()),
        partition_key,
        partition_bound,
        tuple(inherits or ()),
        comment,
    )


def _build_column(row: list[Any], comments: dict[int, str]) -> ColumnState:
    number, name, type_name, nullable, expression, generated, identity, collation = row
    return ColumnState(
        number,
        name,
        type_name,
        nullable,
        default=None if generated else expression,
        generated=f"{_GENERATED[generated]}: {expression}" if generated else None,
        identity=_IDENTITIES[identity],
        collation=collation,
        comment=comments.get(number),
    )


def _build_constraint(row: list[Any], names: dict[int, str], comments: Mapping[str, str]) -> NamedDefinition:
    oid, name, definition, numbers, flags, _ = row
    return NamedDefinition(
        name,
        definition,
        oid,
        columns=tuple(names[number] for number in numbers or () if number in names),
        structure=f"{flags} {definition.endswith('NOT ENFORCED')}",
        comment=comments.get(oid),
    )


def _build_index(
    row: list[Any],
    names: dict[int, str],
    constraint: str | None = None,
    comments: Mapping[str, str] = MappingProxyType({}),
) -> NamedDefinition:
    """`constraint`: the name of the one whose index it is."""
    oid, name, definition, numbers, options, valid = row
    columns = tuple(names[number] for number in numbers if number in names)
    return NamedDefinition(name, definition, oid, columns, f"{options}", valid, constraint, comments.get(oid))
