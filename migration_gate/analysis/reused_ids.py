"""Ids of the base that now belong to another revision."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from migration_gate.analysis.history_change import HistoryChange, KeptRevision, find_text
from migration_gate.analysis.revision_code import normalize_code

SAME_TEXT = 0.6
"""ratio of `difflib` from which two texts are versions of one"""


def list_reused(change: HistoryChange) -> Iterator[KeptRevision]:
    """The ids that another revision has now; not one that a squash uses again on purpose."""
    for pair in change.kept:
        is_squash = change.squash is not None and pair.now == change.squash.reused
        if not is_squash and is_other_revision(change, pair):
            yield pair


def is_other_revision(change: HistoryChange, pair: KeptRevision) -> bool:
    """Whether message, file and content are all others: not an edited revision, but another one."""
    before, now = pair.before, pair.now
    if before.message == now.message or before.location.file == now.location.file:
        return False
    old_text, new_text = find_text(change.before, before), find_text(change.now, now)
    if not old_text or not new_text or normalize_code(old_text) == normalize_code(new_text):
        return False
    return not _are_alike(old_text, new_text)


def _are_alike(old: str, new: str) -> bool:
    """Whether most of the lines that say something are the same."""
    old_lines, new_lines = _list_lines(old), _list_lines(new)
    if not old_lines or not new_lines:
        return True
    return SequenceMatcher(None, old_lines, new_lines, autojunk=False).ratio() >= SAME_TEXT


def _list_lines(text: str) -> list[str]:
    return [
        line.strip()
        for line in text.splitlines()
        if "op." in line or "sa." in line or "execute" in line.lower()
    ]
