"""The report for people: plain text, readable without colour and at 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from migration_gate.check import Check, Severity
from migration_gate.check import check_name as name_of
from migration_gate.report.phrases import (
    allowed_verdicts,
    describe_counts,
    describe_location,
    describe_replay,
    group_by_check,
    project_notes,
    verdict_line,
)
from migration_gate.report.printable_text import escape_unprintable, shorten_text, split_blocks
from migration_gate.verdict.judge import JUDGE_CHECKS
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict

COLOURS = {Severity.ERROR: "31;1", Severity.WARNING: "33", Severity.NOTE: "36"}
EVIDENCE_LINES = 12
"""of one piece of evidence; the rest is in the JSON report"""
EVIDENCE_LENGTH = 1500
"""characters"""
WHOLE = 20
"""findings of one check that are shown with evidence and fix; of the rest, what and where"""
LABEL_LENGTH = 200
"""characters of a name"""
PARAGRAPH = 4000
"""characters of one sentence, path or note"""
TEXT_LENGTH = 20_000
"""characters of one fix"""
OUTPUT_LINES = 20
"""of what the project printed"""
LABEL = 12
"""the widest label that still stands in a column"""


def render(report: Report, checks: Iterable[Check] = (), *, colour: bool = False, width: int = 80) -> str:
    """The report as text that ends with a line break; `checks` give each group its sentence."""
    about = {name_of(check): (check.__doc__ or "").partition("\n")[0] for check in (*checks, *JUDGE_CHECKS)}
    lines = [line for project in report.projects for line in _Page(about, colour, width).project(project)]
    page = _Page(about, colour, width)
    last = (page.paint(line, "31;1" if report.status else "32;1") for line in page.wrap(verdict_line(report)))
    return "\n".join((*lines, *last)) + "\n"


def wants_colour(environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Colour is for terminals that can, and for people who did not say NO_COLOR."""
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (terminal and environ.get("TERM") != "dumb")


class _Page:
    """How lines are laid out."""

    def __init__(self, about: Mapping[str, str], colour: bool, width: int) -> None:
        self.about = about
        self.colour = colour
        self.width = max(width, 40)

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text

    def wrap(self, text: str, indent: str = "", first: str | None = None) -> list[str]:
        """One paragraph; names and paths are never broken."""
        return textwrap.wrap(
            escape_unprintable(shorten_text(text, PARAGRAPH)),
            self.width,
            initial_indent=indent if first is None else first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def project(self, project: ProjectReport) -> Iterator[str]:
        """Everything about one project, an empty line behind each part."""
        name = escape_unprintable(shorten_text(project.name, LABEL_LENGTH))
        if project.problem:
            yield from self.problem(project)
            return
        yield from self.wrap(f"{name}: {describe_replay(project)}")
        if project.postgres:
            yield from self.wrap(project.postgres, "  ")
        yield ""
        for check, verdicts in group_by_check(project.verdicts):
            yield from self.group(check, verdicts)
        yield from self.aside(project)

    def group(self, check: str, verdicts: tuple[Verdict, ...]) -> Iterator[str]:
        """One check and what it found."""
        head = f"{check}: {describe_counts(verdicts)}"
        yield self.paint(head, "1")
        yield from self.wrap(self.about.get(check, ""), "  ")
        yield ""
        said = ""
        for verdict in verdicts[:WHOLE]:
            # The same advice a hundred times over is noise.
            yield from self.verdict(verdict, fix="" if verdict.finding.fix == said else verdict.finding.fix)
            said = verdict.finding.fix
            yield ""
        if rest := verdicts[WHOLE:]:
            for verdict in rest:
                yield from self.headline(verdict)
            yield ""
            says = f"The evidence and the fix of these {len(rest)} are in the other formats (--format json)."
            yield from self.wrap(says, "  ")
            yield ""

    def headline(self, verdict: Verdict) -> Iterator[str]:
        """What and where."""
        severity = verdict.severity
        lines = self.wrap(verdict.finding.message, "    ", f"  {severity}: ")
        lines[0] = lines[0].replace(severity, self.paint(severity, COLOURS[severity]), 1)
        yield from lines
        # Paths stay whole, for terminals that open them.
        yield from self.wrap(describe_location(verdict), "    ")

    def verdict(self, verdict: Verdict, fix: str) -> Iterator[str]:
        """One finding: what and where, its evidence, and the fix where it was not said just before."""
        finding = verdict.finding
        yield from self.headline(verdict)
        room = max((len(piece.label) for piece in finding.evidence if len(piece.label) <= LABEL), default=0)
        for piece in finding.evidence:
            yield from self.evidence(
                escape_unprintable(shorten_text(piece.label, LABEL_LENGTH)), piece.text, room
            )
        for is_code, block in split_blocks(shorten_text(fix, TEXT_LENGTH)):
            yield ""
            if is_code:
                yield from (
                    f"        {line}".rstrip() for line in escape_unprintable(block, lines=True).split("\n")
                )
            else:
                for paragraph in block.split("\n"):
                    yield from self.wrap(paragraph, "    ")

    def evidence(self, label: str, text: str, room: int) -> Iterator[str]:
        """A label with its text beside it, or below it where the text has lines of its own."""
        if len(text) > EVIDENCE_LENGTH:
            text = f"{text[:EVIDENCE_LENGTH]} ... {len(text) - EVIDENCE_LENGTH} more characters"
        lines = escape_unprintable(text.strip("\n"), lines=True).split("\n")
        if len(lines) == 1:
            first = f"    {label.ljust(room)}  "
            yield from self.wrap(text, " " * (room + 6), first) or [first.rstrip()]
            return
        yield f"    {label}"
        for line in textwrap.dedent("\n".join(lines[:EVIDENCE_LINES])).split("\n"):
            indent = " " * (6 + len(line) - len(line.lstrip()))
            yield from self.wrap(line.strip(), f"{indent}  ", indent) or [""]
        if len(lines) > EVIDENCE_LINES:
            yield f"      ... {len(lines) - EVIDENCE_LINES} more lines"

    def aside(self, project: ProjectReport) -> Iterator[str]:
        """What is allowed, what was printed, and notes."""
        if accepted := allowed_verdicts(project.verdicts):
            yield self.paint("Allowed", "1")
            for verdict in accepted:
                reason = verdict.allowed.reason if verdict.allowed else ""
                yield from self.wrap(f"{verdict.check} {verdict.finding.object}: {reason}", "    ", "  ")
            yield ""
        if project.facts.replay.failure and (output := project.facts.replay.output.strip("\n")):
            yield self.paint("The last of what the project printed", "1")
            last = output.split("\n")[-OUTPUT_LINES:]
            yield from (
                f"  {escape_unprintable(shorten_text(line, EVIDENCE_LENGTH))}".rstrip() for line in last
            )
            yield ""
        if said := project_notes(project):
            yield self.paint("Notes", "1")
            for note in said:
                yield from self.wrap(note, "    ", "  - ")
            yield ""

    def problem(self, project: ProjectReport) -> Iterator[str]:
        """Why a project could not be judged."""
        problem = project.problem
        if problem is None:
            return
        name = f"{escape_unprintable(shorten_text(project.name, LABEL_LENGTH))}: " if project.name else ""
        yield self.paint(f"{name}could not be checked", "31;1")
        yield from (
            line
            for part in shorten_text(problem.says, TEXT_LENGTH).split("\n")
            for line in self.wrap(part, "  ")
        )
        if problem.where:
            yield f"  {escape_unprintable(problem.where)}"
        if problem.evidence.strip():
            yield ""
            yield from (
                f"    {line}".rstrip()
                for line in escape_unprintable(
                    shorten_text(problem.evidence.strip("\n"), TEXT_LENGTH), lines=True
                ).split("\n")
            )
        if problem.advice:
            yield ""
            yield from (
                line
                for part in shorten_text(problem.advice, TEXT_LENGTH).split("\n")
                for line in self.wrap(part, "  ")
            )
        yield ""
