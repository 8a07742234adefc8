"""Annotations on the lines of a pull request: the worst findings, within GitHub's limits."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

from migration_gate.check import Severity
from migration_gate.report.anchor import is_in_repository
from migration_gate.report.printable_text import CODE_INDENT, escape_unprintable, shorten_text, split_blocks
from migration_gate.report.verdict_selection import full_check_name, standing_verdicts
from migration_gate.report.workflow_commands import Annotation
from migration_gate.verdict.outcome import Problem, Report, Verdict
from migration_gate.wording import count_noun

LIMIT = 10
"""annotations of one severity that GitHub shows for a step"""
MESSAGE_LENGTH = 1000
"""characters of one sentence; GitHub cuts a message at 4 KiB"""


def select_annotations(report: Report, *, limit: int = LIMIT) -> tuple[Annotation, ...]:
    """At most `limit` annotations of each severity, worst first; the last one counts those left out.

    A problem, and an error without a file, are shown on the run itself. A finding about a file outside of
    the repository is only counted.
    """
    problems = [project.problem for project in report.projects if project.problem]
    annotations = [_annotate_problem(problem) for problem in problems[:limit]]
    # Problems are shown as errors, and take their room.
    room_by_severity = {
        Severity.ERROR: limit - len(annotations),
        Severity.WARNING: limit,
        Severity.NOTE: limit,
    }
    verdicts = [verdict for project in report.projects for verdict in standing_verdicts(project.verdicts)]
    for severity, room in room_by_severity.items():
        same_severity = [verdict for verdict in verdicts if verdict.severity is severity]
        annotations += _annotate_verdicts(same_severity, severity, room)
    return tuple(annotations)


def _annotate_verdicts(verdicts: Sequence[Verdict], severity: Severity, limit: int) -> list[Annotation]:
    """At most `limit` annotations for verdicts of one severity."""
    annotations = [
        annotation for verdict in verdicts if (annotation := _annotate_verdict(verdict)) is not None
    ]
    if len(verdicts) > limit:
        annotations = annotations[: max(limit - 1, 0)]
    if annotations and len(annotations) < len(verdicts):
        left_out = count_noun(len(verdicts) - len(annotations), f"more {severity}")
        message = f"and {left_out}: see the summary of this run"
        annotations.append(Annotation(severity, message, "Migration Gate"))
    return annotations


def _annotate_verdict(verdict: Verdict) -> Annotation | None:
    """None if GitHub could not show it: on a file outside of the repository, or without a file."""
    location = verdict.finding.location
    title = f"Migration Gate: {escape_unprintable(full_check_name(verdict))}"
    message = _join_sentences(verdict.finding.headline, *_first_advice(verdict.finding.fix))
    if location is None:
        is_error = verdict.severity is Severity.ERROR
        return Annotation(verdict.severity, message, title) if is_error else None
    if not is_in_repository(location.file):
        return None
    file = escape_unprintable(location.file)
    return Annotation(verdict.severity, message, title, file, location.line or 1)


def _annotate_problem(problem: Problem) -> Annotation:
    message = _join_sentences(problem.message, problem.advice)
    return Annotation(Severity.ERROR, message, "Migration Gate: not checked")


def _first_advice(fix: str) -> list[str]:
    """The first prose of a fix, and the code that follows it, indented; other ways have no room."""
    advice: list[str] = []
    for block in split_blocks(shorten_text(fix, MESSAGE_LENGTH)):
        if advice and not block.is_code:
            break
        advice.append(indent(block.text, CODE_INDENT) if block.is_code else block.text)
    return advice


def _join_sentences(*sentences: str) -> str:
    """Sentences on lines of their own. Annotations are plain text: Markdown in them needs no escapes."""
    shortened = [shorten_text(_escape_each_line(sentence), MESSAGE_LENGTH) for sentence in sentences]
    return "\n".join(filter(None, shortened))


def _escape_each_line(text: str) -> str:
    return "\n".join(escape_unprintable(line) for line in text.splitlines())
