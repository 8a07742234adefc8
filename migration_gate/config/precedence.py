"""Merges the command line, the environment, the file and the defaults, and keeps each value's origin."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from migration_gate.config.config_keys import Key
from migration_gate.config.faults import (
    ConfigFault,
    FindOrigin,
    ListChecks,
    check_name_faults,
    combine_faults,
    validation_faults,
)
from migration_gate.config.schema import NamedProjectKeys, ProjectKeys
from migration_gate.config.sections import SECTIONS, Keys
from migration_gate.config.settings import DEFAULT_ORIGIN
from migration_gate.lazy_dataclass import dataclass

K = TypeVar("K", bound=ProjectKeys)
WHOLE = ("start_from",)
"""mappings that are replaced as one, because their keys exclude each other"""


@dataclass(frozen=True, slots=True)
class Layer:
    """Validated keys from one origin."""

    keys: ProjectKeys
    folder: Path
    """where its relative paths start"""
    find_origin: FindOrigin


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A value and where it comes from."""

    value: Any
    folder: Path
    find_origin: FindOrigin
    key: Key

    @property
    def where(self) -> str:
        """`file:line`, a variable, an option, or `default`."""
        return self.find_origin(self.key)


def validate_keys(
    model: type[K], values: Mapping[str, object], find_origin: FindOrigin, list_checks: ListChecks | None
) -> K:
    """The values as the model; Misconfigured with everything that is wrong with them."""
    try:
        keys = model.model_validate(values)
    except ValidationError as error:
        raise combine_faults(validation_faults(error, model, find_origin)) from None
    faults = list(_find_name_faults(keys, list_checks, find_origin)) if list_checks else []
    if faults:
        raise combine_faults(faults)
    return keys


def _find_name_faults(
    keys: ProjectKeys, list_checks: ListChecks, find_origin: FindOrigin
) -> Iterator[ConfigFault]:
    """Names of checks that there are not, of the file and of its entries of `projects:`."""
    yield from check_name_faults(keys, list_checks, find_origin)
    projects: Mapping[str, NamedProjectKeys] = getattr(keys, "projects", {})
    for name, project in projects.items():
        yield from check_name_faults(project, list_checks, find_origin, ("projects", name))


def default_values(folder: Path) -> dict[Key, SettingValue]:
    """Every key with its default."""
    return {
        key: SettingValue(value, folder, lambda _: DEFAULT_ORIGIN, key)
        for key, value in _all_leaves(ProjectKeys())
    }


def merge_layers(layers: Sequence[Layer], folder: Path) -> dict[Key, SettingValue]:
    """All keys of one project; later layers win. Mappings are merged key by key, lists are replaced.

    A configuration that a later layer names replaces a hook: only one of them can be run.
    """
    defaults = default_values(folder)
    merged = dict(defaults)
    for layer in layers:
        if layer.keys.alembic and layer.keys.alembic.config:
            merged["hook",] = defaults["hook",]
        for key, value in list_set_leaves(layer.keys):
            if value is None and key[0] in SECTIONS:
                merged.update(_of_section(defaults, key[0]))
            else:
                merged[key] = SettingValue(value, layer.folder, layer.find_origin, key)
    return merged


def _of_section(values: Mapping[Key, SettingValue], section: str | int) -> dict[Key, SettingValue]:
    return {key: value for key, value in values.items() if key[0] == section}


def _all_leaves(keys: ProjectKeys) -> Iterator[tuple[Key, Any]]:
    """Every key and its value, down to the keys of sections; a section that is not set has its defaults."""
    for name in ProjectKeys.model_fields:
        value = getattr(keys, name)
        if value is None and name in SECTIONS and name not in WHOLE:
            value = SECTIONS[name]()
        inner_names = type(value).model_fields if isinstance(value, Keys) else ()
        yield from _leaves_of_field(name, value, inner_names)


def list_set_leaves(keys: ProjectKeys) -> Iterator[tuple[Key, Any]]:
    """The keys that were set and their values, down to the keys of sections."""
    for name in ProjectKeys.model_fields:
        if name in keys.model_fields_set:
            value = getattr(keys, name)
            inner_names = value.model_fields_set if isinstance(value, Keys) else ()
            yield from _leaves_of_field(name, value, inner_names)


def _leaves_of_field(name: str, value: Any, inner_names: Collection[str]) -> Iterator[tuple[Key, Any]]:
    if isinstance(value, dict):
        for inner_key, inner_value in value.items():
            yield (name, inner_key), inner_value
    elif isinstance(value, Keys) and name not in WHOLE:
        for inner_name, field in type(value).model_fields.items():
            if inner_name in inner_names:
                yield (name, field.alias or inner_name), getattr(value, inner_name)
    else:
        yield (ProjectKeys.model_fields[name].alias or name,), value
