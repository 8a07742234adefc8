"""Which verdicts a report shows, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from migration_gate.lazy_dataclass import dataclass
from migration_gate.verdict.outcome import SEVERITY_RANK, Verdict


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """The verdicts of one check."""

    check: str
    verdicts: tuple[Verdict, ...]


def group_by_check(verdicts: Sequence[Verdict]) -> tuple[CheckGroup, ...]:
    """The standing verdicts by check, in the order in which the checks appear first."""
    by_check: dict[str, list[Verdict]] = {}
    for verdict in standing_verdicts(verdicts):
        by_check.setdefault(verdict.check, []).append(verdict)
    return tuple(CheckGroup(check, tuple(group)) for check, group in by_check.items())


def standing_verdicts(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts that count: the user did not allow them, and they were not there before the change."""
    return tuple(verdict for verdict in verdicts if verdict.allowed is None and not verdict.is_spared)


def old_verdicts(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts that do not count because they were there before the change."""
    return tuple(verdict for verdict in verdicts if verdict.allowed is None and verdict.is_spared)


def allowed_verdicts(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts that the user allowed."""
    return tuple(verdict for verdict in verdicts if verdict.allowed is not None)


def full_check_name(verdict: Verdict) -> str:
    """`check/kind`, as allowances name it; `check` alone if it has no kinds."""
    kind = verdict.finding.kind
    return f"{verdict.check}/{kind}" if kind else verdict.check


def worst_last(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts in the opposite order of a report: the first one of the most severe comes last."""
    last_first = verdicts[::-1]
    return tuple(sorted(last_first, key=lambda verdict: -SEVERITY_RANK[verdict.severity]))
