"""The part of the JSON report that is about differences; see `json_document` for the rest."""

from __future__ import annotations

from migration_gate.analysis.drift_revision import format_revision_file
from migration_gate.analysis.rename_advice import list_rename_names
from migration_gate.facts import Difference, DriftRevision, RenameFix
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class JsonRename:
    """What a missing and an extra table or column are if one is the other under a new name.

    `old` is the name in the migrations, `new` that in the models; `upgrade` and `downgrade` ran both ways, or
    are empty, and `refused` says why; `remaining` are objects that are to be looked at afterwards.
    """

    old: str
    new: str
    likely: bool
    upgrade: str
    downgrade: str
    remaining: tuple[str, ...]
    refused: str


@dataclass(frozen=True, slots=True)
class JsonDrift:
    """One difference; a side that is missing is null, `upgrade` and `downgrade` are bodies of a revision."""

    kind: str
    object: str
    table: str | None
    column: str | None
    migrations: str | None
    models: str | None
    revision: str | None
    upgrade: str
    downgrade: str
    refused: str
    runs_only_with: str
    fixed_by_others: bool
    rename: JsonRename | None = None


@dataclass(frozen=True, slots=True)
class JsonDriftRevision:
    """One revision that removes all drift, run both ways; `text` is the file, `left_out` are objects."""

    id: str
    down_revision: tuple[str, ...]
    depends_on: tuple[str, ...]
    differences: int
    left_out: tuple[str, ...]
    upgrade: str
    downgrade: str
    text: str


def build_drift(difference: Difference) -> JsonDrift:
    """A difference as it is written, with its fix, and with what it is if something was renamed."""
    return JsonDrift(
        kind=difference.kind,
        object=difference.object,
        table=difference.table,
        column=difference.column,
        migrations=difference.database,
        models=difference.models,
        revision=difference.revision,
        upgrade=difference.upgrade,
        downgrade=difference.downgrade,
        refused=difference.fix_refused,
        runs_only_with=difference.runs_only_with,
        fixed_by_others=difference.fixed_by_others,
        rename=_build_rename(difference),
    )


def _build_rename(difference: Difference) -> JsonRename | None:
    names = list_rename_names(difference)
    if names is None:
        return None
    fix = difference.rename_fix or RenameFix()
    return JsonRename(
        *names, difference.rename_is_likely, fix.upgrade, fix.downgrade, fix.remaining, fix.refused
    )


def build_drift_revision(revision: DriftRevision | None) -> JsonDriftRevision | None:
    """The revision that removes all differences, as it is written."""
    if revision is None:
        return None
    return JsonDriftRevision(
        id=revision.identifier,
        down_revision=revision.down_revision,
        depends_on=revision.depends_on,
        differences=revision.differences,
        left_out=revision.left_out,
        upgrade=revision.upgrade,
        downgrade=revision.downgrade,
        text=format_revision_file(revision),
    )
