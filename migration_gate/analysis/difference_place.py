"""Where a reviewer should look for a difference: at the revision that made it, or at the model that did."""

from __future__ import annotations

from dataclasses import dataclass

from migration_gate.analysis.model_places import find_model_place
from migration_gate.check import Evidence
from migration_gate.facts import Difference, Facts, Location


@dataclass(frozen=True, slots=True)
class DifferencePlace:
    """A line, the revision that it belongs to, and what else a reader should know of where it comes from."""

    location: Location | None
    revision: str | None = None
    """None where the line is one of the models"""
    evidence: tuple[Evidence, ...] = ()


def find_difference_place(facts: Facts, difference: Difference) -> DifferencePlace:
    """The line of the revision's statement; that of the model where no revision did it, or the change did not.

    On a pull request that edits the model, and not the revision, it is the model that made the difference.
    """
    replay = facts.replay
    revision = replay.history.find_revision(difference.revision)
    model_place = find_model_place(replay.models, facts.tree, difference, difference.columns)
    if revision is None:
        return DifferencePlace(model_place)
    place = difference.location or revision.location
    is_models_doing = (
        model_place is not None
        and model_place.file in replay.changed_files
        and place.file not in replay.changed_files
    )
    if not is_models_doing:
        return DifferencePlace(place, revision.id)
    verb = "dropped by" if difference.database is None else "made by"
    return DifferencePlace(model_place, evidence=(Evidence(verb, f"revision {revision.id}, {place}"),))
