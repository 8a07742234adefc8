"""The report as Markdown, for the summary page of a run on GitHub."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.report import diagram
from migration_gate.report.markdown import (
    TEXT_LIMIT,
    escape_markdown,
    fence_code,
    render_counts,
    render_finding,
    render_fix,
    render_list,
)
from migration_gate.report.phrases import (
    allowed_verdicts,
    describe_counts,
    describe_replay,
    group_by_check,
    project_notes,
    verdict_line,
)
from migration_gate.report.printable_text import escape_unprintable
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict
from migration_gate.wording import count_noun

LIMIT = 1024 * 1024
"""bytes that GitHub takes of one step's summary; a longer one is not shown at all"""
SIGNS = {0: "✅", 1: "❌"}
OPEN = 3
"""blocking findings that are shown unfolded"""
SLOWEST = 5
"""revisions whose time is listed"""
NOTEWORTHY = 0.05
"""seconds; where every revision is faster, none is listed"""


def render(report: Report, *, limit: int = LIMIT, source: str = "") -> str:
    """The summary in at most `limit` bytes; findings that find no room are counted at its end.

    `source` is where the repository's files can be read (`https://github.com/o/r/blob/SHA`), for links.
    """
    head = f"## {SIGNS.get(report.status, '⚠️')} Migration Gate. {escape_markdown(verdict_line(report))}\n"
    pieces, left, size = [head], 0, len(head.encode())
    room = limit - 400
    for needed, piece in _pieces(report, source):
        length = len(piece.encode("utf-8", "backslashreplace")) + 1
        # A piece goes in whole or not at all: no fence, tag or character is ever cut.
        if size + length > room:
            left += int(needed)
        else:
            size += length
            pieces.append(piece)
    if left:
        pieces.append(
            f"> **Cut at {limit // 1024} KiB:** {count_noun(left, 'finding')} more did not fit in here. "
            "The JSON report has them all.\n"
        )
    return "\n".join(pieces)


def _pieces(report: Report, source: str) -> Iterator[tuple[bool, str]]:
    """The blocks of the page in their order; True for a finding."""
    opened = 0
    for project in report.projects:
        if len(report.projects) > 1 or (project.problem and project.name):
            yield False, f"### {escape_markdown(project.name)}\n"
        if project.problem:
            yield False, _problem(project)
            continue
        yield False, f"{escape_markdown(describe_replay(project))}\n"
        if project.verdicts:
            yield False, render_counts(project)
        if graph := diagram.render_history(project.facts.replay.history):
            yield False, _mermaid(graph)
        for check, verdicts in group_by_check(project.verdicts):
            yield False, f"#### {check}: {describe_counts(verdicts)}\n"
            for verdict in verdicts:
                wide = verdict.blocks(project.fail_on) and opened < OPEN
                opened += wide
                yield True, render_finding(verdict, opened=wide, source=source)
        yield from ((False, block) for block in _aside(project))


def fold_section(title: str, text: str) -> str:
    """A part of the page that is closed at first; the title is ours."""
    return f"<details><summary>{title}</summary>\n\n{text.rstrip()}\n\n</details>\n"


def _mermaid(text: str) -> str:
    return f"```mermaid\n{text}\n```\n"


def _aside(project: ProjectReport) -> Iterator[str]:
    """What is allowed, what was not checked, what was printed; tables, notes and times."""
    replay, tree = project.facts.replay, project.facts.tree
    if unchecked := (*replay.unchecked, *tree.unchecked):
        yield "#### Not checked\n"
        yield render_list(tuple(f"{item.object}: {item.why}" for item in unchecked))
    if accepted := allowed_verdicts(project.verdicts):
        yield fold_section(
            f"{len(accepted)} allowed", render_list(tuple(_accepted(verdict) for verdict in accepted))
        )
    if replay.failure and replay.output.strip():
        yield fold_section("The last of what the project printed", fence_code(replay.output[-TEXT_LIMIT:]))
    if tables := diagram.render_tables(project):
        yield fold_section("The tables that this is about", _mermaid(tables))
    if said := project_notes(project):
        yield fold_section(count_noun(len(said), "note"), render_list(said))
    if replay.stage_times:
        yield fold_section(f"Timings: {project.seconds:.1f} s", _times(project))


def _accepted(verdict: Verdict) -> str:
    entry = verdict.allowed
    if entry is None:
        return ""
    until = f", until {entry.until}" if entry.until else ""
    where = f" ({entry.where}{until})" if entry.where else until
    return f"{verdict.check}, {verdict.finding.object}: {entry.reason}{where}"


def _times(project: ProjectReport) -> str:
    replay = project.facts.replay
    rows = ["| Stage | Seconds |", "| :-- | --: |"]
    rows += [f"| {escape_markdown(time.stage)} | {time.seconds:.2f} |" for time in replay.stage_times]
    slow = sorted(replay.steps, key=lambda step: -step.seconds)[:SLOWEST]
    if slow and slow[0].seconds >= NOTEWORTHY:
        rows += ["", "The slowest revisions:", ""]
        rows += ["| Revision | Statements | Seconds |", "| :-- | --: | --: |"]
        rows += [f"| {escape_markdown(s.revision)} | {len(s.statements)} | {s.seconds:.2f} |" for s in slow]
    return "\n".join(rows)


def _problem(project: ProjectReport) -> str:
    problem = project.problem
    if problem is None:
        return ""
    lines = [*map(escape_markdown, problem.says.split("\n")), ""]
    if problem.where:
        lines += [f"<code>{escape_markdown(escape_unprintable(problem.where).replace('`', ''))}</code>", ""]
    if problem.evidence.strip():
        lines += [fence_code(problem.evidence), ""]
    return "\n".join((*lines, "\n\n".join(render_fix(problem.advice)))) + "\n"
