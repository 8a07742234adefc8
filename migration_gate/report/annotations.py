"""What is shown on the lines of a pull request: the worst findings, within GitHub's limits."""

from __future__ import annotations

from migration_gate.check import Severity
from migration_gate.report.anchor import is_in_repository
from migration_gate.report.printable_text import escape_unprintable, shorten_text, split_blocks
from migration_gate.report.workflow_commands import Annotation
from migration_gate.verdict.outcome import SEVERITY_RANK, Report, Verdict
from migration_gate.wording import count_noun

LIMIT = 10
"""annotations of one level that GitHub shows of a step"""
LENGTH = 1000
"""characters of a message; GitHub cuts at 4 KiB"""


def select_annotations(report: Report, *, limit: int = LIMIT) -> tuple[Annotation, ...]:
    """At most `limit` annotations of each severity, worst first; where more were found, the last says so.

    An error that is about no file stands on the run. What lies outside of the repository is only counted.
    """
    problems = [project.problem for project in report.projects if project.problem]
    found = [_problem(problem.says, problem.advice) for problem in problems[:limit]]
    standing = [v for project in report.projects for v in project.verdicts if v.allowed is None]
    standing.sort(key=lambda verdict: SEVERITY_RANK[verdict.severity])
    for severity in Severity:
        same = [verdict for verdict in standing if verdict.severity is severity]
        placed = [one for verdict in same if (one := _annotation(verdict)) is not None]
        room = limit - len(found) if severity is Severity.ERROR else limit
        shown = placed if len(same) <= room else placed[: max(room - 1, 0)]
        found += shown
        if shown and len(shown) < len(same):
            left = count_noun(len(same) - len(shown), f"more {severity}")
            found.append(Annotation(severity, f"and {left}: see the summary of this run", "Migration Gate"))
    return tuple(found)


def _annotation(verdict: Verdict) -> Annotation | None:
    finding = verdict.finding
    place = finding.location
    if not is_in_repository(place.file) if place else verdict.severity is not Severity.ERROR:
        return None
    prose = [block for is_code, block in split_blocks(shorten_text(finding.fix, LENGTH)) if not is_code]
    # What ends in a colon leads to code, for which there is no room.
    advice = next((block for block in prose if not block.rstrip().endswith(":")), "")
    message = shorten_text(_plain(finding.message), LENGTH)
    if advice:
        message += f"\n{shorten_text(_plain(advice), LENGTH)}"
    title = f"Migration Gate: {verdict.check}"
    if place is None:
        return Annotation(verdict.severity, message, title)
    return Annotation(verdict.severity, message, title, escape_unprintable(place.file), place.line or 1)


def _problem(says: str, advice: str) -> Annotation:
    message = "\n".join(
        filter(None, (_plain(shorten_text(says, LENGTH)), _plain(shorten_text(advice, LENGTH))))
    )
    return Annotation(Severity.ERROR, message, "Migration Gate: not checked")


def _plain(text: str) -> str:
    """Annotations are plain text: backticks stay; what would act on a page or a terminal does not."""
    return "\n".join(escape_unprintable(line) for line in text.splitlines())
