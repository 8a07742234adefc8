"""Comments that allow findings, and that the files of the base do not have.

A comment that moved, with its statement or with its reason, is not new.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

from migration_gate.facts import AllowanceText, Facts, Location, Replay
from migration_gate.verdict.allow import AllowComment, find_allow_comments

MEASURES: tuple[Callable[[AllowComment], Hashable], ...] = (
    lambda comment: (comment.file, comment.check, comment.covers_file, comment.code),
    lambda comment: (comment.file, comment.check, comment.covers_file, comment.reason),
    lambda comment: (comment.check, comment.covers_file, comment.reason),
)
"""by which two comments are the same, the surest first"""
NO_CODE = "no code"
"""is what a comment behind the last statement covers"""


def add_new_comments(facts: Facts, texts: Mapping[str, str]) -> Facts:
    """The facts with the comments of these files (text by path) that are not at the base."""
    base = facts.base
    if base is None or not base.commit or base.is_unchanged:
        return facts
    comments = _list_valid(texts)
    if base.is_known:
        new_comments = find_new_comments(comments, _list_valid(dict(base.comment_texts)))
    else:  # what the change has is known, whatever became of the base
        new_comments = [comment for comment in comments if _is_in_change(comment, facts.replay)]
    return replace(facts, new_comments=tuple(map(_describe_comment, new_comments)))


def _list_valid(texts: Mapping[str, str]) -> list[AllowComment]:
    return [comment for comment in find_allow_comments(texts) if not comment.fault]


def _is_in_change(comment: AllowComment, replay: Replay) -> bool:
    return replay.find_changed_line(Location(comment.file, comment.line)) is not None


def find_new_comments(comments: list[AllowComment], older: list[AllowComment]) -> list[AllowComment]:
    """The comments without those that have a partner among the older ones, each of which has one."""
    new_comments, remaining = list(comments), list(older)
    for measure in MEASURES:
        for comment in list(new_comments):
            partner = next((old for old in remaining if measure(old) == measure(comment)), None)
            if partner is not None:
                remaining.remove(partner)
                new_comments.remove(comment)
    return new_comments


def _describe_comment(comment: AllowComment) -> AllowanceText:
    return AllowanceText(
        comment.check,
        "" if comment.covers_file else _show_code(comment.code) or NO_CODE,
        comment.reason,
        "",
        Location(comment.file, comment.line),
        is_comment=True,
    )


def _show_code(code: str) -> str:
    """The code that a comment covers, on one line, without the sign with which the comment begins."""
    first, _, rest = code.partition("\n")
    return " ".join([*first.rstrip(" \t#-").split(), *rest.split()])
