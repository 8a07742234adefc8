"""Where the replayed database and the models disagree, as people would say it: each disagreement once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis.origin import find_origin
from migration_gate.drift.difference import Drift
from migration_gate.drift.harmless import alike
from migration_gate.drift.pairing import constraints_and_indexes
from migration_gate.drift.rename_hints import lookalikes
from migration_gate.drift.renamed_enums import renamed, unified
from migration_gate.drift.scope import scope
from migration_gate.drift.sort_order import place
from migration_gate.drift.tables import columns, tables
from migration_gate.drift.types_and_sequences import enums, sequences, types
from migration_gate.drift.unmanaged import unmanaged
from migration_gate.drift.view_models import mapped
from migration_gate.facts.history import Difference, DifferenceKind, Models, Replay

_OF_ALEMBIC: tuple[tuple[str, DifferenceKind], ...] = (
    ("table_comment", "comment"),
    ("table", "table"),
    ("column", "column"),
    ("type", "type"),
    ("nullable", "nullability"),
    ("default", "default"),
    ("comment", "comment"),
    ("index", "index"),
    ("fk", "foreign key"),
    ("constraint", "unique"),
)
"""kinds for the names of Alembic's operations (`add_fk`, `modify_nullable`), by how these end"""


def list_drifts(replay: Replay) -> tuple[Drift, ...]:
    """All drift of a replay with the objects it was seen on, in the order in which one revision mends it."""
    if replay.models.snapshot is None:
        return tuple(_of_alembic(replay.models))
    both = scope(replay.catalog, replay.models)
    other_names = tuple(renamed(both))
    both = unified(both, other_names)
    seen = (
        *other_names,
        *enums(both),
        *types(both),
        *sequences(both),
        *tables(both),
        *columns(both),
        *mapped(both),
        *constraints_and_indexes(both),
        *unmanaged(both),
    )
    names = lookalikes(seen, both)
    signed = (
        replace(
            one,
            difference=replace(
                one.difference,
                revision=find_origin(replay, one.before).revision if one.before else None,
                harmless_because=alike(one, both),
                rename_hint=names.get(one.difference, ""),
            ),
        )
        for one in seen
    )
    return tuple(sorted((*signed, *_of_alembic(replay.models)), key=place(both.before, both.after)))


def compare_with_models(replay: Replay) -> tuple[Difference, ...]:
    """Every difference between the replayed database and the models, what models cannot express included."""
    filtered = frozenset((f.kind, f.schema, f.table, f.name) for f in replay.models.filtered_objects)
    found = (one.difference for one in list_drifts(replay))
    return tuple(one for one in found if not _equal_for_project(one, filtered))


def _equal_for_project(one: Difference, filtered: frozenset[tuple[str, str, str | None, str]]) -> bool:
    """Whether env.py's own compare_type or compare_server_default calls the two sides the same."""
    if one.kind not in ("type", "default") or one.table is None or one.column is None:
        return False
    schema, _, table = one.table.partition(".")
    return not filtered.isdisjoint({(one.kind, "*", "*", "*"), (one.kind, schema, table, one.column)})


def _of_alembic(models: Models) -> Iterator[Drift]:
    """Alembic's own words for the tables that Postgres would not create from the models."""
    for row in models.alembic_differences:
        operation, table, text = row.operation, row.table, row.text
        kinds = (kind for end, kind in _OF_ALEMBIC if operation.endswith(end))
        kind: DifferenceKind = next(kinds, "table option")
        gone = operation.startswith("remove")
        difference = Difference(
            kind=kind,
            object=table.removeprefix("public."),
            database=text if gone else None,
            models=None if gone else text,
            table=table,
        )
        yield Drift(difference)
