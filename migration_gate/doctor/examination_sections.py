"""What can be said of a project without running any of it, by section."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from migration_gate.config.repository_root import find_repository_root
from migration_gate.config.settings import DEFAULT_ORIGIN, Settings
from migration_gate.config.settings_text import describe_settings, hide_password
from migration_gate.errors import GateError, ProjectNotFound
from migration_gate.install.python_version import allows_python
from migration_gate.project import (
    alembic_config,
    environment_variables,
    import_path,
    interpreter,
    interpreter_choice,
    locate,
)
from migration_gate.project.environment_variables import EnvironmentVariable
from migration_gate.project.interpreter import Interpreter
from migration_gate.project.interpreter_choice import LOCK_FILES
from migration_gate.project.locate import AlembicEnvironment
from migration_gate.wording import count_noun

if TYPE_CHECKING:
    from migration_gate.install import InstallationPlan

T = TypeVar("T")
MOST_OPTIONAL = 8
"""variables of a database that are listed though the project does without them"""
Section = dict[str, str | list[str]]
"""label and text, or label and several texts"""
REDIRECTED = "whatever it says, every connection is redirected to the ephemeral server"


@dataclass
class Examination:
    """What was found for one project, by section, and what is missing."""

    name: str
    sections: dict[str, Section] = field(default_factory=dict)
    missing: list[dict[str, str]] = field(default_factory=list)
    """`says`, `advice` and `where` of each problem"""

    def call_or_note_missing(self, call: Callable[[], T]) -> T | None:
        """The result of a call; None where it raised a GateError, which is then noted as missing."""
        try:
            return call()
        except GateError as error:
            self.note_missing(error.message, error.advice, error.where)
            return None

    def note_missing(self, message: str, advice: str, where: str = "") -> None:
        """Note something that is missing, and the setting that helps."""
        self.missing.append({"says": message, "advice": advice, "where": where})


def examine_project(settings: Settings, environ: Mapping[str, str]) -> Examination:
    """Read the project's files, and ask at most an interpreter which packages it has."""
    examination = Examination(settings.name)
    environment = examination.call_or_note_missing(lambda: locate.locate_environment(settings, environ))
    installation: Section | None = None
    if environment:
        installation = examination.call_or_note_missing(lambda: _planned_installation(settings, environ))
        _add_environment_sections(examination, environment, settings, environ)
    if installation:
        examination.sections["interpreter"] = installation
    else:
        _add_interpreter_section(examination, environment, settings, environ)
    examination.sections["postgres"] = _postgres_section(examination, settings)
    examination.sections["configuration"] = _configuration_section(settings)
    return examination


def _add_environment_sections(
    examination: Examination,
    environment: AlembicEnvironment,
    settings: Settings,
    environ: Mapping[str, str],
) -> None:
    path = import_path.build_import_path(
        environment.directory,
        environment.prepend_sys_path,
        environment.entry_file,
        find_repository_root(settings.root),
    )
    examination.sections["project"] = _project_section(environment, path)
    examination.sections["database url"] = _database_url_section(environment, path, settings, environ)


def _add_interpreter_section(
    examination: Examination,
    environment: AlembicEnvironment | None,
    settings: Settings,
    environ: Mapping[str, str],
) -> None:
    directory = environment.directory if environment else settings.working_directory
    repository_root = find_repository_root(settings.root)
    try:
        chosen = interpreter_choice.choose_interpreter(
            settings.python, directory, repository_root, environ, settings.installed
        )
    except GateError as error:
        advice = error.advice + _offer_installation(environment, settings, environ)
        examination.note_missing(error.message, advice, error.where)
        return
    examination.sections["interpreter"] = _interpreter_section(examination, chosen)
    _note_unfit_python(examination, chosen, settings, environ)


def _offer_installation(
    environment: AlembicEnvironment | None, settings: Settings, environ: Mapping[str, str]
) -> str:
    """What `install: auto` would do; empty where it could not."""
    if settings.python is not None:
        return ""
    if environment is None:
        lock = next((name for name in LOCK_FILES if (settings.root / name).is_file()), None)
        return f"\nOr have the gate install `{lock}` when it runs:\n\n    install: auto" if lock else ""
    plan = _find_plan(settings, environ)
    if plan is None:
        return ""
    return (
        f"\nOr have the gate install the packages from {plan.title}, for Python {plan.python.specifier} "
        f"({plan.python.origin}), when it runs:\n\n    install: auto"
    )


def _find_plan(settings: Settings, environ: Mapping[str, str]) -> InstallationPlan | None:
    from migration_gate import install  # noqa: PLC0415 - not needed where an interpreter is at hand

    try:
        return install.plan_installation(replace(settings, install="auto"), environ)
    except GateError:
        return None


def _note_unfit_python(
    examination: Examination, chosen: Interpreter, settings: Settings, environ: Mapping[str, str]
) -> None:
    """An interpreter that the project's own metadata excludes."""
    plan = _find_plan(settings, environ)
    project_range = plan.python.project_range if plan is not None else ""
    version = ".".join(map(str, chosen.version))
    if version and not allows_python(project_range, version):
        examination.note_missing(
            f"`{chosen.python}` is Python {version}; the project runs on {project_range}.",
            "Make its environment with a Python of that range, and name the interpreter with `python:`.",
        )


def _planned_installation(settings: Settings, environ: Mapping[str, str]) -> Section:
    """What would be installed; empty where that is switched off, or an interpreter has the packages."""
    from migration_gate import install  # noqa: PLC0415 - switched off on most machines

    if not install.needs_installation(settings, environ):
        return {}
    plan = install.plan_installation(settings, environ)
    section: Section = {
        "python": f"{plan.python.specifier}, because of {plan.python.origin}",
        "installed": f"from {plan.title}, when the gate runs",
    }
    for label, names in (("groups", settings.groups), ("extras", settings.extras)):
        if names:
            section[label] = ", ".join(names)
    return section


def _project_section(environment: AlembicEnvironment, path: tuple[str, ...]) -> Section:
    section: Section = {"found": environment.kind}
    values = {
        "config": environment.config,
        "section": environment.section if environment.section != "alembic" else None,
        "flask_app": environment.flask_app,
        "hook": environment.entry_file if environment.kind == "hook" else None,
        "scripts": environment.entry_file.parent
        if environment.entry_file and environment.kind != "hook"
        else None,
        "runs in": environment.directory,
    }
    section.update({label: str(value) for label, value in values.items() if value is not None})
    section["import path"] = list(path)
    if environment.notes:
        section["notes"] = list(environment.notes)
    return section


def _interpreter_section(examination: Examination, chosen: Interpreter) -> Section:
    packages = dict(chosen.packages)
    drivers = [f"{name} {packages[name]}" for name in interpreter.DRIVERS if name in packages]
    if not drivers:
        examination.note_missing(
            f"`{chosen.python}` has no PostgreSQL driver.",
            f"Install one there: `{chosen.python} -m pip install psycopg2-binary`.",
        )
    section: Section = {
        "python": str(chosen.python),
        "chosen": chosen.why,
        "version": ".".join(map(str, chosen.version)) or "unknown",
        "alembic": packages.get("alembic", "missing"),
        "sqlalchemy": packages.get("sqlalchemy", "missing"),
        "drivers": ", ".join(drivers) or "none",
    }
    if chosen.notes:
        section["notes"] = list(chosen.notes)
    return section


def _database_url_section(
    environment: AlembicEnvironment, path: tuple[str, ...], settings: Settings, environ: Mapping[str, str]
) -> Section:
    """How the project chooses its URL, as far as its files tell."""
    section: Section = {}
    if url := _url_in_ini(environment):
        section["in the ini"] = hide_password(url)
    variables: tuple[EnvironmentVariable, ...] = ()
    if environment.entry_file:
        variables = environment_variables.find_variables(environment.entry_file, path)
    _add_variables(section, variables, settings, environ)
    section["at run time"] = REDIRECTED
    return section


def _url_in_ini(environment: AlembicEnvironment) -> str | None:
    if environment.kind != "ini" or not environment.config:
        return None
    try:
        return alembic_config.read_alembic_config(environment.config, environment.section).url
    except ProjectNotFound:
        return None


def _add_variables(
    section: Section,
    variables: tuple[EnvironmentVariable, ...],
    settings: Settings,
    environ: Mapping[str, str],
) -> None:
    """Those that must be set; of the others, those of a database, and how many more there are."""
    set_names = {*settings.env_by_name(), *environ}
    required = [variable for variable in variables if variable.required]
    optional = [variable for variable in variables if not variable.required]
    of_database = [variable for variable in optional if variable.is_database_setting]
    if required:
        section["required"] = [
            _describe_variable(variable, settings.root, is_set=variable.name in set_names)
            for variable in required
        ]
    else:
        section["required"] = "no variable that env.py and what it imports fail without"
    if of_database:
        shown = [
            _describe_variable(variable, settings.root, is_set=variable.name in set_names)
            for variable in of_database[:MOST_OPTIONAL]
        ]
        more = len(of_database) - len(shown)
        section["optional"] = [*shown, f"and {more} more of a database"] if more else shown
    others = len(optional) - len(of_database)
    if others:
        section["others"] = f"{count_noun(others, 'variable')} that the project does without"
    unset_names = [variable.name for variable in required if variable.name not in set_names]
    if unset_names:
        section["not set"] = [
            "a run leaves them unset, and gives dummy values only to those without which env.py fails; "
            "where a value matters, set it in .migration-gate.yml:",
            "env:",
            *(f"  {name}: …" for name in unset_names),
        ]


def _describe_variable(variable: EnvironmentVariable, root: Path, *, is_set: bool) -> str:
    """`DATABASE_URL  app/settings.py:12, set`."""
    file = variable.file.relative_to(root) if variable.file.is_relative_to(root) else variable.file
    return f"{variable.name}  {file}:{variable.line}" + (", set" if is_set else "")


def _postgres_section(examination: Examination, settings: Settings) -> Section:
    from migration_gate.postgres.choice import choose_server  # noqa: PLC0415 - only this section needs it

    choice = examination.call_or_note_missing(lambda: choose_server(settings.postgres))
    requested = hide_password(settings.postgres)
    if choice is None:
        return {"wanted": requested, "found": "none"}
    section: Section = {"wanted": requested, "taken": choice.description, "why": choice.reason}
    if choice.notes:
        section["notes"] = list(choice.notes)
    return section


def _configuration_section(settings: Settings) -> Section:
    """Every key with its value and origin; values that may be secrets are hidden."""
    values = describe_settings(settings)
    return {value.key: f"{values.get(value.key, '')}  ({value.origin})" for value in settings.origins}


def is_default(text: str) -> bool:
    """Whether a line of the configuration is a default."""
    return text.endswith(f"  ({DEFAULT_ORIGIN})")
