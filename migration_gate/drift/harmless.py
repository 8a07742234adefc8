"""What differs in the catalogs and is alike in use: why no query notices it."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.drift.difference import Drift
from migration_gate.drift.scope import Scope
from migration_gate.drift.uniqueness import Part, guarantee, is_simple
from migration_gate.facts.catalog import Column, Constraint, EnumType, Index, Sequence, Snapshot, Table

_FREE = {"text", "character varying"}


def alike(one: Drift, scope: Scope) -> str:
    """The reason in half a sentence, of both sides; empty where a query may notice the difference."""
    match one.difference.kind, one.before, one.after:
        case "default", Column() as before, Column() as after:
            return _numbered(before, after, scope)
        case "type", Column() as before, Column() as after if _holds_all(before, after):
            return "both hold text of any length"
        case "enum", EnumType() as before, EnumType() as after if _sorted(before) == _sorted(after):
            return "both take the same labels; they sort in another order"
        case "table option", Table(partition_key=str()), Table(partition_key=None):
            return "a query need not know of partitions"
        case (("primary key" | "unique" | "index"), _, _):
            return _unique(one, scope)
    return ""


def _sorted(enum: EnumType) -> tuple[str, ...]:
    return (str(enum), *sorted(enum.labels))


def _holds_all(before: Column, after: Column) -> bool:
    types = (before.type, after.type)
    return (
        {type_.removesuffix("[]") for type_ in types} == _FREE
        and len({type_.endswith("[]") for type_ in types}) == 1
        and before.collation == after.collation
    )


def _numbered(before: Column, after: Column, scope: Scope) -> str:
    """A serial column on one side, an identity on the other, that count alike."""
    if (before.identity is None) == (after.identity is None):
        return ""
    counts = [_count(column, side) for column, side in ((before, scope.before), (after, scope.after))]
    if None in counts or counts[0] != counts[1]:
        return ""
    says = "both number new rows from a sequence of their own"
    if "always" in (before.identity, after.identity):
        says += ", but GENERATED ALWAYS refuses an INSERT that brings its own number"
    return says


def _count(column: Column, snapshot: Snapshot) -> tuple[int, int, bool] | None:
    """Start, step and cycle of the column's own sequence; None where its values come from elsewhere."""
    owner = f"{column.schema}.{column.table}.{column.name}"
    sequence: Sequence | None = next((s for s in snapshot.sequences if s.owner == owner), None)
    if sequence is None or not (column.identity or (column.default or "").startswith("nextval(")):
        return None
    return sequence.start, sequence.increment, sequence.cycle


def _unique(one: Drift, scope: Scope) -> str:
    sides: tuple[list[Part], list[Part]] = ([], [])
    for piece in one.pieces:
        for side, part in zip(sides, piece, strict=True):
            if isinstance(part, Constraint | Index):
                side.append(part)
    parts = [*sides[0], *sides[1]]
    keys = {part.kind for part in parts if isinstance(part, Constraint)}
    if "primary key" in keys and (len(keys) > 1 or not all(sides)):
        return ""
    if not all(_kept(part, scope) for part in parts):
        return ""
    if not all(sides):
        return "both guarantee that its values occur once, this one or not"
    if len({part.columns for part in parts}) > 1:
        return "both guarantee that the values occur once; the columns stand in another order"
    unique = [{type(part) for part in side if guarantee(part)} for side in sides]
    if unique[0] != unique[1] and len(unique[0]) == len(unique[1]) == 1:
        return "both guarantee that the values occur once, one by a constraint, the other by an index"
    return "both guarantee that the values occur once; one has another index for it"


def _kept(part: Part, scope: Scope) -> bool:
    """Whether both databases give what this one gives: its uniqueness, or else an index of its columns."""
    if isinstance(part, Index) and not part.unique:
        return is_simple(part) and all(
            any(other.columns == part.columns for other in _guards(part, side))
            for side in (scope.before, scope.after)
        )
    given = guarantee(part)
    return given is not None and all(
        any(guarantee(other) == given for other in _guards(part, side))
        for side in (scope.before, scope.after)
    )


def _guards(part: Part, snapshot: Snapshot) -> Iterator[Part]:
    """The unique constraints and indexes of the part's table."""
    free = (index for index in snapshot.indexes if index.constraint is None)
    there: tuple[Part, ...] = (*snapshot.constraints, *free)
    for other in there:
        if (other.schema, other.table) == (part.schema, part.table) and guarantee(other) is not None:
            yield other
