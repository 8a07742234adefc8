"""What the configuration file of a repository says for one project, without environment and command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from migration_gate.config.config_file import ConfigFile
from migration_gate.config.config_keys import Key
from migration_gate.config.config_search import find_config_file
from migration_gate.config.policy_file import read_policy
from migration_gate.config.precedence import Layer, SettingValue, merge_layers, validate_keys
from migration_gate.config.schema import FileKeys
from migration_gate.config.settings import DEFAULT_ORIGIN
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class FileSettings:
    """The merged values, each with its origin; paths are not looked at, so that none has to exist."""

    config_file: ConfigFile
    merged: dict[Key, SettingValue]
    project_names: tuple[str, ...] = ()
    """entries of `projects:`"""

    def list_set(self) -> Iterator[SettingValue]:
        """The values that the file sets."""
        return (value for value in self.merged.values() if value.where != DEFAULT_ORIGIN)


def load_file_settings(folder: Path, project: str, named_file: Path | None = None) -> FileSettings:
    """The configuration for a project of `projects:`, or for the only one. Raises Misconfigured.

    It is searched for from `folder` on, unless it is named and exists; the folder itself need not exist.
    """
    name = str(named_file) if named_file is not None and named_file.is_file() else None
    config_file = find_config_file(folder, name, None)
    keys = validate_keys(FileKeys, config_file.values, config_file.line_of, None)
    policy = read_policy(config_file, keys, None)
    layers = [*policy.layers, Layer(keys, config_file.folder, config_file.line_of)]
    if project in keys.projects:
        layers.append(_project_layer(keys, project, config_file))
    merged = policy.hold_floor(merge_layers(layers, folder))
    extends = SettingValue(keys.extends, config_file.folder, config_file.line_of, ("extends",))
    return FileSettings(config_file, {**merged, ("extends",): extends}, tuple(keys.projects))


def _project_layer(keys: FileKeys, name: str, config_file: ConfigFile) -> Layer:
    def find_line(key: Key) -> str:
        return config_file.line_of(("projects", name, *key))

    return Layer(keys.projects[name], config_file.folder, find_line)
