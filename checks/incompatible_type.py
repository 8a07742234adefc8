"""A column has values of another kind for the live release.

Postgres casts what it can, so nothing need fail in the database: a program gets a text where it had a number,
or sends one. An enum's label that is gone fails in every comparison with it.

Instead, add a column of the new type, fill both, and drop the old one in a later release.
"""

from collections.abc import Iterator

from migration_gate.analysis.schema_pair import pair_schemas
from migration_gate.analysis.stricter_schema import (
    find_changed_composites,
    find_changed_types,
    find_removed_labels,
)
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts

SEVERITY = Severity.WARNING
SUBJECT = Subject.OBSERVED
KINDS = ("column-type", "attributes", "enum-label")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each column, and for each label that is gone."""
    pair = pair_schemas(facts)
    if pair is None:
        return
    for changed in find_changed_types(pair):
        yield Finding.at_origin(
            changed.origin,
            changed.after,
            f"`{changed.after}`: `{changed.before.type}` became `{changed.after.type}`, which code that is "
            "live does not know",
            evidence=(Evidence("was", changed.before.type), Evidence("is", changed.after.type)),
            fix=f"Add a column of the type `{changed.after.type}` beside it, and drop this one in a later "
            "release.",
        ).with_kind("column-type")
    for composite in find_changed_composites(pair):
        yield Finding.at_origin(
            composite.origin,
            composite.after,
            f"`{composite.after}`, the type of `{composite.column}`, has other attributes, which code that "
            "is live does not know",
            evidence=(
                Evidence("was", composite.before.definition),
                Evidence("is", composite.after.definition),
            ),
            fix="Make a type of another name with these attributes, and a column of it beside the one that "
            "is there; drop the old ones in a later release.",
        ).with_kind("attributes")
    for removed in find_removed_labels(pair):
        yield Finding.at_origin(
            removed.origin,
            removed.enum,
            f"`{removed.enum}` has no label '{removed.label}' any more, which code that is live may use",
            evidence=(Evidence("label", removed.label),),
            fix=f"Keep '{removed.label}' until no release that is live uses it.",
        ).with_kind("enum-label", Severity.ERROR)
