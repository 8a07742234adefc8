"""Which checks the settings have off, or less severe than they are by default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migration_gate.analysis.loosened_settings import LEVELS_OF_KINDS
from migration_gate.check import Check, Severity, check_name
from migration_gate.config.settings import CheckSeverity, Settings
from migration_gate.verdict.outcome import SEVERITY_RANK


def list_lowered_checks(settings: Settings, checks: Iterable[Check]) -> Iterator[CheckSeverity]:
    """The entries of `checks:` that lower something, in their order."""
    defaults = {check_name(check): check.SEVERITY for check in checks}
    for item in settings.checks:
        default = defaults.get(item.check.partition("/")[0], Severity.ERROR)
        default = Severity(LEVELS_OF_KINDS.get(item.check, default))
        if item.severity is None or SEVERITY_RANK[item.severity] > SEVERITY_RANK[default]:
            yield item
