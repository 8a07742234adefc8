"""Findings about the repository, which each of its projects would repeat: a workflow, a shared setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from migration_gate.analysis.loosened_gate_parts import CHECK as LOOSENED_GATE
from migration_gate.verdict.outcome import ProjectReport, Verdict


def drop_repeated(reports: Sequence[ProjectReport]) -> list[ProjectReport]:
    """The reports, in which only the first project says what is true of all: that the gate was loosened.

    A project whose settings judge it otherwise says it again.
    """
    said: set[object] = set()
    remaining = []
    for report in reports:
        own = {key for verdict in report.verdicts if (key := _make_key(verdict)) is not None}
        verdicts = tuple(verdict for verdict in report.verdicts if _make_key(verdict) not in said)
        remaining.append(replace(report, verdicts=verdicts))
        said |= own
    return remaining


def _make_key(verdict: Verdict) -> object | None:
    """What makes two verdicts the same for a reader; None for one that each project says."""
    if verdict.check != LOOSENED_GATE:
        return None
    return verdict.finding, verdict.severity, verdict.allowed is None, verdict.is_spared
