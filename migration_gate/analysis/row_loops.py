"""Loops in a revision's code that change rows: where locks are observed there are none to change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from migration_gate.facts import (
    Facts,
    Location,
    ObservedStatement,
    RowWork,
    Step,
    StoredRelation,
    WorkKind,
    WrittenRows,
)

_PLACEHOLDER = r"(?:%\(\w+\)s|%s|:\w+|\$\d+|\?)(?:::\w+)?"
_VALUES = re.compile(rf"'(?:[^']|'')*'|\b\d+\b|{_PLACEHOLDER}")
_LISTS = re.compile(r"\?(?:\s*,\s*\?)+")
_TARGET = re.compile(
    r"^\s*(?:update|delete\s+from|insert\s+into|merge\s+into)\s+(?:only\s+)?(?P<name>[\w.\"]+)", re.IGNORECASE
)


def find_shape(sql: str) -> str:
    """The statement without its values: the same each time that a loop runs it."""
    return _LISTS.sub("?", _VALUES.sub("?", sql))


def list_loop_statements(facts: Facts, observed: Sequence[ObservedStatement]) -> Iterator[ObservedStatement]:
    """What changed rows in the rehearsal and did not run on empty tables, as if it had been observed.

    It has the locks that the last of the `observed` statements before it had, in the same transaction.
    """
    relations = {name: item for item in facts.replay.observation.relations for name in _list_names(item)}
    for rehearsed in facts.replay.rehearsal.revisions:
        steps = [step for step in facts.replay.steps if step.revision == rehearsed.revision]
        statements = [item for item in observed if item.revision == rehearsed.revision]
        for written in rehearsed.written:
            if steps and not _has_run(steps, written):
                yield from _describe(written, statements, relations)


def _has_run(steps: Sequence[Step], written: WrittenRows) -> bool:
    """Whether it ran on empty tables, too; or nobody knows, as not every statement was recorded."""
    shape = find_shape(written.statement)
    return any(
        step.dropped_statements or any(find_shape(item.sql) == shape for item in step.statements)
        for step in steps
    )


def _describe(
    written: WrittenRows, observed: Sequence[ObservedStatement], relations: Mapping[str, StoredRelation]
) -> Iterator[ObservedStatement]:
    match = _TARGET.match(written.statement)
    relation = relations.get(match["name"].replace('"', "")) if match is not None else None
    before = _find_before(written, observed)
    if relation is None or before is None or before.location is None or not before.is_in_block:
        return
    yield replace(
        before,
        number=before.number + 1,
        sql=written.statement,
        tag=written.statement.split(maxsplit=1)[0].upper(),
        client_sql="",
        location=Location(before.location.file, written.line or before.location.line),
        taken=(),
        works=(RowWork(WorkKind.ROWS, relation),),
        written=(relation,),
        emptied=(),
        proofs=(),
    )


def _find_before(written: WrittenRows, observed: Sequence[ObservedStatement]) -> ObservedStatement | None:
    """The first statement of the nearest line before it that was observed."""
    for line in reversed(written.earlier_lines):
        for statement in observed:
            if statement.location is not None and statement.location.line == line:
                return statement
    return None


def _list_names(relation: StoredRelation) -> tuple[str, ...]:
    """As statements name it."""
    names = (f"{relation.schema}.{relation.name}",)
    return (*names, relation.name) if relation.is_table else ()
