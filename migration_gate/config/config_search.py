"""Which configuration file there is: the one that is named, else the nearest one above a folder."""

from __future__ import annotations

from pathlib import Path

from migration_gate.config.config_file import NAMES, ConfigFile, read_toml
from migration_gate.config.repository_root import find_repository_root, folders_up_to_repository_root
from migration_gate.errors import Misconfigured

CONFIG_VARIABLE = "MIGRATION_GATE_CONFIG"


def find_config_file(folder: Path, config_option: object, config_variable: str | None) -> ConfigFile:
    """The file that the option or the variable names, else the nearest one; empty if there is none."""
    if config_option:
        return _read_named_config(str(config_option), "--config", folder)
    if config_variable:
        return _read_named_config(config_variable, CONFIG_VARIABLE, folder)
    repository_root = find_repository_root(folder)
    for parent in folders_up_to_repository_root(folder):
        files = _read_config_files(parent, repository_root)
        if len(files) > 1:
            names = " and ".join(f"`{file.name}`" for file in files)
            raise Misconfigured(
                f"Both {names} configure the gate.",
                where=files[1].line_of(()),
                advice="Keep one of them.",
            )
        if files:
            return files[0]
    return ConfigFile({}, {}, "", folder)


def _read_named_config(name: str, named_by: str, folder: Path) -> ConfigFile:
    file = Path(name).expanduser().absolute()
    if not file.is_file():
        raise Misconfigured(
            f"The configuration `{name}` does not exist.", where=named_by, advice="Fix the path."
        )
    shown_name = _shown_name(file, find_repository_root(folder))
    if file.suffix != ".toml":
        return _read_yaml(file, shown_name)
    config_file = read_toml(file, shown_name)
    if config_file is None:
        raise Misconfigured(
            "It has no `[tool.migration-gate]` table.", where=shown_name, advice="Add the table."
        )
    return config_file


def _read_yaml(file: Path, name: str) -> ConfigFile:
    from migration_gate.config.yaml_file import read_yaml  # noqa: PLC0415 - many projects have no such file

    return read_yaml(file, name)


def _read_config_files(folder: Path, repository_root: Path) -> list[ConfigFile]:
    """Every configuration in a folder: one is right, and more than one is an error of the user's."""
    yaml_files = [folder / name for name in NAMES if (folder / name).exists()]
    files = [_read_yaml(file, _shown_name(file, repository_root)) for file in yaml_files]
    pyproject = folder / "pyproject.toml"
    if pyproject.is_file():
        table = read_toml(pyproject, _shown_name(pyproject, repository_root))
        if table:
            files.append(table)
    return files


def _shown_name(file: Path, repository_root: Path) -> str:
    return str(file.relative_to(repository_root)) if file.is_relative_to(repository_root) else str(file)
