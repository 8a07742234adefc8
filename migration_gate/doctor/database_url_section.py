"""How the project chooses its database URL: its ini, and the environment variables that its code reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.config.settings_text import hide_password
from migration_gate.doctor.custom_settings import relative_path
from migration_gate.doctor.project_examination import Section
from migration_gate.errors import ProjectNotFound
from migration_gate.project import alembic_config, environment_variables
from migration_gate.project.env_files import find_env_file
from migration_gate.project.environment_variables import EnvironmentVariable
from migration_gate.project.locate import AlembicEnvironment
from migration_gate.wording import count_noun

MOST_OPTIONAL = 8
"""variables of a database that are listed though the project does without them"""
NONE_REQUIRED = "no variable of which env.py or what it imports shows that it fails without it"
REDIRECTED = "whatever it says, every connection is redirected to the ephemeral server"
UNSET_ADVICE = (
    "a run leaves them unset, and gives dummy values only to those without which env.py fails; "
    "where a value matters, set it in .migration-gate.yml:"
)


def describe_database_url(
    environment: AlembicEnvironment, path: tuple[str, ...], settings: Settings, environ: Mapping[str, str]
) -> Section:
    """The section, as far as the project's files tell; `path` is its import path."""
    section: Section = {}
    if url := _url_in_ini(environment):
        section["in the ini"] = hide_password(url)
    variables: tuple[EnvironmentVariable, ...] = ()
    if environment.entry_file:
        variables = environment_variables.find_variables(environment.entry_file, path, environment.flask_app)
    set_names = {*settings.env_by_name(), *environ}
    section |= _describe_required([item for item in variables if item.required], settings.root, set_names)
    section |= _describe_optional([item for item in variables if not item.required], settings.root, set_names)
    unset = [item.name for item in variables if item.required and item.name not in set_names]
    section |= _describe_unset(unset, settings)
    section["at run time"] = REDIRECTED
    return section


def _url_in_ini(environment: AlembicEnvironment) -> str | None:
    if environment.kind != "ini" or not environment.config:
        return None
    try:
        return alembic_config.read_alembic_config(environment.config, environment.section).url
    except ProjectNotFound:
        return None


def _describe_required(
    variables: Sequence[EnvironmentVariable], root: Path, set_names: Collection[str]
) -> Section:
    return {"required": _describe_variables(variables, root, set_names) or NONE_REQUIRED}


def _describe_optional(
    variables: Sequence[EnvironmentVariable], root: Path, set_names: Collection[str]
) -> Section:
    """The variables of a database, and how many others there are."""
    section: Section = {}
    of_database = [variable for variable in variables if variable.is_database_setting]
    lines = _describe_variables(of_database[:MOST_OPTIONAL], root, set_names)
    if len(of_database) > len(lines):
        lines.append(f"and {len(of_database) - len(lines)} more of a database")
    if lines:
        section["optional"] = lines
    others = len(variables) - len(of_database)
    if others:
        section["others"] = f"{count_noun(others, 'variable')} that the project does without"
    return section


def _describe_unset(names: Sequence[str], settings: Settings) -> Section:
    """The required variables without a value, as lines of configuration: a file that has them, or each."""
    if not names:
        return {}
    file = find_env_file(settings.root, settings.working_directory, names)
    if file is not None:
        return {"not set": [UNSET_ADVICE, f"env_file: {relative_path(file, settings.root)}"]}
    return {"not set": [UNSET_ADVICE, "env:", *(f"  {name}: …" for name in names)]}


def _describe_variables(
    variables: Sequence[EnvironmentVariable], root: Path, set_names: Collection[str]
) -> list[str]:
    """`DATABASE_URL  app/settings.py:12, set`."""
    lines = []
    for variable in variables:
        file = variable.file.relative_to(root) if variable.file.is_relative_to(root) else variable.file
        state = ", set" if variable.name in set_names else ""
        lines.append(f"{variable.name}  {file}:{variable.line}{state}")
    return lines
