"""A revision that stands on the base was given another place in the history.

A database that is past it never looks back: what is put before it runs on new databases alone, and what is
no longer before it may run a second time. The same head then stands for different schemas.

Instead, leave `down_revision` and `depends_on` of merged revisions as they are, and add new revisions at the
head.
"""

from collections.abc import Iterator

from migration_gate.analysis.history_change import HistoryChange, KeptRevision, compare_histories
from migration_gate.analysis.moved_revisions import Move, list_moves
from migration_gate.analysis.revision_graph import describe_revision
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, Lineage, Location, SetVariable
from migration_gate.wording import join_words

SEVERITY = Severity.ERROR
SUBJECT = Subject.REVISION


def check(facts: Facts) -> Iterator[Finding]:
    """Yield every revision of the base with another parent or dependency."""
    change = compare_histories(facts)
    if change is None or facts.replay.history.error is not None:
        return
    for move in list_moves(change):
        yield _describe_move(change, move)


def _describe_move(change: HistoryChange, move: Move) -> Finding:
    pair = move.pair
    old, new = move.describe()
    return Finding(
        object=pair.now.id,
        message=f"`{pair.now.id}` {new}; at the base it {old}{_describe_effect(move)}",
        location=_locate(change, pair),
        revision=pair.now.id,
        evidence=(
            *(Evidence("now before it", describe_revision(change.now, item)) for item in move.added),
            *(Evidence("no more before it", describe_revision(change.before, item)) for item in move.lost),
        ),
        fix="Restore its `down_revision` and `depends_on`, and put new revisions at the head. If no database "
        f"has run `{pair.now.id}` yet, allow this finding with that as the reason.",
        severity=Severity.WARNING if change.base.lineage is Lineage.SAME_BRANCH else None,
        corrections=_restore(pair),
    )


def _describe_effect(move: Move) -> str:
    """What it does to databases that are past the revision."""
    words = []
    if move.added:
        words.append(f"a database that is past it never runs {join_words(move.added)}")
    if move.lost:
        words.append(
            f"a database that is at it may run {join_words(move.lost)} a second time"
            if not move.added
            else f"and may run {join_words(move.lost)} a second time"
        )
    return f". {' '.join(words).capitalize()}" if words else ""


def _locate(change: HistoryChange, pair: KeptRevision) -> Location:
    """The line that names the parent."""
    for file in change.now.files:
        if file.path == pair.now.location.file and file.parents_line:
            return Location(file.path, file.parents_line)
    return pair.now.location


def _restore(pair: KeptRevision) -> tuple[SetVariable, ...]:
    if len(pair.before.parents) != 1 or len(pair.now.parents) != 1:
        return ()
    old, new = pair.before.parents[0], pair.now.parents[0]
    if old == new:
        return ()
    return (SetVariable(pair.now.location.file, "down_revision", new, old, "As it was at the base:"),)
