"""The report as plain text for a terminal, readable without colour and at 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from migration_gate.analysis.drift_revision import describe_drift_revision, format_revision_file
from migration_gate.check import Check, Evidence, Severity, check_name
from migration_gate.report import closing_table
from migration_gate.report.phrases import (
    CheckGroup,
    allowed_verdicts,
    describe_counts,
    describe_coverage,
    describe_location,
    describe_replay,
    group_by_check,
    project_remarks,
    verdict_line,
)
from migration_gate.report.printable_text import escape_unprintable, shorten_text, split_blocks
from migration_gate.report.similar_verdicts import VerdictFold, fold_verdicts
from migration_gate.verdict.installed_package import find_package
from migration_gate.verdict.judge import JUDGE_CHECKS
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict
from migration_gate.wording import count_noun

BOLD, RED, YELLOW, CYAN, GREEN = "1", "31;1", "33", "36", "32;1"
"""codes of a terminal"""
SEVERITY_COLOURS = {Severity.ERROR: RED, Severity.WARNING: YELLOW, Severity.NOTE: CYAN}
MIN_WIDTH = 40
MAX_DETAILED_FINDINGS = 20
"""findings of one check that are shown with evidence and fix; of the rest, only what and where"""
MIN_DRIFT_DIFFERENCES = 2
"""for one difference, its own lines are the revision"""
MAX_REVISION_LINES = 80
"""of the one revision for all drift"""
MAX_EVIDENCE_LINES = 12
"""of one piece of evidence; the rest is in the JSON report"""
MAX_OUTPUT_LINES = 20
"""of what the project printed"""
LABEL_COLUMN = 12
"""characters of the longest label that has its text in the same column as others"""
LABEL_LENGTH = 200
"""characters of a name or a label"""
EVIDENCE_LENGTH = 1500
"""characters of one piece of evidence, or of a printed line"""
PARAGRAPH_LENGTH = 4000
"""characters of one sentence, path or remark"""
TEXT_LENGTH = 20_000
"""characters of one fix"""


def render(report: Report, checks: Iterable[Check] = (), *, colour: bool = False, width: int = 80) -> str:
    """The report as text that ends with a line break; `checks` give each group its sentence."""
    layout = Layout(colour, max(width, MIN_WIDTH))
    sentences = {
        check_name(check): (check.__doc__ or "").partition("\n")[0] for check in (*checks, *JUDGE_CHECKS)
    }
    lines = [line for project in report.projects for line in _project_lines(project, layout, sentences)]
    lines += closing_table.list_blocking(report, layout.width)
    result_colour = RED if report.status else GREEN
    lines += [layout.paint(line, result_colour) for line in layout.wrap(verdict_line(report))]
    return "\n".join(lines) + "\n"


def wants_colour(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether to use colour: NO_COLOR and FORCE_COLOR decide, else whether a terminal can show it."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_terminal and environ.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines are written."""

    colour: bool
    width: int
    """columns"""

    def paint(self, text: str, code: str) -> str:
        """`text` in a colour of the terminal, if colour is on."""
        if not self.colour or not text:
            return text
        return f"\x1b[{code}m{text}\x1b[0m"

    def wrap(self, text: str, indent: str = "", first_indent: str | None = None) -> list[str]:
        """The lines of one paragraph. Names and paths stay whole, so that a terminal can open them."""
        return textwrap.wrap(
            escape_unprintable(shorten_text(text, PARAGRAPH_LENGTH)),
            self.width,
            initial_indent=indent if first_indent is None else first_indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def wrap_lines(self, text: str, indent: str) -> Iterator[str]:
        """Each line of `text` as a paragraph."""
        for line in text.split("\n"):
            yield from self.wrap(line, indent)


def _project_lines(project: ProjectReport, layout: Layout, sentences: Mapping[str, str]) -> Iterator[str]:
    """Everything about one project, with an empty line after each part."""
    name = escape_unprintable(shorten_text(project.name, LABEL_LENGTH))
    if project.problem:
        yield from _problem_lines(project.problem, name, layout)
        return
    yield from layout.wrap(f"{name}: {describe_replay(project)}")
    if project.postgres:
        yield from layout.wrap(project.postgres, "  ")
    yield ""
    for group in group_by_check(project.verdicts):
        yield from _group_lines(group, sentences.get(group.check, ""), layout)
    yield from _drift_revision_lines(project, layout)
    yield from _allowed_lines(allowed_verdicts(project.verdicts), layout)
    if project.facts.replay.failure:
        yield from _output_lines(project.facts.replay.output, layout)
    yield from _coverage_lines(project, layout)
    yield from _remark_lines(project_remarks(project), layout)


def _group_lines(group: CheckGroup, sentence: str, layout: Layout) -> Iterator[str]:
    """One check and its findings."""
    yield layout.paint(f"{group.check}: {describe_counts(group.verdicts)}", BOLD)
    yield from layout.wrap(sentence, "  ")
    yield ""
    previous_fix = ""
    installed = [verdict for verdict in group.verdicts if find_package(verdict.finding.location) is not None]
    own = [verdict for verdict in group.verdicts if verdict not in installed]
    # Nobody here edits an installed package: where something of the project's own is found, that is enough.
    folds = fold_verdicts(own or installed)
    for fold in folds[:MAX_DETAILED_FINDINGS]:
        fix = fold.fix if fold.is_folded else fold.first.finding.fix
        if fold.is_folded:
            yield from _folded_lines(fold, layout)
        else:
            yield from _headline(fold.first, layout)
            yield from _evidence_lines(fold.first.finding.evidence, layout)
        if fix != previous_fix:
            yield from _fix_lines(fix, layout)
        previous_fix = fix
        yield ""
    others = [*folds[MAX_DETAILED_FINDINGS:], *(fold_verdicts(installed) if own else ())]
    if others:
        for fold in others:
            yield from _folded_lines(fold, layout) if fold.is_folded else _headline(fold.first, layout)
        yield ""
        yield from layout.wrap(
            f"The evidence and the fix of these {len(others)} are in the other formats (--format json).", "  "
        )
        yield ""


def _folded_lines(fold: VerdictFold, layout: Layout) -> Iterator[str]:
    """What is said of several objects, and a line for each."""
    severity = fold.first.severity
    first, *others = layout.wrap(fold.heading, "    ", f"  {severity}: ")
    yield first.replace(severity, layout.paint(severity, SEVERITY_COLOURS[severity]), 1)
    yield from others
    for line in fold.lines():
        yield from layout.wrap(line, "        ", "      ")


def _drift_revision_lines(project: ProjectReport, layout: Layout) -> Iterator[str]:
    """The one revision for all drift, where there is more than one difference; long ones are in the JSON."""
    revision = project.facts.replay.drift_revision
    if revision is None or revision.differences < MIN_DRIFT_DIFFERENCES or not _has_drift(project):
        return
    text = format_revision_file(revision)
    yield layout.paint("One revision for all drift", BOLD)
    yield from layout.wrap(describe_drift_revision(revision), "  ")
    if text.count("\n") <= MAX_REVISION_LINES:
        yield ""
        yield from _indent_text(text.rstrip("\n"), "    ")
    else:
        yield from layout.wrap(
            f"Its {count_noun(text.count(chr(10)), 'line')} are in the JSON report (--format json), as "
            "`drift_revision.text` of the project.",
            "  ",
        )
    yield ""


def _has_drift(project: ProjectReport) -> bool:
    return any(verdict.check == "drift" for verdict in project.verdicts)


def _headline(verdict: Verdict, layout: Layout) -> Iterator[str]:
    """What and where."""
    severity = verdict.severity
    first, *others = layout.wrap(verdict.finding.message, "    ", f"  {severity}: ")
    yield first.replace(severity, layout.paint(severity, SEVERITY_COLOURS[severity]), 1)
    yield from others
    yield from layout.wrap(describe_location(verdict), "    ")


def _evidence_lines(evidence: tuple[Evidence, ...], layout: Layout) -> Iterator[str]:
    """Each label with its text beside it, or below it where the text has several lines."""
    lengths = [len(piece.label) for piece in evidence if len(piece.label) <= LABEL_COLUMN]
    column = max(lengths, default=0)
    for piece in evidence:
        label = escape_unprintable(shorten_text(piece.label, LABEL_LENGTH))
        text = shorten_text(piece.text, EVIDENCE_LENGTH)
        lines = escape_unprintable(text.strip("\n"), keep_lines=True).split("\n")
        if len(lines) == 1:
            start = f"    {label.ljust(column)}  "
            yield from layout.wrap(text, " " * (column + 6), start) or [start.rstrip()]
        else:
            yield f"    {label}"
            yield from _indented_evidence(lines, layout)


def _indented_evidence(lines: list[str], layout: Layout) -> Iterator[str]:
    """Lines that keep their indentation relative to each other."""
    shown = textwrap.dedent("\n".join(lines[:MAX_EVIDENCE_LINES])).split("\n")
    for line in shown:
        indent = " " * (6 + len(line) - len(line.lstrip()))
        yield from layout.wrap(line.strip(), f"{indent}  ", indent) or [""]
    if len(lines) > MAX_EVIDENCE_LINES:
        yield f"      ... {len(lines) - MAX_EVIDENCE_LINES} more lines"


def _fix_lines(fix: str, layout: Layout) -> Iterator[str]:
    """Prose is wrapped; code stays as it is, to be copied."""
    for block in split_blocks(shorten_text(fix, TEXT_LENGTH)):
        yield ""
        if block.is_code:
            yield from _indent_text(block.text, "        ")
        else:
            yield from layout.wrap_lines(block.text, "    ")


def _allowed_lines(verdicts: tuple[Verdict, ...], layout: Layout) -> Iterator[str]:
    if not verdicts:
        return
    yield layout.paint("Allowed", BOLD)
    for verdict in verdicts:
        reason = verdict.allowed.reason if verdict.allowed else ""
        yield from layout.wrap(f"{verdict.check} {verdict.finding.object}: {reason}", "    ", "  ")
    yield ""


def _output_lines(output: str, layout: Layout) -> Iterator[str]:
    """The last lines that the project printed."""
    text = output.strip("\n")
    if not text:
        return
    yield layout.paint("The last of what the project printed", BOLD)
    for line in text.split("\n")[-MAX_OUTPUT_LINES:]:
        yield f"  {escape_unprintable(shorten_text(line, EVIDENCE_LENGTH))}".rstrip()
    yield ""


def _coverage_lines(project: ProjectReport, layout: Layout) -> Iterator[str]:
    """What was looked at; nothing where nothing ran."""
    coverage = project.facts.replay.coverage
    if coverage.revisions or coverage.mapped_tables:
        yield from layout.wrap(describe_coverage(project), "  ", "")
        yield ""


def _remark_lines(remarks: tuple[str, ...], layout: Layout) -> Iterator[str]:
    if not remarks:
        return
    yield layout.paint("Remarks", BOLD)
    for remark in remarks:
        yield from layout.wrap(remark, "    ", "  - ")
    yield ""


def _problem_lines(problem: Problem, name: str, layout: Layout) -> Iterator[str]:
    """Why a project could not be examined."""
    start = f"{name}: " if name else ""
    yield layout.paint(f"{start}could not be checked", RED)
    yield from layout.wrap_lines(shorten_text(problem.message, TEXT_LENGTH), "  ")
    if problem.where:
        yield f"  {escape_unprintable(problem.where)}"
    if problem.evidence.strip():
        yield ""
        yield from _indent_text(shorten_text(problem.evidence.strip("\n"), TEXT_LENGTH), "    ")
    if problem.advice:
        yield ""
        yield from layout.wrap_lines(shorten_text(problem.advice, TEXT_LENGTH), "  ")
    yield ""


def _indent_text(text: str, indent: str) -> Iterator[str]:
    for line in escape_unprintable(text, keep_lines=True).split("\n"):
        yield f"{indent}{line}".rstrip()
