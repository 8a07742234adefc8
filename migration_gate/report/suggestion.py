"""An edit as a review comment with a button that applies it: a block that GitHub calls a suggestion.

The first line is a marker that a page does not show, by which the comment is found again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migration_gate.facts import SourceEdit
from migration_gate.report.finding_markdown import MARKS, link_check
from migration_gate.report.markdown import MIN_FENCE, escape_markdown
from migration_gate.report.verdict_selection import standing_verdicts
from migration_gate.verdict.outcome import ProjectReport, Verdict

MAX_SUGGESTIONS = 10
"""of one pull request at a time: a reader of many reads none"""
MARKER = re.compile(r"<!-- migration-gate suggestion=([0-9a-f]{16}) -->")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A review comment to write."""

    key: str
    """16 hexadecimal digits, the same in every run that suggests the same edit for the same finding"""
    edit: SourceEdit
    body: str
    """its first line is the marker"""


def parse_key(text: str) -> str | None:
    """The key of a suggestion of ours, else None. Only the first line counts: a project writes others."""
    match = MARKER.match(text)
    return match[1] if match else None


def render_suggestions(projects: Iterable[ProjectReport]) -> tuple[Suggestion, ...]:
    """The edits of the findings that stand, worst first; of edits that overlap only the first one."""
    suggestions: list[Suggestion] = []
    for suggestion in _render_all(projects):
        if not any(_overlap(suggestion.edit, other.edit) for other in suggestions):
            suggestions.append(suggestion)
    return tuple(suggestions)


def _render_all(projects: Iterable[ProjectReport]) -> Iterator[Suggestion]:
    for project in projects:
        for verdict in standing_verdicts(project.verdicts):
            for edit in verdict.edits:
                key = _make_key(verdict, edit)
                yield Suggestion(key, edit, _render_body(verdict, edit, key))


def _overlap(edit: SourceEdit, other: SourceEdit) -> bool:
    """Whether both replace the same line: who applies one makes the other one useless."""
    is_same_file = edit.file == other.file
    return is_same_file and edit.first_line <= other.last_line and other.first_line <= edit.last_line


def _make_key(verdict: Verdict, edit: SourceEdit) -> str:
    """Without line numbers: an edit stays the same where lines are added above it."""
    parts = (verdict.id, edit.file, *edit.old_lines, "\0", *edit.new_lines)
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _render_body(verdict: Verdict, edit: SourceEdit, key: str) -> str:
    mark, message = MARKS[verdict.severity], escape_markdown(verdict.finding.message)
    blocks = [
        f"<!-- migration-gate suggestion={key} -->",
        f"{mark} <b>{verdict.severity}</b> {message} · {link_check(verdict)}",
        escape_markdown(edit.introduction),
        _fence_suggestion(edit),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _fence_suggestion(edit: SourceEdit) -> str:
    """The new lines as they are, in a fence that is longer than any run of backticks inside."""
    text = "\n".join(edit.new_lines)
    longest_run = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(MIN_FENCE, longest_run + 1)
    return f"{fence}suggestion\n{text}\n{fence}"
