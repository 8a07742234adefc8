"""The configuration: file, environment and command line, merged into one `Settings` a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from migration_gate.config import gate_variables
from migration_gate.config.config_file import NAMES, ConfigFile, Key, read_toml, read_yaml
from migration_gate.config.faults import At
from migration_gate.config.precedence import Layer, merge_layers, validate_keys
from migration_gate.config.resolve import describe_settings, require_path, resolve_settings
from migration_gate.config.schema import FileKeys, NamedProjectKeys, ProjectKeys
from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured
from migration_gate.wording import suggest_name

__all__ = ["config_schema", "describe_settings", "load_settings", "option_name"]
PLACES = frozenset({"alembic", "flask_app", "hook", "working_directory"})
"""keys that say where the project is"""


def config_schema() -> dict[str, Any]:
    """The JSON schema of the configuration file."""
    found = FileKeys.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_untitled(found),
        "title": "Migration Gate",
    }


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that pydantic makes of names, which say nothing more."""
    return {
        key: _untitled(value) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key != "title" or isinstance(value, dict)
    }


def load_settings(
    path: Path,
    options: Mapping[str, object],
    environ: Mapping[str, str],
    *,
    known_checks: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Settings, ...]:
    """One `Settings` a project, in the order of the file; Misconfigured when anything is wrong.

    `options` is nested as the file is; its `config` names another file, its `project` lists the projects
    that are wanted. `known_checks` maps each check to its kinds (an empty list takes any).
    """
    options = dict(options)
    folder = _folder(path)
    variable = "MIGRATION_GATE_CONFIG"
    source = _source(folder, {"--config": options.pop("config", None), variable: environ.get(variable)})
    wanted = options.pop("project", ())
    checks = known_checks or {}
    file = validate_keys(FileKeys, source.values, source.at, checks)
    variables = validate_keys(
        ProjectKeys, gate_variables.read_variables(environ), gate_variables.variable_name, checks
    )
    given = validate_keys(ProjectKeys, options, option_name, checks)
    base = Layer(file, source.folder, source.at)
    above = (Layer(variables, folder, gate_variables.variable_name), Layer(given, Path.cwd(), option_name))
    if not file.projects:
        if isinstance(wanted, list | tuple) and set(wanted) - {folder.name}:
            raise Misconfigured("`--project` was given, but `projects` is not set.", where="--project")
        placed = not PLACES.isdisjoint(file.model_fields_set)
        place = source.folder if placed else folder
        merged = merge_layers((base, *above), folder)
        alone = resolve_settings(folder.name or "project", source.folder, place, merged, environ)
        return (replace(alone, config_file=source.file),)
    chosen = list(_chosen(file, wanted)) if wanted else _below(file, folder, source)
    named = [(name, _named(name, keys, source)) for name, keys in chosen]
    every = (
        resolve_settings(
            name, source.folder, layer.folder, merge_layers((base, layer, *above), folder), environ
        )
        for name, layer in named
    )
    return tuple(replace(settings, is_named_project=True, config_file=source.file) for settings in every)


def option_name(key: Key) -> str:
    """The option that sets a key."""
    match key:
        case ("alembic", "section"):
            return "--section"
        case ("limits", str(which)):
            return f"--{which}-timeout"
        case ("x",) | ("x", _) | ("target", "x"):
            return "-x"
        case ("env", str(name), *_):
            return f"--env {name}"
        case _:
            return f"--{key[0]}".replace("_", "-") if key else "the command line"


def _folder(path: Path) -> Path:
    folder = path.absolute()
    if not folder.is_dir():
        raise Misconfigured(
            f"`{path}` is not a folder." if path.exists() else f"`{path}` does not exist.",
            where=str(path),
            advice="Give the project's folder; `--alembic` names an alembic.ini, `--config` our own file.",
        )
    return folder.resolve()


def _up(folder: Path) -> Iterator[Path]:
    """The folder and its parents up to the repository's top; the folder alone outside a repository."""
    parents = [folder, *folder.parents]
    top = next((number for number, each in enumerate(parents) if (each / ".git").exists()), 0)
    yield from parents[: top + 1]


def repository_root(folder: Path) -> Path:
    """The top of the repository that a folder is in; the folder itself outside of one."""
    return list(_up(folder))[-1]


def _source(folder: Path, candidates: Mapping[str, object]) -> ConfigFile:
    top = repository_root(folder)
    where, named = next(((where, each) for where, each in candidates.items() if each), ("", None))
    if named:
        file = Path(str(named)).expanduser().absolute()
        if not file.is_file():
            raise Misconfigured(
                f"The configuration `{named}` does not exist.", where=where, advice="Mend the path."
            )
        name = _name(file, top)
        read = read_toml(file, name) if file.suffix == ".toml" else read_yaml(file, name)
        if read is None:
            raise Misconfigured(
                "It has no `[tool.migration-gate]` table.", where=name, advice="Add the table."
            )
        return read
    for place in _up(folder):
        found = [place / name for name in NAMES if (place / name).exists()]
        sources = [read_yaml(each, _name(each, top)) for each in found]
        if (place / "pyproject.toml").is_file():
            table = read_toml(place / "pyproject.toml", _name(place / "pyproject.toml", top))
            sources += [table] if table else []
        if len(sources) > 1:
            names = " and ".join(f"`{each.name}`" for each in sources)
            raise Misconfigured(
                f"Both {names} configure the gate.", where=sources[1].at(()), advice="Keep one of them."
            )
        if sources:
            return sources[0]
    return ConfigFile({}, {}, "", folder)


def _name(file: Path, top: Path) -> str:
    return str(file.relative_to(top)) if file.is_relative_to(top) else str(file)


def _chosen(file: FileKeys, wanted: object) -> Iterator[tuple[str, NamedProjectKeys]]:
    names = list(wanted) if isinstance(wanted, list | tuple) else []
    for name in names:
        if name not in file.projects:
            raise Misconfigured(
                f"There is no project `{name}`.",
                where="--project",
                advice=suggest_name(str(name), file.projects),
            )
    yield from ((name, keys) for name, keys in file.projects.items() if not names or name in names)


def _below(file: FileKeys, folder: Path, source: ConfigFile) -> list[tuple[str, NamedProjectKeys]]:
    """The projects whose `path` is around or below the folder that is checked; all when there is none."""
    every = list(file.projects.items())
    if folder == source.folder:
        return every
    near = []
    for name, keys in every:
        place = _named(name, keys, source).folder.resolve()
        if keys.path is not None and (place.is_relative_to(folder) or folder.is_relative_to(place)):
            near.append((name, keys))
    return near or every


def _named(name: str, keys: NamedProjectKeys, source: ConfigFile) -> Layer:
    prefix = ("projects", name)
    at: At = lambda key: source.at((*prefix, *key))  # noqa: E731 - a closure with a type
    folder = source.folder
    if keys.path is not None:
        given = merge_layers((Layer(keys, folder, at),), folder)[("postgres",)]
        place = type(given)(keys.path, folder, at, ("path",))
        folder = require_path(place, keys.path, f"projects.{name}.path", folder=True)
    return Layer(keys, folder, at)
