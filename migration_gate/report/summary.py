"""The report as Markdown, for the summary page of a run on GitHub.

The order is a reviewer's: the verdict, the findings, the first three unfolded, and everything else folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migration_gate.analysis.drift_revision import describe_drift_revision, format_revision_file
from migration_gate.check import Severity
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report import table_diagram
from migration_gate.report.base_phrases import describe_base, list_fixed, list_old
from migration_gate.report.change_table import list_change_rows, list_linked
from migration_gate.report.change_table_markdown import name_anchor, render_change_table
from migration_gate.report.finding_markdown import render_counts, render_finding, render_similar
from migration_gate.report.history_diagram import render_concerned_history
from migration_gate.report.lock_timeline import render_timelines
from migration_gate.report.loosened_phrases import (
    list_lowered,
    list_new_allowances,
    name_lowered,
    name_new_allowances,
)
from migration_gate.report.markdown import (
    TEXT_LIMIT,
    escape_markdown,
    fence_code,
    fence_mermaid,
    fold_section,
    render_list,
)
from migration_gate.report.phrases import (
    describe_check_coverage,
    describe_coverage,
    describe_outcome,
    describe_replay,
    project_remarks,
    shown_drift_revision,
    verdict_line,
)
from migration_gate.report.problem_markdown import render_problem
from migration_gate.report.similar_verdicts import SimilarVerdicts, group_all_similar
from migration_gate.report.verdict_selection import allowed_verdicts, old_verdicts
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict
from migration_gate.wording import count_noun

LIMIT = 1024 * 1024
"""bytes that GitHub accepts for the summary of one step; it shows nothing of a longer one"""
RESERVED_BYTES = 400
"""for the last line, which says what did not fit"""
SIGNS = {0: "✅", 1: "❌"}
"""by exit status"""
UNCHECKED_SIGN = "⚠️"
MAX_OPEN_FINDINGS = 3
"""blocking findings that are shown unfolded"""
MAX_SLOW_REVISIONS = 5
"""revisions whose time is listed"""
SLOW_SECONDS = 0.05
"""where every revision is faster, none is listed"""


@dataclass(frozen=True, slots=True)
class PageBlock:
    """A part of the page that is shown whole or not at all."""

    text: str
    is_finding: bool = False


def render(report: Report, *, limit: int = LIMIT, source: str = "") -> str:
    """The summary in at most `limit` bytes; its last line counts the findings that did not fit.

    `source` is where the repository's files can be read (`https://github.com/o/r/blob/SHA`), for links.
    """
    blocks = (PageBlock(_render_title(report)), *_page_blocks(report, source))
    return _join_within_limit(blocks, limit)


def _render_title(report: Report) -> str:
    sign = SIGNS.get(report.status, UNCHECKED_SIGN)
    if len(report.projects) == 1:
        return f"## {sign} Migration Gate: {escape_markdown(describe_outcome(report.projects[0]))}\n"
    return f"## {sign} Migration Gate. {escape_markdown(verdict_line(report))}\n"


def _join_within_limit(blocks: Iterable[PageBlock], limit: int) -> str:
    """The blocks that fit, whole, so that no fence, tag or character is cut."""
    texts: list[str] = []
    size = left_out = 0
    for block in blocks:
        block_size = len(block.text.encode("utf-8", "backslashreplace")) + 1
        is_title = not texts
        if is_title or size + block_size <= limit - RESERVED_BYTES:
            texts.append(block.text)
            size += block_size
        elif block.is_finding:
            left_out += 1
    if left_out:
        texts.append(
            f"> **Cut at {limit // 1024} KiB:** {count_noun(left_out, 'finding')} more did not fit in here. "
            "The JSON report has them all.\n"
        )
    return "\n".join(texts)


def _page_blocks(report: Report, source: str) -> Iterator[PageBlock]:
    """The blocks of all projects, in their order."""
    can_open = MAX_OPEN_FINDINGS
    for project in report.projects:
        if len(report.projects) > 1:
            sign = SIGNS.get(project.status, UNCHECKED_SIGN)
            yield PageBlock(f"### {sign} {escape_markdown(describe_outcome(project))}\n")
        if project.problem:
            yield PageBlock(render_problem(project.problem, source=source))
            continue
        yield from _project_blocks(project, source, can_open)
        can_open = max(0, can_open - len(project.blocking_verdicts))


def _project_blocks(project: ProjectReport, source: str, can_open: int) -> Iterator[PageBlock]:
    """The findings, and the rest folded; if nothing blocks, what ran comes first, and notes are folded."""
    if line := describe_base(project):
        yield PageBlock(f"{escape_markdown(line)}\n")
    if title := name_new_allowances(project):
        yield PageBlock(f"**{title}:**\n\n{render_list(list(list_new_allowances(project)))}\n")
    if table := render_change_table(list_change_rows(project)):
        yield PageBlock(table)
    if timelines := render_timelines(project):
        yield PageBlock(timelines)
    folds = group_all_similar(project.verdicts)
    if project.blocking_verdicts:
        yield from _finding_blocks(folds, project, source, can_open)
        yield from (PageBlock(text) for text in _additional_sections(project))
        return
    notes = [fold for fold in folds if fold.first.severity is Severity.NOTE]
    yield PageBlock(f"{escape_markdown(describe_replay(project))}\n")
    yield from _finding_blocks([fold for fold in folds if fold not in notes], project, source, 0)
    note_texts = [block.text for block in _finding_blocks(notes, project, source, 0)]
    details = "\n".join((*note_texts, *_additional_sections(project)))
    yield PageBlock(fold_section("Details", details), is_finding=bool(notes))


def _finding_blocks(
    folds: Iterable[SimilarVerdicts], project: ProjectReport, source: str, can_open: int
) -> Iterator[PageBlock]:
    """The findings; the first `can_open` that block are unfolded."""
    opened = 0
    linked = list_linked(list_change_rows(project))
    for fold in folds:
        if fold.is_folded:
            yield PageBlock(render_similar(fold), is_finding=True)
            continue
        verdict = fold.first
        is_open = verdict.blocks(project.fail_on) and opened < can_open
        opened += is_open
        anchor = name_anchor(verdict.id) if verdict.id in linked else ""
        finding = render_finding(verdict, is_open=is_open, source=source, anchor=anchor)
        yield PageBlock(finding, is_finding=True)


def _additional_sections(project: ProjectReport) -> Iterator[str]:
    """Everything but the findings, folded: how to see more of them, what is allowed, counts and times."""
    replay = project.facts.replay
    yield from _explaining_sections(project)
    if old := old_verdicts(project.verdicts):
        yield fold_section(f"{len(old)} there before", render_list(list(list_old(project))))
    if project.fixed:
        yield fold_section(
            f"{len(project.fixed)} gone since the base", render_list(list(list_fixed(project)))
        )
    if allowed := allowed_verdicts(project.verdicts):
        lines = [_describe_allowed(verdict) for verdict in allowed]
        yield fold_section(f"{len(allowed)} allowed", render_list(lines))
    if title := name_lowered(project):
        yield fold_section(title, render_list(list(list_lowered(project))))
    if counts := render_counts(project):
        yield counts
    if text := _render_coverage(project):
        yield fold_section("What was looked at", text)
    if remarks := project_remarks(project):
        yield fold_section(count_noun(len(remarks), "remark"), render_list(remarks))
    if replay.stage_times:
        yield fold_section(f"Timings: {project.seconds:.1f} s", _render_times(project))


def _explaining_sections(project: ProjectReport) -> Iterator[str]:
    """What belongs to the findings: what could not be checked, the fix for all, pictures, and the output."""
    replay = project.facts.replay
    unchecked = (*replay.unchecked, *project.facts.tree.unchecked)
    if unchecked:
        lines = [f"{item.object}: {item.why}" for item in unchecked]
        yield fold_section("Could not be checked", render_list(lines))
    if revision := _render_drift_revision(project):
        yield revision
    if diagram := render_concerned_history(project):
        yield fold_section("The history", fence_mermaid(diagram))
    if diagram := table_diagram.render_tables(project):
        yield fold_section("The tables that this is about", fence_mermaid(diagram))
    if replay.failure and replay.output.strip():
        yield fold_section("The last of what the project printed", fence_code(replay.output[-TEXT_LIMIT:]))


def _render_coverage(project: ProjectReport) -> str:
    """What ran, where the top of the page does not say it, and what the checks looked at."""
    coverage = project.facts.replay.coverage
    lines = [describe_replay(project)] if project.blocking_verdicts else []
    if coverage.revisions or coverage.mapped_tables:
        lines += [describe_coverage(project), *describe_check_coverage(project)]
    return render_list(lines) if lines else ""


def _render_drift_revision(project: ProjectReport) -> str:
    """The one revision for all drift, folded; empty if one finding has its lines."""
    revision = shown_drift_revision(project)
    if revision is None:
        return ""
    description = escape_markdown(describe_drift_revision(revision))
    code = fence_code(format_revision_file(revision), "python")
    number = count_noun(revision.differences, "difference")
    return fold_section(f"One revision for all drift ({number})", f"{description}\n\n{code}")


def _describe_allowed(verdict: Verdict) -> str:
    allowance = verdict.allowed
    if allowance is None:
        return ""
    until = f", until {allowance.until}" if allowance.until else ""
    where = f" ({allowance.where}{until})" if allowance.where else until
    return f"{verdict.check}, {verdict.finding.object}: {allowance.reason}{where}"


def _render_times(project: ProjectReport) -> str:
    """A table of the stages, and one of the slowest revisions."""
    replay = project.facts.replay
    rows = ["| Stage | Seconds |", "| :-- | --: |"]
    rows += [f"| {escape_markdown(time.stage)} | {time.seconds:.2f} |" for time in replay.stage_times]
    slowest = sorted(replay.steps, key=lambda step: -step.seconds)[:MAX_SLOW_REVISIONS]
    if slowest and slowest[0].seconds >= SLOW_SECONDS:
        rows += ["", "The slowest revisions:", ""]
        rows += ["| Revision | Statements | Seconds |", "| :-- | --: | --: |"]
        for step in slowest:
            rows.append(f"| {escape_markdown(step.revision)} | {step.statement_count} | {step.seconds:.2f} |")
    return "\n".join(rows)
