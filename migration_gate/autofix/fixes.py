"""The revision that would mend each difference, as ready code for its two functions.

Alembic's own operations and renderer write it wherever they can say the thing; SQL that Postgres itself
printed says the rest. The way back is the same change with both sides exchanged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from migration_gate.autofix import columns, constraints_and_indexes, tables, types_and_sequences
from migration_gate.autofix.sql import follows_labels, names_lost_label
from migration_gate.autofix.state import World, arriving, column_of, views_on
from migration_gate.drift.column_dependence import depends_on_columns as follows
from migration_gate.drift.difference import CatalogDifference as Drift
from migration_gate.drift.model_comparison import list_differences as list_drifts
from migration_gate.facts.catalog import (
    Column,
    Constraint,
    EnumType,
    Index,
    NamedType,
    Sequence,
    Snapshot,
    Table,
)
from migration_gate.facts.history import Difference, Replay

_BY_ITSELF = "# It comes and goes with what it stands on."


def add_fixes(differences: Iterable[Difference], replay: Replay) -> tuple[Difference, ...]:
    """The differences with `upgrade` and `downgrade` filled in; both stay empty where nothing can mend.

    Run the upgrades in the order given, the downgrades in the reverse order.
    """
    seen = {drift.difference: drift for drift in list_drifts(replay)}
    world = World(replay.catalog, replay.models.snapshot or Snapshot())
    return tuple(_mended(difference, seen.get(difference), world) for difference in differences)


def _mended(difference: Difference, drift: Drift | None, world: World) -> Difference:
    if drift is None or difference.kind == "unmanaged":
        return difference
    pieces = [(Drift(difference, had, new), Drift(difference, new, had)) for had, new in drift.pairs]
    there = [line for piece, _ in pieces for line in _lines(piece, world)]
    if not there:
        return difference
    back = [line for _, piece in reversed(pieces) for line in _lines(piece, world.turned())]
    return replace(difference, upgrade="\n".join(there), downgrade="\n".join(back))


def _lines(drift: Drift, world: World) -> list[str]:  # noqa: C901, PLR0911 - one for each kind of object
    """The lines that lead from `drift.database` to `drift.models`."""
    kind = drift.difference.kind
    match drift.database, drift.models:
        case (Table() as have, Table() as want):
            return tables.commented(want, want.comment) if kind == "comment" else tables.optioned(have, want)
        case (Table() as have, None):
            return tables.dropped(have, world)
        case (None, Table() as want):
            return tables.made(want, world)
        case (Column() as have, None):
            return [*views_on(world, have), *columns.dropped(have)]
        case (None, Column() as want):
            of_view = any((v.schema, v.name) == (want.schema, want.table) for v in world.around.views)
            return [] if of_view else columns.added(want, world)
        case (Column() as have, Column() as want):
            return _column(kind, have, want, world)
        case (EnumType() | None as have, EnumType() | None as want):
            return types_and_sequences.enum(have, want, world)
        case (NamedType() | None as have, NamedType() | None as want):
            return types_and_sequences.named_type(have, want)
        case (Sequence() as have, Sequence() as want) if kind == "name-only":
            return types_and_sequences.renamed_sequence(have, want)
        case (Sequence() | None as have, Sequence() | None as want):
            return types_and_sequences.sequence(have, want)
        case (Constraint() | Index() | None as have, Constraint() | Index() | None as want):
            return _part(kind, have, want, world)
        case _:
            return []


def _column(kind: str, have: Column, want: Column, world: World) -> list[str]:
    match kind:
        case "type":
            return columns.typed(have, want, world)
        case "nullability":
            return columns.nullable(have, want, world)
        case "default" if follows_labels(have.default, want.default, world):
            return [_BY_ITSELF]
        case "default":
            return columns.valued(have, want, world)
        case "comment":
            return columns.comment(want)
        case _:
            return []


def _comes_back(part: Constraint | Index, back: World) -> bool:
    """Whether a column, a table or a label that the part stands on comes back, and the part with it."""
    tables_left = {f"{table.schema}.{table.name}" for table in back.have.tables}
    references = part.references if isinstance(part, Constraint) else None
    return (
        follows(part, arriving(back, part))
        or not (references is None or references in tables_left)
        or names_lost_label(part.definition, back)
    )


def _part(
    kind: str, have: Constraint | Index | None, want: Constraint | Index | None, world: World
) -> list[str]:
    if have is not None and want is not None:
        if kind == "comment":
            return constraints_and_indexes.commented(have, want.comment)
        if kind == "name-only":
            return constraints_and_indexes.renamed(have, want)
    if have is not None and want is not None and follows_labels(have.definition, want.definition, world):
        return [_BY_ITSELF]
    # What it stands on goes first, and it with that; on the way back that comes last, and it with that.
    if world.undo and want is not None and _comes_back(want, world):
        want = None
    elif not world.undo and have is not None and _comes_back(have, world.turned()):
        have = None
    if have is want is None:
        return [_BY_ITSELF]
    lines = constraints_and_indexes.changed(have, want)
    return lines + (_freed(have, want, world) if kind == "primary key" and have is not None else [])


def _freed(have: Constraint | Index, want: Constraint | Index | None, world: World) -> list[str]:
    """The lines that let the columns of a key that goes be NULL: Postgres leaves them NOT NULL."""
    lines: list[str] = []
    for name in have.columns:
        if name is None or (want is not None and name in want.columns):
            continue
        mine, theirs = (column_of(s, have.schema, have.table, name) for s in (world.have, world.want))
        if mine is not None and theirs is not None and theirs.nullable:
            lines += columns.nullable(mine, theirs, world)
    return lines
