"""Where a reviewer should look for a difference: at the revision that made it, or at the model that did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from migration_gate.analysis.model_part_locations import find_model_location
from migration_gate.check import Evidence
from migration_gate.facts import Column, Difference, Facts, Location
from migration_gate.sql.identifiers import qualified_name


@dataclass(frozen=True, slots=True)
class DifferenceLocation:
    """A line, the revision that it belongs to, and what else a reader should know of where it comes from."""

    location: Location | None
    revision: str | None = None
    """None if the line is one of the models"""
    evidence: tuple[Evidence, ...] = ()


def find_difference_location(facts: Facts, difference: Difference) -> DifferenceLocation:
    """The line of the revision's statement, or that of the model if no revision made the difference.

    On a pull request that edits the model, and not the revision, it is the model that made the difference.
    """
    replay = facts.replay
    revision = replay.history.find_revision(difference.revision)
    model_location = _find_model_location(facts, difference)
    if revision is None:
        return DifferenceLocation(model_location)
    location = difference.location or revision.location
    is_model_changed = model_location is not None and model_location.file in replay.changed_files
    if not is_model_changed or location.file in replay.changed_files:
        return DifferenceLocation(location, revision.id)
    verb = "dropped by" if difference.database is None else "made by"
    evidence = Evidence(verb, f"revision {revision.id}, {location}")
    return DifferenceLocation(model_location, evidence=(evidence,))


def _find_model_location(facts: Facts, difference: Difference) -> Location | None:
    """The line of the model; for a type, that of the first column which has it."""
    models = facts.replay.models
    if difference.kind in ("enum", "type definition") and difference.table is None:
        column = next(_columns_of_type(facts, difference), None)
        if column is not None:
            table = f"{column.schema}.{column.table}"
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
