"""What a report says of the base: how many findings were there before, and which are gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from migration_gate.check import Severity
from migration_gate.facts import Base
from migration_gate.report.verdict_selection import full_check_name, old_verdicts, standing_verdicts
from migration_gate.verdict.outcome import ProjectReport, Verdict
from migration_gate.wording import count_noun, join_words

COMMIT_LENGTH = 12
MAX_LISTED = 200
"""old or fixed findings that are listed by name"""


def describe_base(project: ProjectReport) -> str:
    """Which findings count, on one line; '' if that needs no word."""
    base = project.facts.base
    if project.problem is not None:
        return ""
    if project.baseline:
        return _describe_novelties(project, f"in the baseline ({project.baseline})")
    if base is None or base.is_new_project:
        return ""
    if not base.commit:
        has_findings = any(verdict.severity is not Severity.NOTE for verdict in project.verdicts)
        return (
            f"Every finding counts: there is no base to compare with ({base.reason})." if has_findings else ""
        )
    if base.failure:
        return (
            f"What was there before is not known, so every finding counts: {_name_base(base)} could not be "
            f"examined. {base.failure}"
        )
    return _describe_novelties(project, "there before")


def list_old(project: ProjectReport) -> Iterator[str]:
    """The findings that do not block because they were there before, a line each."""
    yield from _list_verdicts(old_verdicts(project.verdicts))


def list_fixed(project: ProjectReport) -> Iterator[str]:
    """The findings of the base that are gone, a line each."""
    yield from _list_verdicts(project.fixed)


def count_old_by_check(project: ProjectReport) -> str:
    """`drift 400, nullable-owner 12`."""
    counts = Counter(verdict.check for verdict in old_verdicts(project.verdicts))
    return ", ".join(f"{check} {number}" for check, number in counts.items())


def _describe_failed_history(project: ProjectReport) -> Iterator[str]:
    """That findings count of which the base cannot tell whether it had them."""
    base = project.facts.base
    failure = base.facts.replay.failure if base is not None and base.facts is not None else None
    unknown = [verdict for verdict in project.verdicts if not verdict.novelty]
    if failure is not None and any(verdict.severity is not Severity.NOTE for verdict in unknown):
        where = f"`{failure.revision}` fails there" if failure.revision else "its history fails"
        yield (
            "What was there before is not all known, so each finding counts that the base did not show: "
            f"{where}."
        )


def _describe_novelties(project: ProjectReport, where: str) -> str:
    """`412 findings were there before; they do not block. 3 are new, 1 is worse. 2 are fixed.`"""
    sentences = list(_describe_failed_history(project))
    old = old_verdicts(project.verdicts)
    if any(verdict.severity is not Severity.NOTE for verdict in old):
        before = f"was {where}; it does" if len(old) == 1 else f"were {where}; they do"
        sentences.append(f"{count_noun(len(old), 'finding')} {before} not block.")
        sentences.append(_count_judged(project))
    if project.fixed:
        sentences.append(
            f"{count_noun(len(project.fixed), 'finding')} of the base {_be(project.fixed)} gone."
        )
    return " ".join(sentences)


def _count_judged(project: ProjectReport) -> str:
    """How many are new, and how many are worse."""
    counts = Counter(verdict.novelty for verdict in standing_verdicts(project.verdicts))
    words = [
        f"{counts[novelty]} {'is' if counts[novelty] == 1 else 'are'} {novelty}"
        for novelty in ("new", "worse")
        if counts[novelty]
    ]
    return f"{join_words(words, quote='')}." if words else "None is new."


def _be(verdicts: tuple[Verdict, ...]) -> str:
    return "is" if len(verdicts) == 1 else "are"


def _name_base(base: Base) -> str:
    return f"the base ({base.reason}, commit {base.commit[:COMMIT_LENGTH]})"


def _list_verdicts(verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    for verdict in verdicts[:MAX_LISTED]:
        yield f"{full_check_name(verdict)}: {verdict.finding.headline}"
    if len(verdicts) > MAX_LISTED:
        yield f"and {len(verdicts) - MAX_LISTED} more"
