"""The report as JUnit XML, for CI systems that show tests: a suite per project, a case per check."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from migration_gate.check import Check, check_name
from migration_gate.report.phrases import describe_counts, describe_location, project_notes
from migration_gate.report.printable_text import escape_unprintable, shorten_text
from migration_gate.verdict.judge import JUDGE_CHECKS
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict

LENGTH = 500
TEXT = 4000
"""characters of one finding's evidence and fix"""
FINDINGS = 200
"""of one check that are written out"""


def render(report: Report, checks: Iterable[Check] = ()) -> str:
    """One document, well-formed whatever names hold: what XML has no room for is spelt out."""
    names = [check_name(check) for check in (*checks, *JUDGE_CHECKS)]
    suites = [_suite(project, names) for project in report.projects]
    root = Element("testsuites", name="Migration Gate", time=f"{report.seconds:.3f}")
    for kind in ("tests", "failures", "errors", "skipped"):
        root.set(kind, str(sum(int(suite.get(kind, "0")) for suite in suites)))
    root.extend(suites)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(project: ProjectReport, names: list[str]) -> Element:
    title = escape_unprintable(shorten_text(project.name, LENGTH))
    suite = Element("testsuite", name=title, time=f"{project.seconds:.3f}")
    if problem := project.problem:
        case = SubElement(suite, "testcase", classname=title, name="the project can be examined")
        error = SubElement(case, "error", type=problem.kind or "problem", message=_line(problem.says))
        error.text = _lines("\n\n".join(filter(None, (problem.where, problem.evidence, problem.advice))))
    else:
        found = dict.fromkeys((*names, *(verdict.check for verdict in project.verdicts)))
        for check in found:
            same = [verdict for verdict in project.verdicts if verdict.check == check]
            suite.append(_case(project, title, check, same))
        if said := project_notes(project):
            SubElement(suite, "system-out").text = _lines("\n".join(said))
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(kind, str(sum(case.find(tag) is not None for case in cases)))
    return suite


def _case(project: ProjectReport, title: str, check: str, verdicts: list[Verdict]) -> Element:
    """A case fails where a finding blocks; what does not block is its output."""
    case = Element("testcase", classname=title, name=check)
    blocking = [verdict for verdict in verdicts if verdict.blocks(project.fail_on)]
    others = [verdict for verdict in verdicts if not verdict.blocks(project.fail_on)]
    if blocking:
        first, kind = blocking[0], blocking[0].severity.value
        more = f" (and {len(blocking) - 1} more)" if len(blocking) > 1 else ""
        failure = SubElement(case, "failure", type=kind, message=_line(first.finding.message) + more)
        failure.text = _told(blocking)
        if place := first.finding.location:
            case.set("file", escape_unprintable(shorten_text(place.file, LENGTH)))
            case.set("line", str(place.line or 1))
    if others:
        SubElement(case, "system-out").text = f"{describe_counts(others)}\n\n{_told(others)}"
    return case


def _told(verdicts: list[Verdict]) -> str:
    parts = [_one(verdict) for verdict in verdicts[:FINDINGS]]
    if len(verdicts) > FINDINGS:
        parts.append(f"and {len(verdicts) - FINDINGS} more")
    return "\n\n".join(parts)


def _one(verdict: Verdict) -> str:
    finding = verdict.finding
    reason = f"allowed: {verdict.allowed.reason}" if verdict.allowed else ""
    evidence = (f"{piece.label}: {piece.text}" for piece in finding.evidence)
    parts = (
        f"{verdict.severity}: {finding.message}",
        describe_location(verdict),
        reason,
        *evidence,
        finding.fix,
    )
    return _lines("\n".join(filter(None, parts)).rstrip())


def _line(text: str) -> str:
    return escape_unprintable(shorten_text(text, LENGTH))


def _lines(text: str) -> str:
    return escape_unprintable(shorten_text(text, TEXT), lines=True)
