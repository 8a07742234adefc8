"""The revision graph that the worker reports, and the revision files, as one `History`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from migration_gate.facts import Failure, History, Location, MissingParent, Revision, RevisionFile
from migration_gate.replay.repository_paths import RepositoryPaths
from migration_gate.scan.revision_files import RevisionSource
from migration_gate.worker.protocol.history_lines import (
    HistoryRead,
    RevisionScript,
    RevisionsPlanned,
    ScriptsFound,
)


def build_history(
    graph: HistoryRead,
    files: Sequence[RevisionSource],
    *,
    plans: Sequence[RevisionsPlanned],
    scripts: ScriptsFound | None,
    target: tuple[str, ...],
    error: Failure | None,
    paths: RepositoryPaths,
) -> History:
    """The revisions in the order of the replay, those that did not run last.

    `error`: why Alembic could not read the graph. `scripts` is None if the configuration did not load.
    """
    return History(
        revisions=tuple(
            _build_revision(script, paths) for script in _in_replay_order(graph.revisions, plans)
        ),
        heads=tuple(dict.fromkeys(graph.heads)),  # Alembic lists a duplicate id twice
        bases=tuple(dict.fromkeys(graph.bases)),
        files=_list_files(graph, files, paths),
        locations=tuple(paths.shorten(folder) for folder in scripts.locations) if scripts is not None else (),
        target=target,
        error=error,
        missing_parents=_find_missing_parents(files) if error is not None else (),
    )


def _build_revision(script: RevisionScript, paths: RepositoryPaths) -> Revision:
    return Revision(
        id=script.id,
        parents=script.parents,
        message=script.message,
        location=Location(paths.shorten(script.file), script.line),
        depends_on=script.depends_on,
        labels=script.labels,
    )


def _in_replay_order(
    scripts: Sequence[RevisionScript], plans: Sequence[RevisionsPlanned]
) -> list[RevisionScript]:
    """Those that did not run come last, oldest first. `scripts` are newest first."""
    planned = (revision for plan in plans for revision in plan.revisions)
    rank = {revision: number for number, revision in enumerate(planned)}
    oldest_first = scripts[::-1]
    return sorted(oldest_first, key=lambda script: rank.get(script.id, len(rank)))


def _list_files(
    graph: HistoryRead, files: Sequence[RevisionSource], paths: RepositoryPaths
) -> tuple[RevisionFile, ...]:
    """The revision files, with those marked that Alembic does not load."""
    if graph.error is not None:
        # Of a history that Alembic cannot read, it is not known what it would load.
        return tuple(_mark_loaded(source.file, is_loaded=True) for source in files)
    loaded = {paths.shorten(script.file) for script in graph.revisions}
    return tuple(_mark_loaded(source.file, is_loaded=source.file.path in loaded) for source in files)


def _mark_loaded(file: RevisionFile, *, is_loaded: bool) -> RevisionFile:
    reason = None if is_loaded else "Alembic does not load it from there"
    return dataclasses.replace(file, is_loaded=is_loaded, not_loaded_because=reason)


def _find_missing_parents(files: Sequence[RevisionSource]) -> tuple[MissingParent, ...]:
    """Parents and dependencies that are in no file."""
    known = [source.file.revision for source in files if source.file.revision]
    return tuple(
        MissingParent(source.file.revision, parent)
        for source in files
        if source.file.revision
        for parent in (*source.file.parents, *source.depends_on)
        if not _is_known(parent, known)
    )


def _is_known(parent: str, revisions: Sequence[str]) -> bool:
    """Whether Alembic finds the parent: by the beginning of an id too, and by a label (`billing@head`)."""
    return "@" in parent or any(revision.startswith(parent) for revision in revisions)
