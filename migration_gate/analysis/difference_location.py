"""Where a reviewer should look for a difference: at the revision that made it, or at the model that did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis.model_part_locations import find_model_location
from migration_gate.facts import Column, Difference, Facts, Location
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name


@dataclass(frozen=True, slots=True)
class DifferenceLocation:
    """The revision that made a difference, and the lines at which a reader may look."""

    revision: str | None
    """None if no revision made it"""
    statement: Location | None
    """the line of the revision"""
    model: Location | None
    """the line of the models"""
    is_of_model: bool = False
    """the change edits the model's file, and not the revision's: it is the model that made the difference"""


def find_difference_location(facts: Facts, difference: Difference) -> DifferenceLocation:
    """Where the revision's statement and the model are, as far as they are known."""
    replay = facts.replay
    revision = replay.history.find_revision(difference.revision)
    model = _find_model_location(facts, difference)
    if revision is None:
        return DifferenceLocation(None, None, model)
    statement = difference.location or revision.location
    is_model_changed = model is not None and model.file in replay.changed_files
    is_of_model = is_model_changed and statement.file not in replay.changed_files
    return DifferenceLocation(revision.id, statement, model, is_of_model)


def _find_model_location(facts: Facts, difference: Difference) -> Location | None:
    """The line of the model; for a type, that of the first column which has it."""
    models = facts.replay.models
    if difference.kind in ("enum", "type definition") and difference.table is None:
        column = next(_columns_of_type(facts, difference), None)
        if column is not None:
            table = column.full_table_name
            difference = replace(difference, kind="type", table=table, column=column.name)
    return find_model_location(models, facts.tree, difference, difference.columns)


def _columns_of_type(facts: Facts, difference: Difference) -> Iterator[Column]:
    """The columns of the models whose type, or whose elements' type, the difference is about."""
    models = facts.replay.models.snapshot
    schema, _, name = difference.object.rpartition(".")
    type_name = qualified_name(schema or "public", name)
    for column in models.columns if models is not None else ():
        if column.type.removesuffix("[]") == type_name:
            yield column
