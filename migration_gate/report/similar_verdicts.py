"""Findings that say the same of many objects: shown as one line each, under one heading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from migration_gate.check import Severity
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.phrases import describe_location
from migration_gate.report.verdict_selection import group_by_check
from migration_gate.verdict.outcome import SEVERITY_RANK, Verdict
from migration_gate.wording import count_noun

SMALLEST_FOLD = 4
"""findings that are shown in full if there are fewer of one kind"""
SMALLEST_ERROR_FOLD = 6
"""the same for errors"""
FOLDED_ERRORS = frozenset(
    {"default", "nullability", "type", "comment", "index", "unique", "check", "foreign-key", "sequence"}
)
"""kinds of drift whose errors are folded; a table or column that one side lacks is a decision of its own"""
LINES = "# upgrade"
"""in a fix that has the lines of a revision"""
SIDES = re.compile(r": `[^`]*` in the migrations, `[^`]*` in the models")
"""what a difference goes from and to, which the line of each object has as well"""
JSON_REPORT = "the JSON report (--format json)"
VALUE = re.compile(r"(?<=this (?:default|comment)) \(`[^`]*`\)")
"""what one side alone has"""
LONGEST_EVIDENCE = 60
"""characters of a piece of evidence on the line of its finding"""


@dataclass(frozen=True, slots=True)
class SimilarVerdicts:
    """One finding, or several that differ in their object only."""

    verdicts: tuple[Verdict, ...]

    @property
    def is_folded(self) -> bool:
        """Whether there are several."""
        return len(self.verdicts) > 1

    @property
    def first(self) -> Verdict:
        """The only one, or the first."""
        return self.verdicts[0]

    @property
    def heading(self) -> str:
        """What is said of all of them, with their number in the place of the object."""
        return f"{count_noun(len(self.verdicts), 'object')}: {_statement(self.first)}"

    def lines(self) -> Iterator[str]:
        """The object of each, where it is, and its evidence."""
        for verdict in self.verdicts:
            location = describe_location(verdict)
            evidence = ", ".join(
                f"{piece.label}: {_shorten(piece.text)}" for piece in verdict.finding.evidence[:2]
            )
            words = (f"`{verdict.finding.object}`", f"({location})" if location else "", evidence)
            yield " ".join(word for word in words if word)

    @property
    def fix(self) -> str:
        """What to do with all of them; if that is not the same, in which report it stands."""
        fixes = [verdict.finding.fix for verdict in self.verdicts]
        if len(set(fixes)) == 1:
            return fixes[0]
        same = {_advice_on_each(verdict) for verdict in self.verdicts}
        if len(same) == 1:
            return same.pop()
        if self.first.check != "drift":
            return f"Each has its own lines: {JSON_REPORT}."
        with_lines = sum(LINES in fix for fix in fixes)
        if with_lines == len(fixes):
            return f"Each has its own lines: the one revision for all drift has them, and {JSON_REPORT}."
        if with_lines:
            rest = f"the rest of what to do is in {JSON_REPORT}"
            return f"{with_lines} have lines of their own in the one revision for all drift; {rest}."
        return f"What to do with each is in {JSON_REPORT}."


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_EVIDENCE else f"{line[: LONGEST_EVIDENCE - 3]}..."


def _statement(verdict: Verdict) -> str:
    """The message without the object, and without what differs from object to object."""
    message = verdict.finding.message.replace(f"`{verdict.finding.object}`", "", 1)
    return VALUE.sub("", SIDES.sub("", message)).strip(" :")


def _advice_on_each(verdict: Verdict) -> str:
    """The fix, of whatever object it is."""
    return verdict.finding.fix.replace(f"`{verdict.finding.object}`", "each")


def group_similar(verdicts: Sequence[Verdict]) -> tuple[SimilarVerdicts, ...]:
    """The verdicts of one check in their order, each fold at the place of its first."""
    groups: dict[tuple[str | None, Severity, str], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(_similarity_key(verdict), []).append(verdict)
    folds: list[SimilarVerdicts] = []
    for verdict in verdicts:
        group = groups[_similarity_key(verdict)]
        if len(group) < _smallest_fold(verdict):
            folds.append(SimilarVerdicts((verdict,)))
        elif group[0] is verdict:
            folds.append(SimilarVerdicts(tuple(group)))
    return tuple(folds)


def _smallest_fold(verdict: Verdict) -> float:
    """How many of its kind are folded; infinite if none ever are."""
    if verdict.severity is not Severity.ERROR:
        return SMALLEST_FOLD
    of_drift = verdict.check == "drift" and verdict.finding.kind in FOLDED_ERRORS
    is_folded = of_drift or verdict.check == "unchecked"
    return SMALLEST_ERROR_FOLD if is_folded else float("inf")


def group_all_similar(verdicts: Sequence[Verdict]) -> tuple[SimilarVerdicts, ...]:
    """The standing verdicts of all checks, the worst first."""
    folds = [fold for group in group_by_check(verdicts) for fold in group_similar(group.verdicts)]
    return tuple(sorted(folds, key=lambda fold: SEVERITY_RANK[fold.first.severity]))


def _similarity_key(verdict: Verdict) -> tuple[str | None, Severity, str]:
    return verdict.finding.kind, verdict.severity, _statement(verdict)
