"""The comment that a pull request gets for each project: what blocks, as far as it fits.

The first line is a marker that a page does not show. By the marker our comment is found again, and the digest
in it tells whether the text has changed.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator

from migration_gate.check import Severity
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.base_phrases import describe_base
from migration_gate.report.change_table import list_change_rows, list_linked
from migration_gate.report.change_table_markdown import name_anchor, render_change_table
from migration_gate.report.finding_markdown import render_counts, render_finding
from migration_gate.report.history_diagram import render_concerned_history
from migration_gate.report.lock_timeline import render_timelines
from migration_gate.report.loosened_phrases import (
    list_lowered,
    list_new_allowances,
    name_lowered,
    name_new_allowances,
)
from migration_gate.report.markdown import escape_markdown, fence_mermaid, fold_section, render_list
from migration_gate.report.phrases import describe_counts, describe_outcome
from migration_gate.report.problem_markdown import render_problem
from migration_gate.report.verdict_selection import standing_verdicts
from migration_gate.verdict.outcome import ProjectReport
from migration_gate.wording import count_noun

LIMIT = 65_536
"""characters that GitHub accepts for one comment; we count bytes, which are at least as many"""
RESERVED_BYTES = 400
"""for the marker and the last lines"""
TEXT_LIMIT = 4000
"""characters of one piece of evidence or of a fix"""
MAX_OPEN_FINDINGS = 3
"""blocking findings that are shown unfolded"""
ADDRESS = re.compile(r"https?://[\w.:/-]+")
"""a web address that needs no escapes in Markdown"""
MARKER = re.compile(r"<!-- migration-gate project=([0-9a-f]{16}) digest=([0-9a-f]{16}) -->")


@dataclass(frozen=True, slots=True)
class Marker:
    """What the first line of our comment holds; both are 16 hexadecimal digits."""

    project: str
    """the result of `project_key`"""
    digest: str
    """of the comment's text, without links that change from run to run"""

    def __str__(self) -> str:
        return f"<!-- migration-gate project={self.project} digest={self.digest} -->"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment to create or to edit."""

    marker: Marker
    body: str
    """the text; its first line is the marker"""
    is_clean: bool
    """there are no findings but notes: nothing to say if there was no comment before"""
    only_resolves: bool = False
    """it only replaces a comment about a run that could not examine any project"""


def project_key(name: str, path: str = ".") -> str:
    """What tells projects of one repository apart: the name, and the folder that the gate was started in."""
    return _hash_text(f"{posixpath.normpath(path or '.')}\0{name}")


def parse_marker(text: str) -> Marker | None:
    """The marker of our comment, else None. Only the first line counts: a project can write the others."""
    match = MARKER.match(text)
    return Marker(match[1], match[2]) if match else None


def render_comment(project: ProjectReport, path: str = ".", *, run: str = "", source: str = "") -> Comment:
    """The comment about one project, below GitHub's limit.

    `run` is the address of the run, where the whole report is; `source` that of the repository's files.
    """
    is_clean = project.problem is None and not _has_something_to_do(project)
    link = f"[the whole report]({run})" if ADDRESS.fullmatch(run) else ""
    if is_clean:
        text_without_links = _render_clean(project)
        text = f"{text_without_links} · {link}" if link else text_without_links
    else:
        text_without_links = _render_body(project, source="")
        text = _render_body(project, source) + link
    marker = Marker(project_key(project.name, path), _hash_text(text_without_links))
    return Comment(marker, f"{marker}\n{text}\n", is_clean)


def render_resolved_comment(path: str = ".") -> Comment:
    """What replaces a comment about inputs or a configuration that could not be used."""
    text = "✅ **Migration Gate** runs again"
    marker = Marker(project_key("", path), _hash_text(text))
    return Comment(marker, f"{marker}\n{text}\n", is_clean=True, only_resolves=True)


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _has_something_to_do(project: ProjectReport) -> bool:
    """Whether there is a finding that is more than a note, or that blocks."""
    severities = {verdict.severity for verdict in standing_verdicts(project.verdicts)}
    has_findings = bool(project.blocking_verdicts) or bool(severities - {Severity.NOTE})
    return has_findings or bool(project.new_allowances)


def _render_clean(project: ProjectReport) -> str:
    """One line."""
    revisions = count_noun(len(project.facts.replay.history.revisions), "revision")
    findings = describe_counts(project.verdicts)
    if project.verdicts and not standing_verdicts(project.verdicts):
        findings = f"no findings, {findings}"
    return f"✅ **Migration Gate**: {escape_markdown(project.name)} passed, {revisions}, {findings}"


def _render_body(project: ProjectReport, source: str) -> str:
    outcome = escape_markdown(describe_outcome(project))
    if project.problem:
        return f"### ⚠️ Migration Gate: {outcome}\n\n{render_problem(project.problem, source=source)}\n"
    title = f"### {'❌' if project.blocking_verdicts else '✅'} Migration Gate: {outcome}\n"
    if line := describe_base(project):
        title += f"\n{escape_markdown(line)}\n"
    if allowances := name_new_allowances(project):
        title += f"\n**{allowances}:**\n\n{render_list(list(list_new_allowances(project)))}\n"
    if table := render_change_table(list_change_rows(project)):
        title += f"\n{table}"
    if timelines := render_timelines(project):
        title += f"\n{timelines}"
    sections = list(_folded_sections(project))
    room = LIMIT - RESERVED_BYTES - sum(_size_in_bytes(block) for block in (title, *sections))
    findings, left_out = _render_findings(project, source, room)
    if left_out:
        findings.append(f"{count_noun(left_out, 'finding')} more did not fit in here.\n")
    return "\n".join((title, *findings, *sections, ""))


def _folded_sections(project: ProjectReport) -> Iterator[str]:
    """What stands below the findings."""
    if diagram := render_concerned_history(project):
        yield fold_section("The history", fence_mermaid(diagram))
    if title := name_lowered(project):
        yield fold_section(title, render_list(list(list_lowered(project))))
    if counts := render_counts(project):
        yield counts


def _render_findings(project: ProjectReport, source: str, room: int) -> tuple[list[str], int]:
    """The findings that fit in `room` bytes, and the number of those that do not."""
    findings: list[str] = []
    opened = left_out = 0
    linked = list_linked(list_change_rows(project))
    for verdict in standing_verdicts(project.verdicts):
        is_open = verdict.blocks(project.fail_on) and opened < MAX_OPEN_FINDINGS
        anchor = name_anchor(verdict.id) if verdict.id in linked else ""
        finding = render_finding(verdict, is_open=is_open, limit=TEXT_LIMIT, source=source, anchor=anchor)
        if _size_in_bytes(finding) > room:
            left_out += 1
        else:
            findings.append(finding)
            opened += is_open
            room -= _size_in_bytes(finding)
    return findings, left_out


def _size_in_bytes(block: str) -> int:
    """With the line break that follows it."""
    return len(block.encode()) + 1
