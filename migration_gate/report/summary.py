"""The report as Markdown, for the summary page of a run on GitHub.

Everything that is not ours stands in code or is spelt in character references, so that no name, message or
comment of a project becomes a heading, a link, a mention, HTML or a broken table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from migration_gate.check import Severity, counted
from migration_gate.judge import ProjectReport, Report, Verdict
from migration_gate.report import (
    allowed,
    groups,
    located,
    notes,
    paragraphs,
    printable,
    replayed,
    verdict_line,
)

LIMIT = 1024 * 1024
"""bytes that GitHub takes of one step's summary"""
TEXT_LIMIT = 20_000
"""characters of one piece of evidence, one fix or one output"""
MARKS = {0: "✅", 1: "❌"}
SPECIAL = re.compile(r"[\\`*_{}\[\]#|~@<>&$]|:(?=//)|(?<=www)\.|^[-+=]|^\d(?=\d*[.)])")
PYTHON = re.compile(r"\bop\.|\bsa\.|^(?:def|import|from|down_revision)\b", re.MULTILINE)


def render(report: Report, *, limit: int = LIMIT) -> str:
    """The summary in at most `limit` bytes; findings that find no room are counted at its end."""
    head = f"## {MARKS.get(report.status, '⚠️')} Migration Gate. {escaped(verdict_line(report))}\n"
    pieces, left, size = [head], 0, len(head.encode())
    room = limit - 400
    for needed, piece in _pieces(report):
        size += len(piece.encode()) + 1
        if size > room:
            left += int(needed)
            size -= len(piece.encode()) + 1
        else:
            pieces.append(piece)
    if left:
        pieces.append(
            f"> **Cut at {limit // 1024} KiB:** {counted(left, 'finding')} more did not fit in here. "
            "`--format json` has them all.\n"
        )
    return "\n".join(pieces)


def escaped(text: str) -> str:
    """`text` on one line, for any place in Markdown; what stands in backticks becomes code."""
    parts = printable(text).split("`")
    if len(parts) % 2 == 0:
        return _spelt("`".join(parts))
    return "".join(
        f"<code>{_spelt(part)}</code>" if at % 2 else _spelt(part) for at, part in enumerate(parts)
    )


def fenced(text: str, language: str = "") -> str:
    """`text` as a block of code, whatever backticks it holds."""
    text = printable(text, lines=True).strip("\n")
    if len(text) > TEXT_LIMIT:
        text = f"{text[:TEXT_LIMIT]}\n... {len(text) - TEXT_LIMIT} more characters"
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _spelt(text: str) -> str:
    """Every character that means something to Markdown or HTML, as a reference."""
    spelt = SPECIAL.sub(lambda found: f"&#{ord(found[0])};", text)
    # A mention is looked for in the finished page, where the reference is a plain sign again.
    return spelt.replace("&#64;", "&#64;&#8203;")


def _pieces(report: Report) -> Iterator[tuple[bool, str]]:
    """The blocks of the page in their order; True for a finding."""
    for project in report.projects:
        if len(report.projects) > 1 or project.problem:
            yield False, f"### {escaped(project.name)}\n"
        if project.problem:
            yield False, _problem(project)
            continue
        yield False, f"{escaped(replayed(project))}\n"
        if project.verdicts:
            yield False, _table(project)
        for check, verdicts in groups(project.verdicts):
            yield False, f"**{check}**\n"
            for verdict in verdicts:
                yield True, _finding(verdict)
        for verdict in allowed(project.verdicts):
            yield True, _accepted(verdict)
        yield from ((False, block) for block in _aside(project))


def _table(project: ProjectReport) -> str:
    rows = ["| Check | Errors | Warnings | Notes | Allowed |", "| :-- | --: | --: | --: | --: |"]
    names = dict.fromkeys(verdict.check for verdict in project.verdicts)
    for name in names:
        same = [verdict for verdict in project.verdicts if verdict.check == name]
        counts = Counter("allowed" if verdict.allowed else verdict.severity.value for verdict in same)
        columns = (*(severity.value for severity in Severity), "allowed")
        cells = " | ".join(str(counts[column] or "") for column in columns)
        rows.append(f"| {name} | {cells} |")
    return "\n".join(rows) + "\n"


def _finding(verdict: Verdict) -> str:
    finding = verdict.finding
    blocks = [f"<details><summary><b>{verdict.severity}</b> {escaped(finding.says)}</summary>"]
    if place := located(verdict):
        blocks.append(escaped(place))
    blocks.extend(_evidence(finding.evidence))
    for is_code, block in paragraphs(finding.fix):
        blocks.append(fenced(block, "python" if PYTHON.search(block) else "") if is_code else escaped(block))
    blocks.append(f"<sub>{verdict.check} {verdict.id}</sub>\n</details>\n")
    return "\n\n".join(blocks)


def _evidence(evidence: tuple[tuple[str, str], ...]) -> Iterator[str]:
    """Short pieces share one block, as a table of label and text; longer ones have their own."""
    short = [(label, text.strip()) for label, text in evidence if "\n" not in text.strip()]
    room = max((len(label) for label, _ in short), default=0)
    if short:
        yield fenced("\n".join(f"{printable(label).ljust(room)}  {printable(text)}" for label, text in short))
    for label, text in evidence:
        if "\n" in text.strip():
            yield f"{escaped(label)}\n\n{fenced(text)}"


def _accepted(verdict: Verdict) -> str:
    reason = verdict.allowed.reason if verdict.allowed else ""
    return f"- allowed: {verdict.check}, {escaped(f'{verdict.finding.at}: {reason}')}\n"


def _aside(project: ProjectReport) -> Iterator[str]:
    replay = project.facts.replay
    if replay.failure and replay.output.strip():
        text = fenced(replay.output[-TEXT_LIMIT:])
        yield f"<details><summary>The last of what the project printed</summary>\n\n{text}\n</details>\n"
    if said := notes(project):
        yield "\n".join(f"- {escaped(note)}" for note in said) + "\n"
    if replay.seconds:
        times = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in replay.seconds)
        yield f"<sub>{escaped(times)}</sub>\n"


def _problem(project: ProjectReport) -> str:
    problem = project.problem
    if problem is None:
        return ""
    lines = [escaped(problem.says), ""]
    if problem.where:
        lines += [escaped(problem.where), ""]
    if problem.evidence.strip():
        lines += [fenced(problem.evidence), ""]
    return "\n".join((*lines, escaped(problem.advice))) + "\n"
