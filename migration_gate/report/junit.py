"""The report as JUnit XML, for CI systems that show tests: a suite per project, a case per check."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from migration_gate.check import Check, check_name
from migration_gate.report.phrases import describe_counts, describe_location, project_remarks
from migration_gate.report.printable_text import escape_unprintable, shorten_text
from migration_gate.verdict.judge import JUDGE_CHECKS
from migration_gate.verdict.outcome import Problem, ProjectReport, Report, Verdict

LINE_LENGTH = 500
"""characters of a name or a message"""
TEXT_LENGTH = 4000
"""characters of one finding's evidence and fix"""
MAX_FINDINGS = 200
"""of one check that are written out"""
COUNTED_TAGS = {"failures": "failure", "errors": "error", "skipped": "skipped"}
"""attributes of a suite, and the tag inside a case that each counts"""


def render(report: Report, checks: Iterable[Check] = ()) -> str:
    """One document, well-formed whatever names hold: characters that XML does not allow are escaped.

    Each of `checks` is a case, whether or not it found something.
    """
    names = [check_name(check) for check in (*checks, *JUDGE_CHECKS)]
    suites = [_build_suite(project, names) for project in report.projects]
    root = Element("testsuites", name="Migration Gate", time=f"{report.seconds:.3f}")
    for attribute in ("tests", *COUNTED_TAGS):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in suites)))
    root.extend(suites)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _build_suite(project: ProjectReport, check_names: Sequence[str]) -> Element:
    title = _escape_line(project.name)
    suite = Element("testsuite", name=title, time=f"{project.seconds:.3f}")
    if project.problem:
        suite.append(_problem_case(project.problem, title))
    else:
        suite.extend(_check_cases(project, title, check_names))
        if remarks := project_remarks(project):
            SubElement(suite, "system-out").text = _escape_text("\n".join(remarks))
    _count_cases(suite)
    return suite


def _count_cases(suite: Element) -> None:
    """Set the attributes `tests`, `failures`, `errors` and `skipped`."""
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for attribute, tag in COUNTED_TAGS.items():
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))


def _problem_case(problem: Problem, title: str) -> Element:
    case = Element("testcase", classname=title, name="the project can be examined")
    message = _escape_line(problem.message)
    error = SubElement(case, "error", type=problem.kind or "problem", message=message)
    details = filter(None, (problem.where, problem.evidence, problem.advice))
    error.text = _escape_text("\n\n".join(details))
    return case


def _check_cases(project: ProjectReport, title: str, check_names: Sequence[str]) -> list[Element]:
    """A case for each of the checks, and for any other that has verdicts."""
    names = dict.fromkeys((*check_names, *(verdict.check for verdict in project.verdicts)))
    cases = []
    for name in names:
        verdicts = [verdict for verdict in project.verdicts if verdict.check == name]
        cases.append(_check_case(project, title, name, verdicts))
    return cases


def _check_case(project: ProjectReport, title: str, name: str, verdicts: Sequence[Verdict]) -> Element:
    """A case fails where a finding blocks; findings that do not block are its output."""
    case = Element("testcase", classname=title, name=name)
    blocking = [verdict for verdict in verdicts if verdict.blocks(project.fail_on)]
    others = [verdict for verdict in verdicts if not verdict.blocks(project.fail_on)]
    if blocking:
        _add_failure(case, blocking)
    if others:
        output = f"{describe_counts(others)}\n\n{_describe_verdicts(others)}"
        SubElement(case, "system-out").text = output
    return case


def _add_failure(case: Element, blocking: Sequence[Verdict]) -> None:
    worst = blocking[0]
    message = _escape_line(worst.finding.headline)
    if len(blocking) > 1:
        message += f" (and {len(blocking) - 1} more)"
    failure = SubElement(case, "failure", type=worst.severity.value, message=message)
    failure.text = _describe_verdicts(blocking)
    if location := worst.finding.location:
        case.set("file", _escape_line(location.file))
        case.set("line", str(location.line or 1))


def _describe_verdicts(verdicts: Sequence[Verdict]) -> str:
    texts = [_describe_verdict(verdict) for verdict in verdicts[:MAX_FINDINGS]]
    if len(verdicts) > MAX_FINDINGS:
        texts.append(f"and {len(verdicts) - MAX_FINDINGS} more")
    return "\n\n".join(texts)


def _describe_verdict(verdict: Verdict) -> str:
    """Severity, message, location, reason of an allowance, evidence and fix, each from a new line."""
    finding = verdict.finding
    lines = [f"{verdict.severity}: {finding.headline}", describe_location(verdict)]
    if verdict.allowed:
        lines.append(f"allowed: {verdict.allowed.reason}")
    lines += [f"{piece.label}: {piece.text}" for piece in finding.evidence]
    lines.append(finding.fix)
    return _escape_text("\n".join(filter(None, lines)).rstrip())


def _escape_line(text: str) -> str:
    return escape_unprintable(shorten_text(text, LINE_LENGTH))


def _escape_text(text: str) -> str:
    return escape_unprintable(shorten_text(text, TEXT_LENGTH), keep_lines=True)
