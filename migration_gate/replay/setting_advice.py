"""Says which settings a project lacked: in a note if dummy values did, else as a block to paste."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from migration_gate.wording import TO_FILL_IN
from migration_gate.worker.placeholders import OTHER_DATABASES, is_database_setting
from migration_gate.worker.protocol.project_requests import MissingSetting, SettingSupplied

SHOWN_NAMES = 12
"""names that a note lists"""
PLAIN_VALUE = re.compile(r"^[A-Za-z/.][\w/.+@-]*$")
"""what needs no quotes in YAML"""
YAML_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def describe_supplied(supplied: Sequence[SettingSupplied]) -> tuple[str, ...]:
    """A note on settings that the project failed for the want of."""
    defaults = [setting for setting in supplied if _is_other_database(setting.instead_of)]
    notes = [_describe_replaced(setting) for setting in defaults]
    options = [setting.name for setting in supplied if setting.setting == "option"]
    variables = [setting for setting in supplied if setting.setting in ("variable", "field")]
    names = [setting.name for setting in variables if setting not in defaults]
    if names:
        notes.append(
            f"the project fails without {list_shown(names)}: dummy values were given; where one matters, "
            "set it under `env:`"
        )
    if options:
        notes.append(
            f"nothing sets {list_shown(options)} in the Alembic configuration: dummy values were given; "
            "where one matters, set it in a `hook:`"
        )
    notes += [
        f"nothing sets `{setting.name}` in the configuration of the Flask application: it had a dummy value"
        for setting in supplied
        if setting.setting == "flask"
    ]
    return tuple(notes)


def _describe_replaced(setting: SettingSupplied) -> str:
    """A setting that leads to another database by default."""
    subject = f"the project uses {_name_backend(setting.instead_of)} where `{setting.name}` is not set"
    if "://" in setting.value:
        return f"{subject}: it had a PostgreSQL URL in this run; set it under `env:`, to any one"
    return f"{subject}: it had the value `{setting.value}` in this run; set it under `env:`"


def list_shown(names: Sequence[str]) -> str:
    """Names for a sentence: the first of many, and how many more there are."""
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(f"`{name}`" for name in names[:SHOWN_NAMES]) + more


def _is_other_database(default: str) -> bool:
    return default.startswith(OTHER_DATABASES)


def _name_backend(url: str) -> str:
    return re.split(r"[+:]", url)[0]


def list_lacking_variables(
    supplied: Sequence[SettingSupplied], missing: Sequence[MissingSetting]
) -> dict[str, str]:
    """Every variable that the project asked for and was not given by the user, with an example of a value.

    Those with a default of the project's own are left out, but for databases of another kind; and those with
    which the project came no further.
    """
    variables = {
        setting.name: setting.value for setting in supplied if setting.setting in ("variable", "field")
    }
    for setting in missing:
        if setting.kind != "variable" or _is_mere_guess(setting):
            continue
        if setting.default is None or _is_other_database(setting.default):
            variables.setdefault(setting.name, setting.example)
    return variables


def list_mere_guesses(missing: Sequence[MissingSetting]) -> list[str]:
    """Variables that the project reads and may do without: with dummy values it came no further."""
    return [setting.name for setting in missing if _is_mere_guess(setting)]


def _is_mere_guess(setting: MissingSetting) -> bool:
    return setting.guessed_in_vain and not is_database_setting(setting.name)


def list_places(supplied: Sequence[SettingSupplied], missing: Sequence[MissingSetting]) -> dict[str, str]:
    """Where the project asks for each variable, as `file:line`; without those of which it is not known."""
    places = {setting.name: setting.place for setting in supplied}
    places |= {setting.name: setting.place for setting in missing}
    return {name: place for name, place in places.items() if place}


def env_block(variables: Mapping[str, str], places: Mapping[str, str] | None = None) -> str:
    """An `env:` block for `.migration-gate.yml`; `places` become comments that say where each is read."""
    lines = []
    for name, value in variables.items():
        place = (places or {}).get(name)
        text = quote_value(value) if value else TO_FILL_IN
        lines.append(f"  {name}: {text}" + (f"  # {place}" if place else ""))
    return config_block("env:", *lines)


def config_block(*lines: str) -> str:
    """Lines of `.migration-gate.yml` to copy."""
    return "\n".join(f"    {line}" for line in lines)


def quote_value(value: str) -> str:
    """The value as YAML."""
    if PLAIN_VALUE.match(value) and value.lower() not in YAML_WORDS:
        return value
    return json.dumps(value)


def list_missing_names(kind: str, missing: Iterable[MissingSetting]) -> list[str]:
    """Names of one kind among what was asked for in vain."""
    return [setting.name for setting in missing if setting.kind == kind]
