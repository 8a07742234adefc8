"""Makes a database as it is in production before a deployment: with the revisions of the base, and no others.

It is copied before the first new revision runs. Where that would change what this revision finds, the old
ones run once more, in a fork of the interpreter that ran the history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.initial_state import prepare_copy, set_statement_timeout
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.runs_channel import RunsChannel
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import EarlierRevisionsRan, HistoryRead
from migration_gate.worker.protocol.order import RevisionRun
from migration_gate.worker.protocol.step_lines import StepFinished


@dataclass(frozen=True, slots=True)
class RevisionSplit:
    """The history, in two parts."""

    old: tuple[str, ...]
    """revisions that production has"""
    new: tuple[str, ...]
    """those that the change adds or edits, and all that follow one of them; in the order of the replay"""
    changed: frozenset[str]
    """of these, the ones that the change adds or edits"""
    contexts: int = 1
    """of env.py, that ran revisions"""


def split_history(lines: Iterable[Line], changed_files: Collection[str]) -> RevisionSplit:
    """The revisions that have run, by their files (real paths, as the worker sends them)."""
    changed_files = frozenset(changed_files)
    graph: HistoryRead | None = None
    steps: list[StepFinished] = []
    for line in lines:
        if isinstance(line, HistoryRead):
            graph = line
        elif isinstance(line, StepFinished):
            steps.append(line)
    order = tuple(dict.fromkeys(step.revision for step in steps))
    if graph is None or not changed_files:
        return RevisionSplit(order, (), frozenset())
    changed = frozenset(script.id for script in graph.revisions if script.file in changed_files)
    changed = changed.intersection(order)
    parents = {script.id: (*script.parents, *script.depends_on) for script in graph.revisions}
    new = _list_followers(order, changed, parents)
    old = tuple(revision for revision in order if revision not in new)
    in_order = tuple(revision for revision in order if revision in new)
    return RevisionSplit(old, in_order, changed, len({step.context for step in steps}))


def _list_followers(
    order: Iterable[str], changed: Collection[str], parents: Mapping[str, tuple[str, ...]]
) -> set[str]:
    """The changed revisions, and those that cannot run without one of them."""
    new: set[str] = set()
    for revision in order:
        if revision in changed or any(_names_one(parent, new) for parent in parents.get(revision, ())):
            new.add(revision)
    return new


def _names_one(parent: str, revisions: Collection[str]) -> bool:
    """Whether a parent is one of the revisions; a dependency may be the beginning of an id."""
    return parent in revisions or any(revision.startswith(parent) for revision in revisions)


def copy_restored_database(setup: ReplaySetup) -> None:
    """Copy the database of a checkpoint, before the first new revision runs in it."""
    if setup.wants_earlier_database:
        setup.server.copy_used_database(setup.database, setup.earlier_database)


def copy_paused_database(setup: ReplaySetup, line: EarlierRevisionsRan) -> tuple[str, ...]:
    """Copy the database while the worker waits; the revisions that have run there, none if that failed."""
    if not setup.wants_earlier_database or not line.is_committed:
        return ()
    obstacle = setup.server.copy_resting_database(setup.database, setup.earlier_database)
    return () if obstacle else line.revisions


def make_base_database(setup: ReplaySetup, channel: RunsChannel, split: RevisionSplit) -> str:
    """Have `setup.earlier_database` hold what the old revisions made; why it could not be made, or ''."""
    prepare_copy(setup, setup.earlier_database)
    if not split.old:
        return ""
    runs = [RevisionRun(revision, "upgrade") for revision in split.old]
    finished = channel.run(setup.earlier_database, runs, prepares=True)
    if finished.error is not None:
        return f"the old revisions could not be run a second time: {finished.error.message}"
    return finished.problem


def copy_base_database(setup: ReplaySetup) -> None:
    """Make `setup.rehearsal_database` anew, as it is before the first new revision."""
    setup.server.copy_used_database(setup.earlier_database, setup.rehearsal_database)
    with setup.server.connect(setup.rehearsal_database) as connection:
        set_statement_timeout(connection, setup.settings.statement_seconds)
