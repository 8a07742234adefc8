"""A revision that stands on the base was removed.

A database that stands on it can neither be upgraded nor downgraded any more ("Can't locate revision
identified by ..."), and one that is past it keeps what the revision did, which new databases never get.

Instead, keep its file, and undo what it did in a new revision. To make a long history short, squash it: one
new first revision that leaves the same catalog.
"""

from collections.abc import Iterator

from migration_gate.analysis.history_change import (
    HistoryChange,
    compare_histories,
    name_revision,
    write_restoring_command,
)
from migration_gate.analysis.revision_graph import build_graph, split_into_trees
from migration_gate.analysis.squash_texts import (
    count_row_statements,
    describe_row_statements,
    describe_squash,
    describe_stamp,
    has_same_catalog,
)
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Lineage, Location, Revision
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.REVISION
KINDS = ("squash",)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield each group of removed revisions, and a note on a squash that leaves the same catalog."""
    change = compare_histories(facts)
    if change is None:
        return
    removed = _list_removed(facts, change)
    for revision in removed:
        if revision.id in change.new_ids:
            yield _describe_new_id(change, revision, change.new_ids[revision.id])
    for group in _group(change, [item for item in removed if item.id not in change.new_ids]):
        yield _describe_removal(change, group)
    if has_same_catalog(change):
        yield _describe_squash(facts, change)


def _list_removed(facts: Facts, change: HistoryChange) -> list[Revision]:
    """The removed revisions that no file names as its parent; broken-history reports the others."""
    history = facts.replay.history
    still_named = {missing.parent for missing in history.missing_parents}
    still_named |= {parent for file in history.files for parent in file.parents}
    return [revision for revision in change.list_unexplained() if revision.id not in still_named]


def _group(change: HistoryChange, removed: list[Revision]) -> Iterator[tuple[Revision, ...]]:
    """Removed revisions that follow each other: one removal."""
    ids = {revision.id for revision in removed}
    graph = {item: parents for item, parents in build_graph(change.before).items() if item in ids}
    for tree in split_into_trees(graph):
        yield tuple(revision for revision in removed if revision.id in tree)


def _describe_removal(change: HistoryChange, group: tuple[Revision, ...]) -> Finding:
    ids = [revision.id for revision in group]
    be, pronoun = ("was", "it") if len(group) == 1 else ("were", "one of them")
    followers = [pair for pair in change.kept if {*pair.before.parents} & {*ids}]
    restore = code_block(write_restoring_command(change.base, *group))
    return Finding(
        object=" ".join(sorted(ids)),
        message=f"{join_words(ids)} {be} removed: a database that stands on {pronoun} can be neither "
        "upgraded nor downgraded",
        location=followers[0].now.location if followers else Location(group[0].location.file),
        revision=group[0].id,
        evidence=(
            *(Evidence("removed", name_revision(revision)) for revision in group),
            *(
                Evidence(
                    "followed by", f"{name_revision(pair.now)}, which is on top of {_parents(pair.now)} now"
                )
                for pair in followers
            ),
        ),
        fix=f"Restore what was removed, and undo what it did in a new revision:{restore}\n"
        "If no database has run it, allow this finding with that as the reason. Else downgrade every "
        "database to the revision before it first, with the old code.",
        severity=_soften(change),
    )


def _parents(revision: Revision) -> str:
    return join_words(revision.parents, quote="") or "none"


def _describe_new_id(change: HistoryChange, revision: Revision, new_id: str) -> Finding:
    location = next(item.location for item in change.added if item.id == new_id)
    restore = code_block(f'revision = "{revision.id}"')
    return Finding(
        object=revision.id,
        message=f"`{revision.id}` has the id `{new_id}` now: a database that stands on `{revision.id}` can "
        "be neither upgraded nor downgraded, and one that is past it runs it again",
        location=location,
        revision=new_id,
        evidence=(Evidence("base", name_revision(revision)),),
        fix=f"Give it its id again:{restore}",
        severity=_soften(change),
    )


def _describe_squash(facts: Facts, change: HistoryChange) -> Finding:
    squash = change.squash
    assert squash is not None  # noqa: S101 - it has a catalog
    rows = count_row_statements(facts, squash)
    return Finding(
        object=squash.replacements[0].id,
        message=f"The {describe_squash(change, squash)} leaves the same catalog",
        location=squash.replacements[0].location,
        revision=squash.replacements[0].id,
        evidence=(*describe_row_statements(rows),),
        fix=describe_stamp(change, squash),
        kind="squash",
        severity=Severity.NOTE,
    )


def _soften(change: HistoryChange) -> Severity | None:
    return Severity.WARNING if change.base.lineage is Lineage.SAME_BRANCH else None
