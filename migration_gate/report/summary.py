"""The report as Markdown, for the summary page of a run on GitHub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migration_gate.analysis.drift_revision import describe_drift_revision, format_revision_file
from migration_gate.report import history_diagram, table_diagram
from migration_gate.report.finding_markdown import render_counts, render_finding, render_fix, render_fold
from migration_gate.report.markdown import (
    TEXT_LIMIT,
    escape_markdown,
    fence_code,
    fence_mermaid,
    fold_section,
    render_list,
)
from migration_gate.report.phrases import (
    allowed_verdicts,
    describe_check_coverage,
    describe_counts,
    describe_coverage,
    describe_replay,
    group_by_check,
    project_notes,
    verdict_line,
)
from migration_gate.report.printable_text import escape_unprintable
from migration_gate.report.similar_verdicts import fold_verdicts
from migration_gate.report.text_report import MIN_DRIFT_DIFFERENCES
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict
from migration_gate.wording import count_noun

LIMIT = 1024 * 1024
"""bytes that GitHub accepts for the summary of one step; it shows nothing of a longer one"""
RESERVED_BYTES = 400
"""for the last line, which says what did not fit"""
SIGNS = {0: "✅", 1: "❌"}
"""by exit status"""
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
    sign = SIGNS.get(report.status, "⚠️")
    title = f"## {sign} Migration Gate. {escape_markdown(verdict_line(report))}\n"
    blocks = (PageBlock(title), *_page_blocks(report, source))
    return _join_within_limit(blocks, limit)


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
        if len(report.projects) > 1 or (project.problem and project.name):
            yield PageBlock(f"### {escape_markdown(project.name)}\n")
        if project.problem:
            yield PageBlock(_render_problem(project.problem))
            continue
        yield from _overview_blocks(project)
        yield from _finding_blocks(project, source, can_open)
        can_open = max(0, can_open - len(project.blocking_verdicts))
        yield from (PageBlock(text) for text in _additional_sections(project))


def _overview_blocks(project: ProjectReport) -> Iterator[PageBlock]:
    yield PageBlock(f"{escape_markdown(describe_replay(project))}\n")
    if project.verdicts:
        yield PageBlock(render_counts(project))
    if diagram := history_diagram.render_history(project.facts.replay.history):
        yield PageBlock(fence_mermaid(diagram))


def _finding_blocks(project: ProjectReport, source: str, can_open: int) -> Iterator[PageBlock]:
    """A heading for each check, and its findings; the first `can_open` that block are unfolded."""
    opened = 0
    for group in group_by_check(project.verdicts):
        yield PageBlock(f"#### {group.check}: {describe_counts(group.verdicts)}\n")
        for fold in fold_verdicts(group.verdicts):
            if fold.is_folded:
                yield PageBlock(render_fold(fold), is_finding=True)
                continue
            verdict = fold.first
            is_open = verdict.blocks(project.fail_on) and opened < can_open
            opened += is_open
            yield PageBlock(render_finding(verdict, is_open=is_open, source=source), is_finding=True)


def _additional_sections(project: ProjectReport) -> Iterator[str]:
    """What was not checked, what is allowed, what was printed; tables, notes and times."""
    replay = project.facts.replay
    unchecked = (*replay.unchecked, *project.facts.tree.unchecked)
    if unchecked:
        yield "#### Not checked\n"
        yield render_list([f"{item.object}: {item.why}" for item in unchecked])
    if revision := _render_drift_revision(project):
        yield revision
    if allowed := allowed_verdicts(project.verdicts):
        lines = [_describe_allowed(verdict) for verdict in allowed]
        yield fold_section(f"{len(allowed)} allowed", render_list(lines))
    if replay.failure and replay.output.strip():
        yield fold_section("The last of what the project printed", fence_code(replay.output[-TEXT_LIMIT:]))
    if diagram := table_diagram.render_tables(project):
        yield fold_section("The tables that this is about", fence_mermaid(diagram))
    if replay.coverage.revisions or replay.coverage.mapped_tables:
        lines = [describe_coverage(project), *describe_check_coverage(project)]
        yield fold_section("What was looked at", render_list(lines))
    if notes := project_notes(project):
        yield fold_section(count_noun(len(notes), "note"), render_list(notes))
    if replay.stage_times:
        yield fold_section(f"Timings: {project.seconds:.1f} s", _render_times(project))


def _render_drift_revision(project: ProjectReport) -> str:
    """The one revision for all drift, folded; empty where one finding has its lines."""
    revision = project.facts.replay.drift_revision
    has_drift = any(verdict.check == "drift" for verdict in project.verdicts)
    if revision is None or revision.differences < MIN_DRIFT_DIFFERENCES or not has_drift:
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


def _render_problem(problem: Problem) -> str:
    lines = [*map(escape_markdown, problem.message.split("\n")), ""]
    if problem.where:
        location = escape_markdown(escape_unprintable(problem.where).replace("`", ""))
        lines += [f"<code>{location}</code>", ""]
    if problem.evidence.strip():
        lines += [fence_code(problem.evidence), ""]
    lines.append("\n\n".join(render_fix(problem.advice)))
    return "\n".join(lines) + "\n"
