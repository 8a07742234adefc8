"""The part of the settings that judges, and who set it: a file of the branch's, or its workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from migration_gate.check import Severity
from migration_gate.config.config_keys import Key
from migration_gate.config.precedence import SettingValue
from migration_gate.config.resolve import MergedSettings, read_allowances, read_levels, read_owners
from migration_gate.config.settings import Settings
from migration_gate.config.table_size_settings import find_sizes_file, read_table_sizes
from migration_gate.facts import Owners, TableSizes

WORKFLOW_ORIGINS = ("MIGRATION_GATE_", "-")
"""how the origin of a value begins that a variable or an option set"""


def is_of_workflow(settings: Settings, key: str) -> bool:
    """Whether a variable or an option sets the key, and no file."""
    return settings.find_origin(key).startswith(WORKFLOW_ORIGINS)


def take_judging_settings(settings: Settings, merged: Mapping[Key, SettingValue]) -> Settings:
    """The settings with what judges from other merged values; what the workflow sets holds."""
    values = MergedSettings(merged, {})
    levels = {item.check: item for item in read_levels(values)}
    levels |= {
        item.check: item for item in settings.checks if is_of_workflow(settings, f"checks.{item.check}")
    }
    taken = replace(
        settings,
        owners=_take_owners(settings, read_owners(values)),
        checks=tuple(levels.values()),
        allowances=read_allowances(merged["allow",]),
        forbid_allow=values.texts("forbid_allow"),
        fail_on=Severity(str(values.value("fail_on"))),
        scope="all" if values.value("scope") == "all" else "change",
        raw_sql_allow=values.texts("raw_sql", "allow"),
        sizes=_take_sizes(settings, merged),
    )
    own = {
        "allow": "allowances",
        "fail_on": "fail_on",
        "scope": "scope",
        "raw_sql.allow": "raw_sql_allow",
    }
    kept = {name: getattr(settings, name) for key, name in own.items() if is_of_workflow(settings, key)}
    return replace(taken, **kept)


def _take_sizes(settings: Settings, merged: Mapping[Key, SettingValue]) -> TableSizes:
    """Of the other side; its file may not be there: then less is known, and nothing is small for that."""
    file = find_sizes_file(merged)
    sizes = read_table_sizes(merged, settings.sizes_file if is_of_workflow(settings, "sizes") else file)
    if not is_of_workflow(settings, "small_table"):
        return sizes
    return replace(sizes, small_rows=settings.sizes.small_rows, small_bytes=settings.sizes.small_bytes)


def _take_owners(settings: Settings, owners: Owners) -> Owners:
    kept = {
        field.name: getattr(settings.owners, field.name)
        for field in fields(Owners)
        if is_of_workflow(settings, f"owners.{field.name}")
    }
    return replace(owners, **kept)
