"""A new revision does not follow the head of the base.

It was written before another one was merged. With both, or after the merge, the history has several heads:
`alembic upgrade head` stops, and the main branch is red for everybody.

Instead, name the head of the base as its `down_revision` (`migration-gate rebase` does it), or join both with
a merge revision.
"""

import shlex
from collections.abc import Iterator

from migration_gate.analysis.history_change import HistoryChange, compare_histories
from migration_gate.analysis.revision_graph import describe_revision
from migration_gate.analysis.stale_parents import (
    RemovedParent,
    StaleParent,
    find_removed_parents,
    find_stale_after_merge,
    find_stale_parents,
    merge_histories,
)
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, History, Location, Revision, SetVariable
from migration_gate.wording import code_block

SEVERITY = Severity.ERROR
SUBJECT = Subject.REVISION


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the first revision of each new line beside the base's head, now or after the merge."""
    change = compare_histories(facts)
    if change is None or facts.replay.history.error is not None:
        return
    for stale in find_stale_parents(change):
        yield _describe_stale(change.now, stale)
    merged = merge_histories(change)
    for stale in find_stale_after_merge(change):
        assert merged is not None  # noqa: S101 - it was found there
        yield _describe_stale_after_merge(change, merged.history, stale)
    for removed in find_removed_parents(change):
        yield _describe_removed(change, removed)


def _describe_stale(history: History, stale: StaleParent) -> Finding:
    revision = stale.revision
    introduction = f"Put `{revision.id}` on top of `{stale.new_parent}`:"
    return Finding(
        object=revision.id,
        message=f"`{revision.id}` follows `{stale.parent}`, and not `{stale.new_parent}`, which is the head",
        location=_locate_parent(history, revision),
        revision=revision.id,
        evidence=_list_evidence(history, stale),
        fix=f"In {revision.location.file}:{_write_edit(stale)}\n"
        f"{_name_command(history, stale)}Or join the two:{_write_merge(stale)}",
        corrections=(
            SetVariable(
                revision.location.file, "down_revision", stale.parent, stale.new_parent, introduction
            ),
        ),
    )


def _describe_stale_after_merge(change: HistoryChange, history: History, stale: StaleParent) -> Finding:
    revision, tip = stale.revision, change.base.tip
    name = tip.name if tip is not None else ""
    return Finding(
        object=revision.id,
        message=f"`{revision.id}` follows `{stale.parent}`, and {name} has got `{stale.new_parent}` since: "
        "after the merge there are two heads",
        location=_locate_parent(change.now, revision),
        revision=revision.id,
        evidence=_list_evidence(history, stale),
        fix=f"Bring {name} into the branch (`git rebase` or `git merge`), then, in "
        f"{revision.location.file}:{_write_edit(stale)}\n"
        f"{_name_command(change.now, stale)}Or join the two there:{_write_merge(stale)}",
    )


def _describe_removed(change: HistoryChange, removed: RemovedParent) -> Finding:
    revision, tip = removed.revision, change.base.tip
    name = tip.name if tip is not None else ""
    heads = removed.heads
    edit = code_block(f'down_revision = "{heads[0]}"') if len(heads) == 1 else " name another parent."
    return Finding(
        object=revision.id,
        message=f"`{revision.id}` follows `{removed.parent}`, which {name} has removed since: after the "
        "merge no file has it",
        location=_locate_parent(change.now, revision),
        revision=revision.id,
        fix=f"Bring {name} into the branch (`git rebase` or `git merge`), then, in "
        f"{revision.location.file}:{edit}",
    )


def _list_evidence(history: History, stale: StaleParent) -> tuple[Evidence, ...]:
    return (
        Evidence("head", describe_revision(history, stale.new_parent)),
        Evidence("new head", describe_revision(history, stale.line_head)),
        Evidence("forked at", describe_revision(history, stale.parent)),
    )


def _write_edit(stale: StaleParent) -> str:
    return code_block(f'down_revision = "{stale.new_parent}"')


def _name_command(history: History, stale: StaleParent) -> str:
    """The command that makes the edit; nothing where the parent is computed, and not written in the file."""
    files = [file for file in history.files if file.path == stale.revision.location.file]
    is_written = all(file.parents for file in files)
    return "`migration-gate rebase --write` makes this edit. " if is_written else ""


def _write_merge(stale: StaleParent) -> str:
    return code_block(f'alembic merge -m "merge heads" {shlex.join([stale.new_parent, stale.line_head])}')


def _locate_parent(history: History, revision: Revision) -> Location:
    """The line that names the parent."""
    for file in history.files:
        if file.path == revision.location.file and file.parents_line:
            return Location(file.path, file.parents_line)
    return revision.location
