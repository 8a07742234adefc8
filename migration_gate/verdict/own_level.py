"""The severity of `loosened-gate` itself: that of the base, where it is stricter than that of the change.

Otherwise a branch could loosen the gate, and in the same lines have nothing said of it. What the environment
or the command line sets holds: that is the workflow's word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis.loosened_gate_parts import CHECK, list_added_allowances
from migration_gate.check import Severity
from migration_gate.config.judging_settings import is_of_workflow
from migration_gate.config.settings import CheckSeverity, Settings
from migration_gate.facts import Facts, GateFiles
from migration_gate.verdict.outcome import SEVERITY_RANK

DEFAULT = Severity.WARNING


def hold_own_level(settings: Settings, facts: Facts) -> Settings:
    """The settings by which a change is judged that may have lowered the check of just that."""
    files = facts.base.gate_files if facts.base is not None else None
    if files is None or files.failure:
        return settings
    others = tuple(item for item in settings.checks if not _is_own(item.check))
    return replace(settings, checks=(*others, *_list_levels(settings, files)))


def list_uncounted(facts: Facts) -> frozenset[str]:
    """Where the allowances are (`file:line`) that came with the change.

    They do not cover `loosened-gate`, and nothing at all if the settings of the base judge.
    """
    # The entries of the settings are the base's own then: they may stand at the lines of new ones.
    added = facts.new_comments if facts.policy_commit else list_added_allowances(facts)
    return frozenset(str(entry.location) for entry in added)


def _list_levels(settings: Settings, files: GateFiles) -> Iterator[CheckSeverity]:
    own = {item.check: item.severity for item in settings.checks if _is_own(item.check)}
    older = {
        setting.key.removeprefix("checks."): _read_severity(setting.values)
        for setting in files.settings
        if setting.location is not None and _is_own(setting.key.removeprefix("checks."))
    }
    for name in dict.fromkeys((CHECK, *own, *older)):
        level = own.get(name, own.get(CHECK, DEFAULT))
        base_level = older.get(name, older.get(CHECK, DEFAULT))
        is_kept = name in own and is_of_workflow(settings, f"checks.{name}")
        yield CheckSeverity(name, level if is_kept else min(level, base_level, key=_rank))


def _is_own(check: str) -> bool:
    return check.partition("/")[0] == CHECK


def _read_severity(values: tuple[str, ...]) -> Severity | None:
    return Severity(values[0]) if values and values[0] != "off" else None


def _rank(level: Severity | None) -> int:
    return len(SEVERITY_RANK) if level is None else SEVERITY_RANK[level]
