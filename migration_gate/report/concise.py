"""The report with one line for each finding, as linters print them, and one with the verdict.

A line is `file:line: check/kind: message`, which editors and terminals turn into a link; what is no error
says so at its end. The worst stands last, next to the verdict.
"""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.check import Severity
from migration_gate.report.anchor import anchor_location
from migration_gate.report.phrases import verdict_line
from migration_gate.report.printable_text import escape_unprintable, shorten_text
from migration_gate.report.verdict_selection import full_check_name, standing_verdicts, worst_last
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict

LINE_LENGTH = 1000
"""characters of one finding's message"""
NOT_CHECKED = "not-checked"
"""stands in the place of a check where a project could not be examined"""


def render(report: Report) -> str:
    """A line for each finding that is not allowed, those that block last; then the verdict."""
    lines = [line for project in report.projects for line in _project_lines(project)]
    return "\n".join((*lines, verdict_line(report))) + "\n"


def _project_lines(project: ProjectReport) -> Iterator[str]:
    if project.problem:
        yield _problem_line(project.name, project.problem)
        return
    for verdict in worst_last(standing_verdicts(project.verdicts)):
        yield _verdict_line(verdict, project)


def _verdict_line(verdict: Verdict, project: ProjectReport) -> str:
    location = anchor_location(verdict, project)
    severity = "" if verdict.severity is Severity.ERROR else f" [{verdict.severity}]"
    message = shorten_text(verdict.finding.headline, LINE_LENGTH)
    return _escape_line(f"{location}: {full_check_name(verdict)}: {message}{severity}")


def _problem_line(name: str, problem: Problem) -> str:
    """If the problem names no file or setting, the project's name stands there."""
    where = problem.where or name or "."
    advice = f" {problem.advice}" if problem.advice else ""
    return _escape_line(f"{where}: {NOT_CHECKED}: {shorten_text(problem.message + advice, LINE_LENGTH)}")


def _escape_line(text: str) -> str:
    """One line that cannot act, not even on a runner that reads it as a command."""
    line = escape_unprintable(text)
    return f" {line}" if line.startswith("::") else line
