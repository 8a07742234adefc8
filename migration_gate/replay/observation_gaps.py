"""What could not be observed of the looked-at revisions, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from migration_gate.facts import History, Observation, Unchecked
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.worker_order import can_observe

SUBJECT = "locks"
DROPPED = (
    "`{revision}` ran, and the gate's record of its locks is not there: something dropped the schema "
    "migration_gate, or keeps it from writing to the server's log"
)
NO_SUPERUSER = (
    "which locks the new revisions take, and what they do under them, was not observed: the role that "
    "`postgres:` names is not a superuser, and only a superuser's event trigger sees each command"
)
NO_SUPERUSER_ADVICE = (
    "Name a superuser of a server that holds nothing else (the role of POSTGRES_USER in a service container "
    "is one), or let the gate start the server (`postgres: auto`, a major or an image). Where it must be "
    "this role, see by hand what the new revisions lock, or say `observe: off`."
)


def add_missing_revisions(
    observation: Observation, begun: Collection[str], history: History, pending_files: Collection[str]
) -> Observation:
    """The observation, with a blind spot for each revision that ran and was not observed."""
    wanted = _list_wanted(begun, history, pending_files if observation.scope == "change" else None)
    missing = [revision for revision in wanted if revision not in observation.revisions]
    spots = tuple(DROPPED.format(revision=revision) for revision in missing)
    return replace(
        observation,
        blind_spots=(*observation.blind_spots, *spots),
        partly_seen=(*observation.partly_seen, *missing),
    )


def list_blind_spots(observation: Observation) -> Iterator[Unchecked]:
    """One for each thing that a migration kept the gate from seeing."""
    for spot in observation.blind_spots:
        yield Unchecked(SUBJECT, spot, "See by hand what the statement locks")


def find_unobserved(setup: ReplaySetup, begun: Collection[str], history: History) -> Iterator[Unchecked]:
    """One, if there was something to look at and the server lets nobody look."""
    scope = setup.settings.observe
    if scope == "off" or can_observe(setup.server):
        return
    files = None if scope == "all" else _list_pending(setup)
    if _list_wanted(begun, history, files):
        yield Unchecked(SUBJECT, NO_SUPERUSER, NO_SUPERUSER_ADVICE, is_foreseen=True)


def _list_pending(setup: ReplaySetup) -> set[str]:
    top = f"{setup.repository.resolve().as_posix()}/"
    return {path.removeprefix(top) for path in setup.pending_files}


def _list_wanted(begun: Collection[str], history: History, files: Collection[str] | None) -> list[str]:
    """The revisions that ran and are in these files; all without files."""
    known = ((revision, history.find_revision(revision)) for revision in dict.fromkeys(begun))
    return [
        name
        for name, revision in known
        if files is None or (revision is not None and revision.location.file in files)
    ]
