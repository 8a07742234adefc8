"""Lays the command line over the environment over the file over the defaults, and keeps who said what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from migration_gate.config.config_file import Key
from migration_gate.config.faults import At, ConfigFault, check_name_faults, combine_faults, validation_faults
from migration_gate.config.schema import NamedProjectKeys, ProjectKeys
from migration_gate.config.sections import SECTIONS, Keys

K = TypeVar("K", bound=ProjectKeys)
WHOLE = ("start_from",)
"""mappings that are replaced as one, because their keys exclude each other"""


@dataclass(frozen=True, slots=True)
class Layer:
    """Validated keys from one origin."""

    keys: ProjectKeys
    folder: Path
    """where its relative paths start"""
    at: At


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A value and who gave it."""

    value: Any
    folder: Path
    at: At
    key: Key

    @property
    def where(self) -> str:
        """`file:line`, a variable, an option, or `default`."""
        return self.at(self.key)


def validate_keys(
    model: type[K], values: Mapping[str, object], at: At, checks: Mapping[str, Sequence[str]]
) -> K:
    """The values as the model; Misconfigured with everything that is wrong with them."""
    complaints: list[ConfigFault] = []
    try:
        keys = model.model_validate(values)
    except ValidationError as error:
        raise combine_faults(validation_faults(error, model, at)) from None
    if checks:
        complaints += check_name_faults(keys, checks, at)
        projects: Mapping[str, NamedProjectKeys] = getattr(keys, "projects", {})
        for name, project in projects.items():
            complaints += check_name_faults(project, checks, at, ("projects", name))
    if complaints:
        raise combine_faults(complaints)
    return keys


def default_values(folder: Path) -> dict[Key, SettingValue]:
    """Every key with its default."""
    return {
        key: SettingValue(value, folder, lambda _: "default", key)
        for key, value in _leaves(ProjectKeys(), every=True)
    }


def merge_layers(layers: Sequence[Layer], folder: Path) -> dict[Key, SettingValue]:
    """All keys of one project; later layers win. Mappings are merged key by key, lists are replaced.

    A configuration that a later layer names takes the place of a hook: only one of them can be run.
    """
    merged = default_values(folder)
    for layer in layers:
        if layer.keys.alembic and layer.keys.alembic.config:
            merged |= {key: given for key, given in default_values(folder).items() if key == ("hook",)}
        for key, value in _leaves(layer.keys):
            if value is None and key[0] in SECTIONS:
                merged.update({k: g for k, g in default_values(folder).items() if k[0] == key[0]})
            else:
                merged[key] = SettingValue(value, layer.folder, layer.at, key)
    return merged


def _leaves(keys: ProjectKeys, *, every: bool = False) -> Iterator[tuple[Key, Any]]:
    for name, field in ProjectKeys.model_fields.items():
        if not every and name not in keys.model_fields_set:
            continue
        value = getattr(keys, name)
        if every and name in SECTIONS and name not in WHOLE and value is None:
            value = SECTIONS[name]()
        if isinstance(value, dict):
            yield from (((name, key), each) for key, each in value.items())
        elif isinstance(value, Keys) and name not in WHOLE:
            yield from _section(name, value, every=every)
        else:
            yield (field.alias or name,), value


def _section(name: str, keys: Keys, *, every: bool) -> Iterator[tuple[Key, Any]]:
    for inner, field in type(keys).model_fields.items():
        if every or inner in keys.model_fields_set:
            yield (name, field.alias or inner), getattr(keys, inner)
