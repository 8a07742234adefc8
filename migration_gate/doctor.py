"""The command `doctor`: prints what the gate found and what is missing, and runs nothing of the project."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from migration_gate import explain
from migration_gate.config import loading
from migration_gate.config.repository_root import find_repository_root
from migration_gate.config.settings import Settings
from migration_gate.config.settings_text import describe_settings, hide_password
from migration_gate.errors import GateError, ProjectNotFound
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
from migration_gate.project.locate import AlembicEnvironment

T = TypeVar("T")
Section = dict[str, str | list[str]]
"""label and text, or label and several texts"""
REDIRECTED = "whatever it says, every connection is redirected to the ephemeral server"
WIDTH = 80
"""columns of a line"""
MAX_EXAMPLE_VARIABLES = 3
"""variables in the example of an `env:` setting"""


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


def diagnose(path: Path, options: Mapping[str, object], form: str) -> tuple[str, int]:
    """The report on every project of PATH, as `text` or `json`, and the status: 2 if anything is missing."""
    environ = dict(os.environ)
    projects = loading.load_settings(path, options, environ, known_checks=explain.known_kinds())
    examinations = [examine_project(settings, environ) for settings in projects]
    status = 2 if any(examination.missing for examination in examinations) else 0
    if form == "json":
        return _render_json(examinations), status
    return "\n\n".join(render_text(examination) for examination in examinations), status


def _render_json(examinations: Sequence[Examination]) -> str:
    projects = [
        {"name": examination.name, **examination.sections, "missing": examination.missing}
        for examination in examinations
    ]
    return json.dumps({"version": 1, "projects": projects}, indent=2)


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
    chosen = examination.call_or_note_missing(
        lambda: interpreter_choice.choose_interpreter(settings.python, directory, repository_root, environ)
    )
    if chosen:
        examination.sections["interpreter"] = _interpreter_section(examination, chosen)


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
        "scripts": environment.entry_file.parent if environment.entry_file else None,
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
    variables: list[EnvironmentVariable] = []
    if environment.entry_file:
        variables = [
            variable
            for variable in environment_variables.find_variables(environment.entry_file, path)
            if variable.is_database_setting or variable.required
        ]
    set_names = {*settings.env_by_name(), *environ}
    section["variables"] = [
        _describe_variable(variable, settings.root, is_set=variable.name in set_names)
        for variable in variables
    ] or ["none read by env.py and what it imports"]
    unset_names = [
        variable.name for variable in variables if variable.required and variable.name not in set_names
    ]
    if unset_names:
        example = ", ".join(f"{name}: …" for name in unset_names[:MAX_EXAMPLE_VARIABLES])
        section["not set"] = [
            f"{', '.join(unset_names)}: filled with placeholders; if one must hold a real value, set it:",
            "env: {" + example + "}",
        ]
    section["at run time"] = REDIRECTED
    return section


def _url_in_ini(environment: AlembicEnvironment) -> str | None:
    if environment.kind != "ini" or not environment.config:
        return None
    try:
        return alembic_config.read_alembic_config(environment.config, environment.section).url
    except ProjectNotFound:
        return None


def _describe_variable(variable: EnvironmentVariable, root: Path, *, is_set: bool) -> str:
    """`DATABASE_URL  app/settings.py:12, required, set`."""
    file = variable.file.relative_to(root) if variable.file.is_relative_to(root) else variable.file
    text = f"{variable.name}  {file}:{variable.line}"
    if variable.required:
        text += ", required"
    if is_set:
        text += ", set"
    return text


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


def render_text(examination: Examination) -> str:
    """One project's report for people, in 80 columns where paths allow it."""
    lines = [examination.name, "=" * len(examination.name)]
    for title, section in examination.sections.items():
        lines += ["", title.capitalize(), *_render_section(section)]
    lines += ["", *_render_missing(examination)]
    return "\n".join(lines)


def _render_section(section: Section) -> list[str]:
    width = max(map(len, section), default=0) + 2
    lines: list[str] = []
    for label, value in section.items():
        texts = [value] if isinstance(value, str) else value
        for number, text in enumerate(texts):
            shown_label = label if number == 0 else ""
            lines += _wrap_line(text, f"  {shown_label:<{width}}")
    return lines


def _render_missing(examination: Examination) -> list[str]:
    if not examination.missing:
        return ["Nothing is missing that can be seen without running it."]
    lines = ["Missing"]
    for problem in examination.missing:
        where = f" ({problem['where']})" if problem["where"] else ""
        lines += _wrap_line(problem["says"] + where, "  - ")
        for line in problem["advice"].splitlines():
            lines += _wrap_advice(line)
    return lines


def _wrap_advice(line: str) -> list[str]:
    """A line of advice; indented lines are configuration to copy, and stay as they are."""
    if line.startswith(" "):
        return [f"    {line}"]
    return _wrap_line(line, "    ") if line else [""]


def _wrap_line(line: str, start: str) -> list[str]:
    """`start` and the line in 80 columns; further lines are indented as far as `start` is long."""
    wrapper = textwrap.TextWrapper(WIDTH, break_long_words=False, break_on_hyphens=False)
    wrapper.initial_indent = start
    wrapper.subsequent_indent = " " * len(start)
    return wrapper.wrap(line) or [start.rstrip()]
