"""Which interpreter runs the project, and with which packages; or how they would be installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from migration_gate.config.repository_root import find_repository_root
from migration_gate.config.settings import Settings
from migration_gate.doctor.project_examination import Examination, Section
from migration_gate.errors import GateError
from migration_gate.install.python_version import allows_python
from migration_gate.project import interpreter, interpreter_choice
from migration_gate.project.interpreter import Interpreter
from migration_gate.project.interpreter_choice import LOCK_FILES
from migration_gate.project.locate import AlembicEnvironment

if TYPE_CHECKING:
    from migration_gate.install import InstallationPlan


def describe_installation(settings: Settings, environ: Mapping[str, str]) -> Section:
    """What would be installed; empty if that is switched off, or an interpreter has the packages."""
    from migration_gate import install  # noqa: PLC0415 - switched off on most machines
    from migration_gate.install.python_version import NAMED_NOWHERE  # noqa: PLC0415

    if not install.needs_installation(settings, environ):
        return {}
    plan = install.plan_installation(settings, environ)
    cause = "as" if plan.python.origin == NAMED_NOWHERE else "because of"
    section: Section = {
        "python": f"{plan.python.specifier}, {cause} {plan.python.origin}",
        "installed": f"from {plan.title}, when the gate runs",
    }
    for label, names in (("groups", settings.groups), ("extras", settings.extras)):
        if names:
            section[label] = ", ".join(names)
    return section


def add_interpreter_section(
    examination: Examination,
    environment: AlembicEnvironment | None,
    settings: Settings,
    environ: Mapping[str, str],
) -> None:
    """The interpreter that a run would take; if there is none, that is missing."""
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
    examination.sections["interpreter"] = _describe_interpreter(examination, chosen)
    _note_unfit_python(examination, chosen, settings, environ)


def _offer_installation(
    environment: AlembicEnvironment | None, settings: Settings, environ: Mapping[str, str]
) -> str:
    """What `install: auto` would do; empty if it could not."""
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


def _describe_interpreter(examination: Examination, chosen: Interpreter) -> Section:
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
