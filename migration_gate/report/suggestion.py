"""An edit as a review comment with a button that applies it: a block that GitHub calls a suggestion.

The first line is a marker that a page does not show, by which the comment is found again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence

from migration_gate.facts import SourceEdit
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.finding_markdown import MARKS, link_check
from migration_gate.report.markdown import MIN_FENCE, escape_markdown
from migration_gate.report.verdict_selection import standing_verdicts
from migration_gate.verdict.installed_package import STOPS_THE_RUN
from migration_gate.verdict.outcome import ProjectReport, Verdict

MAX_SUGGESTIONS = 10
"""of one pull request at a time: a reader of many reads none"""
MARKER = re.compile(r"<!-- migration-gate suggestion=([0-9a-f]{16})(?: scope=([0-9a-f]{16}))? -->")
_BLOCK = re.compile(r"^(`{3,})suggestion\s*$", re.MULTILINE)
OUTDATED = "**Outdated**: the newest run of Migration Gate does not suggest this any more."


@dataclass(frozen=True, slots=True)
class Marker:
    """What the first line of a suggestion holds; both are 16 hexadecimal digits."""

    key: str
    """the same in every run that suggests the same edit for the same finding"""
    scope: str = ""
    """the same in every run of the same projects; '' in suggestions of old versions"""

    def __str__(self) -> str:
        return f"<!-- migration-gate suggestion={self.key} scope={self.scope} -->"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A review comment to write."""

    marker: Marker
    edit: SourceEdit
    body: str
    """its first line is the marker"""


@dataclass(frozen=True, slots=True)
class RunSuggestions:
    """What one run suggests."""

    scope: str
    suggestions: tuple[Suggestion, ...]
    is_complete: bool
    """whether what an earlier run of the same scope suggested, and this one does not, is out of date"""


def parse_marker(text: str) -> Marker | None:
    """The marker of a suggestion of ours, else None. Only the first line counts: a project writes others."""
    match = MARKER.match(text)
    return Marker(match[1], match[2] or "") if match else None


def render_outdated(body: str) -> str:
    """The text of a suggestion that is none any more: it cannot be applied, and is not found again."""
    text = _BLOCK.sub(r"\1", body.partition("\n")[2])
    return f"{OUTDATED}\n{text}"


def render_suggestions(projects: Sequence[ProjectReport], scope: str = "") -> RunSuggestions:
    """The edits of the findings that stand, worst first; of edits that overlap only the first one.

    scope: what tells this run from others on the same pull request.
    """
    suggestions: list[Suggestion] = []
    for suggestion in _render_all(projects, _hash_text(scope)):
        if not any(_overlap(suggestion.edit, other.edit) for other in suggestions):
            suggestions.append(suggestion)
    return RunSuggestions(_hash_text(scope), tuple(suggestions), all(map(_was_judged, projects)))


def _was_judged(project: ProjectReport) -> bool:
    """Whether the run has judged all of the project."""
    checks = {verdict.check for verdict in standing_verdicts(project.verdicts)}
    return project.problem is None and not checks & STOPS_THE_RUN


def _render_all(projects: Iterable[ProjectReport], scope: str) -> Iterator[Suggestion]:
    for project in projects:
        for verdict in standing_verdicts(project.verdicts):
            for edit in verdict.edits:
                marker = Marker(_make_key(verdict, edit), scope)
                yield Suggestion(marker, edit, _render_body(verdict, edit, marker))


def _overlap(edit: SourceEdit, other: SourceEdit) -> bool:
    """Whether both replace the same line: who applies one makes the other one useless."""
    is_same_file = edit.file == other.file
    return is_same_file and edit.first_line <= other.last_line and other.first_line <= edit.last_line


def _make_key(verdict: Verdict, edit: SourceEdit) -> str:
    """Without line numbers: an edit stays the same where lines are added above it."""
    parts = (verdict.id, edit.file, *edit.old_lines, "\0", *edit.new_lines)
    return _hash_text("\n".join(parts))


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _render_body(verdict: Verdict, edit: SourceEdit, marker: Marker) -> str:
    mark, message = MARKS[verdict.severity], escape_markdown(verdict.finding.headline)
    blocks = [
        str(marker),
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
