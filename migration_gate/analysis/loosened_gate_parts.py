"""Everything that lets more pass than at the base of the change: settings, allowances, filters, workflows."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.analysis.loosened_filters import find_loosened_filters
from migration_gate.analysis.loosened_settings import (
    Loosening,
    describe_allowance,
    find_file_loosening,
    find_longer_baseline,
    find_loosened_settings,
    find_new_allowances,
)
from migration_gate.analysis.loosened_workflows import find_loosened_runs
from migration_gate.facts import AllowanceText, Facts, GateFiles

CHECK = "loosened-gate"
"""the check that reports them"""
KINDS = (
    "allowance",
    "base",
    "baseline",
    "check-level",
    "configuration",
    "extends",
    "fail-on",
    "filter",
    "network",
    "observe",
    "owners",
    "pin",
    "policy",
    "postgres",
    "prepare",
    "project",
    "raw-sql",
    "rehearsal",
    "rollback",
    "scope",
    "snapshots",
    "start-from",
    "table-sizes",
    "target",
    "unknown",
    "watch",
    "workflow",
)
"""the kinds of loosening"""


def find_loosened_parts(facts: Facts) -> Iterator[Loosening]:
    """One for each thing, in the order of a reviewer's interest."""
    base = facts.base
    if base is None:
        return
    if base.gate_files is not None and facts.gate_files is not None:
        yield from _compare_files(base.gate_files, facts.gate_files)
    for comment in facts.new_comments:
        yield describe_allowance(comment)
    if base.facts is not None:
        yield from find_loosened_filters(base.facts.replay, facts.replay)


def list_added_allowances(facts: Facts) -> tuple[AllowanceText, ...]:
    """The allowances that the change adds: entries of the configuration, then comments."""
    base = facts.base
    if base is None:
        return ()
    entries: tuple[AllowanceText, ...] = ()
    if base.gate_files is not None and facts.gate_files is not None and not base.gate_files.failure:
        entries = tuple(find_new_allowances(base.gate_files, facts.gate_files))
    return (*entries, *facts.new_comments)


def _compare_files(base: GateFiles, change: GateFiles) -> Iterator[Loosening]:
    if base.failure:
        message = (
            f"what the change loosened is not known: the base's configuration was not read. {base.failure}"
        )
        yield Loosening("unknown", "configuration", message, is_certain=False)
    else:
        loosened = list(find_loosened_settings(base, change))
        yield from find_file_loosening(base, change, loosened)
        yield from loosened
        for entry in find_new_allowances(base, change):
            yield describe_allowance(entry, base)
    yield from find_loosened_runs(base.runs, change.runs)
    yield from find_longer_baseline(base, change)
