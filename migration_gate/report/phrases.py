"""Sentences about a run that the formats of a report share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from migration_gate.check import Severity
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict
from migration_gate.wording import count_noun

SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


def group_by_check(verdicts: Sequence[Verdict]) -> tuple[tuple[str, tuple[Verdict, ...]], ...]:
    """The verdicts by check, the check with the worst one first; allowed ones are left out."""
    first: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.allowed is None:
            first.setdefault(verdict.check, []).append(verdict)
    return tuple((name, tuple(same)) for name, same in first.items())


def allowed_verdicts(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts that the user accepts."""
    return tuple(verdict for verdict in verdicts if verdict.allowed is not None)


def describe_counts(verdicts: Sequence[Verdict]) -> str:
    """`2 errors, 1 warning, 3 allowed`; `no findings` where there is none."""
    counts = Counter(verdict.severity for verdict in verdicts if verdict.allowed is None)
    words = [count_noun(counts[severity], severity.value) for severity in SEVERITIES if counts[severity]]
    if accepted := len(allowed_verdicts(verdicts)):
        words.append(f"{accepted} allowed")
    return ", ".join(words) or "no findings"


def verdict_line(report: Report) -> str:
    """The whole run in one line."""
    verdicts = [verdict for project in report.projects for verdict in project.verdicts]
    failed = sum(1 for project in report.projects if project.problem)
    if failed:
        which = f"{failed} of {len(report.projects)} projects" if len(report.projects) > 1 else "the project"
        return f"Not checked: {which} could not be examined" + (
            f"; {describe_counts(verdicts)}" if verdicts else ""
        )
    if not report.projects:
        return "Not checked: there was no project"
    scope = "" if not any(project.static for project in report.projects) else ", as far as text can tell"
    return f"{'Blocked' if report.status else 'Passed'}: {describe_counts(verdicts)}{scope}"


def describe_replay(project: ProjectReport) -> str:
    """What was replayed, in one line: `14 revisions, 12 tables, 1.2 s, PostgreSQL 15.18`."""
    replay = project.facts.replay
    ran, known = len({step.revision for step in replay.steps}), len(replay.history.revisions)
    if project.static:
        files = count_noun(len(replay.history.files), "revision file")
        return f"{files} read as text, {project.seconds:.1f} s"
    words = [count_noun(known, "revision") if ran == known else f"{ran} of {count_noun(known, 'revision')}"]
    if replay.history.error and not known:
        words = ["the history could not be read"]
    elif replay.failure is None:
        words.append(count_noun(len(replay.catalog.tables), "table"))
    words.append(f"{project.seconds:.1f} s")
    # The server's own words may say more than its version: where it runs, for example.
    if version := re.search(r"\d+(?:\.\d+)?", replay.find_version("postgres")):
        words.append(f"PostgreSQL {version[0]}")
    return ", ".join(words)


def project_notes(project: ProjectReport) -> tuple[str, ...]:
    """What a reader should know beside the findings, each once."""
    return tuple(dict.fromkeys((*project.facts.replay.notes, *project.facts.tree.notes)))


def describe_location(verdict: Verdict) -> str:
    """`file:line, revision 3f2a9c`, as far as it is known."""
    finding = verdict.finding
    revision = f"revision {finding.revision}" if finding.revision else ""
    return ", ".join(filter(None, (str(finding.location) if finding.location else "", revision)))
