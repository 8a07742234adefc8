"""What can be said of a project without running any of it: a section for each of its parts."""

from __future__ import annotations

from collections.abc import Mapping

from migration_gate.config.repository_root import find_repository_root
from migration_gate.config.settings import DEFAULT_ORIGIN, Settings
from migration_gate.config.settings_text import describe_settings, hide_password
from migration_gate.doctor.database_url_section import describe_database_url
from migration_gate.doctor.interpreter_section import add_interpreter_section, describe_installation
from migration_gate.doctor.project_examination import Examination, Section
from migration_gate.project import import_path, locate
from migration_gate.project.locate import AlembicEnvironment

MOST_MENTIONS = 5
"""of production's Postgres, the nearest to production first"""


def examine_project(settings: Settings, environ: Mapping[str, str]) -> Examination:
    """Read the project's files, and ask at most an interpreter which packages it has."""
    examination = Examination(settings.name)
    environment = examination.call_or_note_missing(lambda: locate.locate_environment(settings, environ))
    installation: Section | None = None
    if environment:
        installation = examination.call_or_note_missing(lambda: describe_installation(settings, environ))
        _add_environment_sections(examination, environment, settings, environ)
    if installation:
        examination.sections["interpreter"] = installation
    else:
        add_interpreter_section(examination, environment, settings, environ)
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
    ).folders
    examination.sections["project"] = _project_section(environment, path)
    examination.sections["database url"] = describe_database_url(environment, path, settings, environ)


def _project_section(environment: AlembicEnvironment, path: tuple[str, ...]) -> Section:
    section: Section = {"found": environment.kind}
    is_hook = environment.kind == "hook"
    scripts = environment.entry_file.parent if environment.entry_file else None
    values = {
        "config": environment.config,
        "section": environment.section if environment.section != "alembic" else None,
        "flask_app": environment.flask_app,
        "hook": environment.entry_file if is_hook else None,
        "scripts": None if is_hook else scripts,
        "runs in": environment.directory,
    }
    section.update({label: str(value) for label, value in values.items() if value is not None})
    section["import path"] = list(path)
    if environment.notes:
        section["notes"] = list(environment.notes)
    return section


def _postgres_section(examination: Examination, settings: Settings) -> Section:
    """Each server that is named, and which one it would be; and what production has."""
    from migration_gate.scan.production_postgres import find_production_postgres  # noqa: PLC0415

    section: Section = {}
    runs = settings.list_server_runs()
    for number, run in enumerate(runs, 1):
        for label, value in _server_section(examination, run).items():
            section[label if len(runs) == 1 else f"{label} {number}"] = value
    mentions = find_production_postgres(settings.root)
    if mentions:
        section["production"] = [
            f"PostgreSQL {mention.major} ({mention.place}{f', {mention.image}' if mention.image else ''})"
            for mention in mentions[:MOST_MENTIONS]
        ]
    return section


def _server_section(examination: Examination, settings: Settings) -> Section:
    from migration_gate.postgres.choice import choose_server  # noqa: PLC0415 - only this section needs it
    from migration_gate.replay.production_server import find_production_server  # noqa: PLC0415

    production = find_production_server(settings)
    choice = examination.call_or_note_missing(lambda: choose_server(settings.postgres, production))
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
