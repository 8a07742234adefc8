"""The report as plain text for a terminal, readable without colour and at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from migration_gate.analysis.drift_revision import describe_drift_revision, format_revision_file
from migration_gate.check import Check, check_name
from migration_gate.report import closing_table
from migration_gate.report.base_phrases import count_old_by_check, describe_base, list_fixed
from migration_gate.report.change_table import list_change_rows
from migration_gate.report.change_table_text import list_change_lines
from migration_gate.report.finding_text import list_edits, list_evidence, list_fix, list_similar
from migration_gate.report.loosened_phrases import (
    list_lowered,
    list_new_allowances,
    name_lowered,
    name_new_allowances,
)
from migration_gate.report.phrases import (
    describe_counts,
    describe_coverage,
    describe_replay,
    project_remarks,
    shown_drift_revision,
    verdict_line,
)
from migration_gate.report.printable_text import escape_unprintable, shorten_text
from migration_gate.report.similar_verdicts import SimilarVerdicts, group_similar
from migration_gate.report.text_layout import (
    BOLD,
    GREEN,
    LABEL_LENGTH,
    LINE_LENGTH,
    RED,
    TEXT_LENGTH,
    Layout,
    indent_lines,
)
from migration_gate.report.verdict_selection import CheckGroup, allowed_verdicts, group_by_check
from migration_gate.verdict.installed_package import is_of_others
from migration_gate.verdict.judge import JUDGE_CHECKS
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict
from migration_gate.wording import count_noun

MIN_WIDTH = 40
MAX_DETAILED_FINDINGS = 20
"""findings of one check that are shown with evidence and fix; of the rest, only what and where"""
MAX_REVISION_LINES = 80
"""of the one revision for all drift"""
MAX_OUTPUT_LINES = 20
"""of what the project printed"""


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


def _project_lines(project: ProjectReport, layout: Layout, sentences: Mapping[str, str]) -> Iterator[str]:
    """Everything about one project, with an empty line after each part."""
    name = escape_unprintable(shorten_text(project.name, LABEL_LENGTH))
    if project.problem:
        yield from _problem_lines(project.problem, name, layout)
        return
    yield from layout.wrap(f"{name}: {describe_replay(project)}")
    if project.postgres:
        yield from layout.wrap(project.postgres, "  ")
    yield from layout.wrap(describe_base(project))
    yield ""
    yield from _listed_lines(name_new_allowances(project), list_new_allowances(project), layout)
    yield from list_change_lines(list_change_rows(project), layout.width)
    for group in group_by_check(project.verdicts):
        yield from _group_lines(group, sentences.get(group.check, ""), project, layout)
    yield from _drift_revision_lines(project, layout)
    yield from _allowed_lines(allowed_verdicts(project.verdicts), layout)
    yield from _listed_lines(name_lowered(project), list_lowered(project), layout)
    yield from _base_lines(project, layout)
    if project.facts.replay.failure:
        yield from _output_lines(project.facts.replay.output, layout)
    yield from _coverage_lines(project, layout)
    yield from _remark_lines(project_remarks(project), layout)


def _group_lines(group: CheckGroup, sentence: str, project: ProjectReport, layout: Layout) -> Iterator[str]:
    """One check and its findings; those that only the authors of a package can mend are short."""
    yield layout.paint(f"{group.check}: {describe_counts(group.verdicts)}", BOLD)
    yield from layout.wrap(sentence, "  ")
    yield ""
    own: list[Verdict] = []
    others: list[Verdict] = []
    for verdict in group.verdicts:
        is_of_package = is_of_others(verdict.check, verdict.finding, project.facts)
        (others if is_of_package and not verdict.blocks(project.fail_on) else own).append(verdict)
    folds = group_similar(own)
    yield from _detailed_lines(folds[:MAX_DETAILED_FINDINGS], layout)
    yield from _short_lines((*folds[MAX_DETAILED_FINDINGS:], *group_similar(others)), layout)


def _detailed_lines(folds: Sequence[SimilarVerdicts], layout: Layout) -> Iterator[str]:
    """Findings with their evidence and fix; the same fix is not repeated below the next finding."""
    previous_fix = ""
    for fold in folds:
        yield from list_similar(fold, layout)
        if not fold.is_folded:
            yield from list_evidence(fold.first.finding.evidence, layout)
        if fold.fix != previous_fix:
            yield from list_fix(fold.fix, layout)
        if not fold.is_folded:
            yield from list_edits(fold.first.edits, layout)
        previous_fix = fold.fix
        yield ""


def _short_lines(folds: Sequence[SimilarVerdicts], layout: Layout) -> Iterator[str]:
    """Findings of which only what and where is shown."""
    if not folds:
        return
    for fold in folds:
        yield from list_similar(fold, layout)
    yield ""
    these = "this one" if len(folds) == 1 else f"these {len(folds)}"
    yield from layout.wrap(f"Evidence and fix of {these} are in the other formats (--format json).", "  ")
    yield ""


def _drift_revision_lines(project: ProjectReport, layout: Layout) -> Iterator[str]:
    """The one revision for all drift, if there is more than one difference; long ones are in the JSON."""
    revision = shown_drift_revision(project)
    if revision is None:
        return
    text = format_revision_file(revision)
    yield layout.paint("One revision for all drift", BOLD)
    yield from layout.wrap(describe_drift_revision(revision), "  ")
    if text.count("\n") <= MAX_REVISION_LINES:
        yield ""
        yield from indent_lines(text.rstrip("\n"), "    ")
    else:
        yield from layout.wrap(
            f"Its {count_noun(text.count(chr(10)), 'line')} are in the JSON report (--format json), as "
            "`drift_revision.text` of the project.",
            "  ",
        )
    yield ""


def _allowed_lines(verdicts: tuple[Verdict, ...], layout: Layout) -> Iterator[str]:
    if not verdicts:
        return
    yield layout.paint("Allowed", BOLD)
    for verdict in verdicts:
        reason = verdict.allowed.reason if verdict.allowed else ""
        yield from layout.wrap(f"{verdict.check} {verdict.finding.object}: {reason}", "    ", "  ")
    yield ""


def _listed_lines(title: str, lines: Iterable[str], layout: Layout) -> Iterator[str]:
    """A part with a title and a line for each of its things; nothing without a title."""
    if not title:
        return
    yield layout.paint(title, BOLD)
    for line in lines:
        yield from layout.wrap(line, "    ", "  ")
    yield ""


def _base_lines(project: ProjectReport, layout: Layout) -> Iterator[str]:
    """How many findings of each check were there before, and which are gone."""
    if counts := count_old_by_check(project):
        yield layout.paint("There before", BOLD)
        yield from layout.wrap(f"{counts} (`--scope all` shows them)", "    ", "  ")
        yield ""
    if project.fixed:
        yield layout.paint("Gone since the base", BOLD)
        for line in list_fixed(project):
            yield from layout.wrap(line, "    ", "  ")
        yield ""


def _output_lines(output: str, layout: Layout) -> Iterator[str]:
    """The last lines that the project printed."""
    text = output.strip("\n")
    if not text:
        return
    yield layout.paint("The last of what the project printed", BOLD)
    for line in text.split("\n")[-MAX_OUTPUT_LINES:]:
        yield f"  {escape_unprintable(shorten_text(line, LINE_LENGTH))}".rstrip()
    yield ""


def _coverage_lines(project: ProjectReport, layout: Layout) -> Iterator[str]:
    """What was looked at; nothing if nothing ran."""
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
        lines = [shorten_text(line, LINE_LENGTH) for line in problem.evidence.strip("\n").split("\n")]
        yield from indent_lines(shorten_text("\n".join(lines), TEXT_LENGTH), "    ")
    yield from list_fix(problem.advice, layout, "  ")
    yield ""
