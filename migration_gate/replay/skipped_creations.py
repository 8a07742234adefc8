"""Reads what statements wanted that created nothing: from the ephemeral database, and from the server's log.

PL/pgSQL that catches an error undoes what an event trigger has written, so what such a block wanted stands in
the log alone; of a server whose log the gate cannot read (an image's, a user's own), the migration's session
keeps it until the next step.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from migration_gate.facts import NamedDefinition, ObjectDescription, SkippedCreation
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.server import Server

if TYPE_CHECKING:
    import psycopg

IS_INSTALLED = "select to_regclass('migration_gate.skipped_creation') is not null"
READ_ROWS = "select creation::text from migration_gate.skipped_creation order by id"
DESCRIBE_FINAL = "select migration_gate.describe_final(%s::jsonb)::text"
READ_LOG_POSITIONS = "select id, case tag when 'STEP' then step end from migration_gate.ddl_log order by id"
# As bytes, and by one pattern: a log may have many megabytes, and mostly there is no mark in it.
LOG_MARK = b"migration_gate skipped creation: "
LOG_ENTRY = re.compile(
    rb"^[^|\n]*\|\d+\|\w{5}\|[^|\n]*\|(?P<database>[^|\n]*)\|LOG:  " + LOG_MARK + rb"(?P<row>\{.*\})$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class _Description:
    """How the database describes an object; see `describe_relation` in skipped_creations.sql."""

    kind: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    constraints: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    inherits: tuple[str, ...] = ()
    definition: str | None = None
    partition: str | None = None
    partition_key: str | None = None
    owner: str | None = None
    version: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """One comparison, as `migration_gate.build_row` makes it."""

    kind: str
    step: int
    after_command: int
    query: str
    oid: int
    existing: _Description
    wanted: _Description | None = None
    name: str = ""
    table: str | None = None
    schema: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _FinalState:
    """What has the name at the end; see `describe_final`."""

    final: _Description | None
    is_there: bool


@dataclass(frozen=True, slots=True)
class LogPositions:
    """Where in the DDL log the commands and the beginnings of the steps are: ids of its rows."""

    commands: tuple[int, ...]
    steps: tuple[tuple[int, int], ...]
    """the id of the row, and the number of the step that begins there"""

    @staticmethod
    def read(connection: psycopg.Connection[Any]) -> LogPositions:
        """From every row's id, with the number of a step if one begins."""
        rows = connection.execute(READ_LOG_POSITIONS).fetchall()
        return LogPositions(
            commands=tuple(row_id for row_id, step in rows if step is None),
            steps=tuple((row_id, step) for row_id, step in rows if step is not None),
        )

    def find_step(self, row_id: int) -> int:
        """The newest step that had begun: where a session is another one than the migration's."""
        return max((step for beginning, step in self.steps if beginning <= row_id), default=0)


@cache
def _final_adapter() -> TypeAdapter[_FinalState]:
    return TypeAdapter(_FinalState)


@cache
def _row_adapter() -> TypeAdapter[_Row]:
    return TypeAdapter(_Row)


def install_skipped_creations(connection: psycopg.Connection[Any], server: Server) -> None:
    """Create what compares skipped statements with what is there; event triggers if they are allowed."""
    folder = files(__package__)
    connection.execute(folder.joinpath("skipped_creations.sql").read_bytes())
    if server.superuser:
        connection.execute(folder.joinpath("skipped_creations_triggers.sql").read_bytes())
        if server.log is None:
            connection.execute(folder.joinpath("skipped_creations_session.sql").read_bytes())


def read_skipped_creations(
    connection: psycopg.Connection[Any], server: Server
) -> tuple[SkippedCreation, ...]:
    """What was skipped, in the order of the replay; none if a migration dropped the gate's schema."""
    if connection.execute(IS_INSTALLED).fetchone() != (True,):
        return ()
    rows = [*_read_table(connection), *_read_log(server.log, connection.info.dbname)]
    if not rows:
        return ()
    positions = LogPositions.read(connection)
    skipped = (_build_fact(row, _describe_final(connection, text), positions) for text, row in rows)
    return tuple(dict.fromkeys(sorted(skipped, key=lambda fact: (fact.step, fact.commands_before))))


def _describe_final(connection: psycopg.Connection[Any], creation: str) -> _FinalState:
    ((text,),) = connection.execute(DESCRIBE_FINAL, [creation]).fetchall()
    return _final_adapter().validate_json(text)


def _read_table(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, _Row]]:
    for (text,) in connection.execute(READ_ROWS).fetchall():
        yield from _parse_row(text)


def _read_log(log: Path | None, database: str) -> Iterator[tuple[str, _Row]]:
    """The rows that the server wrote into its log, for this database."""
    if log is None:
        return
    try:
        text = log.read_bytes()
    except OSError:
        return
    if LOG_MARK in text:
        for match in LOG_ENTRY.finditer(text):
            if match["database"] == database.encode():
                yield from _parse_row(match["row"].decode("utf-8", "replace"))


def _parse_row(text: str) -> Iterator[tuple[str, _Row]]:
    """The row; nothing for a text that the project's code may have put there."""
    try:
        yield text, _row_adapter().validate_json(text)
    except ValidationError:
        return


def _build_fact(row: _Row, end: _FinalState, positions: LogPositions) -> SkippedCreation:
    return SkippedCreation(
        step=row.step or positions.find_step(row.after_command),
        kind=row.kind,
        schema=row.schema,
        table=row.table,
        name=row.name,
        oid=row.oid,
        query=row.query,
        commands_before=bisect_right(positions.commands, row.after_command),
        wanted=_build_description(row.wanted) if row.wanted is not None else None,
        existing=_build_description(row.existing),
        final=_build_description(end.final) if end.final is not None else None,
        is_gone=row.oid != 0 and not end.is_there,
        problem=row.problem,
    )


def _build_description(description: _Description) -> ObjectDescription:
    properties = {
        "partition": description.partition,
        "PARTITION BY": description.partition_key,
        "WITH": ", ".join(description.options),
        "INHERITS": ", ".join(description.inherits),
        "OWNER": description.owner,
        "VERSION": description.version,
        "SCHEMA": description.schema,
    }
    return ObjectDescription(
        kind=description.kind,
        definition=description.definition,
        columns=tuple(NamedDefinition(*column) for column in description.columns),
        constraints=tuple(sorted(description.constraints)),
        labels=description.labels,
        properties=tuple(NamedDefinition(name, text) for name, text in properties.items() if text),
    )
