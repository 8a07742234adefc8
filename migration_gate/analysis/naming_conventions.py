"""Constraints that Postgres named in the migrations, while the models have a naming convention: one cause."""

from __future__ import annotations

import re
from collections.abc import Iterable

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Difference

SMALLEST_GROUP = 5
"""fewer names are shown one by one"""
OBJECT = "constraint names"
SHOWN_NAMES = 200
_NAMED_BY_POSTGRES = re.compile(r"_(?:pkey|key|fkey|check|excl)\d*$")


def select_unnamed(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences in the name alone whose database's name is Postgres' own; none if they are few."""
    unnamed = tuple(
        item
        for item in differences
        if item.kind == "name-only"
        and _NAMED_BY_POSTGRES.search(item.database or "")
        and not _NAMED_BY_POSTGRES.search(item.models or "")
    )
    return unnamed if len(unnamed) >= SMALLEST_GROUP else ()


def describe_unnamed(differences: tuple[Difference, ...]) -> Finding:
    """One finding for all of them."""
    names = [f"{item.object.rpartition('.')[0]}: {item.database} -> {item.models}" for item in differences]
    shown = names[:SHOWN_NAMES]
    if len(names) > len(shown):
        shown.append(f"and {len(names) - len(shown)} more")
    return Finding(
        object=OBJECT,
        message=f"`{OBJECT}`: {len(differences)} constraints have the name that Postgres gave them in the "
        "migrations, and that of a naming convention in the models",
        evidence=(Evidence("migrations -> models", "\n".join(shown)),),
        fix="If the revisions were written before `naming_convention` was set, or while env.py imports the "
        "models before it is set: write one revision that renames them (the one revision for all drift has "
        "its lines). Otherwise set `naming_convention` on the MetaData before the first model is defined, or "
        "leave it out.",
        kind="name-only",
        severity=Severity.WARNING,
    )
