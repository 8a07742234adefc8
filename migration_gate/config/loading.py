"""Loads the configuration: file, environment and command line, merged into one `Settings` a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from migration_gate.config import gate_variables
from migration_gate.config.config_file import ConfigFile
from migration_gate.config.config_keys import Key
from migration_gate.config.config_search import CONFIG_VARIABLE, find_config_file
from migration_gate.config.faults import FindOrigin, ListChecks
from migration_gate.config.policy_file import Policy, read_policy
from migration_gate.config.precedence import Layer, SettingValue, merge_layers, validate_keys
from migration_gate.config.project_name import choose_project_name
from migration_gate.config.resolve import require_path, resolve_settings
from migration_gate.config.schema import FileKeys, NamedProjectKeys, ProjectKeys
from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import suggest_name

__all__ = ["config_schema", "load_settings", "option_name"]
LOCATION_KEYS = frozenset({"alembic", "flask_app", "hook", "working_directory"})
"""keys that name the project's place: with one of them the project is looked for at the configuration file"""
Projects = tuple[tuple[str, NamedProjectKeys], ...]
"""name and keys of entries of `projects:`"""


@dataclass(frozen=True, slots=True)
class _Sources:
    """The validated keys of all three sources."""

    config_file: ConfigFile
    file_keys: FileKeys
    layers: tuple[Layer, ...]
    """environment and command line, which are over the file"""
    policy: Policy = field(default_factory=Policy)
    """what the file extends, which is below it"""


def config_schema() -> dict[str, Any]:
    """The JSON schema of the configuration file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_without_titles(FileKeys.model_json_schema()),
        "title": "Migration Gate",
    }


def _without_titles(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the titles that pydantic makes of names: they add nothing to the names."""
    return {
        key: _without_titles(value) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key != "title" or isinstance(value, dict)
    }


def load_settings(
    path: Path,
    options: Mapping[str, object],
    environ: Mapping[str, str],
    *,
    list_checks: ListChecks | None = None,
) -> tuple[Settings, ...]:
    """One `Settings` for each project, in the order of the file; raises Misconfigured when anything is wrong.

    `options` is nested like the file; its `config` names another file, its `project` lists the projects to
    load. Without `list_checks` any name of a check is accepted.
    """
    options = dict(options)
    folder = _existing_folder(path)
    config_option, requested_names = options.pop("config", None), _as_names(options.pop("project", ()))
    config_file = find_config_file(folder, config_option, environ.get(CONFIG_VARIABLE))
    sources = _read_sources(config_file, folder, options, environ, list_checks)
    if sources.file_keys.projects:
        projects = tuple(_load_named_projects(sources, folder, requested_names, environ))
    else:
        projects = (_load_single_project(sources, folder, requested_names, environ),)
    is_config_named = bool(config_option or environ.get(CONFIG_VARIABLE))
    return tuple(
        replace(settings, checked_folder=folder, is_config_named=is_config_named) for settings in projects
    )


def _as_names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def _read_sources(
    config_file: ConfigFile,
    folder: Path,
    options: Mapping[str, object],
    environ: Mapping[str, str],
    list_checks: ListChecks | None,
) -> _Sources:
    file_keys = validate_keys(FileKeys, config_file.values, config_file.line_of, list_checks)
    variables = gate_variables.read_variables(environ)
    variable_keys = validate_keys(ProjectKeys, variables, gate_variables.variable_name, list_checks)
    option_keys = validate_keys(ProjectKeys, options, option_name, list_checks)
    layers = (
        Layer(variable_keys, folder, gate_variables.variable_name),
        Layer(option_keys, Path.cwd(), option_name),
    )
    return _Sources(config_file, file_keys, layers, read_policy(config_file, file_keys, list_checks))


def _load_single_project(
    sources: _Sources, folder: Path, requested_names: tuple[str, ...], environ: Mapping[str, str]
) -> Settings:
    """The settings where the file has no `projects:`."""
    name = choose_project_name(folder, environ)
    if set(requested_names) - {folder.name, name}:
        raise Misconfigured("`--project` was given, but `projects` is not set.", where="--project")
    config_file, file_keys = sources.config_file, sources.file_keys
    names_location = not LOCATION_KEYS.isdisjoint(file_keys.model_fields_set)
    project_folder = config_file.folder if names_location else folder
    file_layer = Layer(file_keys, config_file.folder, config_file.line_of)
    policy = sources.policy
    merged = policy.hold_floor(merge_layers((*policy.layers, file_layer, *sources.layers), folder))
    settings = resolve_settings(
        requested_names[0] if requested_names else name, config_file.folder, project_folder, merged, environ
    )
    return replace(settings, config_file=config_file.file, policy_note=policy.note)


def _load_named_projects(
    sources: _Sources, folder: Path, requested_names: tuple[str, ...], environ: Mapping[str, str]
) -> Iterator[Settings]:
    """The settings of the entries of `projects:` that were requested, or that belong to the folder."""
    config_file, file_keys, policy = sources.config_file, sources.file_keys, sources.policy
    if requested_names:
        projects = _requested_projects(file_keys, requested_names)
    else:
        projects = _projects_near(file_keys, folder, config_file)
    file_layer = Layer(file_keys, config_file.folder, config_file.line_of)
    project_layers = [(name, _project_layer(name, keys, config_file)) for name, keys in projects]
    for name, layer in project_layers:
        layers = (*policy.layers, file_layer, layer, *sources.layers)
        merged = policy.hold_floor(merge_layers(layers, folder))
        settings = resolve_settings(name, config_file.folder, layer.folder, merged, environ)
        yield replace(settings, is_named_project=True, config_file=config_file.file, policy_note=policy.note)


def option_name(key: Key) -> str:
    """The command-line option that sets a key."""
    match key:
        case ("alembic", "section"):
            return "--section"
        case ("limits", str(limit)):
            return f"--{limit}-timeout"
        case ("x",) | ("x", _) | ("target", "x"):
            return "-x"
        case ("env", str(name), *_):
            return f"--env {name}"
        case (first, *_):
            return f"--{first}".replace("_", "-")
        case _:
            return "the command line"


def _existing_folder(path: Path) -> Path:
    """The argument of the command as a real, absolute folder."""
    folder = path.absolute()
    if not folder.is_dir():
        raise Misconfigured(
            f"`{path}` is not a folder." if path.exists() else f"`{path}` does not exist.",
            where=str(path),
            advice="Give the project's folder; `--alembic` names an alembic.ini, `--config` our own file.",
        )
    return folder.resolve()


def _requested_projects(file_keys: FileKeys, requested_names: tuple[str, ...]) -> Projects:
    for name in requested_names:
        if name not in file_keys.projects:
            raise Misconfigured(
                f"There is no project `{name}`.",
                where="--project",
                advice=suggest_name(name, file_keys.projects),
            )
    return tuple((name, keys) for name, keys in file_keys.projects.items() if name in requested_names)


def _projects_near(file_keys: FileKeys, folder: Path, config_file: ConfigFile) -> Projects:
    """The projects whose `path` is around or below the folder that is checked; all when there is none."""
    projects = tuple(file_keys.projects.items())
    if folder == config_file.folder:
        return projects
    near_projects = []
    for name, keys in projects:
        project_folder = _project_layer(name, keys, config_file).folder.resolve()
        is_near = project_folder.is_relative_to(folder) or folder.is_relative_to(project_folder)
        if keys.path is not None and is_near:
            near_projects.append((name, keys))
    return tuple(near_projects) or projects


def _project_layer(name: str, keys: NamedProjectKeys, config_file: ConfigFile) -> Layer:
    """The keys of one entry of `projects:`; its relative paths start at its `path`."""

    def find_line(key: Key) -> str:
        return config_file.line_of(("projects", name, *key))

    find_origin: FindOrigin = find_line
    folder = config_file.folder
    if keys.path is not None:
        path = SettingValue(keys.path, folder, find_origin, ("path",))
        folder = require_path(path, keys.path, f"projects.{name}.path", folder=True)
    return Layer(keys, folder, find_origin)
